from __future__ import annotations

import pytest

from bawn.errors import UPSTREAM_UNREACHABLE, Refused
from bawn.upstream.origin import Origin, split


@pytest.mark.parametrize(
    ("url", "origin", "host", "target"),
    [
        ("http://a.example", Origin(False, "a.example", 80), b"a.example", b"/"),
        ("https://A.example/mcp", Origin(True, "a.example", 443), b"a.example", b"/mcp"),
        ("http://a:8080/x?y=1", Origin(False, "a", 8080), b"a:8080", b"/x?y=1"),
        ("https://a:443/", Origin(True, "a", 443), b"a", b"/"),
        ("http://[::1]:81/", Origin(False, "::1", 81), b"[::1]:81", b"/"),
        ("http://bücher.example/é?ü%20=1", Origin(False, "xn--bcher-kva.example", 80), b"xn--bcher-kva.example", b"/%C3%A9?%C3%BC%20=1"),
        ("http://a/b#c", Origin(False, "a", 80), b"a", b"/b"),
        ("http+unix://%2Frun%2Fa%20b.sock/files?k=1", Origin(False, "", 0, "/run/a b.sock"), b"localhost", b"/files?k=1"),
    ],
)  # fmt: skip
def test_splits_a_url(url: str, origin: Origin, host: bytes, target: bytes) -> None:
    assert split(url) == (origin, host, target)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/mcp",
        "http://",
        "http:///x",
        "ftp://a/",
        "http://a:port/",
        "http://a:99999/",
        "http://user:secret@a/",
        "http://[::1/",
        "http://a b/",
        "http://a..b/",
        "http+unix:///x",
        "http+unix://%2Frun%00x/x",
    ],
)
def test_what_is_no_url_of_ours_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(Refused) as caught:
        split(url)
    assert caught.value.reason is UPSTREAM_UNREACHABLE
    assert "secret" not in str(caught.value)


def test_line_breaks_never_reach_the_request_line() -> None:
    _, host, target = split("http://a/b\r\nevil: 1\r\n\r\n?c\nd e")
    assert not set(b"\r\n ") & set(host + target)


def test_an_origin_shows_where_it_leads() -> None:
    assert str(split("https://a/x?key=secret")[0]) == "https://a:443"
    assert str(split("http+unix://%2Frun%2Fx/y")[0]) == "unix:/run/x"
