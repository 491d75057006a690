"""`bawn server show`: one server, with what the registry and the records say of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bawn.cli.options import ConfigOption, JsonOption
from bawn.cli.quoting import printable
from bawn.cli.reading import loaded
from bawn.cli.server_trust import lines as lines_of
from bawn.cli.server_trust import statuses
from bawn.cli.servers import NameArgument, insist_on

if TYPE_CHECKING:
    from bawn.registry.collection import Collection


def show(name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one server: its settings with defaults, what is approved and installed. Secrets are hidden. (stable)"""
    from bawn.config.render import effective, rendered
    from bawn.registry.collection import of

    found = loaded(config)
    insist_on(found, name)
    settings = effective(found.config)["servers"][name]
    facts = _facts(of(found), name)
    status = statuses(found).of(name)
    if as_json:
        print(json.dumps({"id": name, **settings, **facts, "trust": status.json()}, indent=2))
        return
    for line in rendered({name: settings}):
        print(printable(line))
    if settings["status"] == "disabled":
        print("It is disabled: neither started nor served.")
    for title, told in facts.items():
        lines = rendered({title: told}) if told is not None else [f"{title}: nothing on record"]
        for line in lines:
            print(printable(line))
    print(f"trust: {status.summary}")
    for line in lines_of(status):
        print(line)


def _facts(known: Collection, name: str) -> dict[str, Any]:
    """What is known beside the settings, by question; None where there is nothing on record."""
    from bawn.errors import Refused

    facts: dict[str, Any] = {}
    for title, ask in (("registry", _registry), ("pins", _pins), ("installed", _installed)):
        try:
            facts[title] = ask(known, name)
        except Refused as refused:
            facts[title] = {"problem": refused.detail or refused.message}
    return facts


def _registry(known: Collection, name: str) -> dict[str, Any]:
    from bawn.registry.entry import entry_digest

    entry = known.entry(name)
    return {
        "name": entry.name,
        "version": entry.version,
        "package": str(entry.package) if entry.package is not None else None,
        "digest": entry_digest(entry),
    }


def _pins(known: Collection, name: str) -> dict[str, Any] | None:
    record = known.record(name)
    if record is None:
        return None
    return {
        "approved": len(record.pins),
        "waiting": len(record.waiting),
        "quarantined": len(record.holds),
        "root": known.entry(name).root,
        "first_seen": _time(record.first),
        "revision": record.revision,
    }


def _installed(known: Collection, name: str) -> dict[str, Any] | None:
    found = known.resolution(name)
    if found is None:
        return None
    return {
        "package": str(found.package),
        "artifacts": len(found.artifacts),
        "digest": found.digest,
        "resolved": _time(found.resolved),
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
