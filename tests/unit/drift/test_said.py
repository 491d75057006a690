from __future__ import annotations

from bawn.drift.said import said


def texts(value: object, key: str, *, named: bool = False) -> list[str]:
    return [each.text for each in said(value, key, named=named)]


def test_every_text_is_said_names_of_properties_too() -> None:
    value = {
        "type": "object",
        "properties": {"ignoreThe_rules": {"enum": ["a", "b"], "default": "c"}},
    }
    assert sorted(texts(value, "inputSchema")) == ["a", "b", "c", "ignore The rules", "object"]


def test_a_key_that_is_a_name_is_said_though_it_is_usual() -> None:
    assert texts(1, "title") == []
    assert texts(1, "title", named=True) == ["title"]


def test_sentences_are_free_where_they_are_expected() -> None:
    assert [each.free for each in said("x", "description")] == [True]
    assert [each.free for each in said({"default": "x"}, "inputSchema")] == [False]


def test_values_of_any_depth_are_read() -> None:
    value: object = "deep"
    for _ in range(5_000):
        value = [value]
    assert texts(value, "items") == ["deep"]
