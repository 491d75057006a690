from __future__ import annotations

import json
import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.detectors.engine import Gate
from bawn.detectors.rule import load
from bawn.detectors.secrets.checks import crc_of
from bawn.detectors.secrets.detector import Secrets
from bawn.detectors.survey import LONGEST
from bawn.model import Surface
from tests.spelled import spelled

SECRETS = Secrets()
GATE = Gate(SECRETS.triggers)
HITS = [(rule.id, text) for rule in load("secrets") for text in rule.hit]
MISSES = [(rule.id, text) for rule in load("secrets") for text in rule.miss]
LETTERS = string.ascii_letters + string.digits


def rules(text: str) -> list[str]:
    return [found.rule for found in SECRETS.detect(text, Surface.OUTPUT)]


def spans(text: str) -> list[str]:
    return [text[found.start : found.end] for found in SECRETS.detect(text, Surface.OUTPUT)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_a_rule_hits_is_found_in_any_draw_and_opens_the_gate(seed: int) -> None:
    drawn = [(rule, spelled(text, seed)) for rule, text in HITS]
    assert [(rule, text) for rule, text in drawn if rule not in rules(text)] == []
    assert [(rule, text) for rule, text in drawn if not GATE.opens(text.encode())] == []


def test_a_secret_in_a_message_as_it_is_sent_opens_the_gate() -> None:
    sent = [
        json.dumps({"text": f"first line\n{spelled(text)}\n"}, ensure_ascii=False)
        for _, text in HITS
    ]
    assert [message for message in sent if not GATE.opens(message.encode())] == []


def test_what_a_rule_misses_is_not_told_by_it() -> None:
    assert [(rule, text) for rule, text in MISSES if rule in rules(spelled(text))] == []


def test_no_evidence_shows_a_secret() -> None:
    for _, text in HITS:
        drawn = spelled(text)
        for found in SECRETS.detect(drawn, Surface.OUTPUT):
            value = drawn[found.start : found.end]
            pieces = {value[at : at + 6] for at in range(len(value) - 5)}
            shown = [each for each in pieces if each in found.evidence and each not in found.rule]
            assert shown == [], found.rule


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('x = "ghp_{0-9A-Za-z*36}".', "ghp_"),
        ("postgres://app:{a-z0-9*14}@db/x", ""),
        ("Größe 7 — DB_PASSWORD={a-z0-9*14}; weiter", ""),
        ("GET /x?api_key={a-f0-9*32}&page=2", ""),
        ('{"password": "{a-z*4}1!{A-Z*4}", "user": "eve"}', ""),
        ("Authorization: Bearer {a-zA-Z0-9*40}\r\nHost: x", ""),
    ],
)
def test_a_span_is_the_secret_alone(text: str, secret: str) -> None:
    told = spelled(text)
    [found] = spans(told)
    before, _, rest = text.partition(secret or "{a-")
    assert told.startswith(before + found)
    assert told.endswith(rest.rpartition("}")[2] if secret else text[-3:])
    assert " " not in found
    assert '"' not in found
    assert found.startswith(secret)


def test_check_digits_make_a_token_sure() -> None:
    body = spelled("{0-9A-Za-z*30}")
    right = "ghp_" + body + crc_of(body)
    wrong = "ghp_" + body + "000000"
    assert [each.confidence for each in SECRETS.detect(right, Surface.OUTPUT)] == [1.0]
    assert [each.confidence for each in SECRETS.detect(wrong, Surface.OUTPUT)] == [0.7]


@pytest.mark.parametrize(
    "text",
    [
        "api_key = your-api-key-goes-here-123",
        "TOKEN=${GITHUB_TOKEN}",
        "token: <your token>",
        "password = 'password'",
        "secret: xxxxxxxxxxxxxxxxxxxxxxxx",
        "AKIAIOSFODNN7EXAMPLE",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "id: 2f1c9d1e-7f3a-4c1b-9f0e-6d2b8a4c5e7f",
        '"next_page_token": "CAUQAA9xYzE3NDk4"',
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "public_key: MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
        "The token bucket algorithm has a rate of 100 tokens per second.",
        "def login(username: str, password: str) -> Token:",
        "password=config.get_password()",
        "https://example.com:8080/path@2x",
    ],
)
def test_what_only_speaks_of_secrets_is_silent(text: str) -> None:
    assert rules(text) == []


@given(st.text(max_size=200), st.sampled_from(HITS), st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_spans_are_in_order_and_apart_whatever_stands_around(
    before: str, hit: tuple[str, str], after: str
) -> None:
    text = f"{before} {spelled(hit[1])} {after}"
    at = 0
    for found in SECRETS.detect(text, Surface.OUTPUT):
        assert at <= found.start < found.end <= len(text)
        at = found.end


@given(st.integers())
@settings(max_examples=60, deadline=None)
def test_a_drawn_key_under_its_name_is_found(seed: int) -> None:
    drawn = random.Random(seed)
    value = "".join(drawn.choices(LETTERS, k=32))
    assert spans(f"SERVICE_API_KEY={value}") == [value]


def test_a_field_is_judged_by_its_name() -> None:
    value = spelled("{a-zA-Z0-9*24}")
    assert SECRETS.named("/config/db_password", value) is not None
    assert SECRETS.named("/config/next_page_token", value) is None
    assert SECRETS.named("/config/title", value) is None
    assert SECRETS.named("/config/password", "your-password") is None


def test_hostile_text_is_read_in_linear_time() -> None:
    for unit in (
        "password ",
        "kind: secret\n",
        "-----BEGIN PRIVATE KEY-----\n",
        "token=",
        "://a:b",
    ):
        SECRETS.detect(unit * (64_000 // len(unit)), Surface.OUTPUT)


def test_a_flood_of_names_hides_no_secret_of_a_known_format() -> None:
    token = spelled("ghp_{0-9A-Za-z*36}")
    assert token in spans("token password secret " * 5000 + token)


@pytest.mark.parametrize("flood", ["pwd= ", "pass:x ", "token=abc ", "secret "])
def test_a_flood_of_names_hides_no_secret_that_only_its_name_tells_of(flood: str) -> None:
    value = spelled("{0-9A-Za-z*24}")
    assert value in "".join(spans(flood * (LONGEST // len(flood) - 10) + f"password={value}"))


@pytest.mark.parametrize("before", ["+", "/"])
def test_what_stands_amid_base64_of_something_large_is_no_secret(before: str) -> None:
    drawn = random.Random(7)
    stretch = "".join(drawn.choices(LETTERS + "+/", k=200))
    key = "AQE" + "".join(drawn.choices(LETTERS, k=60))
    assert rules(f"{stretch}{before}{key}") == []
    assert rules(f"{stretch}\n{key}") == ["secret/payment-key"]
    assert rules(f"https://shop.example/pay/v1/orders{before}{key}") == ["secret/payment-key"]
