from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.inspection.redaction.redact import redact
from bawn.inspection.redaction.tokens import LIFETIME, OPENS, REFUSED, TRIGGERS, Tokens
from bawn.model import Detection, Severity
from bawn.protocol.sealing import Sealer

SECRET = "k29-" + "x1zz-7734"
ADA, BOB = "idp|ada", "idp|bob"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def sealer(key: bytes = b"k" * 32) -> Sealer:
    numbers = itertools.count(1)
    return Sealer([key], lambda: next(numbers).to_bytes(12, "big"))


def detection(text: str, value: str = SECRET) -> Detection:
    start = text.index(value)
    return Detection("secret/assigned", Severity.HIGH, start, start + len(value), "")


def sealed(tokens: Tokens, text: str = f"pw={SECRET}.") -> str:
    return redact(text, [detection(text)], tokens.mask(ADA, "files"))


def test_a_token_is_turned_back_for_its_caller_and_server() -> None:
    tokens = Tokens(sealer(), Clock())
    text = sealed(tokens)
    assert SECRET not in text
    assert text.startswith(f"pw={OPENS}assigned:")
    restored = tokens.restored(f"say {text}", ADA, "files")
    assert (restored.text, restored.refused, restored.count) == (f"say pw={SECRET}.", (), 1)


def test_another_caller_and_another_server_get_a_finding_and_no_secret() -> None:
    tokens = Tokens(sealer(), Clock())
    text = sealed(tokens)
    for principal, server in ((BOB, "files"), (ADA, "mail"), (ADA, "")):
        restored = tokens.restored(text, principal, server)
        assert restored.text == text
        [refused] = restored.refused
        assert refused.rule == REFUSED
        assert text[refused.start : refused.end].startswith(OPENS)


def test_an_expired_token_stays_sealed() -> None:
    clock = Clock()
    tokens = Tokens(sealer(), clock)
    text = sealed(tokens)
    clock.now += LIFETIME
    assert tokens.restored(text, ADA, "files").text == text


def test_a_token_of_another_gate_stays_sealed() -> None:
    text = sealed(Tokens(sealer(b"o" * 32), Clock()))
    restored = Tokens(sealer(), Clock()).restored(text, ADA, "files")
    assert restored.text == text
    assert len(restored.refused) == 1


@given(st.integers(0, 200), st.characters(min_codepoint=33, max_codepoint=126))
@settings(max_examples=80, deadline=None)
def test_a_changed_token_never_gives_a_secret(place: int, character: str) -> None:
    tokens = Tokens(sealer(), Clock())
    text = sealed(tokens)
    place %= len(text)
    forged = text[:place] + character + text[place + 1 :]
    inside = len("pw=" + OPENS + "assigned:") <= place < len(text) - 2
    if forged != text and inside:
        assert SECRET not in tokens.restored(forged, ADA, "files").text


def test_equal_secrets_look_equal_within_a_message_and_differ_between_messages() -> None:
    tokens = Tokens(sealer(), Clock())
    mask = tokens.mask(ADA, "files")
    text = f"pw={SECRET}"
    assert redact(text, [detection(text)], mask) == redact(text, [detection(text)], mask)
    assert sealed(tokens, text) != sealed(tokens, text)


def test_a_tree_is_restored_and_what_was_refused_has_its_place() -> None:
    tokens = Tokens(sealer(), Clock())
    text = sealed(tokens)
    tree = {"a": [text, 1], "b/c": {"d": "plain"}}
    assert tokens.restored_tree(tree, ADA, "files") == (
        {"a": [f"pw={SECRET}.", 1], "b/c": {"d": "plain"}},
        [],
    )
    same, refused = tokens.restored_tree(tree, BOB, "files")
    assert same == tree
    assert [place for place, _ in refused] == ["/a/0"]


def test_what_opens_a_token_has_a_trigger() -> None:
    assert TRIGGERS[0].replace("\\", "") == OPENS


def test_an_unclosed_token_is_text() -> None:
    tokens = Tokens(sealer(), Clock())
    assert tokens.restored(OPENS + "abc", ADA, "files").text == OPENS + "abc"
