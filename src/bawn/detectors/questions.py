"""What servers ask of a client: of its model (sampling), and of the person before it (elicitation).

Source: client/sampling and client/elicitation (2026-07-28): servers must not ask for secrets in a form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from bawn.detectors.folding import fold
from bawn.detectors.phrases import Phrases
from bawn.detectors.rule import load
from bawn.model import Detection, Json, Severity, Surface

Placed: TypeAlias = tuple[str, Detection]
"""A detection, and where it stands: an RFC 6901 pointer into the params."""

CONTEXT: Final = "question/context"
"""A server that asks for the context of all servers."""

SECRET: Final = "question/secret"  # noqa: S105
"""A form that asks for a secret."""

_FIELD: Final = "question/secret-field"
_MODEL: Final = frozenset({"question/theft", "question/control"})
_SHORT: Final = 80  # characters of a name or title that are looked at
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TYPED: Final = frozenset({"string", None})


def sampling(params: Json) -> list[Placed]:
    """What is wrong with a `sampling/createMessage`: theft of context, and orders beyond its own answer."""
    found: list[Placed] = []
    if params.get("includeContext") == "allServers":
        shown = Detection(CONTEXT, Severity.MEDIUM, 0, len("allServers"), "allServers")
        found.append(("/includeContext", shown))
    for place, text in _said(params):
        found += ((place, each) for each in _phrases(text) if each.rule in _MODEL)
    return found


def elicitation(params: Json) -> list[Placed]:
    """What is wrong with an `elicitation/create`: that its form asks for a secret. URL mode may."""
    if params.get("mode", "form") != "form":
        return []
    found = [
        ("/message", each) for each in _phrases(_text(params, "message")) if each.rule == SECRET
    ]
    schema = params.get("requestedSchema")
    fields = schema.get("properties") if isinstance(schema, dict) else None
    if isinstance(fields, dict):
        for name, field in fields.items():
            found += _asked(name, field if isinstance(field, dict) else {})
    return found


def _asked(name: str, field: Mapping[str, Any]) -> Iterator[Placed]:
    """What in one field of a form asks for a secret; a choice, a number or a yes is none."""
    if field.get("type") not in _TYPED or "enum" in field or "oneOf" in field:
        return
    place = f"/requestedSchema/properties/{name.replace('~', '~0').replace('/', '~1')}"
    yield from ((place, each) for each in _named(name))
    title = _text(field, "title")
    yield from ((f"{place}/title", each) for each in _named(title))
    for key in ("title", "description"):
        yield from (
            (f"{place}/{key}", each) for each in _phrases(_text(field, key)) if each.rule == SECRET
        )
    yield from ((f"{place}/description", each) for each in _named(_text(field, "description")))


def _named(text: str) -> Iterator[Detection]:
    """Whether a name is that of a secret; the span is the name."""
    name = text[:_SHORT]
    spread = name if " " in name else _HUMP.sub(" ", name)
    spread = spread.replace("_", " ").replace("-", " ").replace(".", " ")
    for each in _phrases(spread.strip(" :*?")):
        if each.rule == _FIELD:
            yield Detection(SECRET, each.severity, 0, len(text), name, each.confidence, "folded")
            return


def _phrases(text: str) -> Iterator[Detection]:
    """What the rules find; spans are those of the text as given."""
    folded, back = fold(text)
    for each in _rules().detect(folded, Surface.OUTPUT):
        start, end = back(each.start, each.end) if back else (each.start, each.end)
        yield Detection(
            each.rule, each.severity, start, end, each.evidence, each.confidence, "folded"
        )


def _said(params: Json) -> Iterator[tuple[str, str]]:
    """The texts of a sampling request, with their places."""
    yield "/systemPrompt", _text(params, "systemPrompt")
    messages = params.get("messages")
    for index, message in enumerate(messages if isinstance(messages, list) else []):
        content = message.get("content") if isinstance(message, dict) else None
        place = f"/messages/{index}/content"
        if isinstance(content, dict):
            yield f"{place}/text", _text(content, "text")
        for part, block in enumerate(content if isinstance(content, list) else []):
            if isinstance(block, dict):
                yield f"{place}/{part}/text", _text(block, "text")


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""


@cache
def _rules() -> Phrases:
    return Phrases("question", load("questions"))
