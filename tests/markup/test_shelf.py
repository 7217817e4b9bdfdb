from __future__ import annotations

from labdeck.markup.shelf import CLOSE, OPEN, Piece, Shelf


def math(source: str) -> Piece:
    return Piece("math", source, source.strip("$"))


def show(piece: Piece) -> str:
    return f"<m>{piece.content}</m>"


def test_marks_stand_for_pieces_until_they_are_filled() -> None:
    shelf = Shelf()
    text = f"a {shelf.put(math('$x$'))} b {shelf.put(math('$y$'))}"
    assert "$" not in text
    assert shelf.fill(text, show) == "a <m>x</m> b <m>y</m>"
    assert shelf.restore(text) == "a $x$ b $y$"
    assert shelf.plain(text, lambda piece: piece.content) == "a x b y"


def test_a_mark_is_as_many_lines_long_as_its_source() -> None:
    shelf = Shelf()
    mark = shelf.put(math("$$\na\nb\n$$"))
    assert mark.count("\n") == 3
    assert shelf.restore(f"c {mark} d") == "c $$\na\nb\n$$ d"
    assert shelf.fill(f"<p>{mark}</p>", show) == "<p><m>\na\nb\n</m></p>"
    assert (
        shelf.fill("<p>" + mark.replace("\n", "\n> ") + "</p>", show).endswith("</m></p>") is False
    )


def test_a_mark_inside_a_tag_becomes_its_source_again() -> None:
    shelf = Shelf()
    mark = shelf.put(Piece("math", '$"a"$', "a"))
    assert shelf.fill(f'<img alt="{mark}">{mark}', show) == ('<img alt="$&quot;a&quot;$"><m>a</m>')


def test_pieces_may_hold_marks_themselves() -> None:
    shelf = Shelf()
    inner = shelf.put(math("$x$"))
    outer = shelf.put(Piece("html", "<i>", f"<i>{inner}</i>"))
    shown = shelf.fill(outer, lambda p: p.content if p.kind == "html" else show(p))
    assert shown == "<i><m>x</m></i>"


def test_a_deck_cannot_forge_a_mark() -> None:
    assert Shelf.clean(f"a{OPEN}0{CLOSE}b") == "a\ufffd0\ufffdb"


def test_text_without_marks_is_left_alone() -> None:
    shelf = Shelf()
    text = "plain"
    assert shelf.fill(text, show) is text
    assert shelf.restore(text) is text
    assert shelf.plain(text, show) is text


def test_a_broken_mark_ends_the_filling() -> None:
    assert Shelf().fill(f"a{OPEN}b", lambda piece: "") == f"a{OPEN}b"
