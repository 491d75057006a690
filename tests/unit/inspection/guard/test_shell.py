"""Command lines, taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.guard.shell import commands


def _targets(text: str) -> set[tuple[str, str]]:
    return {
        (command.at, value)
        for command in commands(text)
        for word in command.targets
        for value in word
    }


@pytest.mark.parametrize(
    ("text", "at", "target"),
    [
        ("echo a > x", "", "x"),
        ("cat <<E >> x\nhi\nE\n", "", "x"),
        ("D=a; echo > $D/x", "", "a/x"),
        ("D=a; D+=b; echo > ${D}", "", "ab"),
        ("cd a && cd b && echo > x", "a/b", "x"),
        ("cd a; cd /b; echo > x", "/b", "x"),
        ("for f in a b; do echo > $f; done", "", "b"),
        ("echo > $(echo x | rev)", "", "x"),
        ("echo > a''b\"c\"$'\\x64'", "", "abcd"),
        ("{ a; b; } &> x", "", "x"),
        ("echo > ${N:-x}", "", "x"),
        ("N=axe; echo > ${N#a}", "", "xe"),
        ("N=axe; echo > ${N:1:1}", "", "x"),
    ],
)
def test_redirections_are_found_with_where_they_stand(text: str, at: str, target: str) -> None:
    assert (at, target) in _targets(text)


def test_reading_from_a_file_is_no_target() -> None:
    assert not _targets("cat < x 2>&1 | wc -l")


def test_what_a_pipe_feeds_is_known() -> None:
    assert commands("echo eA== | base64 -d | sh")[-1].fed == "x"
    assert commands("sh <<E\nrm x\nE\n")[0].fed == "rm x\n"
    assert commands("sh <<< 'rm x'")[0].fed == "rm x"


def test_commands_within_substitutions_are_found() -> None:
    names = {command.argv[0][0] for command in commands('echo "$(rm x)" <(cp a b)') if command.argv}
    assert {"echo", "rm", "cp"} <= names


@given(st.text("ab $\"'`\\(){}<>|&;=\n*?[]#!", max_size=60))
def test_nothing_makes_it_fail(text: str) -> None:
    commands(text)
