"""URLs: both readings of a host have to agree, and nothing private hides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config.server import Server
from bawn.inspection.arguments import address
from bawn.inspection.arguments.context import Context

ORDINARY = ["https://example.com", "http://example.com:8080/a?b=c", "https://user.github.io/a/#/b", "https://en.wikipedia.org/wiki/C%2B%2B", "https://medium.com/@user/post-1",
            "https://例え.jp/あ", "example.com", "www.example.com/a", "https://web.archive.org/web/2020/http://a.com/", "https://example.com/?u=https://b.com/x",
            "https://api.example.com/v1/users/{id}", "data:image/png;base64,iVBOR", "wss://example.com/s", "/relative/path?x=1", "https://x.com/a?b=c%20d%26e",
            "HTTPS://EXAMPLE.COM/", "https://[2606:4700:4700::1111]/", "https://example.com/a/../b", ""]  # fmt: skip


def rules(value: str, context: Context | None = None) -> set[str]:
    return {each.rule for each in address.url(value, context or Context())}


@pytest.mark.parametrize("value", ORDINARY)
def test_ordinary_addresses_pass(value: str) -> None:
    assert rules(value) == set()


def test_hosts_of_the_configuration_decide() -> None:
    context = Context.of(Server(command=("x",), hosts=("*.example.com", "127.0.0.1")), Path("/"))
    assert rules("https://api.example.com/", context) == set()
    assert rules("http://127.0.0.1:3000/", context) == set()
    assert "argument/host-pattern" in rules("https://example.net/", context)
    assert "argument/host-pattern" in rules("https://api.example.com.evil.net/", context)


def test_private_networks_pass_where_they_may() -> None:
    assert rules("http://10.0.0.1:8080/", Context(private=True)) == set()
    assert "argument/host-metadata" in rules("http://169.254.169.254/", Context(private=True))


def test_repositories_and_applications_have_schemes_of_their_own() -> None:
    for value in ("git@github.com:a/b.git", "ssh://git@github.com/a/b", "https://github.com/a/b"):
        assert not list(address.url(value, Context(), remote=True)), value
    assert list(address.url("ext::sh -c id", Context(), remote=True))
    assert list(address.url("ssh://-oProxyCommand=id/x", Context(), remote=True))
    assert not list(address.url("spotify:track:1", Context(), custom=True))
    assert list(address.url("file:///x", Context(), custom=True))


def test_content_may_stand_in_its_own_place_only_where_that_is_said() -> None:
    context, value = Context(), "data:text/html,<script>"
    assert rules(value, context) == {"argument/url-scheme"}
    assert not list(address.url(value, context, inline=True))
    assert list(address.url("file:///etc/passwd", context, inline=True))


def test_credentials_are_not_shown() -> None:
    shown = [each.evidence for each in address.url("https://bob:hunter2@example.com/", Context())]
    assert shown
    assert all("hunter2" not in each for each in shown)


@given(st.text(max_size=120))
def test_any_text_is_judged(value: str) -> None:
    list(address.url(value, Context()))
    list(address.host(value, Context()))


@given(
    st.sampled_from(["127.0.0.1", "10.9.8.7", "localhost", "[::1]"]),
    st.sampled_from(["", "/", "/a?b#c", ":80/", "/%61"]),
    st.sampled_from(["http://", "https://", "", "//", "HTTP://"]),
)
def test_a_private_host_is_found_wherever_it_stands(host: str, rest: str, scheme: str) -> None:
    assert "argument/host-private" in rules(scheme + host + rest)


def test_patterns_of_hosts_are_plain() -> None:
    assert isinstance(Context.of(Server(command=("x",), hosts=("a",)), Path("/")).hosts, re.Pattern)
