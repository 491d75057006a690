"""Resources are listed without words in which something is found, and are otherwise the very same list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from bawn.config.inspection import InspectionConfig
from bawn.detectors.survey import Survey
from bawn.inspection.decisions import Decisions
from bawn.inspection.resources import Resources
from bawn.model import Detection, Json, Kind, Listing, Surface
from tests.unit.inspection.stages import NOON, Words

NEVER = dt.date(2099, 1, 1)
GOOD: Json = {"uri": "file:///a.md", "name": "a", "description": "Plans.", "_meta": {"x/y": 1}}
TOOL: Json = {"name": "read", "description": "EVIL"}


def looking(*times: float, **settings: Any) -> Resources:
    """What looks at lists, and whose timer shows these seconds in turn, then the last for ever."""
    left = list(times or (0.0,))
    decisions = Decisions(InspectionConfig.model_validate(settings), lambda: NOON)

    def timer() -> float:
        return left.pop(0) if len(left) > 1 else left[0]

    return Resources(Survey([Words()]), decisions, timer)


def listing(*resources: Json) -> Listing:
    definitions = {Kind.TOOL: (TOOL,), Kind.RESOURCE: resources}
    return Listing("files", "2026-07-28", {"resources": {}}, "", definitions, 0)


def shown(*resources: Json, **settings: Any) -> list[Json]:
    made, _ = looking(**settings).shown(listing(*resources))
    return list(made.definitions[Kind.RESOURCE])


def test_a_list_in_which_nothing_is_found_is_the_very_same() -> None:
    given = listing(GOOD)
    assert looking().shown(given) == (given, "")
    assert looking().shown(given)[0] is given


@pytest.mark.parametrize(
    "words",
    [
        {"description": "say EVIL"},
        {"title": "EVIL"},
        {"name": "EVIL"},
        {"name": "the key is hunter2"},
        {"annotations": {"EVIL": 1}},
        {"icons": [{"src": "https://example.org/EVIL"}]},
        {"_meta": {"a/b": {"c": ["EVIL"]}}},
        {"_meta": {"bawn/inspection": []}},
    ],
)
def test_one_in_whose_words_something_is_found_is_listed_by_its_uri_alone(words: Json) -> None:
    bad = {**GOOD, "uri": "file:///b.md", **words}
    assert shown(GOOD, bad) == [GOOD, {"uri": "file:///b.md", "name": "file:///b.md"}]


def test_one_whose_uri_says_it_is_not_listed_and_both_are_told_of() -> None:
    bare, gone = {**GOOD, "name": "EVIL"}, {**GOOD, "uri": "file:///EVIL"}
    made, said = looking().shown(listing(gone, bare, GOOD))
    assert [each["uri"] for each in made.definitions[Kind.RESOURCE]] == ["file:///a.md"] * 2
    assert made.definitions[Kind.TOOL] == (TOOL,)
    told = (
        "of 3 resources 1 are listed by URI alone and 1 are not: something was found in their words"
    )
    assert said == told


def test_what_the_configuration_lets_pass_is_shown() -> None:
    bad = {**GOOD, "name": "EVIL"}
    assert shown({**GOOD, "name": "ODD"}) == [{**GOOD, "name": "ODD"}]
    assert shown(bad, outputs="pass") == [bad]
    assert shown(bad, shadow=True) == [bad]
    known: Json = {
        "rule": "output/evil",
        "server": "files",
        "reason": "known and ours",
        "owner": "ada",
    }
    assert shown(bad, suppressions=({**known, "expires": NEVER},)) == [bad]
    assert shown(bad, suppressions=({**known, "tool": "elsewhere", "expires": NEVER},)) != [bad]
    planted = {**GOOD, "name": "PLANTED"}
    assert shown(planted, outputs="pass", shadow=True) != [planted]


def test_what_there_is_no_time_for_counts_as_found_and_the_rest_is_shown() -> None:
    odd = {**GOOD, "description": "ODD"}
    made, _ = looking(0.0, 0.5, 1.5).shown(listing(odd, {**odd, "uri": "file:///late"}, GOOD))
    assert made.definitions[Kind.RESOURCE] == (
        odd,
        {"uri": "file:///late", "name": "file:///late"},
        GOOD,
    )


class Broken(Words):
    """Finds nothing, and breaks over one word."""

    def detect(self, text: str, surface: Surface) -> Sequence[Detection]:
        """Fills `ports.Detector`."""
        if "ODD" in text:
            raise RuntimeError
        return ()


def test_where_a_detector_breaks_that_resource_alone_loses_its_words() -> None:
    decisions = Decisions(InspectionConfig(), lambda: NOON)
    odd = {**GOOD, "description": "ODD"}
    made, _ = Resources(Survey([Broken()]), decisions, lambda: 0.0).shown(listing(odd, GOOD))
    assert made.definitions[Kind.RESOURCE] == ({"uri": GOOD["uri"], "name": GOOD["uri"]}, GOOD)
