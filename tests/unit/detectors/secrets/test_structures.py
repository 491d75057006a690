from __future__ import annotations

import base64
import json

import pytest

from bawn.detectors.secrets.structures import (
    READERS,
    authorization,
    cluster_secret,
    login,
    private_key,
    web_token,
)
from tests.spelled import spelled


def test_a_private_key_is_told_from_its_first_line_to_its_last() -> None:
    line = "-----BEGIN RSA PRIVATE " + "KEY-----"
    key = spelled(
        f"{line}\n{{A-Za-z0-9+/*64}}\n{{A-Za-z0-9+/*64}}\n-----END RSA PRIVATE " + "KEY-----"
    )
    text = f"before {key} after"
    [(start, end, _)] = private_key(text, 7, 7 + len(line))
    assert text[start:end] == key


def test_one_private_key_never_reaches_into_the_next() -> None:
    line = "-----BEGIN PRIVATE " + "KEY-----"
    text = spelled(
        f"{line}\n{{A-Za-z0-9+/*80}}\n{line}\n{{A-Za-z0-9+/*80}}\n-----END PRIVATE " + "KEY-----"
    )
    [(_, end, _)] = private_key(text, 0, len(line))
    assert end <= text.index("-----BEGIN", 5)


def test_a_token_whose_header_can_be_read_is_sure() -> None:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "ES256", "typ": "JWT"}).encode()).decode()
    text = spelled(f"{header.rstrip('=')}.eyJzdWIiOiIx{{A-Za-z0-9*20}}.{{A-Za-z0-9_*43}}")
    [(start, end, sure)] = web_token(text, 0, 40)
    assert (start, end, sure) == (0, len(text), 1.0)


@pytest.mark.parametrize("password", ["p@ss1word", "x9!kLm2", "q%40r7tz"])
def test_a_password_may_hold_what_ends_a_login(password: str) -> None:
    text = f"postgres://app:{password}@db.internal/x"
    [(start, end, _)] = login(text, 8, 20)
    assert text[start:end] == password


def test_basic_credentials_have_to_hold_a_login() -> None:
    given = base64.b64encode(b"ops:k29-x1").decode()
    for value, found in ((given, 1), ("YXV0aGVudGljYXRpb24=", 0)):
        text = f"Authorization: Basic {value}"
        assert len(list(authorization(text, 0, 21))) == found


def test_every_value_of_a_cluster_secret_is_told() -> None:
    one, two = (base64.b64encode(each).decode() for each in (b"k29-x1-zz", b"another one 7"))
    text = f"kind: Secret\ndata:\n  a: {one}\n  b: {two}\n"
    assert [text[start:end] for start, end, _ in cluster_secret(text, 0, 12)] == [one, two]


def test_every_reader_is_that_of_a_rule() -> None:
    assert all(rule.startswith("secret/") for rule in READERS)
