from __future__ import annotations

import pytest

from bawn.assurance.across.imitations import imitations
from bawn.assurance.across.offer import Offer
from tests.unit.assurance.across.offers import offer


def kinds(*offers: Offer) -> list[str]:
    return [each.kind for each in imitations(offers)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("send_message", "send_mesage"),
        ("send_message", "send_messgae"),
        ("create_invoice", "create_invoicee"),
        ("searchDocuments", "searchDocumants"),
    ],
)
def test_a_slip_of_another_servers_name_is_told(one: str, other: str) -> None:
    assert kinds(offer("a", one), offer("b", other)) == ["across/look-alike"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("list_issue", "list_issues"),  # the plural
        ("get_item", "set_item"),  # a word of its own
        ("search_v1_documents", "search_v2_documents"),  # a number
        ("read", "reads"),  # short
        ("send_message", "send_message"),  # the same is for prefixes to tell apart
    ],
)
def test_names_that_differ_for_reasons_are_not(one: str, other: str) -> None:
    assert kinds(offer("a", one), offer("b", other)) == []


def test_one_server_may_have_names_alike() -> None:
    assert kinds(offer("a", "send_message", "send_mesage")) == []


def test_letters_of_another_alphabet_are_told_with_their_codes() -> None:
    (found,) = imitations([offer("a", "read_file"), offer("b", "r\u0435ad_file")])
    assert found.kind == "across/confusable"
    assert found.level == "error"
    assert "\\u0435" in found.message


def test_nobody_crowds_another_server_out_of_the_comparison() -> None:
    crowd = [f"aend_message{'x' * n}" for n in range(2_000)]
    found = kinds(offer("crowd", *crowd), offer("a", "send_message"), offer("b", "send_mesage"))
    assert "across/look-alike" in found
