from __future__ import annotations

import pytest

from bawn.errors import Refused
from bawn.transport.admission import _endpoint_of, check_accept, check_message


@pytest.mark.parametrize(
    "value", [b"application/json", b"Application/JSON", b"application/json ; charset=utf-8"]
)
def test_json_is_known_in_every_spelling(value: bytes) -> None:
    check_message(value)


@pytest.mark.parametrize("value", [b"", b"text/plain", b"application/jsonx", b"application"])
def test_what_is_no_json_is_refused(value: bytes) -> None:
    with pytest.raises(Refused) as caught:
        check_message(value)
    assert caught.value.reason.id == "http.media_type"


@pytest.mark.parametrize("value", [b"a/b, c/d", b"c/d;q=1,A/B", b"*/*", b"text/html, */*;q=0.1"])
def test_who_reads_all_of_it_may_ask(value: bytes) -> None:
    check_accept(value, b"a/b", b"c/d")


@pytest.mark.parametrize("value", [b"", b"a/b", b"c/d", b"a/*"])
def test_who_does_not_is_told_what_is_needed(value: bytes) -> None:
    with pytest.raises(Refused, match=r"http\.accept") as caught:
        check_accept(value, b"a/b", b"c/d")
    assert "a/b and c/d" in caught.value.message


@pytest.mark.parametrize(
    ("target", "endpoint"),
    [
        (b"/mcp", None),
        (b"/mcp/files", "files"),
        (b"/mcp/fi%6ces?x", "files"),
        (b"/sse/files", "files"),
        (b"/mcp/a/b", None),
        (b"/mcp/A", None),
        (b"/messages/x", None),
    ],
)
def test_a_challenge_names_the_endpoint_of_the_path(target: bytes, endpoint: str | None) -> None:
    assert _endpoint_of(target) == endpoint
