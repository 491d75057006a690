from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.protocol import headers
from bawn.protocol.envelope import Message

MODERN = "2026-07-28"


def _wrapped(text: str) -> bytes:
    return b"=?base64?" + base64.b64encode(text.encode()) + b"?="


@given(st.text())
def test_every_text_survives_the_header(text: str) -> None:
    assert headers.decode(headers.encode(text)) == text


@given(st.text())
def test_a_written_value_can_stand_in_a_header(text: str) -> None:
    value = headers.encode(text)
    assert all(0x20 <= byte < 0x7F for byte in value)
    assert value == value.strip()


@given(st.binary(max_size=40))
def test_any_value_decodes_to_a_text_or_to_nothing(value: bytes) -> None:
    text = headers.decode(value)
    assert text is None or isinstance(text, str)


@given(st.binary(max_size=40))
def test_a_wrapped_text_has_one_spelling(value: bytes) -> None:
    wrapped = b"=?base64?" + value + b"?="
    text = headers.decode(wrapped)
    if text is not None:
        assert wrapped == _wrapped(text)


@pytest.mark.parametrize(
    "value",
    [
        b"=?base64?Zm9v",  # without its end it is a plain text
        b"Zm9v?=",
        b"=?BASE64?Zm9v?=",
    ],
)
def test_only_the_whole_mark_unwraps(value: bytes) -> None:
    assert headers.decode(value) == value.decode()


@pytest.mark.parametrize(
    "value",
    [
        b"=?base64?=",  # one question mark for both ends
        b"=?base64?Zm9?=",
        b"=?base64?Zm9v=?=",
        b"=?base64?Zm 9v?=",
        b"=?base64?Zm9w===?=",
        b"=?base64?Zh==?=",  # bits that no encoder sets
        b"=?base64?_-8=?=",
        b"=?base64?/w==?=",  # not UTF-8
        b"=?base64?7aCA?=",  # a surrogate in UTF-8
        "é".encode(),
        b"\xe9",
    ],
)
def test_a_malformed_value_has_no_text(value: bytes) -> None:
    assert headers.decode(value) is None


def test_a_text_that_looks_wrapped_is_wrapped_itself() -> None:
    assert headers.encode("=?base64?Zm9v?=") == _wrapped("=?base64?Zm9v?=")
    assert headers.encode("=?base64?=") == _wrapped("=?base64?=")


# ── repeated headers ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(headers.ROUTING))
def test_a_routing_header_may_stand_there_only_once(name: bytes) -> None:
    with pytest.raises(Refused, match="twice") as caught:
        headers.single([(name, b"a"), (b"x-other", b"b"), (name, b"a")])
    assert caught.value.reason.id == "header.mismatch"


def test_other_headers_may_repeat() -> None:
    assert headers.single([(b"via", b"a"), (b"via", b"b"), (b"host", b"c")]) == {
        b"via": b"b",
        b"host": b"c",
    }


# ── against the body ────────────────────────────────────────────────────────────────────────────


def _message(method: str, **params: object) -> Message:
    return Message(1, method, dict(params), {})


def _named(method: str = "tools/call", name: bytes | None = b"read") -> dict[bytes, bytes]:
    made = {headers.VERSION: MODERN.encode(), headers.METHOD: method.encode()}
    return made if name is None else {**made, headers.NAME: name}


def _refused(
    message: Message, named: dict[bytes, bytes], header: str, version: str = MODERN
) -> None:
    with pytest.raises(Refused, match=header) as caught:
        headers.check(message, version, named)
    assert caught.value.reason.id == "header.mismatch"


@pytest.mark.parametrize(
    ("method", "parameter"),
    [
        ("tools/call", "name"),
        ("prompts/get", "name"),
        ("resources/read", "uri"),
        ("tasks/get", "taskId"),
        ("tasks/update", "taskId"),
        ("tasks/cancel", "taskId"),
    ],
)
def test_the_name_is_held_against_the_parameter_of_the_method(method: str, parameter: str) -> None:
    message = _message(method, **{parameter: "ä"})
    headers.check(message, MODERN, _named(method, _wrapped("ä")))
    _refused(message, _named(method, _wrapped("ö")), "Mcp-Name")
    _refused(message, _named(method, None), "Mcp-Name")


@given(st.text())
def test_the_name_that_we_would_write_is_accepted(text: str) -> None:
    headers.check(_message("tools/call", name=text), MODERN, _named(name=headers.encode(text)))


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("read", b"Read"),
        ("read", b"read "),
        ("read", b""),
        ("ä", "ä".encode()),  # has to be wrapped
        ("=?base64?cmVhZA==?=", b"=?base64?cmVhZA==?="),  # others read `read`
        ("", b"=?base64?="),
    ],
)
def test_a_name_that_others_read_differently_is_refused(name: str, header: bytes) -> None:
    _refused(_message("tools/call", name=name), _named(name=header), "Mcp-Name")


def test_version_and_method_are_held_against_the_body() -> None:
    message = _message("tools/list")
    headers.check(message, MODERN, _named("tools/list", None))
    _refused(message, _named("tools/list", None), "Version", version="2025-11-25")
    _refused(message, {headers.METHOD: b"tools/list"}, "Version")
    _refused(message, {headers.VERSION: MODERN.encode()}, "Mcp-Method")
    _refused(message, _named("tools/call", None), "Mcp-Method")
    _refused(message, _named("Tools/List", None), "Mcp-Method")


def test_a_parameter_of_a_wrong_type_is_left_to_who_reads_it() -> None:
    headers.check(_message("tools/call", name=5), MODERN, _named(name=b"5"))
