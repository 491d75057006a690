"""Configuration and state directory → the inspection of one worker, and that of the steward."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bawn.app.compiling import keep_compiled
from bawn.app.detectors import detectors
from bawn.config import Config
from bawn.config.inspection import InspectionRule
from bawn.config.secrets import references, resolve
from bawn.detectors import engine
from bawn.detectors.personal.detector import Personal
from bawn.detectors.survey import Survey
from bawn.errors import Misconfigured
from bawn.inspection.decisions import PERSONAL, Decisions
from bawn.inspection.guard.guard import Guard
from bawn.inspection.inspector import Inspection
from bawn.inspection.judges.judge import Judge
from bawn.inspection.judges.panel import Panel
from bawn.inspection.leaving import Leaving
from bawn.inspection.outputs.forged import Forged
from bawn.inspection.outputs.withholding import Withheld
from bawn.inspection.redaction.canaries import Canaries
from bawn.inspection.redaction.tokens import Tokens
from bawn.inspection.resources import Resources
from bawn.inspection.returning import Returning
from bawn.model import Call, Item, Json, Surface
from bawn.ports import Audit, Detector, Found, HttpClient, Placed
from bawn.protocol.sealing import Sealer
from bawn.storage.directory import StateDirectory
from bawn.storage.quarantine import Quarantine

_NONCE = 4  # bytes: of one message, and nobody can try twice


def inspection(config: Config, base: Path, state: StateDirectory, sealer: Sealer) -> Inspection:
    """The stage that looks at what is in calls. `sealer` makes the tokens that stand for secrets.

    Raises:
        Misconfigured: a plugin or a planted value cannot be had, or the key of the quarantine cannot.
    """
    keep_compiled()
    settings = config.inspection
    decisions = Decisions(settings, time.time)
    quarantine = Quarantine(state, settings.quarantine_days)
    tokens = Tokens(sealer, time.time) if settings.reversible else None
    survey = Survey(tuple(_detectors(config, base)))
    survey.warm(Surface.ARGUMENT, Surface.OUTPUT)

    def hold(call: Call, item: Item, tree: Json, found: Sequence[Found]) -> Withheld:
        held = quarantine.put(call.principal, item, call.method, call.trace, found, tree)
        return Withheld(held.handle, held.expires, held.found, config.base_url)

    def nonce() -> str:
        return secrets.token_hex(_NONCE)

    guard = Guard(
        str(Path.home()), _starts(config, base), tuple(_own(config, base, state)), os.path.realpath
    )
    leaving = Leaving(config, base, survey, guard, decisions, tokens)
    returning = Returning(survey, decisions, nonce, settings.redacted, tokens, hold)
    engine.warm()
    return Inspection(leaving, returning)


def resources(config: Config, base: Path) -> Resources:
    """What looks at lists of resources, for the steward.

    Raises:
        Misconfigured: a plugin or a planted value cannot be had.
    """
    survey = Survey(tuple(_detectors(config, base)))
    return Resources(survey, Decisions(config.inspection, time.time), time.monotonic)


def panel(config: Config, base: Path, client: HttpClient, audit: Audit) -> Panel:
    """The external judges; what those find that only watch is in the audit.

    Raises:
        Misconfigured: a credential of one cannot be had.
    """

    def record(way: str, call: Call, item: Item, found: Sequence[Placed]) -> None:
        findings = [
            {"rule": each.rule, "severity": each.severity.name.lower(), "place": place}
            for place, each in found
        ]
        detail: Json = {"server": item.server, "item": item.name, "way": way, "findings": findings}
        audit.event(call.principal, "judge.found", call.trace, detail)

    judges = [
        Judge(name, each, resolve(each.token, base) if each.token else "", client, time.monotonic)
        for name, each in config.inspection.judges.items()
    ]
    return Panel(judges, record)


def usual(plugins: Sequence[str] = ()) -> Iterator[Detector]:
    """The detectors of every gate that names these plugins: for personal data only where it is asked for."""
    yield Forged()
    yield from (each for each in detectors(plugins) if each.id != "personal")


def _detectors(config: Config, base: Path) -> Iterator[Detector]:
    """Those that are installed or named, and those that the configuration makes."""
    settings = config.inspection
    yield from usual(config.plugins)
    if settings.personal != "pass" or any(_concerns(rule, PERSONAL) for rule in settings.rules):
        yield Personal(settings.personal_kinds)
    if settings.canaries:
        values = {name: resolve(each, base) for name, each in settings.canaries.items()}
        try:
            yield Canaries(values)
        except ValueError as problem:  # it has the name, and not the value
            raise Misconfigured(
                f"inspection.canaries: {problem}; plant another value there and here"
            ) from None


def _starts(config: Config, base: Path) -> tuple[str, ...]:
    """Where relative paths of local servers may start."""
    local = (each for each in config.servers.values() if each.command is not None)
    return tuple(dict.fromkeys(str(base / (each.cwd or ".")) for each in local))


def _own(config: Config, base: Path, state: StateDirectory) -> Iterator[str]:
    """What decides what the gate lets through; of a project in which it lies no more than that."""
    yield str(state.path)
    if not any((base / name).exists() for name in ("bawn.yaml", "bawn.yml")):
        yield from (str(base / name) for name in ("*.yaml", "*.yml"))  # it has another name
    named = (config.policy, config.signing.root, config.signing.sigstore)
    yield from (str(base / Path(each).expanduser()) for each in named if each)
    for piece in references(msgspec.json.encode(config.model_dump(mode="json")).decode()):
        if piece.kind == "file":
            yield str(base / Path(piece.name).expanduser())


def _concerns(rule: InspectionRule, family: str) -> bool:
    return rule.action != "pass" and any(each.startswith(family) for each in rule.rules)
