"""Text that may be a credential is told from text that cannot be one."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config.credentials import (
    denotes_credential,
    known_credential,
    masked,
    may_be_credential,
    query_credential,
)

NAMES = (
    "API_KEY --token githubPat X-Api-Key Authorization DB_PASSWORD clientSecret OPENAIKey APIKEY"
)
OTHERS = (
    "API_KEY_FILE MAX_TOKENS TOKEN_LIMIT KEYBOARD MONKEY AUTHOR client_id TOKEN_URL LOG_LEVEL - 1"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_a_name_that_denotes_a_credential_is_known(name: str) -> None:
    assert denotes_credential(name)


@pytest.mark.parametrize("name", OTHERS.split())
def test_a_name_about_something_else_is_left_alone(name: str) -> None:
    assert not denotes_credential(name)


@pytest.mark.parametrize(
    "value",
    [
        "ghp_0123456789abcdef",
        "use sk-abcdef please",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "Bearer abcdefgh12345678",
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
        "https://me@example.com/",
        "postgres://me:pw@db/x",
        "AKIAIOSFODNN7EXAMPLE",
    ],
)
def test_what_bears_an_issuers_prefix_or_a_login_is_known(value: str) -> None:
    assert known_credential(value)
    assert may_be_credential(value)
    assert masked(value) == "***"


@pytest.mark.parametrize(
    "value",
    [
        "123e4567-e89b-12d3-a456-426614174000",
        "0123456789abcdef0123456789abcdef01234567",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "key is 3q2+7wAAAAsVdyFj9kLmPzQxN4tRb8==",
    ],
)
def test_what_looks_random_is_a_suspect(value: str) -> None:
    assert may_be_credential(value)
    assert not known_credential(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "@modelcontextprotocol/server-sequential-thinking@2026.8.31",
        "/usr/local/lib/python3.11/site-packages/some_package/__main__.py",
        "https://docs.example.com/reference/configuration/environment-variables",
        "us-east-1.prod.cluster-2026.internal.example.com",
        "--max-old-space-size=4096",
        "SomeVeryLongCamelCaseNameOfAnHTTPServerClass2",
        "the quick brown fox jumps over the lazy dog",
        "1024000000",
        "disk-sda-monitoring-task-runner",
    ],
)
def test_what_is_made_of_words_and_numbers_is_no_suspect(value: str) -> None:
    assert not may_be_credential(value)
    assert masked(value) == value


@pytest.mark.parametrize("alphabet", [string.ascii_letters + string.digits, "0123456789abcdef"])
def test_of_a_thousand_random_tokens_one_at_most_is_no_suspect(alphabet: str) -> None:
    """Some five in 100,000 read like words in camel case; the same tokens each time, so that none is luck."""
    chance = random.Random(alphabet)
    tokens = ["".join(chance.choices(alphabet, k=40)) for _ in range(2000)]

    assert sum(map(may_be_credential, tokens)) >= 1998


def test_a_random_part_of_a_url_is_hidden_and_the_rest_shown() -> None:
    url = "https://hooks.example.com/mcp/3q2u7wAAAAsVdyFj9kLmPzQxN4tRb8/sse"

    assert masked(url) == "https://hooks.example.com/mcp/***/sse"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com/?a=b&apiKey=x", "apiKey"),
        ("https://example.com/?a=b&apiKey=", None),
        ("https://example.com/?page=2&sort=name", None),
        ("https://example.com/?x=3q2u7wAAAAsVdyFj9kLmPzQxN4tRb8", "x"),
        ("https://example.com/?" + "&".join(f"a{i}=1" for i in range(200)), "?"),
        ("https://[broken/?a=b", "?"),
    ],
)
def test_the_parameter_of_a_url_that_may_be_a_secret_is_named(url: str, name: str | None) -> None:
    assert query_credential(url) == name


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    if not may_be_credential(text):
        assert masked(text) == text
    denotes_credential(text)
    query_credential(text)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("unit", ["a", "A", "aA", "0", "-", "a-", "a.", "://", "x" * 20 + "!"])
def test_hostile_length_takes_no_hostile_time(unit: str) -> None:
    text = unit * (60_000 // len(unit))

    may_be_credential(text)
    denotes_credential(text)
    masked(text)
