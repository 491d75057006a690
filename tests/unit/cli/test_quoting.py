"""Foreign text on a terminal is exact, and cannot act."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.cli.quoting import command_line, printable
from bawn.telemetry.text import prints


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, naïve 名前", "plain text, naïve 名前"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb\nc", "a\\x0db\\x0ac"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("a\u00a0b", "a\\xa0b"),
        ("\U000e0041", "\\U000e0041"),
        ("a\u3164\u2800b", "a\\u3164\\u2800b"),
    ],
)
def test_what_does_not_print_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_whatever_is_shown_prints(text: str) -> None:
    assert printable(text).isprintable()
    assert command_line([text]).isprintable()


@given(
    st.lists(
        st.text(
            alphabet=st.characters(
                exclude_categories=["Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Co", "Cn"]
            ).filter(prints)
            | st.just(" ")
        ),
        min_size=1,
    )
)
def test_a_command_reads_back_as_itself(command: list[str]) -> None:
    assert shlex.split(command_line(command)) == command


def test_a_shell_reads_escapes_back_as_themselves() -> None:
    words = ["a'b\\x41\x1b[2J\n\u202e", "\\x1b", "$(id)", "`id`"]

    shown = command_line(words)
    read = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {shown}"],
        capture_output=True,
        check=True,
        env={"LC_ALL": "C.UTF-8"},
    )

    assert shown.isprintable()
    assert read.stdout.decode().split("\0")[:-1] == words
