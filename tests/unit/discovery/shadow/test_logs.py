from __future__ import annotations

import gzip
import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bawn.discovery.shadow.logs import look
from bawn.discovery.shadow.records import Malformed, Reader

ENVOY = (
    '[2026-11-20T10:00:00.000Z] "POST /mcp?token=abcdef1234567890 HTTP/1.1" 200 - 120 340 12 11 "10.0.0.9, 10.0.0.1"'
    ' "claude" "id" "tools.example.com" "10.2.0.1:8080"\n'
)
NGINX = (
    '10.0.0.7 - - [20/Nov/2026:11:00:00 +0000] "POST /api HTTP/1.1" 200 12 "-" "curl"'
    ' host=git.example.com mcp-method="tools/call" mcp-session-id="s3ss10n"\n'
    '10.0.0.7 - - [20/Nov/2026:11:00:00 +0000] "GET /index.html HTTP/1.1" 200 12 "-" "curl"\n'
)
ZEEK = (
    "#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\tmethod\thost\turi\tresp_mime_types\n"
    "1700000000.5\t10.0.0.8\t10.9.9.9\t3001\tGET\tlab\t/sse\ttext/event-stream\n"
    "1700000009.5\t10.0.0.8\t10.9.9.9\t80\tGET\tlab\t/sse\ttext/html\n"
    "short\tline\n"
)


def _look(tmp_path: Path, text: str) -> tuple[list[tuple[str, str, int]], str]:
    path = tmp_path / "access.log"
    path.write_text(text)
    found = look([path])
    return [(s.what, s.url, s.count) for s in found.sightings], repr(found)


def test_envoys_own_form(tmp_path: Path) -> None:
    found, text = _look(tmp_path, ENVOY * 3 + "nonsense\n")
    assert found == [("http", "http://tools.example.com/mcp", 3)]
    assert "from 10.0.0.9" in text
    assert "abcdef1234567890" not in text
    assert "lines of no known form" in text


def test_envoys_json(tmp_path: Path) -> None:
    line = {
        "start_time": "2026-11-20T10:00:00.000Z",
        "path": "/x",
        "authority": "h:1",
        "mcp_protocol_version": "2026-07-28",
    }
    found, _ = _look(tmp_path, json.dumps(line) + "\n")
    assert found == [("http", "http://h:1/x", 1)]


def test_nginx_with_more_fields(tmp_path: Path) -> None:
    found, text = _look(tmp_path, NGINX)
    assert found == [("http", "http://git.example.com/api", 1)]
    assert "mcp-method: tools/call" in text
    assert "s3ss10n" not in text


def test_zeek_in_tsv_and_json(tmp_path: Path) -> None:
    found, text = _look(tmp_path, ZEEK)
    assert found == [("sse", "http://lab:3001/sse", 1)]
    assert "since=1700000000.5" in text
    line = {
        "ts": 1.0,
        "id.orig_h": "a",
        "id.resp_h": "b",
        "id.resp_p": 80,
        "host": "z",
        "uri": "/mcp/",
    }
    found, _ = _look(tmp_path, json.dumps(line))
    assert found == [("http", "http://z/mcp/", 1)]


def test_a_long_line_is_passed_over_and_gzip_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"x" * (100 << 20) + b"\n" + ENVOY.encode()))
    found = look([path])
    assert [s.count for s in found.sightings] == [1]
    assert [(u.why, u.count) for u in found.unseen] == [("lines that are too long", 1)]


def test_damage_is_told_and_what_came_before_counts(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(ENVOY.encode() * 50_000)[:-20])
    found = look([path, tmp_path / "absent"])
    assert found.sightings
    assert len(found.unseen) >= 2


@given(st.binary(max_size=300))
def test_any_line_is_read_or_refused(raw: bytes) -> None:
    try:
        Reader().read(raw)
    except Malformed:
        return
