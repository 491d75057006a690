"""What is done about a finding: by its rule, its severity, and where it was found.

Suppressions come first, then what never is a matter of taste (planted values, agents' configuration), then
`inspection.rules` in their order, then what `inspection` says of all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Final

from bawn.config.inspection import InspectionConfig, InspectionRule, Suppression
from bawn.model import Detection, Item, Severity
from bawn.ports import Found, Placed

ACTIONS: Final = ("pass", "mark", "redact", "ask", "quarantine", "block")
"""From the mildest to the hardest."""

CANARY: Final = "canary/"
AGENT: Final = "agent/"
SECRET: Final = "secret/"  # noqa: S105  # a family of rules
PERSONAL: Final = "personal/"
QUESTION: Final = "question/"

_GRAVE: Final = {severity.name.lower(): severity for severity in Severity}
_UNDENIABLE: Final = (CANARY, AGENT)


class Decisions:
    """Decides by the configuration; `clock` gives seconds since the epoch."""

    def __init__(self, config: InspectionConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._defaults = {"arguments": config.arguments, "outputs": config.outputs}

    def decided(self, item: Item, way: str, detections: Iterable[Placed]) -> tuple[Found, ...]:
        """What is done about each detection, which comes with its place."""
        return tuple(self._found(item, way, *each) for each in detections)

    def _found(self, item: Item, way: str, place: str, detection: Detection) -> Found:
        if self._suppressed(item, detection):
            return Found(place, detection, "pass")
        action, shadow = self._action(item, way, detection)
        return Found(place, detection, action, shadow=shadow and action != "pass")

    def _suppressed(self, item: Item, detection: Detection) -> bool:
        if detection.rule.startswith(CANARY) or not self._config.suppressions:
            return False
        today = dt.datetime.fromtimestamp(self._clock(), dt.UTC).date()
        return any(
            each.expires >= today and _is_about(each, item, detection)
            for each in self._config.suppressions
        )

    def _action(self, item: Item, way: str, detection: Detection) -> tuple[str, bool]:
        config = self._config
        if detection.rule.startswith(_UNDENIABLE):
            # told apart from the rest: what only records would be a hole
            return "block", config.shadow and not detection.rule.startswith(CANARY)
        for rule in config.rules:
            if _covers(rule, item, way, detection):
                return rule.action, rule.shadow or config.shadow
        if detection.severity < Severity.MEDIUM:
            return "pass", False
        if detection.rule.startswith(QUESTION) and detection.severity >= Severity.HIGH:
            return "block", config.shadow  # client/elicitation (2026-07-28) forbids it
        if detection.rule.startswith(SECRET):
            return config.secrets, config.shadow
        if detection.rule.startswith(PERSONAL):
            return config.personal, config.shadow
        return self._defaults[way], config.shadow


def hardest(found: Iterable[Found]) -> str:
    """The hardest action that is really taken; `pass` when none is."""
    taken = (each.action for each in found if not each.shadow)
    return max(taken, key=ACTIONS.index, default="pass")


def _is_about(suppression: Suppression, item: Item, detection: Detection) -> bool:
    return (
        fnmatchcase(detection.rule, suppression.rule)
        and fnmatchcase(item.server, suppression.server)
        and fnmatchcase(item.name, suppression.tool)
    )


def _covers(rule: InspectionRule, item: Item, way: str, detection: Detection) -> bool:
    return (
        way in rule.direction
        and detection.severity >= _GRAVE[rule.severity]
        and _any(detection.rule, rule.rules)
        and _any(item.server, rule.servers)
        and _any(item.name, rule.tools)
    )


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
