"""Gates' patterns for disguises: each opens on what it is for, and ordinary messages open none."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from bawn.detectors import disguises
from bawn.detectors.engine import Gate

PLAIN = Gate(disguises.PLAIN)
OTHERWISE = Gate(disguises.OTHERWISE)

ORDINARY = [
    "The build passed in 12.3 s; 4 of 250 tests were skipped. See /var/log/build/2026-11-02/output.log.",
    hashlib.sha256(b"a").hexdigest() + " " + hashlib.sha1(b"a", usedforsecurity=False).hexdigest(),
    "123e4567-e89b-12d3-a456-426614174000 arn:aws:iam::123456789012:role/service-role/Reader",
    "data:image/png;base64," + base64.b64encode(hashlib.sha512(b"p").digest() * 20).decode(),
    "https://example.com/search?q=hello%20world&page=2#section-3_and-more",
    "SELECT id, name FROM users WHERE id = 5 AND name LIKE '%son%' ORDER BY name",
    "def f(a, b, c):\n    return a * b - c / 2  # ok\n",
    "Zürich, Málaga, São Paulo, Łódź: naïve café, 5 °C — “quoted” … 😀 👩‍💻 🇫🇷 🇩🇪",
    "Привет, мир. Это обычный текст, в нём есть GitHub и API.",
    "普通的中文文本，没有什么特别的。",
    "U.S.A., e.g. a - b, x | y | z, A/B testing",
    "<p>Fish &amp; chips &nbsp; &#39;quoted&#39; &#8212; 5 &lt; 6</p>",
]


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_messages_open_no_gate(text: str, ascii_only: bool) -> None:
    wire = json.dumps({"text": text, "n": 1}, ensure_ascii=ascii_only).encode()
    assert not PLAIN.opens(wire)
    assert not OTHERWISE.opens(wire)


@pytest.mark.parametrize("pattern", [*disguises.PLAIN, *disguises.OTHERWISE, *disguises.ACCENTED])
def test_no_pattern_matches_an_empty_message(pattern: str) -> None:
    assert not Gate([pattern]).opens(b"{}")
