"""The stage is its two halves, and both make everything anew for a new View."""

from __future__ import annotations

from dataclasses import replace

from bawn.inspection.inspector import Inspection
from bawn.model import Answer, View
from tests.unit.inspection.stages import READ, Stages, arguments, call, text


def test_each_way_has_its_half() -> None:
    stages = Stages()
    inspection = Inspection(stages.leaving, stages.returning)
    params = arguments(note="hunter2")

    left = inspection.leaving(call(params), READ, params)
    back = inspection.returning(call(params), READ, Answer(text("hunter2")))
    message = {"method": "notifications/message", "params": {"data": "hunter2"}}
    told = inspection.telling(call(params), READ, message)

    assert left is not None
    assert back is not None
    assert told is not None
    assert "hunter2" not in f"{left.params}{back.answer}{told.params}"


def test_a_new_view_has_its_own_schemas_both_ways() -> None:
    stages = Stages()
    inspection = Inspection(stages.leaving, stages.returning)
    params = arguments(count=3)
    assert inspection.leaving(call(params), READ, params) is None
    wide = {"type": "object", "properties": {"count": {"type": "string"}}}
    other = replace(READ, definition={**READ.definition, "inputSchema": wide})
    words = arguments(count="three")

    inspection.swap(View("v2", {}))

    assert inspection.leaving(call(words), other, words) is None
