"""Names that go into something else: nothing that a shell, template or path acts on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.arguments import value
from bawn.inspection.arguments.context import Context

ORDINARY = ["main", "feature/JIRA-123_fix", "v1.2.3-rc.1+build5", "HEAD~2", "HEAD^", "main..dev", "stash@{0}", "@types/node@^20.1.0", "requests>=2.31", "lodash@~4.17", "ghcr.io/a/b:latest",
            "Order Details", "torch[cuda]", "O'Brien", "c++", "c#", "-1", "*", "日本語", "id", "R&D", "gpt-4o (mini)", "100%", "type safety", "git+https://github.com/a/b.git"]  # fmt: skip


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_names_pass(text: str) -> None:
    assert list(value.check(text, Context())) == []


@given(
    st.sampled_from(["main", "web-1", "a b", "pkg@1.0"]),
    st.sampled_from([";", "|", "&&", "||", "\n", "`", "$(", "& "]),
    st.sampled_from(["id", "date -u", "curl x.example"]),
)
def test_a_separator_and_a_command_behind_a_name_are_found(
    name: str, separator: str, command: str
) -> None:
    assert "argument/value-injection" in {
        each.rule for each in value.check(name + separator + command, Context())
    }


@pytest.mark.parametrize(
    "text", ["a/../../b", "/etc/passwd", "..%2fb", "a" * 5000, "cat /etc/hosts", "'x'", "x' --"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    assert list(value.check(text, Context()))


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str) -> None:
    list(value.check(text, Context()))
