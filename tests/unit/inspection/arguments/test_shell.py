"""What a shell makes of a text: pipelines, words without quotes, redirections, substitutions."""

from __future__ import annotations

from bawn.inspection.arguments.shell import handed, read


def test_pipelines_have_their_commands_in_order() -> None:
    script = read("a 1 | b '2 3' > out; c \"x\"y && d")
    assert [[each.name for each in line] for line in script.pipelines] == [["a", "b"], ["c"], ["d"]]
    assert script.pipelines[0][1].words == ["2 3"]
    assert script.pipelines[1][0].words == ["xy"]
    assert not script.broken


def test_redirections_tell_reading_from_writing() -> None:
    (command,) = read("a < in > out 2>> log").pipelines[0]
    assert [(each.target, each.writes) for each in command.redirects] == [
        ("in", False),
        ("out", True),
        ("log", True),
    ]


def test_redirections_of_a_group_hold_for_its_commands() -> None:
    assert [each.target for each in read("{ a; } < in").pipelines[0][0].redirects] == ["in"]


def test_substitutions_are_inside_and_commands_of_their_own() -> None:
    script = read('a "$(b c)" <(d)')
    assert [each.name for each in script.pipelines[0][0].inside] == ["b", "d"]
    assert {line[0].name for line in script.pipelines} == {"a", "b", "d"}


def test_assignments_and_windows_paths_are_kept() -> None:
    script = read("X=1 type a\\b")
    assert script.assigned == ["X=1"]
    assert script.pipelines[0][0].words == ["ab"]
    assert script.pipelines[0][0].paths == ["a/b"]


def test_texts_that_shells_are_handed_are_told() -> None:
    def inner(text: str) -> list[str]:
        return [each for line in read(text).pipelines for each in handed(line)]

    assert inner("sh -c 'a b'") == ["a b"]
    assert inner('sudo bash -lc "a"') == ["a"]
    assert inner("eval a b") == ["a b"]
    assert inner("echo 'a b' | sh") == ["a b"]
    assert inner("echo sh -x") == []


def test_what_has_too_many_commands_is_cut() -> None:
    assert read("a;" * 3000).cut
    assert not read("a;" * 300).cut
