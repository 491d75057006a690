"""What is in a call, both ways: the inspection is asked, what it found is recorded, and what breaks refuses."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bawn.errors import (
    INSPECTION_CANARY,
    INSPECTION_FAILED,
    INSPECTION_OUTPUT,
    INSPECTION_QUESTION,
    Refused,
)
from bawn.gateway.stages import Stages
from bawn.gateway.step import Step
from bawn.inspection.outputs.marking import places
from bawn.model import Answer, Ask, Call, Item, Json, Label
from bawn.ports import Emit, Found, Inspected, Placed
from bawn.protocol import mirrors

log = logging.getLogger("bawn.inspection")

_TOLD = 64  # findings of one message that are recorded
_BY_RULES = (INSPECTION_OUTPUT, INSPECTION_QUESTION, INSPECTION_CANARY)


class Inspecting:
    """Asks the inspection of each call, and remembers what it says."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages

    def leaving(self, step: Step, more: Sequence[Placed] = ()) -> tuple[Step, tuple[Ask, ...]]:
        """The step as it may leave, and whose consent it needs for what was found in it.

        Raises:
            Refused: inspection.*, audit.unavailable, store.unavailable.
        """
        call, item = step.call, step.item
        try:
            found = self._stages.inspector.leaving(call, item, step.params, more)
        except Refused:
            raise
        except Exception as error:  # noqa: BLE001  # fail closed, whatever breaks
            raise _failed(error) from None
        if found is None:
            return step, ()
        self._remember(call, item, found, "arguments")
        if found.params is None:
            return step, found.asks
        headers = step.headers
        if item.mirrors:  # what header fields repeat has changed, too
            headers = mirrors.fields(item.mirrors, found.params.get("arguments") or {})
        named = step.method.named  # of which a header field is made as well
        name = found.params.get(named, step.name) if named and step.name is not None else step.name
        left = msgspec.structs.replace(step, params=found.params, headers=headers, name=name)
        return left, found.asks

    def returning(self, step: Step, answer: Answer, more: Sequence[Placed] = ()) -> Answer:
        """The answer as its caller may have it.

        Raises:
            Refused: inspection.*, audit.unavailable, store.unavailable.
        """
        call, item = step.call, step.item
        try:
            found = self._stages.inspector.returning(call, item, answer, more)
        except Refused as refused:
            self._record_refused(call, item, refused)
            raise
        except Exception as error:  # noqa: BLE001  # fail closed, whatever breaks
            raise _failed(error) from None
        if found is None:
            return answer
        self._remember(call, item, found, "outputs")
        return found.answer or answer

    def told(self, call: Call, item: Item, message: Json) -> Json | None:
        """A notification as the caller may be told it; None, and recorded, when it may not be.

        Raises:
            Refused: audit.unavailable, store.unavailable.
        """
        try:
            found = self._stages.inspector.telling(call, item, message)
        except Exception as error:  # noqa: BLE001  # fail closed, whatever breaks
            refused = error if isinstance(error, Refused) else _failed(error)
            self._stages.audit.refusal(call, refused.reason.id, refused.detail or refused.public)
            return None
        if found is None:
            return message
        self._remember(call, item, found, "outputs")
        return message if found.params is None else found.params

    def heard(self, step: Step, emit: Emit) -> Emit:
        """The way by which a server tells things during a call; what may not be told is left out."""

        async def hear(message: Json) -> None:
            told = self.told(step.call, step.item, message)
            if told is not None:
                await emit(told)

        return hear

    def _record_refused(self, call: Call, item: Item, refused: Refused) -> None:
        """Record by which rules an answer is refused: its outcome has room for the reason alone."""
        if refused.reason not in _BY_RULES:
            return
        told = refused.detail or refused.public
        findings = [
            {"rule": rule, "place": "", "action": "block", "shadow": False}
            for rule in told.split(", ")
        ]
        detail: Json = {"server": item.server, "item": item.name, "method": call.method}
        detail |= {"way": "outputs", "findings": findings}
        self._stages.audit.event(call.principal, "inspection.found", call.trace, detail)

    def _remember(self, call: Call, item: Item, inspected: Inspected, way: str) -> None:
        """Record what was found, count it, and mark the conversation by it."""
        stages = self._stages
        for each in inspected.found:
            stages.meter.finding(way, each.detection.rule.partition("/")[0], each.action)
        if inspected.found:
            detail = {
                "server": item.server,
                "item": item.name,
                "method": call.method,
                "way": way,
                "findings": list(map(_told, inspected.found[:_TOLD], places(inspected.found))),
            }
            stages.audit.event(call.principal, "inspection.found", call.trace, detail)
        if Label.UNTRUSTED in inspected.labels:
            stages.flows.touch(stages.conversation(call), inspected.labels)


def _told(found: Found, place: str) -> Json:
    detection = found.detection
    return {
        "rule": detection.rule,
        "severity": detection.severity.name.lower(),
        "place": place,
        "span": [detection.start, detection.end],
        "action": found.action,
        "shadow": found.shadow,
    }


def _failed(error: Exception) -> Refused:
    """An inspection that breaks is a refusal. Neither its text nor the values around it are logged:

    they may be what must not be written down.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{Path(each.filename).name}:{each.lineno}" for each in reversed(frames))
    log.error("a message could not be inspected: %s at %s", type(error).__name__, where)
    return Refused(INSPECTION_FAILED, detail=type(error).__name__)
