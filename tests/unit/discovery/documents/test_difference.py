from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bawn.discovery.clients import Roots
from bawn.discovery.documents.difference import unified
from bawn.discovery.documents.document import splice
from bawn.discovery.documents.json_document import JsonDocument
from bawn.discovery.documents.yaml_document import YAML_SUFFIXES
from bawn.discovery.inventory import inventory

ENTRY = {"command": "/opt/bawn", "args": ["stdio"]}
SECRETS = [
    "ghp_exampleexampleexampleexampleexampl",
    "sk-ant-api03-example",
    "correct-horse",
    "0123456789abcdef",
    "abc123def456",
    "xoxb-0000000000-example",
]


def _replaced(text: str, *names: str) -> tuple[JsonDocument, list[str], str]:
    document = JsonDocument(text)
    edits = [document.replacement(s, ENTRY) for s in document.slots(("s",)) if s.name in names]
    return document, list(unified(document, edits)), splice(text, edits)


def _patched(text: str, hunks: list[str]) -> str:
    """The text with the hunks applied, strictly: every line and every number must fit."""
    old, new, at = text.split("\n"), list[str](), 0
    for header, *body in _groups(hunks):
        start, length, there, lines = map(int, re.findall(r"[0-9]+", header))
        new += old[at : start - 1]
        assert len(new) + 1 == there
        before = [line[1:] for line in body if line[0] in " -"]
        after = [line[1:] for line in body if line[0] in " +"]
        assert (len(before), len(after)) == (length, lines)
        at = start - 1 + length
        assert old[start - 1 : at] == before
        new += after
    return "\n".join(new + old[at:])


def _groups(hunks: list[str]) -> list[list[str]]:
    groups: list[list[str]] = []
    for line in hunks:
        if line.startswith("@@"):
            groups.append([])
        groups[-1].append(line)
    return groups


def test_a_diff_applies_to_the_file() -> None:
    lines = {"before": list(range(40)), "s": {n: {"command": n, "x": 1} for n in "abc"}, "after": 1}
    text = json.dumps(lines, indent=2) + "\n"
    _, hunks, after = _replaced(text, "a", "c")
    assert _patched(text, hunks) == after


def test_entries_far_apart_are_hunks_of_their_own() -> None:
    servers = {f"n{n}": {"command": "x"} for n in range(20)}
    _, hunks, _ = _replaced(json.dumps({"s": servers}, indent=2), "n0", "n19")
    assert sum(line.startswith("@@") for line in hunks) == 2
    assert hunks[0] == "@@ -1,8 +1,9 @@"


def test_one_long_line_is_one_line() -> None:
    _, hunks, after = _replaced('{"s":{"a":{"command":"x"}}}', "a")
    assert hunks == ["@@ -1,1 +1,1 @@", '-{"s":{"a":{"command":"x"}}}', f"+{after}"]


def test_line_ends_of_the_file_do_not_show() -> None:
    _, hunks, _ = _replaced('{\r\n "s": {\r\n  "a": {\r\n  }\r\n }\r\n}', "a")
    assert not any("\r" in line for line in hunks)


def test_secrets_of_neighbours_are_masked_too() -> None:
    text = json.dumps(
        {
            "s": {"b": {"args": ["--token", "hunter2"]}, "a": {"env": {"KEY": "hunter3"}}},
            "apiKey": "hunter1",
        },
        indent=1,
    )
    _, hunks, _ = _replaced(text, "a")
    shown = "\n".join(hunks)
    assert "hunter" not in shown
    assert shown.count("<secret: 7 characters>") == 3


def test_a_huge_entry_is_shown_without_being_compared() -> None:
    text = json.dumps({"s": {"a": {"args": [str(n) for n in range(50_000)]}}}, indent=1)
    _, hunks, _ = _replaced(text, "a")
    assert sum(line.startswith("-") for line in hunks) > 50_000


def test_no_secret_of_any_client_is_shown(machine: Path, roots: Roots) -> None:
    for file in inventory(roots, machine / "project"):
        document = file.document
        assert document is not None
        if file.path.suffix in YAML_SUFFIXES:
            continue
        edits = [document.replacement(slot, ENTRY) for slot, _ in file.found]
        shown = "\n".join(unified(document, edits))
        assert [secret for secret in SECRETS if secret in shown] == []


@pytest.mark.parametrize("gap", [0, 1, 2, 6, 7, 8, 20])
def test_hunks_are_right_whatever_lies_between(gap: int) -> None:
    between = ",\n".join(f'  "x{n}": {{}}' for n in range(gap))
    text = '{"s": {\n  "a": {},\n' + between + (",\n" if gap else "") + '  "b": {}\n}}\n'
    _, hunks, after = _replaced(text, "a", "b")
    assert _patched(text, hunks) == after
