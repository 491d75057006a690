"""A new process or session is compared with what was approved before its first call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import pytest

from bawn.errors import Refused
from bawn.model import Json
from bawn.pins.record import Aspect, Pin, Record
from bawn.pins.verifying import Stranger, Verifying

CALL = "tools/call"
DRIFT = "integrity.drift"
GOOD: Json = {"name": "read", "description": "good"}
BAD: Json = {"name": "read", "description": "bad"}


def _digest(definition: Json) -> str:
    return str(definition["description"])


class Kept:
    """What was approved, in memory."""

    def __init__(self, *definitions: Json) -> None:
        pins = tuple(Pin("tool", d["name"], _digest(d), d, 0.0) for d in definitions)
        self.on_record: Record | None = Record("files", 0.0, pins=pins)
        self.noted: list[Stranger] = []
        self.broken = False

    def record(self) -> Record | None:
        return self.on_record

    def strangers(
        self, aspect: Aspect, definitions: Sequence[Json], record: Record
    ) -> Iterable[Stranger]:
        approved = {(pin.name, pin.digest) for pin in record.pins}
        for each in definitions:
            if (each["name"], _digest(each)) not in approved:
                yield aspect, each["name"], _digest(each), each

    def found(self, strangers: Sequence[Stranger]) -> None:
        if self.broken:
            raise RuntimeError("no room")
        self.noted += strangers


class Server:
    """A process by what it lists; `gate` holds its answers up."""

    def __init__(self, *pages: Sequence[Json]) -> None:
        self.pages = list(pages)
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def ask(self, method: str, params: Json) -> Json:
        assert method == "tools/list"
        self.asked += 1
        await self.gate.wait()
        at = int(params.get("cursor", "0"))
        page: Json = {"tools": list(self.pages[at])}
        return page if at + 1 == len(self.pages) else {**page, "nextCursor": str(at + 1)}


async def _reason(verifying: Verifying, server: Server, name: str = "read") -> str:
    try:
        await verifying.check(CALL, name, server.ask)
    except Refused as refused:
        return refused.reason.id
    return ""


async def test_the_first_call_looks_and_those_after_it_do_not() -> None:
    verifying, server = Verifying(Kept(GOOD), 100), Server([GOOD])
    assert not verifying.settled(CALL)
    assert [await _reason(verifying, server) for _ in range(3)] == ["", "", ""]
    assert verifying.settled(CALL)
    assert server.asked == 1


async def test_a_tool_that_differs_is_refused_and_put_on_record_and_its_siblings_serve() -> None:
    other = {"name": "write", "description": "good"}
    kept, server = Kept(GOOD, other), Server([other], [BAD])
    verifying = Verifying(kept, 100)
    assert await _reason(verifying, server) == "integrity.drift"
    assert await _reason(verifying, server, "write") == ""
    assert [each[3] for each in kept.noted] == [BAD]


async def test_it_serves_again_once_its_new_definition_was_approved() -> None:
    kept, server = Kept(GOOD), Server([BAD])
    verifying = Verifying(kept, 100)
    assert await _reason(verifying, server) == "integrity.drift"
    kept.on_record = Kept(BAD).on_record
    assert await _reason(verifying, server) == ""
    assert verifying.settled(CALL)


async def test_word_of_a_changed_list_has_it_looked_at_again_before_the_next_call() -> None:
    verifying, server = Verifying(Kept(GOOD), 100), Server([GOOD])
    assert await _reason(verifying, server) == ""
    server.pages = [[BAD]]
    verifying.doubt("notifications/resources/list_changed")
    assert verifying.settled(CALL)
    verifying.doubt("notifications/tools/list_changed")
    assert await _reason(verifying, server) == "integrity.drift"


async def test_many_calls_at_once_make_one_look() -> None:
    verifying, server = Verifying(Kept(GOOD), 100), Server([GOOD])
    server.gate.clear()
    calls = [asyncio.create_task(_reason(verifying, server)) for _ in range(20)]
    while not server.asked:
        await asyncio.sleep(0)
    server.gate.set()
    assert await asyncio.gather(*calls) == [""] * 20
    assert server.asked == 1


async def test_always_means_a_look_that_began_after_the_call_came() -> None:
    verifying, server = Verifying(Kept(GOOD), 100, always=True), Server([GOOD])
    server.gate.clear()
    first = asyncio.create_task(_reason(verifying, server))
    while not server.asked:
        await asyncio.sleep(0)
    later = [asyncio.create_task(_reason(verifying, server)) for _ in range(10)]
    await asyncio.sleep(0)
    server.pages = [[BAD]]  # the first look may have read the old list already
    server.gate.set()
    await first
    assert set(await asyncio.gather(*later)) == {"integrity.drift"}
    assert server.asked == 2, "one look serves all who wait"
    assert not verifying.settled(CALL)


async def test_a_list_that_cannot_be_had_refuses_the_call_and_is_asked_for_again() -> None:
    verifying = Verifying(Kept(GOOD), 100)

    async def broken(method: str, params: Json) -> Json:
        return {"tools": "none"}

    with pytest.raises(Refused, match=r"upstream\.invalid"):
        await verifying.check(CALL, "read", broken)
    assert await _reason(verifying, Server([GOOD])) == ""


async def test_what_cannot_be_put_on_record_lets_nothing_through() -> None:
    kept = Kept(GOOD)
    kept.broken = True
    verifying = Verifying(kept, 100)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await verifying.check(CALL, "read", Server([BAD]).ask)


async def test_a_list_that_changes_while_it_is_read_refuses_in_the_end() -> None:
    kept = Kept(GOOD)
    verifying = Verifying(kept, 100)

    async def restless(method: str, params: Json) -> Json:
        verifying.doubt("notifications/tools/list_changed")
        return {"tools": [GOOD]}

    with pytest.raises(Refused, match=r"integrity\.checking"):
        await verifying.check(CALL, "read", restless)


@pytest.mark.parametrize(
    "page",
    [
        {"tools": [GOOD], "nextCursor": ""},
        {"tools": [1]},
        {},
    ],
)
async def test_a_list_without_an_end_or_a_shape_is_refused(page: Json) -> None:
    async def ask(method: str, params: Json) -> Json:
        return page

    with pytest.raises(Refused, match=r"upstream\."):
        await Verifying(Kept(GOOD), 100).check(CALL, "read", ask)


async def test_more_definitions_than_the_limit_are_refused() -> None:
    several = [{"name": f"t{i}", "description": ""} for i in range(11)]
    with pytest.raises(Refused, match=r"upstream\.too_large"):
        await Verifying(Kept(GOOD), 10).check(CALL, "read", Server(several).ask)


async def test_methods_that_rely_on_no_definition_are_not_held_up() -> None:
    server = Server([BAD])
    verifying = Verifying(Kept(GOOD), 100)
    await verifying.check("resources/read", None, server.ask)
    assert verifying.settled("resources/read")
    assert server.asked == 0


async def test_a_server_that_was_away_is_looked_at_again() -> None:
    verifying, server = Verifying(Kept(GOOD), 100), Server([GOOD])
    assert await _reason(verifying, server) == ""
    verifying.doubt_all()
    assert await _reason(verifying, server) == ""
    assert server.asked == 2


async def test_a_server_of_which_nothing_is_on_record_has_nothing_to_be_held_against() -> None:
    kept = Kept()
    kept.on_record = None
    assert await _reason(Verifying(kept, 100), Server([BAD])) == ""


async def test_looks_before_every_call_keep_up_with_callers_that_come_all_the_time() -> None:
    verifying, asked = Verifying(Kept(GOOD), 100, always=True), 0

    async def ask(method: str, params: Json) -> Json:
        nonlocal asked
        asked += 1
        for _ in range(asked % 4):
            await asyncio.sleep(0)
        return {"tools": [GOOD]}

    async def calls(pause: int) -> None:
        for _ in range(30):
            for _ in range(pause):
                await asyncio.sleep(0)
            await verifying.check(CALL, "read", ask)

    await asyncio.gather(*[calls(pause % 7) for pause in range(40)])
    assert asked <= 30 * 40 / 4, "one look serves many"


async def test_what_is_listed_is_not_held_in_memory_but_for_one_stranger_of_each_name() -> None:
    held: list[int] = []

    class Counting(Kept):
        def strangers(
            self, aspect: Aspect, definitions: Sequence[Json], record: Record
        ) -> Iterable[Stranger]:
            held.append(len(definitions))
            return super().strangers(aspect, definitions, record)

    kept = Counting(GOOD)
    worse = [{"name": "read", "description": f"bad {number}"} for number in range(5)]
    assert await _reason(Verifying(kept, 100), Server(*[[each] for each in worse])) == DRIFT
    assert held == [1] * 5, "page by page"
    assert len(kept.noted) == 1


async def test_of_a_name_listed_twice_both_have_to_be_approved() -> None:
    worse = {"name": "read", "description": "worse"}
    kept, server = Kept(GOOD), Server([BAD, worse])
    verifying = Verifying(kept, 100)
    assert await _reason(verifying, server) == DRIFT
    kept.on_record = Kept(BAD).on_record
    assert await _reason(verifying, server) == DRIFT
    kept.on_record = Kept(BAD, worse).on_record
    assert await _reason(verifying, server) == ""
