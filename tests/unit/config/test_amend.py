"""Settings of a server change in the file, and nothing else does: no comment, no other line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config import edit, trust
from bawn.config.amend import changed
from bawn.config.document import read
from bawn.errors import Misconfigured

FILE = """\
# The gate of the workshop.
servers:
    # what everybody reads
    files:   # local
        command: [npx, 'server-files']   # exact version
        owner: ada   # since spring
        labels:   # words
            - docs   # why
            - "read-only"
        # cwd: ./docs
    issues: {url: "https://example.com/mcp"}   # remote
    wiki: {url: 'https://example.com/wiki', labels: [a, b]}

log: {level: debug}  # loud
"""


def after(name: str, changes: dict[str, Any], text: str = FILE) -> str:
    return changed(text.encode(), "f", name, changes).decode()


def test_a_value_is_replaced_and_its_comment_stays() -> None:
    assert after("files", {"owner": "Platform team #1"}) == FILE.replace(
        "owner: ada ", 'owner: "Platform team #1" '
    )


def test_a_new_key_goes_to_the_end_of_the_servers_block() -> None:
    result = after("files", {"status": "deprecated"})
    assert result == FILE.replace(
        "        # cwd: ./docs\n", "        # cwd: ./docs\n        status: deprecated\n"
    )


def test_a_key_that_is_taken_out_takes_its_line_alone() -> None:
    assert after("files", {"owner": None}) == FILE.replace(
        "        owner: ada   # since spring\n", ""
    )


def test_items_of_a_list_come_and_go_with_the_comments_of_the_others_kept() -> None:
    result = after("files", {"labels": ["docs", "team:core"]})
    assert result == FILE.replace('- "read-only"', "- team:core")


def test_a_server_on_one_line_stays_on_it() -> None:
    assert after("issues", {"owner": "Bob", "labels": ["x"]}) == FILE.replace(
        'mcp"}   #', 'mcp", owner: Bob, labels: [x]}   #'
    )
    result = after("wiki", {"labels": ["a"], "owner": "Bob"})
    assert "    wiki: {url: https://example.com/wiki, labels: [a], owner: Bob}\n" in result


def test_several_changes_are_one() -> None:
    result = after("files", {"owner": None, "purpose": "Files: all", "labels": None})
    tree = read(result.encode(), "f").tree["servers"]["files"]
    assert tree == {"command": ["npx", "server-files"], "purpose": "Files: all"}
    assert "# what everybody reads" in result
    assert "# cwd: ./docs" in result


def test_what_is_so_already_changes_nothing() -> None:
    assert after("files", {"owner": "ada", "source": None}) == FILE
    assert after("issues", {"owner": None}) == FILE


@pytest.mark.parametrize(
    "text",
    [
        "servers:\n  a: &a {url: https://e.example.com}\n  b: *a\n",
        "servers: {b: {url: https://e.example.com}}\n",
        "servers:\n  b: {\n    url: https://e.example.com, # why\n  }\n",
        "servers:\n  b:\n    url: https://e.example.com\n    owner: [ # why\n      x]\n",
    ],
)
def test_lines_that_cannot_be_changed_without_loss_are_left_to_the_owner(text: str) -> None:
    with pytest.raises(Misconfigured, match="by hand: `owner: Ada`"):
        after("b", {"owner": "Ada"}, text)


def test_an_unknown_server_is_told_with_the_known() -> None:
    with pytest.raises(Misconfigured, match="it has files, issues, wiki"):
        after("nope", {"owner": "x"})


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=24
)


@given(TEXTS, st.lists(st.from_regex(r"[A-Za-z0-9][a-z0-9.:/-]{0,5}", fullmatch=True), unique=True))
def test_any_text_reads_back_as_it_was_given(owner: str, labels: list[str]) -> None:
    for name in ("files", "issues", "wiki"):
        old = read(FILE.encode(), "f").tree["servers"][name]
        kept = [label for label in old.get("labels", []) if label in labels]
        wanted = [*kept, *(label for label in labels if label not in kept)]
        result = after(name, {"owner": owner, "labels": wanted or None})
        found = read(result.encode(), "f").tree["servers"][name]
        assert found["owner"] == owner
        assert found.get("labels", []) == wanted
        assert "# what everybody reads" in result
        assert "# loud" in result


def test_consent_is_carried_over_and_a_bad_value_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "bawn.yaml"
    path.write_text(FILE)
    found = edit.change(path, "issues", {"owner": "Eve"}, {})
    assert not trust.is_trusted(found.path, found.digest)
    trust.record(found.path, found.digest)
    found = edit.change(path, "issues", {"owner": "Ada"}, {})
    assert trust.is_trusted(found.path, found.digest)
    before = path.read_bytes()
    with pytest.raises(Misconfigured):
        edit.change(path, "issues", {"owner": "Bob", "status": "gone"}, {})
    assert path.read_bytes() == before
