from __future__ import annotations

from typing import Any

import pytest

from labdeck.errors import DeckError, Where
from labdeck.yamlish import MAX_NODES, read_json, read_json5, read_yaml, scalar


def yaml(text: str) -> Any:
    return read_yaml(text, "talk.md", 2, "front matter").data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("16:9", "16:9"),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("no", "no"),
        ("y", "y"),
        ("true", True),
        ("True", True),
        ("tRUE", "tRUE"),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("2024-05-01", "2024-05-01"),
        ("12", 12),
        ("-7", -7),
        ("1_000", 1000),
        ("1_", "1_"),
        ("0x1F", 31),
        ("0b11", 3),
        ("0o17", 15),
        ("8e3", 8000.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1.2.3", "1.2.3"),
        ("<<", "<<"),
    ],
)
def test_scalars_are_read_as_js_yaml_does(text: str, value: Any) -> None:
    read = scalar(text)
    assert read == value and type(read) is type(value)


def test_quoted_scalars_stay_texts() -> None:
    assert yaml("a: '12'\nb: \"true\"\nc: |\n  1\n") == {"a": "12", "b": "true", "c": "1\n"}


def test_nesting_lists_and_merge_keys() -> None:
    text = "base: &b {x: 1, y: 2}\nother: &c {y: 9, z: 3}\nuse:\n  <<: [*b, *c]\n  x: 5\nl: [a, 1]"
    read = yaml(text)
    assert read["use"] == {"x": 5, "y": 2, "z": 3}
    assert read["l"] == ["a", 1]


def test_every_key_knows_its_place() -> None:
    document = read_yaml("a: 1\nb:\n  c: 2\n", "talk.md", 2, "front matter")
    assert document.where("b", "c") == Where("talk.md", 4, 3)
    assert document.where("b", "other") == Where("talk.md", 3, 1)
    assert document.where("zzz") is None


NO_MAPPING = (
    "    → write `title: …`, or put a blank line before the first --- if it separates slides"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "title: a: b",
            "talk.md:2:9: error: front matter, line 2: mapping values are not allowed in this"
            " context\n    title: a: b\n            ^\n"
            "    → check the indentation, the colons and the quotes of this line",
        ),
        (
            "a: 1\n\tb: 2",
            "talk.md:3:1: error: front matter, line 3: found a tab character that violates"
            " indentation\n     b: 2\n    ^\n    → YAML is indented with spaces, not tabs",
        ),
        (
            "title: [1, 2",
            "talk.md:3:1: error: front matter, line 3: did not find expected ',' or ']'\n"
            "    → check the indentation, the colons and the quotes of this line",
        ),
        (
            "- a\n- b",
            "talk.md:2: error: front matter must hold `key: value` lines, found a list\n"
            + NO_MAPPING,
        ),
        (
            "# only a heading",
            "talk.md:2: error: front matter must hold `key: value` lines, found nothing\n"
            + NO_MAPPING,
        ),
        (
            "just text",
            "talk.md:2: error: front matter must hold `key: value` lines, found a plain text\n"
            + NO_MAPPING,
        ),
        ("? [a, b]\n: c", "talk.md:2:3: error: a key must be a plain word"),
        ("a: 1\n<<: 3", "talk.md:3:5: error: `<<` needs a mapping"),
        ("a: &a [*a]", "talk.md:2:4: error: too many nested aliases in YAML"),
    ],
)
def test_bad_yaml_says_where_and_what_to_do(text: str, message: str) -> None:
    with pytest.raises(DeckError) as caught:
        yaml(text)
    assert str(caught.value) == message


def test_keys_given_twice_are_noted_and_the_last_one_counts() -> None:
    document = read_yaml("title: a\nx: {b: 1, b: 2}\ntitle: c", "talk.md", 2, "front matter")
    assert document.data == {"title": "c", "x": {"b": 2}}
    assert {path: str(error) for path, error in document.repeated.items()} == {
        ("title",): "talk.md:4:1: error: `title` is given twice (first on line 2)\n"
        "    → keep one of the two",
        ("x", "b"): "talk.md:3:11: error: `b` is given twice (first on line 3)\n"
        "    → keep one of the two",
    }


def test_a_yaml_bomb_ends_with_an_error() -> None:
    lines = ["a0: &a0 [x, x]"] + [
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)
    ]
    with pytest.raises(DeckError, match="too many nested aliases in YAML"):
        yaml("\n".join(lines))
    assert len(yaml("a: [" + "x, " * (MAX_NODES - 10) + "]")["a"]) == MAX_NODES - 10


def test_f3_front_matter_that_starts_with_a_brace_is_json() -> None:
    assert read_json('{"title": "A", "a": {"b": [1]}}', "t.md", 2, "front matter").data == {
        "title": "A",
        "a": {"b": [1]},
    }


def test_bad_json_in_front_matter_says_where() -> None:
    with pytest.raises(DeckError) as caught:
        read_json('{"a": 1,\n b: 2}', "talk.md", 2, "front matter")
    assert str(caught.value) == (
        "talk.md:3:2: error: front matter, line 3: not valid JSON:"
        " Expecting property name enclosed in double quotes\n"
        "    → front matter that starts with { is read as JSON"
    )


def test_json_that_is_no_mapping() -> None:
    with pytest.raises(DeckError) as caught:
        read_json("[1]", "talk.md", 2, "front matter")
    assert str(caught.value) == "talk.md:2: error: front matter must hold a mapping, found list"


def test_configuration_files_are_json_or_json5() -> None:
    assert read_json5('{"theme": "moon"}', "reveal-md.json").data == {"theme": "moon"}
    text = "// comment\n{theme: 'moon', /* more */ revealOptions: {width: 1000,},}"
    assert read_json5(text, "x.json").data == {"theme": "moon", "revealOptions": {"width": 1000}}


def test_bad_json5_says_where() -> None:
    with pytest.raises(DeckError) as caught:
        read_json5("{\n theme: moon,,\n}", "reveal-md.json")
    assert caught.value.where is not None
    assert (caught.value.where.file, caught.value.where.line) == ("reveal-md.json", 2)
    assert caught.value.message.startswith("not valid JSON5: ")
    assert caught.value.hint == "check commas and quotes"


def test_a_configuration_file_that_is_no_mapping() -> None:
    with pytest.raises(DeckError) as caught:
        read_json5("[]", "reveal.json")
    assert str(caught.value) == "reveal.json:1: error: the file must hold a mapping, found list"
