from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labdeck.errors import DeckError, Problems, Where
from labdeck.model import DemoRef, Settings
from labdeck.settings import (
    BY_KEY,
    OPTIONS,
    REVEAL_DEFAULTS,
    Configuration,
    merge_deeply,
    read_configuration,
    resolve,
)
from labdeck.yamlish import Document, read_yaml


def front(text: str) -> Document:
    return read_yaml(text, "talk.md", 2, "front matter") if text else Document()


def settle(
    text: str = "", flags: dict[str, Any] | None = None, *files: dict[str, Any], reveal: Any = None
) -> tuple[Settings, list[str]]:
    problems = Problems()
    configuration = Configuration(tuple(Document(f) for f in files), Document(reveal or {}))
    settings = resolve(flags or {}, front(text), configuration, problems)
    return settings, [str(problem) for problem in problems.found]


def fails(text: str, flags: dict[str, Any] | None = None) -> str:
    with pytest.raises(DeckError) as caught:
        settle(text, flags)
    return str(caught.value)


def test_f9_defaults_are_those_of_reveal_md() -> None:
    settings, problems = settle()
    assert problems == []
    assert settings == Settings(reveal=dict(REVEAL_DEFAULTS))
    assert settings.separator == r"\r?\n---\r?\n"
    assert settings.vertical_separator == r"\r?\n----\r?\n"
    assert (settings.theme, settings.highlight_theme) == ("black", "base16/zenburn")
    assert (settings.glob, settings.mermaid) == ("**/*.md", {})


def test_every_option_has_a_field_a_flag_and_a_meaning() -> None:
    assert {option.field for option in OPTIONS} <= set(Settings.__dataclass_fields__)
    assert all(option.about and option.kind for option in OPTIONS)
    assert BY_KEY["highlightTheme"].flag == "--highlight-theme"


def test_f6_flags_win_over_front_matter_over_files() -> None:
    files = ({"theme": "moon", "title": "F", "lang": "ja"}, {"lang": "ko", "author": "P"})
    settings, _ = settle("theme: sky\ntitle: D", {"theme": "beige"}, *files)
    assert (settings.theme, settings.title) == ("beige", "D")
    assert (settings.lang, settings.author) == ("ja", "P")


def test_f6_mappings_are_merged_deeply() -> None:
    settings, _ = settle("mermaid:\n  a: {x: 1}", None, {"mermaid": {"a": {"x": 9, "y": 2}}})
    assert settings.mermaid == {"a": {"x": 1, "y": 2}}
    assert settle("mermaid: false", None, {"mermaid": {"a": 1}})[0].mermaid is False
    assert settle("mermaid: true")[0].mermaid == {}


def test_f7_a_reveal_option_on_the_command_line_wins() -> None:
    settings, _ = settle(
        "revealOptions: {transition: fade, width: 1000}",
        {"revealOptions": {"transition": "slide"}},
        {"revealOptions": {"width": 1, "height": 700}},
        reveal={"height": 1, "loop": True},
    )
    assert settings.reveal == {
        **REVEAL_DEFAULTS,
        "transition": "slide",
        "width": 1000,
        "height": 700,
        "loop": True,
    }


def test_f8_reveal_options_of_one_kind_leave_the_defaults_of_the_others() -> None:
    settings, _ = settle("revealOptions: {width: 1000}")
    assert settings.reveal == {**REVEAL_DEFAULTS, "width": 1000}
    assert "height" not in settings.reveal


def test_f11_unknown_keys_are_kept_for_templates() -> None:
    settings, problems = settle("institute: X\nnested: {a: [1]}")
    assert settings.extra == {"institute": "X", "nested": {"a": [1]}}
    assert problems == []


@pytest.mark.parametrize(
    "text", ["css: a.css, b.css", "css: [a.css, ' b.css ']", "css: 'a.css,b.css,'"]
)
def test_f13_lists_may_be_texts_with_commas_and_spaces(text: str) -> None:
    assert settle(text)[0].css == ("a.css", "b.css")


def test_null_is_as_if_it_were_not_there() -> None:
    assert settle("theme:\ntitle: ~\nrevealOptions:", None, {"theme": "sky"})[0].theme == "sky"


def test_numbers_become_texts_where_texts_are_wanted() -> None:
    settings, _ = settle("title: 2024\ndate: 2024-05-01\nfeaturedSlide: 3")
    assert (settings.title, settings.date, settings.featured_slide) == ("2024", "2024-05-01", "3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "title: [a]",
            "talk.md:2:1: error: `title` must be a text, got ['a']\n"
            "    → title of the page; without it the first heading",
        ),
        (
            "a: 1\ntheme: true",
            "talk.md:3:1: error: `theme` must be a text, got True\n"
            "    → a theme of reveal.js, or a stylesheet",
        ),
        (
            "css: 3",
            "talk.md:2:1: error: `css` must be a list, or texts with commas between them, got 3\n"
            "    → stylesheets, after theme and highlight theme",
        ),
        (
            "css: [[a]]",
            "talk.md:2:1: error: `css` must be a text, got [['a']]\n"
            "    → stylesheets, after theme and highlight theme",
        ),
        (
            "mermaid: x",
            "talk.md:2:1: error: `mermaid` must be a mapping, got 'x'\n"
            "    → options of mermaid, or false",
        ),
        (
            "slideLevel: 7",
            "talk.md:2:1: error: `slideLevel` must be a level of headings, 1 to 6, got 7\n"
            "    → cut notes into slides at headings up to it",
        ),
        (
            "revealOptions: [1]",
            "talk.md:2:1: error: `revealOptions` must be a mapping, got [1]\n"
            "    → write one option of reveal.js a line, indented under revealOptions:",
        ),
    ],
)
def test_an_option_of_the_wrong_kind_says_what_is_wanted(text: str, message: str) -> None:
    assert fails(text) == message


def test_reveal_options_at_the_top_level_have_no_effect_and_say_so() -> None:
    settings, problems = settle("title: a\ntransition: zoom\nslideNumber: false")
    assert settings.reveal == REVEAL_DEFAULTS
    assert problems == [
        "talk.md:3:1: warning: `transition` has no effect here\n"
        "    → indent it under `revealOptions:` if you want reveal.js to see `transition`",
        "talk.md:4:1: warning: `slideNumber` has no effect here\n"
        "    → indent it under `revealOptions:` if you want reveal.js to see `slideNumber`",
    ]


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("highlight-theme", "highlightTheme"),
        ("vertical_separator", "verticalSeparator"),
        ("reveal-options", "revealOptions"),
    ],
)
def test_a_key_in_another_spelling_has_no_effect_and_says_so(key: str, meant: str) -> None:
    assert settle(f"{key}: x")[1] == [
        f"talk.md:2:1: warning: `{key}` has no effect\n    → write `{meant}`"
    ]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("preprocessor", "run it on the file beforehand; building a deck runs no code of the deck"),
        ("template", "write a Jinja template: docs/templates.md"),
        ("listingTemplate", "write a Jinja template: docs/templates.md"),
        ("featuredSlide", "take a picture of the slide and name it in a template of your own"),
    ],
)
def test_options_of_reveal_md_that_do_nothing_here_say_so(key: str, hint: str) -> None:
    assert settle(f"title: a\n{key}: x")[1] == [
        f"talk.md:3:1: warning: `{key}` has no effect here\n    → {hint}"
    ]


# Demos


def test_demos_are_named_with_or_without_parameters() -> None:
    settings, _ = settle("demos:\n  a: t.one\n  b: {run: t.two, rank: 8, seed: 3}\n  数: t.one")
    assert settings.demos == (
        DemoRef("a", "t.one", where=Where("talk.md", 3, 3)),
        DemoRef("b", "t.two", {"rank": 8}, 3, Where("talk.md", 4, 3)),
        DemoRef("数", "t.one", where=Where("talk.md", 5, 3)),
    )
    assert settle("demos:")[0].demos == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "demos: [a]",
            "talk.md:2:1: error: `demos` must be a mapping of names to demos\n"
            "    → write e.g. `attn: attention.scaled_dot_product` on a line of its own"
            " under demos:",
        ),
        (
            "demos:\n  my-lora: t.one",
            "talk.md:3:3: error: demo name `my-lora` cannot be used in {{ … }}\n"
            "    → use letters, digits and _ only, a letter first",
        ),
        (
            "demos:\n  a: 3",
            "talk.md:3:3: error: `demos.a` must name a demo\n"
            "    → write `a: topic.function`, or `a: {run: topic.function, rank: 8}`",
        ),
        (
            "demos:\n  a: {rank: 8}",
            "talk.md:3:3: error: `demos.a` must name a demo\n"
            "    → write `a: topic.function`, or `a: {run: topic.function, rank: 8}`",
        ),
        (
            "demos:\n  a: {run: t.one, sweep: {rank: [1]}}",
            "talk.md:3:3: error: `demos.a`: `sweep` is not available in this version\n"
            "    → take `sweep` out, and name each run you need as an entry of its own",
        ),
        (
            "demos:\n  a: {run: t.one, live: true}",
            "talk.md:3:3: error: `demos.a`: `live` is not available in this version\n"
            "    → take `live` out, and name each run you need as an entry of its own",
        ),
        (
            "demos:\n  a: {run: t.one, seed: -1}",
            "talk.md:3:3: error: `demos.a`: seed must be an integer from 0 to 2147483647, got -1",
        ),
        (
            "demos:\n  a: {run: t.one, seed: 1.5}",
            "talk.md:3:3: error: `demos.a`: seed must be an integer from 0 to 2147483647, got 1.5",
        ),
    ],
)
def test_a_demo_entry_that_cannot_be_read_says_how_to_write_it(text: str, message: str) -> None:
    assert fails(text) == message


# Files


def write(root: Path, **files: str) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / name).write_text(text, encoding="utf-8")


def test_f6_json5_is_tried_before_json_and_the_nearest_folder_first(tmp_path: Path) -> None:
    write(tmp_path, **{"reveal-md.json": '{"theme": "moon"}', "reveal.json": '{"width": 1}'})
    write(tmp_path / "slides", **{"reveal-md.json": '{"theme": "sky"}'})
    write(tmp_path / "slides", **{"reveal-md.json5": "{theme: 'beige', /* why */}"})
    deck = tmp_path / "slides" / "deep"
    configuration = read_configuration(deck, tmp_path)
    assert [source.data for source in configuration.sources] == [{"theme": "beige"}]
    assert configuration.reveal.data == {"width": 1}
    assert read_configuration(tmp_path, tmp_path).sources[0].data == {"theme": "moon"}


def test_files_above_the_project_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, **{"reveal-md.json": '{"theme": "moon"}'})
    assert read_configuration(tmp_path / "p" / "s", tmp_path / "p") == Configuration()


def test_options_may_stand_in_pyproject(tmp_path: Path) -> None:
    text = '[tool.labdeck]\ntheme = "white"\ntrust = []\n[tool.labdeck.revealOptions]\nwidth = 5\n'
    write(tmp_path, **{"pyproject.toml": text})
    configuration = read_configuration(tmp_path / "slides", tmp_path)
    settings = resolve({}, Document(), configuration, Problems())
    assert settings.theme == "white" and settings.reveal["width"] == 5


def configuration_error(folder: Path) -> str:
    with pytest.raises(DeckError) as caught:
        read_configuration(folder, folder)
    return str(caught.value)


def test_an_unknown_option_in_pyproject_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, **{"pyproject.toml": "[tool.labdeck]\nseperator = 'x'\n"})
    assert configuration_error(tmp_path) == (
        f"{tmp_path}/pyproject.toml: error: [tool.labdeck]: unknown option `seperator`\n"
        "    → did you mean `separator` or `notesSeparator` or `verticalSeparator`?"
    )


def test_broken_toml_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, **{"pyproject.toml": "[tool.labdeck\n"})
    start = f"{tmp_path}/pyproject.toml: error: not valid TOML: "
    assert configuration_error(tmp_path).startswith(start)


def test_a_configuration_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "reveal.json").write_bytes(b'{"a": "\xff"}')
    start = f"{tmp_path}/reveal.json: error: cannot be read: 'utf-8' codec"
    assert configuration_error(tmp_path).startswith(start)


def test_merging_changes_none_of_the_layers() -> None:
    first, second = {"a": {"x": 1}}, {"a": {"y": 2}, "b": 1}
    assert merge_deeply([first, second]) == {"a": {"x": 1, "y": 2}, "b": 1}
    assert (first, second) == ({"a": {"x": 1}}, {"a": {"y": 2}, "b": 1})
