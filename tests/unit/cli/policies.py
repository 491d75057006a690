"""A configuration with a policy directory, an audit, and a View as a running gate has published it."""

from __future__ import annotations

from pathlib import Path

from bawn.app.places import Places
from bawn.audit.writer import Writer
from bawn.barrier import edition, views
from bawn.barrier.edition import Edition
from bawn.model import Call, Decision, Item, View
from bawn.storage import StateDirectory

RULES = """\
@id("reading")
permit (principal in Role::"developer", action == Action::"call files/read", resource);
@id("never")
forbid (principal, action == Action::"call files/drop", resource);
"""
CASES = """\
servers:
  files: {tools: [{name: read}, {name: drop}]}
cases:
  - as: {roles: [developer]}
    call: {server: files, tool: read}
    expect: allow
    rule: reading
"""


def configured(path: Path, rules: str = RULES, cases: str | None = CASES) -> Path:
    """The configuration file in this directory; `policy` is beside it."""
    (path / "policy" / "tests").mkdir(parents=True)
    (path / "policy" / "a.cedar").write_text(rules)
    if cases is not None:
        (path / "policy" / "tests" / "a.yaml").write_text(cases)
    config = path / "bawn.yaml"
    config.write_text("state: ./state\npolicy: ./policy\n")
    return config


def publish(state: StateDirectory, view: View) -> None:
    """What the gate would do; the barrier stays where it is."""
    places = Places(state)
    barrier = places.begin()
    name = places.shelf().put(views.dump(view))
    barrier.publish(bytes.fromhex(places.shelf().put(edition.encode(Edition(1, 1, name)))))
    barrier.close()


def audit(state: StateDirectory, *calls: tuple[Call, Item | str]) -> None:
    """Calls that left for an item, or were refused by policy with this detail."""
    writer = Writer(state)
    for made, went in calls:
        if isinstance(went, Item):
            intent = writer.intent(made, went, Decision(True, "permit reading"))
            writer.outcome(intent, made.trace, "ok", 0.0, 1)
        else:
            writer.refusal(made, "policy.denied", went)
    writer.close()
