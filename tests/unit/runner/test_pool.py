"""All children, without processes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bawn.config import Limits, Server
from bawn.errors import Refused
from bawn.launching.installed import Installed
from bawn.model import Json
from bawn.runner.caller import Caller
from bawn.runner.introduce import Era
from bawn.runner.key import Key
from bawn.runner.pool import Pool
from bawn.runner.surroundings import Surroundings
from tests.unit.runner.fakes import Clock, Launcher

BASE = Path("/base")


def local(**settings: Any) -> Server:
    return Server(**{"command": ("serve",), **settings})


class Yard:
    """A pool over fakes."""

    def __init__(self) -> None:
        self.launcher = Launcher()
        self.clock = Clock()
        self.pool = Pool(self.launcher, self.clock)

    def apply(self, limits: Limits | None = None, **servers: Server) -> None:
        self.pool.apply(servers, limits or Limits(), BASE)

    async def call(
        self,
        server: str,
        isolation: str = "k",
        project: str | None = None,
        account: str = "",
        offers: Json | None = None,
    ) -> int:
        key = Key(server, isolation, project)
        caller = Caller(lambda message: True, offers or {})
        answer = await self.pool.call(key, "tools/call", {}, caller, account)
        assert answer.result is not None
        number: int = answer.result["child"]
        return number

    async def refused(self, server: str, isolation: str = "k", account: str = "") -> str:
        with pytest.raises(Refused) as refused:
            await self.call(server, isolation, None, account)
        return refused.value.reason.id


@pytest.fixture
async def yard() -> Yard:
    return Yard()


async def test_a_child_belongs_to_one_server_and_one_key(yard: Yard) -> None:
    yard.apply(a=local(), b=local())
    calls = [await yard.call(*where) for where in (("a", "x"), ("a", "y"), ("b", "x"), ("a", "x"))]
    assert calls == [0, 1, 2, 0]


async def test_a_project_counts_only_where_it_isolates(yard: Yard) -> None:
    yard.apply(shared=local(isolation="shared"), each=local(isolation="project"))
    assert await yard.call("shared", "k", "/one") == await yard.call("shared", "k", "/two")
    assert await yard.call("each", "k", "/one") != await yard.call("each", "k", "/two")
    assert [plan.project for plan in yard.launcher.plans] == [None, "/one", "/two"]


async def test_unknown_servers_and_remote_ones_are_refused(yard: Yard) -> None:
    yard.apply(remote=Server(url="https://example.com/mcp"))
    assert await yard.refused("remote") == "target.unknown"
    assert await yard.refused("other") == "target.unknown"


async def test_a_missing_isolation_key_is_refused(yard: Yard) -> None:
    yard.apply(a=local())
    assert await yard.refused("a", "") == "message.shape"
    assert yard.launcher.plans == []


async def test_children_are_bounded_for_each_server(yard: Yard) -> None:
    yard.apply(a=local(max_children=2), b=local())
    for key in "xy":
        await yard.call("a", key)
    assert await yard.refused("a", "z") == "limit.children"
    await yard.call("b", "z")
    yard.launcher.children[0].die()
    yard.clock.now += 1.0
    assert await yard.call("a", "z") == 3


async def test_the_era_that_was_found_is_remembered_until_a_start_fails(yard: Yard) -> None:
    yard.apply(a=local(), b=local())
    await yard.call("a", "x")
    await yard.call("a", "y")
    yard.launcher.failing = True
    await yard.refused("a", "z")
    yard.launcher.failing = False
    await yard.call("a", "w")
    await yard.call("b", "x")
    assert yard.launcher.known == [None, Era.MODERN, Era.MODERN, None, None]


async def test_changed_and_removed_servers_are_stopped_and_the_others_left(yard: Yard) -> None:
    yard.apply(same=local(), changed=local(), removed=local())
    for name in ("same", "changed", "removed"):
        await yard.call(name)
    yard.apply(same=local(prefix="", required=True), changed=local(env={"X": "1"}))
    same, changed, removed = yard.launcher.children
    await changed.stopped.wait()
    await removed.stopped.wait()
    assert not same.stopped.is_set()
    assert await yard.call("same") == 0
    assert await yard.call("changed") == 3
    assert await yard.refused("removed") == "target.unknown"


async def test_a_changed_list_is_counted_for_its_server(yard: Yard) -> None:
    yard.apply(a=local(), b=local())
    await yard.call("a")
    yard.launcher.changes[0]("notifications/tools/list_changed")
    servers = yard.pool.status()["servers"]
    assert {name: server["changed"] for name, server in servers.items()} == {"a": 1, "b": 0}


async def test_the_status_says_how_each_server_is_confined(yard: Yard) -> None:
    yard.apply(a=local(), b=local(confine="off"))
    servers = yard.pool.status()["servers"]
    assert servers["a"]["confined"] == servers["b"]["confined"] == "no"
    assert "confine: off" in servers["b"]["why"]
    assert "can do whatever the gate's user can" in servers["a"]["why"]


async def test_a_caller_at_its_bound_loses_the_child_it_has_not_used_for_longest(
    yard: Yard,
) -> None:
    limits = Limits(children_per_principal=2)
    yard.apply(limits, a=local(isolation="session"))
    for session in ("s1", "s2", "of another"):
        yard.clock.now += 1.0
        await yard.call("a", session, None, "other" if session == "of another" else "anna")
    yard.clock.now += 1.0
    await yard.call("a", "s1", None, "anna")
    assert await yard.call("a", "s3", None, "anna") == 3
    first, second, others, _ = yard.launcher.children
    assert second.stopped.is_set()
    assert first.alive
    assert others.alive


async def test_the_place_of_an_ended_child_is_taken_only_once_it_is_gone(yard: Yard) -> None:
    yard.apply(Limits(children_per_principal=1), a=local(isolation="session"))
    await yard.call("a", "s1", None, "anna")
    yard.launcher.children[0].may_stop.clear()
    second = asyncio.create_task(yard.call("a", "s2", None, "anna"))
    await yard.launcher.children[0].stopped.wait()
    assert len(yard.launcher.children) == 1
    yard.launcher.children[0].may_stop.set()
    assert await second == 1


async def test_a_caller_whose_children_are_all_busy_is_refused_and_others_are_not(
    yard: Yard,
) -> None:
    yard.apply(Limits(children_per_principal=1), a=local(isolation="session"))
    await yard.call("a", "s1", None, "anna")
    busy = yard.launcher.children[0]
    busy.release.clear()
    call = asyncio.create_task(yard.call("a", "s1", None, "anna"))
    await asyncio.sleep(0)
    assert await yard.refused("a", "s2", "anna") == "limit.children"
    assert await yard.call("a", "s3", None, "ben") == 1
    busy.release.set()
    assert await call == 0


async def test_a_shared_child_counts_for_nobody(yard: Yard) -> None:
    yard.apply(Limits(children_per_principal=1), a=local(isolation="shared"))
    assert await yard.call("a", "all", None, "anna") == await yard.call("a", "all", None, "ben")


async def test_children_are_replaced_when_they_are_to_be_verified_in_another_way(
    yard: Yard,
) -> None:
    """They were started to be held against what was approved before, or not before every call."""
    yard.apply(a=local())
    for number, around in enumerate(("lock", "lock", "other")):
        yard.pool.apply({"a": local()}, Limits(), BASE, Surroundings(verified=(around,)))
        assert await yard.call("a") == number // 2
    assert yard.launcher.children[0].stopped.is_set()


async def test_each_key_has_a_directory_and_only_a_sessions_is_removed(
    yard: Yard, tmp_path: Path
) -> None:
    root = tmp_path / "data"
    around = Surroundings(root)
    servers = {"a": local(), "b": local(isolation="session")}
    yard.pool.apply(servers, Limits(), BASE, around)
    for server in servers:
        for key in "xy":
            await yard.call(server, key)
    directories = [plan.data for plan in yard.launcher.plans]
    assert len(set(directories)) == 4
    for directory in directories:
        assert directory is not None
        assert directory.parent == root
        directory.mkdir(parents=True)
    await yard.pool.aclose()
    assert [d.exists() for d in directories if d is not None] == [True, True, False, False]


async def test_what_sessions_of_a_killed_runner_left_is_removed(yard: Yard, tmp_path: Path) -> None:
    for name in ("session-1234", "5678"):
        (tmp_path / name / "deep").mkdir(parents=True)
    yard.pool.apply({}, Limits(), BASE, Surroundings(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["5678"]


async def test_the_status_shows_no_isolation_key(yard: Yard) -> None:
    yard.apply(a=local())
    await yard.call("a", "https://idp.example.com|anna")
    (child,) = yard.pool.status()["children"]
    assert "anna" not in str(yard.pool.status())
    assert child["server"] == "a"
    assert child["pid"] == 0
    assert child["calls"] == 1


async def test_an_idle_child_is_stopped_and_forgotten(yard: Yard) -> None:
    yard.apply(a=local(idle_stop=0.01))
    await yard.call("a")
    yard.clock.now += 1.0
    await yard.launcher.children[0].stopped.wait()
    assert await yard.call("a") == 1


async def test_a_child_with_a_call_in_flight_is_never_idle(yard: Yard) -> None:
    yard.apply(a=local(idle_stop=0.01), b=local(idle_stop=0.02))
    await yard.call("a")
    await yard.call("b")
    busy, idle = yard.launcher.children
    busy.release.clear()
    call = asyncio.create_task(yard.call("a"))
    yard.clock.now += 1.0
    await idle.stopped.wait()  # by then the other was looked at, too
    assert not busy.stopped.is_set()
    busy.release.set()
    assert await call == 0


async def test_closing_stops_all_and_starts_nothing(yard: Yard) -> None:
    yard.apply(a=local(), b=local())
    await yard.call("a")
    await yard.call("b")
    await yard.pool.aclose()
    assert all(child.stopped.is_set() for child in yard.launcher.children)
    assert await yard.refused("a") == "upstream.not_started"
    assert len(yard.launcher.children) == 2


# ── what is offered, asked and listened to ──────────────────────────────────────────────────────

ROOTS: Json = {"roots": {}}
FORM: Json = {"elicitation": {"form": {}}}


@pytest.mark.parametrize(("era", "found"), [(Era.LEGACY, [0, 1, 2, 0]), (Era.MODERN, [0, 0, 0, 0])])
async def test_a_legacy_child_is_for_one_offer_and_a_modern_one_for_all(
    yard: Yard, era: Era, found: list[int]
) -> None:
    yard.launcher.era = era
    yard.apply(a=local())
    calls = [await yard.call("a", offers=offers) for offers in (ROOTS, FORM, {}, ROOTS)]
    assert calls == found
    assert [plan.offers for plan in yard.launcher.plans][: len(set(found))] == [ROOTS, FORM, {}][
        : len(set(found))
    ]


@pytest.mark.parametrize(("era", "starts"), [(Era.LEGACY, 2), (Era.MODERN, 1)])
async def test_while_the_era_is_unknown_one_start_finds_it_for_all(
    yard: Yard, era: Era, starts: int
) -> None:
    yard.launcher.era = era
    yard.apply(a=local())
    calls = [yard.call("a", offers=offers) for offers in (ROOTS, FORM, ROOTS, FORM)]
    first = await asyncio.gather(*calls)
    assert len(yard.launcher.plans) == len(set(first)) == starts
    assert first[:2] == first[2:]


async def test_a_shared_child_is_offered_nothing(yard: Yard) -> None:
    yard.launcher.era = Era.LEGACY
    yard.apply(a=local(isolation="shared"))
    assert await yard.call("a", offers=ROOTS) == await yard.call("a")
    assert yard.launcher.plans[0].offers == {}


async def test_what_was_offered_changes_neither_the_directory_nor_what_the_status_shows(
    yard: Yard, tmp_path: Path
) -> None:
    yard.launcher.era = Era.LEGACY
    yard.pool.apply({"a": local(isolation="session")}, Limits(), BASE, Surroundings(tmp_path))
    for offers in (ROOTS, FORM):
        await yard.call("a", offers=offers)
    first, second = (plan.data for plan in yard.launcher.plans)
    assert first == second is not None
    assert len({child["isolation"] for child in yard.pool.status()["children"]}) == 1
    assert first is not None
    first.mkdir(parents=True)
    await yard.pool.aclose()
    assert not first.exists()


async def test_an_idle_child_that_was_put_elsewhere_is_still_stopped(yard: Yard) -> None:
    yard.launcher.era = Era.LEGACY
    yard.apply(a=local(idle_stop=0.01))
    await yard.call("a", offers=ROOTS)
    yard.clock.now += 1.0
    await asyncio.wait_for(yard.launcher.children[0].stopped.wait(), 30)


async def test_an_answer_finds_the_child_that_asked_among_those_of_its_key_alone(
    yard: Yard,
) -> None:
    yard.launcher.era = Era.LEGACY
    yard.apply(a=local())
    await yard.call("a", "anna", offers=ROOTS)
    await yard.call("a", "anna", offers=FORM)
    await yard.call("a", "ben", offers=ROOTS)
    yard.launcher.children[1].asked.add("ask")
    assert not yard.pool.answer(Key("a", "ben", None), "ask", {"result": {}})
    assert not yard.pool.answer(Key("a", "anna", None), "other", {"result": {}})
    assert yard.pool.answer(Key("a", "anna", None), "ask", {"result": {}})
    assert yard.launcher.children[1].answers == [{"result": {}}]


async def test_a_child_is_ended_when_something_else_is_installed_for_its_server(yard: Yard) -> None:
    servers, one, two = {"a": local(), "b": local()}, Installed(("1",)), Installed(("2",))
    yard.pool.apply(servers, Limits(), BASE, installed={"a": one})
    assert [await yard.call("a"), await yard.call("b")] == [0, 1]
    yard.pool.apply(servers, Limits(), BASE, installed={"a": one})
    assert [await yard.call("a"), await yard.call("b")] == [0, 1]
    yard.pool.apply(servers, Limits(), BASE, installed={"a": two})
    assert [await yard.call("a"), await yard.call("b")] == [2, 1]
    assert [plan.installed for plan in yard.launcher.plans] == [one, None, two]
