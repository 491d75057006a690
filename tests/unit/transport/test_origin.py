from __future__ import annotations

from typing import Any

import pytest

from bawn.config import Config
from bawn.errors import Refused
from bawn.transport.origin import OriginGuard, for_listener


def judged(guard: OriginGuard, host: str | None, origin: str | None = None) -> str:
    """`fine`, or the reason of the refusal."""
    try:
        guard.check(
            host.encode() if host is not None else None, origin.encode() if origin else None
        )
    except Refused as refused:
        return refused.reason.id
    return "fine"


def guard(**settings: Any) -> OriginGuard:
    """The guard of a configuration."""
    config = Config(**settings)
    return for_listener(config.listen, config)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8811", "localhost:8811", "LocalHost:8811", "[::1]:8811"]
)
def test_on_loopback_every_name_of_this_machine_is_a_host(host: str) -> None:
    assert judged(guard(), host) == "fine"


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "localhost",
        "127.0.0.1",
        "localhost:8812",
        "localhost:08811",
        "localhost.:8811",
        "127.0.0.2:8811",
        "evil.example.com",
        "evil.example.com:8811",
        "user@localhost:8811",
        " localhost:8811",
        "localhost:8811,evil.example.com",
    ],
)
def test_every_other_name_is_refused(host: str | None) -> None:
    assert judged(guard(), host) == "http.host"


def test_beyond_loopback_only_what_is_configured_is_a_host() -> None:
    outside = guard(
        listen="0.0.0.0:8811", hosts=("gate.internal:8811",), public_url="https://gate.example.com"
    )
    assert judged(outside, "gate.example.com") == "fine"
    assert judged(outside, "gate.internal:8811") == "fine"
    assert judged(outside, "localhost:8811") == "http.host"


def test_the_default_port_may_be_left_out() -> None:
    plain = guard(listen="127.0.0.1:80")
    assert judged(plain, "localhost") == judged(plain, "localhost:80") == "fine"
    assert judged(plain, "localhost", "http://localhost") == "fine"


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:8811", "http://localhost:8811", "HTTP://LOCALHOST:8811"]
)
def test_the_gates_own_pages_may_call(origin: str) -> None:
    assert judged(guard(), "127.0.0.1:8811", origin) == "fine"


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://evil.example.com",
        "http://localhost",
        "https://localhost:8811",
        "http://localhost:8811/",
        "http://localhost:8811.evil.example.com",
        "http://localhost:8811 https://evil.example.com",
    ],
)
def test_no_other_page_may_call(origin: str) -> None:
    assert judged(guard(), "127.0.0.1:8811", origin) == "http.origin"


def test_an_allowed_origin_is_allowed_exactly() -> None:
    open_to_one = guard(origins=("https://app.example.com",))
    assert judged(open_to_one, "127.0.0.1:8811", "https://app.example.com") == "fine"
    for other in (
        "http://app.example.com",
        "https://app.example.com:444",
        "https://x.app.example.com",
    ):
        assert judged(open_to_one, "127.0.0.1:8811", other) == "http.origin"


def test_a_refusal_quotes_only_the_beginning_of_what_came() -> None:
    with pytest.raises(Refused) as caught:
        guard().check(b"x" * 10_000, None)
    assert len(caught.value.detail) <= 200
    assert not caught.value.public
