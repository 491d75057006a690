"""What was not approved does not serve, and only who might use it is told that it is there."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from bawn.barrier.edition import Cut, Cuts
from bawn.gateway import doubts
from bawn.model import Json, Kind, Listing, Withheld
from tests.gate import (
    ADA,
    BARE,
    DONE,
    EVE,
    FILES,
    FORM,
    VIC,
    Held,
    House,
    Script,
    asks,
    legacy,
    listing,
    modern,
    reason_of,
)
from tests.unit.gateway.calling import YES, caller_of
from tests.unit.gateway.test_targets import _started, _task

READ, WRITE = FILES[Kind.TOOL]
DRIFT = "integrity.drift"


def _files(*kinds: Kind, reason: str = DRIFT) -> Listing:
    """The server `files`, of which everything of these kinds is withheld."""
    served = {kind: () if kind in kinds else found for kind, found in FILES.items()}
    withheld = {kind: tuple(Withheld(each, reason) for each in FILES[kind]) for kind in kinds}
    return replace(listing("files", served), withheld=withheld)


def _house(*kinds: Kind, reason: str = DRIFT) -> House:
    house = House()
    house.gateway.swap(house.view(_files(*kinds, reason=reason)))
    return house


async def _until(event: asyncio.Event) -> None:
    await event.wait()


def _call(name: str = "files__write", **more: Any) -> Any:
    return modern("tools/call", {"name": name, "arguments": {}}, **more)


@pytest.mark.parametrize("reason", [DRIFT, "integrity.unapproved", "integrity.quarantined"])
async def test_a_withheld_tool_is_refused_with_its_reason_and_recorded(reason: str) -> None:
    house = _house(Kind.TOOL, reason=reason)
    await house.refused(_call(), reason)
    await house.refused(_call("write", at="files"), reason)
    legacy_call = legacy("tools/call", {"name": "files__write", "arguments": {}})
    await house.refused(legacy_call, reason)
    assert [each for each in house.journal if each[0] == "refusal"]


async def test_who_may_not_use_it_finds_nothing_as_with_a_name_that_is_not_there() -> None:
    house = _house(Kind.TOOL)
    hidden = await house.answer(_call(who=EVE))
    absent = await house.answer(_call("files__other", who=EVE))
    assert reason_of(json.loads(hidden.body)) == "target.unknown"
    traceless = [{**json.loads(each.body)["error"], "data": None} for each in (hidden, absent)]
    assert traceless[0] == traceless[1]


async def test_it_is_in_no_list_and_its_siblings_serve() -> None:
    house = House()
    files = replace(
        listing("files", {**FILES, Kind.TOOL: (READ,)}),
        withheld={Kind.TOOL: (Withheld(WRITE, DRIFT),)},
    )
    house.gateway.swap(house.view(files))
    _, listed = await house.ask(modern("tools/list"))
    assert [tool["name"] for tool in listed["result"]["tools"]] == ["files__read"]
    _, answered = await house.ask(_call("files__read"))
    assert "result" in answered


async def test_what_a_withheld_template_stands_for_cannot_be_read_or_completed() -> None:
    house = _house(Kind.TEMPLATE)
    await house.refused(modern("resources/read", {"uri": "file:///b/c"}), DRIFT)
    ref = {"type": "ref/resource", "uri": "file:///{+path}"}
    argument = {"name": "path", "value": "a"}
    completion = modern("completion/complete", {"ref": ref, "argument": argument}, who=VIC)
    await house.refused(completion, DRIFT)


async def test_a_withheld_prompt_is_neither_got_nor_completed() -> None:
    house = _house(Kind.PROMPT)
    await house.refused(modern("prompts/get", {"name": "files__summary"}), DRIFT)
    ref = {"type": "ref/prompt", "name": "files__summary"}
    argument = {"name": "of", "value": "a"}
    await house.refused(modern("completion/complete", {"ref": ref, "argument": argument}), DRIFT)


class TestDoubt:
    """A server that says that it has changed is looked at before its next call leaves."""

    async def test_a_call_waits_until_it_was_looked_at(self) -> None:
        house = House()
        house.gateway.cut(Cuts((), ("files",)))
        asking = asyncio.create_task(house.ask(_call("files__read")))
        other, _ = await house.ask(_call("issues__read"))
        assert other.status == 200, "others do not wait"
        assert len(house.sent) == 1
        house.gateway.cut(Cuts())
        _, body = await asking
        assert "result" in body

    async def test_what_was_found_changed_meanwhile_is_refused(self) -> None:
        house = House()
        house.gateway.cut(Cuts((), ("files",)))
        asking = asyncio.create_task(house.ask(_call("files__read")))
        await asyncio.sleep(0)
        house.gateway.swap(house.view(_files(Kind.TOOL)))
        house.gateway.cut(Cuts())
        _, body = await asking
        assert reason_of(body) == DRIFT
        assert house.sent == []

    async def test_one_that_is_not_looked_at_is_not_waited_for_for_ever(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(doubts, "_PATIENCE", 0.05)
        house = House()
        house.gateway.cut(Cuts((), ("files",)))
        await house.refused(_call("files__read"), "integrity.checking")
        assert [each for each in house.journal if each[0] == "refusal"]

    async def test_who_may_not_use_it_is_told_at_once_that_nothing_is_there(self) -> None:
        house = House()
        house.gateway.cut(Cuts((), ("files",)))
        async with asyncio.timeout(1):
            await house.refused(_call("files__read", who=EVE), "target.unknown")

    async def test_who_is_switched_off_while_it_waits_gets_no_answer(self) -> None:
        house = House()
        house.gateway.cut(Cuts((), ("files",)))
        asking = asyncio.create_task(house.ask(_call("files__read")))
        await asyncio.sleep(0)
        house.gateway.cut(Cuts((Cut("principal", ADA.subject, 0.0),)))
        _, body = await asking
        assert reason_of(body) == "gate.cut"
        assert house.sent == []

    async def test_no_more_than_so_many_calls_wait_for_one_server(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(doubts, "_MOST", 2)
        house = House()
        house.gateway.cut(Cuts((), ("files", "issues")))
        waiting = [asyncio.create_task(house.ask(_call("files__read"))) for _ in range(2)]
        await asyncio.sleep(0)
        async with asyncio.timeout(1):
            await house.refused(_call("files__read"), "integrity.checking")
        waiting.append(asyncio.create_task(house.ask(_call("issues__read"))))
        await asyncio.sleep(0)
        house.gateway.cut(Cuts())
        assert all("result" in body for _, body in await asyncio.gather(*waiting))

    async def test_however_many_wait_one_looks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doubts, "_LOOK", 0.001)
        house = House()
        looks = 0

        def behind() -> bool:
            nonlocal looks
            looks += 1
            return False

        house.gateway.cut(Cuts((), ("files",)))
        waiting = [asyncio.create_task(house.ask(_call("files__read"))) for _ in range(100)]
        await asyncio.sleep(0)
        monkeypatch.setattr(house.barrier, "behind", behind)
        while not looks:
            await asyncio.sleep(0)
        assert looks == 1, "one looks for all"
        house.gateway.cut(Cuts())
        assert all("result" in body for _, body in await asyncio.gather(*waiting))

    async def test_streams_and_lists_go_on(self) -> None:
        house = House()
        house.gateway.cut(Cuts((), ("files",)))
        _, listed = await house.ask(modern("tools/list"))
        assert listed["result"]["tools"]

    async def test_a_call_that_waits_for_the_disk_meanwhile_does_not_leave(self) -> None:
        house = House()
        held = asyncio.Event()
        house.audit.settling = _until(held)
        asking = asyncio.create_task(house.ask(_call("files__read")))
        await asyncio.sleep(0)
        house.gateway.swap(house.view(_files(Kind.TOOL)))
        held.set()
        _, body = await asking
        assert reason_of(body) == DRIFT
        assert house.sent == []


async def test_a_call_on_its_way_keeps_the_view_that_it_began_with() -> None:
    house = House()
    server = Held(house)
    asking = asyncio.create_task(house.ask(_call("files__read", who=ADA)))
    await server.reached.wait()
    house.gateway.swap(house.view(_files(Kind.TOOL)))
    server.let.set()
    _, body = await asking
    assert "result" in body


async def test_what_has_changed_while_the_caller_was_asked_is_not_called_again() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)

    def changed(_: Json) -> Json:
        house.gateway.swap(house.view(_files(Kind.TOOL)))
        return {"result": YES}

    body = await (await caller_of(house, changed)).call()
    assert reason_of(body) == DRIFT
    assert len(house.sent) == 1


async def test_a_retry_of_what_has_changed_meanwhile_does_not_leave() -> None:
    house = House()
    Script(house, asks({"sure": FORM}, "own"), DONE)
    able: Json = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}
    _, asked = await house.ask(_call("files__read", meta=able))
    state = asked["result"]["requestState"]
    house.gateway.swap(house.view(_files(Kind.TOOL)))
    again = {"name": "files__read", "arguments": {}, "requestState": state, "inputResponses": {"sure": YES}}  # fmt: skip
    _, body = await house.ask(modern("tools/call", again, meta=able))
    assert reason_of(body) == DRIFT
    assert len(house.sent) == 1


class TestTasks:
    """A task goes on by its handle, which no list has: what keeps its server back holds it, too."""

    @pytest.mark.parametrize("method", ["get", "update", "cancel"])
    async def test_of_a_server_that_serves_nothing_none_goes_on(self, method: str) -> None:
        """Not even if the server takes what had begun it from its list."""
        house = House()
        id_ = await _started(house)
        tools = tuple(Withheld(each, "integrity.quarantined") for each in FILES[Kind.TOOL][1:])
        held = replace(
            listing("files", dict.fromkeys(FILES, ())),
            capabilities={},
            withheld={Kind.TOOL: tools},
        )
        house.gateway.swap(house.view(held, listing("bare", BARE)))
        await house.refused(_task(method, id_), "integrity.quarantined")

    async def test_of_a_server_that_was_not_listed_yet_none_goes_on(self) -> None:
        """Nobody knows yet whether it is as it was approved."""
        house = House()
        id_ = await _started(house)
        house.gateway.swap(house.view(listing("bare", BARE)))
        await house.refused(_task("get", id_), "server.unavailable")
