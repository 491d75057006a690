"""Paths: ordinary ones pass, and none that climbs, hides or names what nobody should read."""

from __future__ import annotations

import pytest

from bawn.inspection.arguments import path
from bawn.inspection.arguments.context import Context

ORDINARY = ["My Files & Co (1).txt", "O'Brien report.pdf", "R&D/plan v2.docx", "~/notes/todo.md", "C:\\Users\\bob\\a.docx", "src/**/*.ts", "données/été.csv", "文档/说明.md",
            "a#b.txt", "src/app/[id]/page.tsx", "@scope/pkg/index.js", "/var/log/nginx/access.log", "res://scenes/main.tscn", "s3://bucket/a.parquet", "https://example.com/a.png",
            "a/b/../c", "photo~1.jpg", "What's new?.md", "Q&A.md", "cat pictures.jpg", "foo...bar.txt", "e%20f.txt", ".", "/", "", "..hidden", "/proc/cpuinfo", ".env.example"]  # fmt: skip


@pytest.mark.parametrize("value", ORDINARY)
def test_ordinary_paths_pass(value: str) -> None:
    assert list(path.check(value, Context())) == []


@pytest.mark.parametrize("value", ["http://169.254.169.254/a", "https://10.0.0.1/x"])
def test_addresses_in_the_place_of_paths_are_held_against_their_host(value: str) -> None:
    assert {each.rule for each in path.check(value, Context())} <= {
        "argument/host-metadata",
        "argument/host-private",
    }
    assert list(path.check(value, Context()))


def test_a_path_longer_than_any_is_refused() -> None:
    assert [each.rule for each in path.check("a" * 5000, Context())] == ["argument/value-length"]


@pytest.mark.parametrize(
    "value", ["s3://bucket/../../x", "a.txt; id", "$(id).txt", "a\nb", "cat /etc/hosts", "-rf"]
)
def test_what_a_shell_would_act_on_is_no_path(value: str) -> None:
    assert list(path.check(value, Context()))
