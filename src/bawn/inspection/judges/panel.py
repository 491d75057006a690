"""All judges of a gate: who is asked what, and who has to be waited for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from fnmatch import fnmatchcase
from typing import Final, TypeAlias

from bawn.errors import INSPECTION_JUDGE, Refused
from bawn.inspection.judges.judge import Judge, Unjudged
from bawn.inspection.outputs.leaves import of_message, of_values
from bawn.model import Call, Item, Json
from bawn.ports import Placed

log = logging.getLogger("bawn.inspection")

WATCHED: Final = 64
"""Messages that judges who only watch are shown at once; of more, they see nothing."""

Record: TypeAlias = Callable[[str, Call, Item, Sequence[Placed]], None]
"""Writes down what a judge found that only watches: direction, call, item, findings."""


class Panel:
    """`ports.Judges`."""

    def __init__(self, judges: Sequence[Judge], record: Record) -> None:
        self._judges = judges
        self._record = record
        self._watching: set[asyncio.Task[None]] = set()

    def ask(
        self, direction: str, call: Call, item: Item, tree: Json
    ) -> Awaitable[list[Placed]] | None:
        """Fills `ports.Judges`."""
        mine = [each for each in self._judges if _sees(each, direction, item)]
        if not mine:
            return None
        leaves = of_values(tree) if direction == "arguments" else of_message(tree)
        texts = tuple(leaves.texts)
        deciding = [each for each in mine if each.config.mode == "decide"]
        for each in mine:
            if each.config.mode == "watch" and len(self._watching) < WATCHED:
                self._watch(each, direction, call, item, texts)
        return self._decided(deciding, direction, call, item, texts) if deciding else None

    async def aclose(self) -> None:
        """Leave what is being watched."""
        for task in tuple(self._watching):
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def _decided(
        self,
        judges: Sequence[Judge],
        direction: str,
        call: Call,
        item: Item,
        texts: Sequence[tuple[str, str]],
    ) -> list[Placed]:
        """What all of them find; one that cannot be asked refuses, or is passed over where that is set."""
        asked = [judge.ask(direction, call, item, texts) for judge in judges]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        found: list[Placed] = []
        for judge, answer in zip(judges, answers, strict=True):
            if isinstance(answer, list):
                found += answer
            elif not isinstance(answer, Unjudged):
                raise answer
            elif judge.config.on_failure == "refuse":
                raise Refused(INSPECTION_JUDGE, detail=str(answer))
            else:
                log.warning("%s; the call passes, as configured", answer)
        return found

    def _watch(
        self,
        judge: Judge,
        direction: str,
        call: Call,
        item: Item,
        texts: Sequence[tuple[str, str]],
    ) -> None:
        task = asyncio.create_task(self._watched(judge, direction, call, item, texts))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def _watched(
        self,
        judge: Judge,
        direction: str,
        call: Call,
        item: Item,
        texts: Sequence[tuple[str, str]],
    ) -> None:
        try:
            found = await judge.ask(direction, call, item, texts)
            if found:
                self._record(direction, call, item, found)
        except Unjudged as problem:
            log.warning("%s", problem)
        except Refused as refused:
            log.warning("what a judge found could not be recorded: %s", refused.reason.id)


def _sees(judge: Judge, direction: str, item: Item) -> bool:
    return direction in judge.config.directions and any(
        fnmatchcase(item.server, pattern) for pattern in judge.config.servers
    )
