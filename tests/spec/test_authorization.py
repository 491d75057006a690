from __future__ import annotations

import json

import pytest

from bawn.errors import REASONS, Refused
from bawn.identity.jwt import accept, parse
from bawn.identity.keys import from_jwk
from bawn.identity.metadata import Resources
from bawn.model import Principal
from tests.forge import EC, NOW, claims, public, rules, sign


@pytest.mark.parametrize("issuers", [(), ("https://idp.example.com",)])
def test_offline_access_is_never_asked_for(issuers: tuple[str, ...]) -> None:
    resources = Resources("https://gate.example.com", issuers)
    for endpoint in (None, "files"):
        said = [json.dumps(resources.document(endpoint))]
        said += [resources.challenge(reason, endpoint) or "" for reason in REASONS.values()]
        assert any("resource_metadata" in text for text in said)
        assert [text for text in said if "offline_access" in text] == []


@pytest.mark.parametrize(
    ("aud", "endpoint"),
    [
        ("HTTP://Gate.Example.COM:8811/mcp", None),
        ("http://GATE.example.com:8811/mcp/files", "files"),
        (["api://other", "Http://gate.example.com:8811/mcp"], None),
    ],
)
@pytest.mark.parametrize("base", ["http://gate.example.com:8811", "HTTP://GATE.EXAMPLE.COM:8811"])
def test_the_audience_is_compared_without_regard_to_the_case_of_scheme_and_host(
    aud: object, endpoint: str | None, base: str
) -> None:
    assert _judged(aud, base).endpoint == endpoint


@pytest.mark.parametrize(
    "aud",
    [
        "http://gate.example.com:8811/MCP",
        "http://gate.example.com:8811/mcp/FILES",
        "http://gate.example.com:8812/mcp",
        "https://gate.example.com:8811/mcp",
        "http://gate.example.com.evil.example/mcp",
        "http://Gate.Example.com:8811@evil.example/mcp",
        "http://gate.example.com:8811/mcp".replace("k", "\u212a").replace("g", "\uff27", 1),
        "http:/gate.example.com:8811/mcp",
        "://gate.example.com:8811/mcp",
    ],
)
def test_nothing_else_of_the_audience_is_read_generously(aud: str) -> None:
    with pytest.raises(Refused, match=r"auth\.audience"):
        _judged(aud, "http://gate.example.com:8811")


def test_no_other_letter_counts_as_one_of_ours() -> None:
    with pytest.raises(Refused, match=r"auth\.audience"):
        _judged("http://\u212aeep.example.com/mcp", "http://keep.example.com")  # a Kelvin sign


def _judged(aud: object, base: str) -> Principal:
    expected = rules(base=base)
    parsed = parse(sign(claims(aud=aud)), expected)
    key = from_jwk(public(EC, kid="ec"))
    assert key is not None
    return accept(parsed, key, expected, NOW)
