"""What leaves to a server: held against the approved schema, by the kind of each argument, and as text.

The order is that of cost: what is dear comes only where something cheap says that it may find something.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import msgspec

from bawn.config import Config
from bawn.detectors.survey import Survey
from bawn.errors import (
    INSPECTION_AGENT,
    INSPECTION_ARGUMENT,
    INSPECTION_CANARY,
    INSPECTION_SCHEMA,
    INSPECTION_SECRET,
    Reason,
    Refused,
)
from bawn.inspection.arguments.dots import climbs
from bawn.inspection.arguments.found import found as found_in
from bawn.inspection.arguments.plan import Plan
from bawn.inspection.decisions import ACTIONS, AGENT, CANARY, SECRET, Decisions
from bawn.inspection.guard.guard import Guard
from bawn.inspection.outputs.leaves import KEY, of_values, parts
from bawn.inspection.redaction.redact import KEY as BEHIND
from bawn.inspection.redaction.redact import STYLES, redact_tree
from bawn.inspection.redaction.tokens import OPENS, Tokens
from bawn.model import Ask, Call, Detection, Item, Json, Kind, Severity, Surface
from bawn.ports import Found, Inspected, Placed
from bawn.protocol.conversation import HANDLE
from bawn.protocol.strict import encode
from bawn.protocol.trace import PARENT
from bawn.protocol.versions import META_CAPABILITIES, META_CLIENT, META_LOG_LEVEL, META_VERSION

_OWN: Final = frozenset({"_meta", "name", "requestState", "taskId"})
"""What of params is the protocol's, or the gate's own."""

_PROTOCOLS: Final = frozenset(
    {META_VERSION, META_CAPABILITIES, META_CLIENT, META_LOG_LEVEL, PARENT, HANDLE, "progressToken"}
)
"""What of `_meta` a client's program says of itself and of the call: no model writes there."""

_PLANNED: Final = frozenset({Kind.TOOL, Kind.PROMPT})
_REASONS: Final[Mapping[str, Reason]] = {
    AGENT: INSPECTION_AGENT,
    CANARY: INSPECTION_CANARY,
    SECRET: INSPECTION_SECRET,
}
_PARTIAL: Final = Detection("inspection/partial", Severity.MEDIUM, 0, 0, "more than is looked at")


UNUSABLE: Final = "argument/schema-unusable"
"""The rule of schemas that cannot be compiled: nothing is held against them."""


class Leaving:
    """Inspects what calls bring. Plans are made once for each definition that the View holds."""

    def __init__(
        self,
        config: Config,
        base: Path,
        survey: Survey,
        guard: Guard,
        decisions: Decisions,
        tokens: Tokens | None,
    ) -> None:
        self._inspection = config.inspection
        self._servers = config.servers
        self._base = base
        self._survey = survey
        self._guard = guard
        self._decisions = decisions
        self._tokens = tokens
        self._within = config.approvals.within
        self._plans: dict[str, tuple[Json, Plan]] = {}

    def forget(self) -> None:
        """Definitions have changed: make the plans anew."""
        self._plans.clear()

    def inspected(
        self, call: Call, item: Item, params: Json, more: Sequence[Placed]
    ) -> Inspected | None:
        """What may leave; None when nothing was found.

        Raises:
            Refused: inspection.schema, .argument, .agent_config, .secret, .canary.
        """
        given = params
        params, refused = self._restored(call, item, params)
        detections = [*self._detected(item, given, params), *refused, *more]
        if not detections:
            return None if params is given else Inspected(params)
        decided = self._decisions.decided(item, "arguments", detections)
        found = tuple(self._excepted(call, item, each) for each in decided)
        taken = [each for each in found if not each.shadow]
        _refuse(taken)
        # each rule by itself: consent to one of them is none to another
        asks = tuple(dict.fromkeys(self._ask(each) for each in taken if each.action == "ask"))
        redacting = [(each.place, each.detection) for each in taken if each.action == "redact"]
        if redacting:
            params = self._redacted(item, params, [_widened(given, each) for each in redacting])
        return Inspected(None if params is given else params, asks=asks, found=found)

    def _restored(self, call: Call, item: Item, params: Json) -> tuple[Json, list[Placed]]:
        """The params with the secrets that this caller had of this server, in the place of their tokens."""
        arguments = params.get("arguments")
        if self._tokens is None or not arguments or OPENS.encode() not in encode(arguments):
            return params, []
        restored, refused = self._tokens.restored_tree(
            arguments, call.principal.key, item.server, "/arguments"
        )
        return {**params, "arguments": restored}, refused

    def _detected(self, item: Item, given: Json, params: Json) -> list[Placed]:
        """Everything that is found, with its place in the params: as text in what was given, else in

        what leaves, where secrets stand in the place of tokens.
        """
        told = {key: value for key, value in given.items() if key not in _OWN}
        found: list[Placed] = []
        if item.kind in _PLANNED:
            found += self._typed(item, params)
        found += _addressed(item, params)
        beside = _beside(given)
        texts = {**told, "_meta": beside} if beside else told
        if not texts:
            return found
        data = encode(texts)
        if not self._survey.clean(data, Surface.ARGUMENT):
            leaves = of_values(texts)
            found += self._survey.look_at(tuple(leaves.texts), Surface.ARGUMENT)
            if not leaves.whole:
                found.append(("", _PARTIAL))
        if given is not params:
            told = {key: value for key, value in params.items() if key not in _OWN}
            data = encode(told)
        kinds = self._plan(item).kinds if item.kind in _PLANNED else None
        if self._guard.may_concern(data):
            found += self._guard.check(item, told, kinds)
        elif self._servers[item.server].command is not None:  # it has the files of this machine
            found += self._guard.linked(item, told, kinds)
        return found

    def _plan(self, item: Item) -> Plan:
        made = self._plans.get(item.key)
        # a call that waited meanwhile may still be of the definitions before
        if made is None or made[0] is not item.definition:
            plan = Plan.of(item.definition, self._servers[item.server], self._base)
            made = self._plans[item.key] = item.definition, plan
        return made[1]

    def _typed(self, item: Item, params: Json) -> Iterator[Placed]:
        """What the schema and the kinds of arguments say."""
        plan, arguments = self._plan(item), params.get("arguments") or {}
        if plan.problem is not None:
            yield "", Detection(UNUSABLE, Severity.LOW, 0, 0, plan.problem)
        if "argument" in params:  # a completion: what is typed so far, and what was chosen before
            yield from _completing(plan, params)
            return
        problem = plan.invalid(arguments)
        if problem is not None:
            if self._inspection.schemas == "block" and not self._inspection.shadow:
                raise Refused(INSPECTION_SCHEMA, problem)
            yield "/arguments", Detection("argument/schema", Severity.LOW, 0, 0, problem)
        for place, detection in plan.check(arguments):
            yield f"/arguments{place}", detection

    def _excepted(self, call: Call, item: Item, found: Found) -> Found:
        """A finding as it stands for those who may configure agents by this tool."""
        if not found.detection.rule.startswith(AGENT):
            return found
        named = any(fnmatchcase(item.name, each) for each in self._servers[item.server].configures)
        if named and not call.principal.roles.isdisjoint(self._inspection.keepers):
            return msgspec.structs.replace(found, action="pass")
        return found

    def _redacted(self, item: Item, params: Json, redacting: Sequence[Placed]) -> Json:
        """The params without what must not leave; what the schema then does not allow is refused."""
        by_place: dict[str, list[Detection]] = {}
        for place, detection in redacting:
            at = place.removeprefix(KEY) + BEHIND if place.startswith(KEY) else place
            by_place.setdefault(at, []).append(detection)
        params = redact_tree(params, by_place, STYLES[self._inspection.redacted])
        if item.kind in _PLANNED and self._plan(item).invalid(params.get("arguments") or {}):
            raise Refused(INSPECTION_SECRET, _public(*redacting[0]))
        return params

    def _ask(self, found: Found) -> Ask:
        rule = f"inspection {found.detection.rule}"
        return Ask(rule, frozenset(self._inspection.approvers), False, 1, self._within)


def _beside(params: Json) -> Json | None:
    """What `_meta` has besides the protocol's own; None for nothing, as in most calls."""
    meta = params.get("_meta")
    if not meta or meta.keys() <= _PROTOCOLS:
        return None
    return {key: value for key, value in meta.items() if key not in _PROTOCOLS}


def _refuse(taken: Sequence[Found]) -> None:
    """Refuse what must not leave: nothing is held back on the way out, so that is refused, too."""
    blocked = [each for each in taken if ACTIONS.index(each.action) >= _HELD]
    if not blocked:
        return
    worst = max(blocked, key=lambda each: each.detection.severity)
    family = f"{worst.detection.rule.partition('/')[0]}/"
    reason = _REASONS.get(family, INSPECTION_ARGUMENT)
    if reason is INSPECTION_CANARY:  # whoever sends one need not learn that it was one
        raise Refused(reason, detail=worst.detection.rule)
    raise Refused(reason, _public(worst.place, worst.detection))


_HELD: Final = ACTIONS.index("quarantine")


def _completing(plan: Plan, params: Json) -> Iterator[Placed]:
    argument, context = params.get("argument"), params.get("context")
    if isinstance(argument, dict) and isinstance(name := argument.get("name"), str):
        for _, detection in plan.check({name: argument.get("value")}):
            yield "/argument/value", detection
    chosen = context.get("arguments") if isinstance(context, dict) else None
    if isinstance(chosen, dict):
        for place, detection in plan.check(chosen):
            yield f"/context/arguments{place}", detection


def _addressed(item: Item, params: Json) -> Iterator[Placed]:
    """A URI that no list names, but a template allows: it must not climb out of what that names."""
    uri = params.get("uri")
    if not isinstance(uri, str) or uri == item.name:
        return
    _, _, rest = uri.partition("://" if "://" in uri else ":")
    if climbs(rest.partition("?")[0], rooted=False):
        yield "/uri", found_in("path-traversal", uri)


def _widened(given: Json, found: Placed) -> Placed:
    """A finding over all of its text where tokens stood in that: what its span counted is not what leaves."""
    node: Any = given
    for part in parts(found[0]):
        if isinstance(node, list):
            node = node[int(part)] if part.isdecimal() and int(part) < len(node) else None
        else:
            node = node.get(part) if isinstance(node, dict) else None
    if not isinstance(node, str) or OPENS not in node:
        return found
    return found[0], msgspec.structs.replace(found[1], start=0, end=_ENDLESS)


_ENDLESS: Final = 1 << 30


def _public(place: str, detection: Detection) -> str:
    """Where it is and by which rule; of the name of a member only what is above it."""
    shown = place.removeprefix(KEY).rpartition("/")[0] if place.startswith(KEY) else place
    return f"{shown or '/'} ({detection.rule})"
