"""Listings of a server, and the judgement of them, with as few words as can be."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bawn.model import Json, Kind, Listing
from bawn.pins.digest import Digests
from bawn.pins.guard import Admission, Alarm, Judge, Rules, admit
from bawn.pins.record import Aspect, Key, Record, Vote

FIRST = 1_000.0
LATER = FIRST + 3_600.0

_DIGESTS = Digests()


def tool(name: str = "read", description: str = "good") -> Json:
    """A tool that another description makes another."""
    return {"name": name, "description": description, "inputSchema": {"required": ["a", "b"]}}


def prompt(name: str = "ask", description: str = "good") -> Json:
    """A prompt."""
    return {"name": name, "description": description}


def template(uri: str = "file:///{path}", description: str = "good") -> Json:
    """A resource template."""
    return {"uriTemplate": uri, "name": "files", "description": description}


RESOURCE: Json = {"uri": "file:///a", "name": "a"}


def listing(
    *tools: Json,
    prompts: Sequence[Json] = (),
    templates: Sequence[Json] = (),
    resources: Sequence[Json] = (),
    instructions: str = "",
) -> Listing:
    """What a server said of itself."""
    definitions = {
        Kind.TOOL: tools,
        Kind.PROMPT: tuple(prompts),
        Kind.RESOURCE: tuple(resources),
        Kind.TEMPLATE: tuple(templates),
    }
    return Listing("files", "2026-07-28", {"tools": {}}, instructions, definitions, 5)


def unjudged(before: Json | None, after: Json, aspect: Aspect) -> str:
    """A judge that finds every change of meaning."""
    return "widened"


def calm(definition: Json, aspect: Aspect) -> bool:
    """An alarm that never goes off."""
    return False


def judged(
    heard: Listing,
    record: Record | None,
    *,
    now: float = LATER,
    review: bool = False,
    auto: Collection[str] = (),
    judge: Judge = unjudged,
    alarming: Alarm = calm,
) -> Admission:
    """The listing after the guard."""
    rules = Rules(review, 60.0, frozenset(auto))
    return admit(heard, record, rules, now, judge, _DIGESTS, alarming)


def approved(*tools: Json, **others: Sequence[Json]) -> Record:
    """The record after a first use of this listing."""
    return judged(listing(*tools, **others), None, now=FIRST).record  # type: ignore[arg-type]  # instructions are not given so


def served(admission: Admission, kind: Kind = Kind.TOOL) -> list[Json]:
    """The definitions that serve."""
    return list(admission.listing.definitions[kind])


def reasons(admission: Admission) -> dict[str, str]:
    """Why items are withheld, by name."""
    return {
        str(each.definition.get("uriTemplate") or each.definition.get("name")): each.reason
        for several in admission.listing.withheld.values()
        for each in several
    }


def waiting(record: Record) -> dict[Key, str]:
    """The digests of what waits."""
    return {change.key: change.digest for change in record.waiting}


def vote(who: str = "ann") -> Vote:
    """The vote of a person."""
    return Vote(who, who.title(), LATER)


DRIFT = "integrity.drift"
UNAPPROVED = "integrity.unapproved"
QUARANTINED = "integrity.quarantined"
READ = ("tool", "read")
EVERYTHING = {
    "prompts": [prompt()],
    "templates": [template()],
    "resources": [RESOURCE],
}


def whole() -> Listing:
    """A server with something of every kind."""
    return listing(tool(), tool("write"), instructions="Be kind.", **EVERYTHING)
