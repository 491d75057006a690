"""The gate opens for what is guarded, and stays shut for what is ordinary."""

from __future__ import annotations

import pytest

from bawn.detectors.engine import Gate
from bawn.inspection.guard.cues import TRIGGERS, quoted

GATE = Gate(TRIGGERS)


@pytest.mark.parametrize(
    "data",
    [
        b'{"city":"Dublin","days":3}',
        b'{"path":"/home/u/proj/src/main.py","content":"print(1)"}',
        b'{"query":"what is the weather like in Cork?","limit":10}',
        b'{"owner":"o","repo":"r","title":"A bug","body":"It fails. Please help, I am stuck!"}',
        b'{"url":"https://example.com/a/b.html"}',
        b'{"text":"**Bold** and *other* words, 100% sure"}',
        b'{"a":1,"b":[1,2,3],"c":"x"}',
    ],
)
def test_ordinary_calls_do_not_open_it(data: bytes) -> None:
    assert not GATE.opens(data)


@pytest.mark.parametrize(
    "data", [".cu\u200brsor", "\uff0ecursor", "%2ecursor", "CURSOR~1/x", "$'\\\\x2e'"]
)
def test_disguises_open_it(data: str) -> None:
    assert GATE.opens(data.encode())


def test_a_name_is_quoted_for_an_expression() -> None:
    assert quoted("a.b*") == r"a\.b"
