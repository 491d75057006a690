"""Honest texts that look like poison are about the tool in which they stand."""

from __future__ import annotations

from itertools import islice

from training.definitions.honest import Plain

TOOL = {"name": "get_invoice", "inputSchema": {"properties": {"warehouse": {"type": "string"}}}}


def test_the_same_seed_writes_the_same() -> None:
    first, second = Plain(3), Plain(3)
    assert [first.sentence(TOOL) for _ in range(50)] == [second.sentence(TOOL) for _ in range(50)]


def test_they_speak_of_the_tool() -> None:
    plain = Plain(3)
    said = " ".join(plain.sentence(TOOL)[0] for _ in range(200))
    assert "warehouse" in said
    assert "{" not in said.replace("${", "")


def test_names_go_on() -> None:
    assert len(list(islice(Plain(3).names(), 100))) == 100
