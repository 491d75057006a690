from __future__ import annotations

from bawn.detectors.engine import Gate
from bawn.detectors.rule import load
from bawn.detectors.secrets import notation

RULE = load("secrets")[0]


def test_an_arrow_gives_a_value_to_a_name() -> None:
    named = notation.named(RULE, "acme => [a-f0-9]{8}")
    found = named.value.match('ACME_KEY = "0badcafe";', 4)
    assert found is not None
    assert found[1] == "0badcafe"
    assert named.value.match('ACME_KEY = "0badcafe00";', 4) is None


def test_what_tells_of_a_pattern_is_shorter_and_matches_all_that_it_does() -> None:
    assert notation.telling(r"\bacme_[a-z]{40,}") == "acme_[a-z]{12}"
    assert notation.telling(r"\b(?-i:acme[a-z]{40}={0,2})") == "(?-i:acme[a-z]{12})"
    assert notation.telling(r"(?:acme[a-z]{40}|other)") == r"(?:acme[a-z]{40}|other)"
    assert notation.telling(r"\b[a-z]{40}x") == r"[a-z]{40}x"


def test_a_trigger_bears_the_escapes_of_json() -> None:
    gate = Gate([notation.trigger("acme", "[a-z0-9]{8}")])
    assert gate.opens(rb'{"text":"\nACME_KEY\":\n \"0badcafe\""}')
    assert not gate.opens(b"acme has made this since 1950")
