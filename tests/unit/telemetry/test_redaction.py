from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.telemetry.redaction import REDACTED, TEXT, clean, clean_entry, names_secret, redact

WORD = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def chars(alphabet: str, low: int, high: int | None = None) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=low, max_size=high or low + 20)


BASE64 = WORD + "-_"
SHAPES = st.one_of(
    st.builds("eyJ{}.{}.{}".format, chars(BASE64, 10), chars(BASE64, 10), chars(BASE64, 10)),
    st.builds("sk-ant-{}".format, chars(BASE64, 20)),
    st.builds("sk_live_{}".format, chars(WORD, 20)),
    st.builds("gh{}_{}".format, st.sampled_from("pousr"), chars(WORD, 36, 36)),
    st.builds("github_pat_{}".format, chars(WORD + "_", 30)),
    st.builds("glpat-{}".format, chars(BASE64, 20)),
    st.builds("xoxb-{}".format, chars(WORD + "-", 20)),
    st.builds("AKIA{}".format, chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16, 16)),
    st.builds("AIza{}".format, chars(BASE64, 35, 35)),
    st.builds("npm_{}".format, chars(WORD, 36, 36)),
    st.builds(
        "-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----".format, chars(WORD, 40)
    ),
)
PLAIN = st.builds("Zq9{}".format, chars(WORD, 9, 40))
AROUND = st.text(" .,;:()[]\n\té", max_size=12)


def holds(shown: Any, secret: str) -> bool:
    return secret in json.dumps(shown, ensure_ascii=False).replace("\\n", "\n")


@given(AROUND, SHAPES, AROUND)
def test_no_credential_of_a_known_shape_survives_in_a_text(
    before: str, secret: str, after: str
) -> None:
    shown = redact(f"{before} {secret} {after}")
    assert not holds(shown, secret)
    assert REDACTED in shown


NAMING = st.sampled_from(
    [
        "Authorization: Bearer {}", "authorization: Basic {}", "Proxy-Authorization: {}",
        "Cookie: sid={}; other=1", "Set-Cookie: a={}", "token={}", "access_token={}&x=1",
        'say {{"refresh_token": "{}"}}', '{{\\"client_secret\\": \\"{}\\"}}', "password: {}",
        "PASSWORD='{}'", "api_key={}", "x-api-key: {}", "https://user:{}@example.com/", "DPoP {}",
        "https://{}@example.com/", "postgresql://bawn:{}@db/x", "[(b'authorization', b'{}')]",
        "{{'secret': '{}'}}", "session_id={}", "private-key = {}", "passphrase={}",
    ]
)  # fmt: skip


@given(AROUND, NAMING, PLAIN, AROUND)
def test_nothing_after_a_name_that_tells_of_a_credential_survives(
    before: str, naming: str, secret: str, after: str
) -> None:
    assert secret not in redact(before + naming.format(secret) + " " + after)


KEYS = st.sampled_from(
    [
        "authorization",
        "X-Api-Key",
        "accessToken",
        "client_secret",
        "PASSWORD",
        "set-cookie",
        "mcpSessionId",
    ]
)
TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(TREES, KEYS, PLAIN, SHAPES, st.integers(0, 5), st.booleans())
def test_no_planted_secret_survives_at_any_depth(
    tree: Any, key: str, plain: str, shaped: str, depth: int, as_list: bool
) -> None:
    planted: Any = {"tree": tree, key: plain, "text": f"got {shaped}", "raw": shaped.encode()}
    for _ in range(depth):
        planted = [planted] if as_list else {"in": planted}
    shown = clean({"event": planted})
    assert not holds(shown, plain)
    assert not holds(shown, shaped)


@given(TREES)
def test_what_holds_no_secret_stays_what_it_is(tree: Any) -> None:
    assert clean(tree) == tree


@pytest.mark.parametrize("key", ["tokens", "max_tokens", "password_set", "cookies"])
def test_counts_and_flags_are_no_credentials(key: str) -> None:
    assert names_secret(key)
    assert [clean_entry(key, value) for value in (3, 0.5, True, None)] == [3, 0.5, True, None]
    assert clean_entry(key, "x") == REDACTED


@pytest.mark.parametrize(
    "text",
    [
        "a token was refused",
        "the author said: no",
        "keyboard",
        "task-12",
        "https://example.com/a@b",
        "12:30",
    ],
)
def test_ordinary_sentences_stay(text: str) -> None:
    assert redact(text) == text


def test_what_is_logged_is_bounded() -> None:
    shown = clean(
        {"text": "x" * 10**6, "list": list(range(10**4)), "deep": [[[[[[[[[[["end"]]]]]]]]]]]}
    )
    assert len(json.dumps(shown)) < TEXT + 2000


def test_objects_are_shown_and_what_cannot_be_shown_is_named() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    class Leaky:
        def __repr__(self) -> str:
            return "Leaky(token='abcdefgh')"

    assert clean(Broken()) == "<Broken that cannot be shown>"
    assert clean(Leaky()) == f"Leaky(token='{REDACTED}')"
    assert clean(float("nan")) == "nan"


@pytest.mark.parametrize(
    "piece",
    [
        "sk-",
        "eyJ",
        "eyJaaaaaaaa.",
        "://",
        "token",
        "token ",
        "-----BEGIN ",
        "SG.a",
        'token\\"',
        "a" * 50,
    ],
)
def test_redaction_is_linear_in_hostile_text(piece: str) -> None:
    def seconds(count: int) -> float:
        text = (piece * count)[:count]
        started = time.process_time()
        redact(text)
        return time.process_time() - started

    assert min(seconds(60_000) for _ in range(3)) < 0.5
