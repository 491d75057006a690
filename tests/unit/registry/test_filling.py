"""Inputs are filled from what the document and the user say, and secrets from neither."""

from __future__ import annotations

import pytest

from bawn.registry.filling import Filling, Unusable
from bawn.registry.server_json import Input, KeyValue, Named, Positional


def test_a_template_keeps_braces_that_name_nothing() -> None:
    filling = Filling("a", {"x": "1"})
    assert filling.template("{x}/{y}", {"x": Input()}) == "1/{y}"
    assert filling.template("{x}{z}", {"x": Input(), "z": Input()}) is None
    assert [each.name for each in filling.missing] == ["z"]


def test_what_is_missing_is_told_once() -> None:
    filling = Filling("a", {})
    filling.words((Positional(value_hint="p", is_required=True),) * 2)
    assert [each.name for each in filling.missing] == ["p"]


def test_a_choice_is_one_of_those_that_there_are() -> None:
    argument = Named(name="--mode", choices=("a", "b"))
    assert Filling("x", {"mode": "a"}).words((argument,)) == ["--mode=a"]
    with pytest.raises(Unusable, match="one of a, b"):
        Filling("x", {"mode": "c"}).words((argument,))


def test_a_value_of_the_document_is_not_the_users_to_change() -> None:
    assert Filling("x", {"p": "mine"}).words((Positional(value="its", value_hint="p"),)) == ["its"]


def test_the_name_of_a_reference_always_begins_as_ours() -> None:
    filling = Filling("aws-1", {})
    variable = KeyValue(name="secret.access-key", is_required=True)
    assert filling.env((variable,)) == {"secret.access-key": "${env:MCP_AWS_1_SECRET_ACCESS_KEY}"}


def test_a_secret_template_becomes_one_reference() -> None:
    filling = Filling("x", {})
    variable = KeyValue(name="HEADERS", value="Bearer {t}", variables={"t": Input(is_secret=True)})
    assert filling.env((variable,)) == {"HEADERS": "${env:MCP_X_HEADERS}"}
