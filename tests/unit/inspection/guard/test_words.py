"""What words come to."""

from __future__ import annotations

from bawn.inspection.guard.words import Variables, bare, decoded, joined, output


def test_an_escaped_word_reads_as_a_shell_and_as_windows_read_it() -> None:
    assert bare(r".c\ursor") == (".cursor", ".c/ursor")


def test_variables_keep_what_they_may_hold() -> None:
    variables = Variables()
    variables.put("A", ("x",))
    variables.put("A", ("y",), added=True)
    assert "xy" in variables.get("A")
    assert variables.get("HOME") == ("$HOME",)
    assert variables.get("B") == ("*",)


def test_the_combinations_of_words_are_bounded() -> None:
    assert len(joined([("a", "b", "c", "d")] * 10)) <= 8


def test_the_output_of_simple_programs_is_known() -> None:
    assert output([("printf",), ("%s-%s",), ("a",), ("b",)], "") == "a-b"
    assert output([("rev",)], "cba") == "abc"
    assert output([("tr",), ("a-c",), ("b-d",)], "abc") == "bcd"
    assert output([("base64",), ("-d",)], "LmN1cnNvcg==") == ".cursor"
    assert output([("date",)], "") is None


def test_what_encodes_no_text_is_none() -> None:
    assert decoded("distribution") is None
    assert decoded("not base64!") is None
    assert decoded("2e637572736f72", "xxd") == ".cursor"
