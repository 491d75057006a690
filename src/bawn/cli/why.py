"""`bawn why`: what became of one call, which rule decided it, what was found in it, and what would let it pass."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.audited import recorded
from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.policy_set import policy_set, published, state_of
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bawn.review.past.cause import Cause
    from bawn.review.past.inspected import Finding
    from bawn.review.past.recorded import Recorded

IdArgument = Annotated[
    str,
    typer.Argument(metavar="ID", help="Trace id, as in the error's data; its beginning is enough."),
]

_SHOWN = 16
"""Findings of one call that are told as text."""

_COMMANDS = {
    "approval.pending": "bawn approvals list",
    "approval.denied": "bawn approvals list --state denied",
    "gate.cut": "bawn incident list",
    "server.unavailable": "bawn status",
    "inspection.judge": "bawn status",
}


def why(id_: IdArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Explain one call from the audit, and print the exception that would allow it.

    Exit code 1 tells that no such call is there. (preview)
    """
    from bawn.review.past.cause import cause_of
    from bawn.review.past.inspected import in_events

    calls = _found(config, id_.strip().lower())
    rules = policy_set(config, None).rules.rules
    with explained():
        found = list(in_events(state_of(loaded(config)), calls[0].call.trace))
    causes = [cause_of(each, rules, found) for each in calls]
    if as_json:
        print(json.dumps([_object(each) for each in causes], indent=2))
        return
    print("\n\n".join(_text(each) for each in causes))


def _found(config: Path | None, prefix: str) -> list[Recorded]:
    """The calls of the one trace that begins so."""
    from bawn.model import View

    state = state_of(loaded(config))
    with explained():
        view = published(state) or View("", {})
    if not prefix:
        fail("expected a trace id, and it is empty.", code=2)
    calls = [each for each in recorded(state, view) if each.call.trace.startswith(prefix)]
    traces = {each.call.trace for each in calls}
    if not calls:
        fail(
            f"no call {printable(prefix)} in the audit.",
            "`bawn audit tail` shows the last ones; the id is `trace` in the error's data.",
        )
    if len(traces) > 1:
        fail(f"{len(traces)} calls begin with {printable(prefix)}.", "Give more of the id.")
    return calls


def _text(found: Cause) -> str:
    call, who = found.recorded.call, found.recorded.principal
    at = datetime.fromtimestamp(call.at / 1e9, UTC).isoformat(" ", "seconds")
    roles = f" (roles: {', '.join(sorted(who.roles)) or 'none'})" if who else ""
    lines = [
        f"{call.trace}  {at}",
        f"  {call.who}{roles}, {call.method} {found.recorded.name}",
        f"  {call.decision}: {found.reason}: {found.message}",
    ]
    lines += [f"  rule: {found.rule}"] if found.rule else []
    lines += (line for each in found.found[:_SHOWN] for line in _finding(each))
    lines += (f"    {rule.effect} {rule.id} stands at {rule.place}" for rule in found.places)
    lines += [f"  to do: {found.fix}"] if found.fix else []
    lines += [f"  see: {_COMMANDS[found.reason]}"] if found.reason in _COMMANDS else []
    lines += [f"  this would allow it: {found.permit}"] if found.permit else []
    lines += (
        [f"  this, added to the forbid, would spare it: {found.unless}"] if found.unless else []
    )
    lines += (f"  this in bawn.yaml would let it pass: {each}" for each in found.exempt[:1])
    lines += (f"    or: {each}" for each in found.exempt[1:])
    return "\n".join(map(printable, lines))


def _finding(found: Finding) -> Iterator[str]:
    grave = f" ({found.severity})" if found.severity else ""
    shadow = ", in shadow" if found.shadow else ""
    yield (
        f"  found in {found.way}: {found.rule}{grave} at {found.place or '/'}: {found.action}{shadow}"
    )
    if found.rationale:
        yield f"    {found.rationale}"


def _object(found: Cause) -> dict[str, object]:
    from bawn.audit.calls import as_json

    who = found.recorded.principal
    return {
        "call": as_json(found.recorded.call),
        "roles": sorted(who.roles) if who else None,
        "reason": found.reason,
        "message": found.message,
        "fix": found.fix,
        "rule": found.rule,
        "places": [{"rule": rule.id, "place": rule.place} for rule in found.places],
        "command": _COMMANDS.get(found.reason, ""),
        "permit": found.permit,
        "unless": found.unless,
        "found": [asdict(each) for each in found.found],
        "exempt": [str(each) for each in found.exempt],
    }
