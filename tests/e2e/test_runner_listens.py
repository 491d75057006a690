"""Streams of notifications from real local servers, through the runner, to a worker."""

from __future__ import annotations

import asyncio

import pytest

from bawn.errors import Refused
from bawn.model import Answer, Json
from tests.e2e.asking import ROOTS, Ear, a_worker, asking_server, value
from tests.e2e.runner_process import RunnerProcess, exists, runner, until

__all__ = ["runner"]  # a fixture

pytestmark = pytest.mark.e2e

both = pytest.mark.parametrize("era", ["legacy", "modern"])


async def ended(listening: asyncio.Task[Answer]) -> str:
    """How a stream ended: gracefully, or the reason of the refusal."""
    try:
        answer = await asyncio.wait_for(listening, 20)
    except Refused as refused:
        return refused.reason.id
    assert answer.result is not None
    return str(answer.result["resultType"])


async def left(listening: asyncio.Task[Answer]) -> None:
    listening.cancel()
    await asyncio.wait({listening})


@both
async def test_the_acknowledgement_comes_first_and_says_what_is_honoured(
    runner: RunnerProcess, era: str
) -> None:
    runner.order({"files": asking_server(era)})
    async with a_worker(runner) as worker:
        ear = Ear()
        uris = ["file:///a", "file:///no"] if era == "legacy" else ["file:///a"]
        wanted: Json = {"toolsListChanged": True, "promptsListChanged": True}
        listening = worker.listen(ear, resourceSubscriptions=uris, **wanted)
        (acknowledged,) = await ear.after(1)
        assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
        honoured = acknowledged["params"]["notifications"]
        assert honoured == {"toolsListChanged": True, "resourceSubscriptions": ["file:///a"]}
        await left(listening)


@both
async def test_a_resource_is_told_of_to_those_who_listen_to_it_and_to_nobody_else(
    runner: RunnerProcess, era: str
) -> None:
    runner.order({"files": asking_server(era)})
    async with a_worker(runner) as worker:
        ears = Ear(), Ear(), Ear()
        listens = [
            worker.listen(ears[0], resourceSubscriptions=["file:///a"]),
            worker.listen(ears[1], resourceSubscriptions=["file:///a", "file:///b"]),
            worker.listen(ears[2], "ben", resourceSubscriptions=["file:///a"]),
        ]
        for ear in ears:
            await ear.after(1)
        for uri in ("file:///a", "file:///b", "file:///c"):
            await worker.call("update", uri=uri)
        await ears[1].after(3)
        told = [[m["params"]["uri"] for m in ear.told[1:]] for ear in ears]
        assert told == [["file:///a"], ["file:///a", "file:///b"], []]
        for listening in listens:
            await left(listening)


async def test_a_legacy_server_is_subscribed_once_and_unsubscribed_by_the_last(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:
        ears = Ear(), Ear()
        first, second = [worker.listen(ear, resourceSubscriptions=["file:///a"]) for ear in ears]
        for ear in ears:
            await ear.after(1)
        await left(first)
        await worker.call("update", uri="file:///a")
        await ears[1].after(2)
        assert not runner.entries("resources/unsubscribe")
        await left(second)
        await until(lambda: bool(runner.entries("resources/unsubscribe")))
        assert len(runner.entries("resources/subscribe")) == 1


@both
async def test_a_changed_list_is_heard_by_the_steward_whoever_made_it_change(
    runner: RunnerProcess, era: str
) -> None:
    runner.order({"files": asking_server(era)})
    async with a_worker(runner) as worker:
        ear, bens = Ear(), Ear()
        steward = worker.listen(ear, "gate", toolsListChanged=True)
        ben = worker.listen(bens, "ben", toolsListChanged=True)
        await ear.after(1)
        await bens.after(1)
        for who in ("anna", "ben", "gate"):
            assert value(await worker.call("pid", who))
            if era == "modern":  # each child was asked to tell of its lists
                count = {"anna": 3, "ben": 3, "gate": 3}[who]
                await until(lambda count=count: len(runner.entries("listen")) >= count)  # type: ignore[misc]
            assert value(await worker.call("change", who)) == "changed"
        for each in (ear, bens):
            await each.after(4)
            assert each.methods == ["subscriptions/acknowledged", *["tools/list_changed"] * 3]
        assert (await runner.status())["servers"]["files"]["changed"] == 3
        await left(steward)
        await left(ben)


@both
async def test_nothing_is_told_that_was_not_asked_for(runner: RunnerProcess, era: str) -> None:
    runner.order({"files": asking_server(era)})
    async with a_worker(runner) as worker:
        ear = Ear()
        listening = worker.listen(ear, promptsListChanged=True, resourceSubscriptions=["file:///a"])
        await ear.after(1)
        await worker.call("change")
        await worker.call("update", uri="file:///b")
        await worker.call("update", uri="file:///a")
        await ear.after(2)
        assert ear.methods[1:] == ["resources/updated"]
        await left(listening)


async def test_a_stream_ends_in_good_order_when_the_server_ends_it(runner: RunnerProcess) -> None:
    runner.order({"files": asking_server("modern")})
    async with a_worker(runner) as worker:
        ear = Ear()
        listening = worker.listen(ear, resourceSubscriptions=["file:///a"])
        await ear.after(1)
        assert value(await worker.call("end")) == "ended"
        assert await ended(listening) == "complete"


async def test_a_listener_who_leaves_is_told_to_a_modern_server(runner: RunnerProcess) -> None:
    runner.order({"files": asking_server("modern")})
    async with a_worker(runner) as worker:
        ear = Ear()
        listening = worker.listen(ear, resourceSubscriptions=["file:///a"])
        await ear.after(1)
        await left(listening)
        await until(lambda: bool(runner.entries("notifications/cancelled")))


@both
async def test_the_death_of_the_child_breaks_the_stream(runner: RunnerProcess, era: str) -> None:
    runner.order({"files": asking_server(era)})
    async with a_worker(runner) as worker:
        for wanted in ({"toolsListChanged": True}, {"resourceSubscriptions": ["file:///a"]}):
            ear = Ear()
            listening = worker.listen(ear, **wanted)
            await ear.after(1)
            with pytest.raises(Refused):
                await worker.call("die")
            assert await ended(listening) == "upstream.died"
            while True:
                try:
                    await worker.call("pid")
                    break
                except Refused:
                    await asyncio.sleep(0.02)


async def test_a_server_that_dies_as_it_is_asked_to_tell_breaks_the_stream(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server("gone")})
    async with a_worker(runner) as worker:
        listening = worker.listen(Ear(), resourceSubscriptions=["file:///a", "file:///b"])
        assert await ended(listening) == "upstream.died"


@both
async def test_a_reload_ends_the_stewards_stream_in_good_order(
    runner: RunnerProcess, era: str
) -> None:
    runner.order({"files": asking_server(era)})
    async with a_worker(runner) as worker:
        ear = Ear()
        listening = worker.listen(ear, "gate", toolsListChanged=True)
        await ear.after(1)
        runner.order({"files": asking_server(era, env={"NEW": "1"})})
        assert await ended(listening) == "complete"


@both
async def test_the_stewards_stream_keeps_no_child_and_outlives_it(
    runner: RunnerProcess, era: str
) -> None:
    runner.order({"files": asking_server(era, idle_stop=0.3)})
    async with a_worker(runner) as worker:
        ear = Ear()
        listening = worker.listen(ear, "gate", toolsListChanged=True)
        await ear.after(1)
        (first,) = runner.pids()
        await until(lambda: not exists(first))
        assert not listening.done()
        await worker.call("pid")
        if era == "modern":
            await until(lambda: len(runner.entries("listen")) == 2)
        await worker.call("change")
        await ear.after(2)
        await left(listening)


@both
async def test_the_stream_of_a_principal_keeps_its_child(runner: RunnerProcess, era: str) -> None:
    runner.order({"files": asking_server(era, idle_stop=0.2)})
    async with a_worker(runner) as worker:
        ear = Ear()
        listening = worker.listen(ear, toolsListChanged=True)
        await ear.after(1)
        await worker.call("pid", "ben")
        first, second = runner.pids()
        await until(lambda: not exists(second))
        assert exists(first)
        await left(listening)
        await until(lambda: not exists(first))


async def test_a_stream_lasts_longer_than_a_call_may(runner: RunnerProcess) -> None:
    runner.order({"files": asking_server()}, first_byte=0.3, total=0.4)
    async with a_worker(runner, first_byte=0.5, total=0.5) as worker:
        ear = Ear()
        listening = worker.listen(ear, resourceSubscriptions=["file:///a"])
        await ear.after(1)
        later = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(1.0, later.set_result, None)
        await later
        await worker.call("update", uri="file:///a")
        await ear.after(2)
        await left(listening)


async def test_a_stream_is_no_call_that_could_be_asked(runner: RunnerProcess) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:
        ear = Ear()
        listening = worker.listen(ear, toolsListChanged=True)
        await ear.after(1)
        answer = await worker.call("leave", offers=ROOTS)
        if answer.parked:
            answer = await worker.retry(answer, {}, name="leave")
        await until(lambda: len(runner.entries("answer")) == 2)
        assert {entry["outcome"]["code"] for entry in runner.entries("answer")} == {-32603}
        assert ear.methods == ["subscriptions/acknowledged"]
        await left(listening)
