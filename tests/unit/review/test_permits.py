from __future__ import annotations

import json
from math import inf

import cedarpy
from hypothesis import given
from hypothesis import strategies as st

from bawn.config.document import encodable
from bawn.model import Item, Kind, Principal
from bawn.review.permits import exception, person, quoted, resource, statement

ADA = Principal("ada", "https://idp", frozenset({"developer"}), inf)
READ = Item(Kind.TOOL, "files", "read", "files__read", {})


@given(st.text(max_size=20).filter(encodable))
def test_any_text_comes_back_from_cedar_as_it_was(text: str) -> None:
    written = f"@id({quoted(text)}) permit (principal, action, resource);"
    parsed = json.loads(cedarpy.policies_to_json_str(written))["staticPolicies"]
    assert parsed["policy0"]["annotations"]["id"] == text


def test_an_exception_is_one_line_for_one_principal_and_one_item() -> None:
    assert exception(ADA, READ, ["tasks/get"]) == (
        'permit (principal == User::"ada", action in [Action::"call files/read", Action::"tasks/get"], '
        'resource == Tool::"files/read") when { principal.issuer == "https://idp" };'
    )


def test_an_agent_that_acts_for_itself_is_named_as_one() -> None:
    assert person(Principal("desk", "", frozenset(), inf, agent="desk")) == 'Agent::"desk"'
    assert person(Principal("ada", "", frozenset(), inf, agent="desk")) == 'User::"ada"'
    assert resource(Item(Kind.METHOD, "x", "acme/run", "", {})) == 'Method::"x/acme/run"'


def test_a_statement_is_what_the_formatter_makes_of_it() -> None:
    text = statement(
        'principal in Role::"a"', ["call x/y", "call x/z"], 'resource in Server::"x"',
        when="principal.issuer == \"i\"", id_="one", note="told",
    )  # fmt: skip
    assert cedarpy.format_policies(text).rstrip() == text.rstrip()
