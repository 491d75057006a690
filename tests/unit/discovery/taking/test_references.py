from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config import secrets
from bawn.discovery.taking.references import Untranslatable, translated


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("plain", "plain"),
        ("$TOKEN", "${env:TOKEN}"),
        ("${TOKEN}", "${env:TOKEN}"),
        ("${env:TOKEN}", "${env:TOKEN}"),
        ("a-${A}-${env:B}-c", "a-${env:A}-${env:B}-c"),
        ("costs $5 or $A", "costs $5 or $A"),
    ],
)
def test_variables_of_clients_become_ours(theirs: str, ours: str) -> None:
    assert translated(theirs) == ours


@pytest.mark.parametrize(
    "text",
    [
        "${input:key}",
        "${workspaceFolder}/x",
        "${userHome}",
        "${TOKEN:-x}",
        "${",
        "${}",
        "${file:/x}",
        "${a b}",
    ],
)
def test_what_only_the_client_knows_is_refused(text: str) -> None:
    with pytest.raises(Untranslatable):
        translated(text)


@given(st.text(alphabet="${}:envA-b ", max_size=30))
def test_whatever_is_translated_is_understood_by_our_configuration(text: str) -> None:
    try:
        found = translated(text)
    except Untranslatable:
        return
    secrets.parse(found)
