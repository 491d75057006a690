"""What is judged at once knows where it stands and how foreign it is."""

from __future__ import annotations

from typing import Any

from bawn.detectors.definitions.units import Unit, Vocabulary, identifiers, units
from bawn.detectors.definitions.walk import walk


def judged(definition: dict[str, Any]) -> list[Unit]:
    texts = list(walk(definition))
    return list(units(texts, Vocabulary(texts)))


def test_what_is_about_the_tool_is_near_and_what_is_not_is_foreign() -> None:
    texts = list(walk({"name": "search_invoices", "description": "Search invoices of a customer."}))
    known = Vocabulary(texts)
    assert known.foreign("every invoice of the customer, search it search")[1] < 4
    assert known.foreign("radar stations need calibration")[1] == 4


def test_too_few_words_are_not_judged() -> None:
    assert judged({"name": "get", "description": "Gets."}) == []


def test_names_are_judged_by_their_words() -> None:
    schema = {"properties": {"sendTheWhole_chat": {"type": "string"}}}
    (unit,) = judged({"inputSchema": schema})
    assert (unit.folded, unit.group) == ("send the whole chat", "name")


def test_each_kind_of_text_has_its_threshold() -> None:
    four = "one two three four"
    definition = {
        "description": four,
        "title": four,
        "inputSchema": {"properties": {"a": {"description": four, "default": four + " five"}}},
        "outputSchema": {"description": four},
    }
    assert [each.group for each in judged(definition)] == [
        "description", "title", "parameter", "long value", "nested",
    ]  # fmt: skip


def test_names_of_tools_are_noticed_in_a_unit() -> None:
    (unit,) = judged({"description": "Then call `send_mail`, and not search."})
    assert identifiers(unit) == {"send_mail"}
