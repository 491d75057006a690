"""Gates: triggers open them, also where accents hide them; the rest is clean."""

from __future__ import annotations

import json

import pytest

from bawn.detectors.gates import Gates

GATES = Gates(["forbidden fruit"])


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "Forbidden fruit",
        "fórbïdden früit",
        "forb\u200bidden fruit",
        "forbіdden fruit",
        "ｆｏｒｂｉｄｄｅｎ fruit",
    ],
)
def test_a_trigger_opens_the_gate(text: str, ascii_only: bool) -> None:
    assert GATES.open(json.dumps({"a": text}, ensure_ascii=ascii_only).encode())


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("text", ["fruit", "früit für alle", "фрукты", "水果", "😀"])
def test_without_one_it_stays_shut(text: str, ascii_only: bool) -> None:
    assert not GATES.open(json.dumps({"a": text}, ensure_ascii=ascii_only).encode())


def test_what_is_not_utf_8_is_no_error() -> None:
    assert not GATES.open(b"\xff\xfe \\u00e9 \\u00")
