from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.discovery import secrets
from bawn.discovery.secrets import in_arguments, in_pair, in_text, mask, mask_comment

GITHUB = "ghp_exampleexampleexampleexampleexampl"


def _found(text: str, hits: tuple[secrets.Hit, ...]) -> list[str]:
    return [text[hit.start : hit.end] for hit in hits]


@pytest.mark.parametrize(
    "name",
    ["API_KEY", "apiKey", "GITHUB_PERSONAL_ACCESS_TOKEN", "password", "DB_PASSWORD", "Authorization",
     "X-API-Key", "client_secret", "--token", "--api-key", "Cookie", "githubPat"],
)  # fmt: skip
def test_a_literal_under_a_credentials_name_is_a_secret(name: str) -> None:
    assert _found("hunter2", in_pair(name, "hunter2")) == ["hunter2"]


@pytest.mark.parametrize(
    "value",
    ["", "  ", "${TOKEN}", "${env:TOKEN}", "${input:token}", "$TOKEN", "%TOKEN%", "Bearer ${TOKEN}",
     "Bearer $TOKEN", "${TOKEN:-}", "<your token>", "your-token-here", "YOUR_TOKEN", "true", "None"],
)  # fmt: skip
def test_references_and_placeholders_are_no_secrets(value: str) -> None:
    assert in_pair("API_TOKEN", value) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "debug"),
        ("HOME", "/home/ada"),
        ("PWD", "/home/ada"),
        ("TOKEN_URL", "https://example.com/token"),
        ("API_KEY_FILE", "/run/secrets/key"),
        ("MAX_TOKENS", "4096"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/home/ada/key.json"),
        ("SSH_KEY", "~/.ssh/id_ed25519"),
        ("bearer_token_env_var", "FIGMA_OAUTH_TOKEN"),
        ("Content-Type", "application/json"),
        ("KEYBOARD", "dvorak-extended-layout"),
    ],
)
def test_settings_near_credentials_are_no_secrets(name: str, value: str) -> None:
    assert in_pair(name, value) == ()


def test_a_path_may_still_be_a_password() -> None:
    assert in_pair("DB_PASSWORD", "/Xq9+aB3") != ()


def test_the_scheme_of_a_header_is_not_part_of_the_secret() -> None:
    assert _found("Bearer abcdef", in_pair("Authorization", "Bearer abcdef")) == ["abcdef"]


def test_a_default_beside_a_reference_is_literal() -> None:
    assert in_pair("API_KEY", "${API_KEY:-0123456789abcdef}") != ()


@pytest.mark.parametrize(
    "token",
    [GITHUB, "github_pat_11ABCDEFG0exampleexample", "glpat-exampleexample1234", "sk-ant-api03-example1234",
     "xoxb-0000000000-example", "AKIAIOSFODNN7EXAMPLE", "AIzaSyExample0123456789", "npm_exampleexample1234",
     "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"],
)  # fmt: skip
def test_issuers_prefixes_show_whatever_the_name(token: str) -> None:
    text = f"--set value={token} and more"
    assert _found(text, in_text(text)) == [token]


def test_private_keys_are_found_whole() -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----"
    assert _found(f"x {key}", in_text(f"x {key}")) == [key]


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("postgresql://ada:correct-horse@db:5432/x?sslmode=require", "correct-horse"),
        ("https://0123456789abcdef0123@example.com/mcp", "0123456789abcdef0123"),
        ("https://example.com/mcp?a=1&api_key=abc123&b=2#f", "abc123"),
        ("https://example.com/mcp?exaApiKey=abc123", "abc123"),
        ("https://example.com/mcp?access%5Ftoken=abc123", "abc123"),
        ("https://example.com/mcp?x=" + GITHUB, GITHUB),
    ],
)
def test_credentials_in_urls_are_found(url: str, secret: str) -> None:
    assert _found(url, in_text(url)) == [secret]


@pytest.mark.parametrize(
    "url",
    ["https://example.com/mcp", "https://example.com/@scope/pkg", "http://[::1]:3000/mcp?page=2",
     "https://${USER_TOKEN}@example.com/", "https://ada:${PASSWORD}@example.com/",
     "https://example.com/?token=${TOKEN}", "https://[bad/?token=", "://@", "x://a@"],
)  # fmt: skip
def test_urls_without_credentials_are_left_alone(url: str) -> None:
    assert [u for u in _found(url, in_text(url)) if u != "a"] == []


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--token", "abc123"], ["abc123"]),
        (["--token=abc123"], ["abc123"]),
        (["-e", "API_KEY=abc123", "image"], ["abc123"]),
        (["--header", "Authorization: Bearer abc123"], ["abc123"]),
        (["--header", "Authorization:Bearer abc123"], ["abc123"]),
        (["--header", "Authorization:${AUTH}"], []),
        (["--token", "--verbose"], []),
        (["--token", "$TOKEN", "server"], []),
        (["--no-auth", "server.js"], []),
        (["-y", "@scope/server@1.2.3", "/home/ada"], []),
        (["postgresql://ada:pw12345@db/x"], ["pw12345"]),
        (["--dsn", "https://db/x"], ["https://db/x"]),
        ([GITHUB], [GITHUB]),
    ],
)
def test_arguments_are_read_in_all_their_forms(arguments: list[str], found: list[str]) -> None:
    hits = in_arguments(arguments)
    assert [t for a, h in zip(arguments, hits, strict=True) for t in _found(a, h)] == found


def test_a_mask_shows_the_length_and_nothing_else() -> None:
    text = f"a {GITHUB} b {GITHUB}"
    assert mask(text, in_text(text)) == "a <secret: 38 characters> b <secret: 38 characters>"


@pytest.mark.parametrize(
    ("comment", "shown"),
    [
        ("// rotate me", "// rotate me"),
        ('// "API_KEY": "hunter2",', "// <comment withheld: it may hold a secret>"),
        ("# token = 'x'", "# <comment withheld: it may hold a secret>"),
        ("/* old: " + GITHUB + " */", "/* old: <secret: 38 characters> */"),
    ],
)
def test_commented_out_secrets_are_hidden(comment: str, shown: str) -> None:
    assert mask_comment(comment) == shown


@given(st.text(), st.text())
def test_hits_lie_within_the_text_and_in_order(name: str, value: str) -> None:
    at = 0
    for hit in in_pair(name, value):
        assert at <= hit.start < hit.end <= len(value)
        at = hit.end


@pytest.mark.parametrize(
    "piece",
    ["a", "${", "://", "sk-", "://a@", "A", "?a=b&", "ghp_ ", "-", "eyJ.", "-----BEGIN ", "a:"],
)
def test_hostile_values_take_linear_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    in_pair("API_KEY", text)
    in_text(text)
    in_arguments([text, text])
    mask_comment("//" + text)
    assert time.process_time() - started < 10
