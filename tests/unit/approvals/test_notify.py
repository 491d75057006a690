from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bawn.approvals.links import Links
from bawn.approvals.message import Notice
from bawn.approvals.notify import Notifier, Recipient, recipients
from bawn.approvals.webhook import UntoldError
from bawn.config import Config
from bawn.errors import Misconfigured
from bawn.protocol.sealing import Sealer
from tests.approving import BOB, ONCALL, SECURITY, Office, approver
from tests.unit.approvals.test_webhook import Site

KEY = b"d" * 32


class Way:
    """A channel that fails so many times, or for ever, or hangs; `arrived` is set by the first success."""

    def __init__(self, failures: float = 0, *, hangs: bool = False) -> None:
        self.failures = failures
        self.hangs = hangs
        self.tried: list[tuple[str, Notice]] = []
        self.arrived = asyncio.Event()
        self.begun = asyncio.Event()

    async def send(self, notice: Notice, id_: str) -> None:
        self.tried.append((id_, notice))
        self.begun.set()
        if self.hangs:
            await asyncio.Event().wait()
        if len(self.tried) <= self.failures:
            raise UntoldError("it was answered with 503")
        self.arrived.set()


def sue(way: Way, name: str = "Sue", *roles: str, **more: Any) -> Recipient:
    return Recipient(approver(name, *roles, **more), "webhook", way)


def notifier(
    office: Office, everybody: Sequence[Recipient], sealer: Sealer | None = None, **more: Any
) -> Notifier:
    office.config = office.config.model_copy(
        update={"approvers": tuple(each.approver for each in everybody)}
    )
    links: Links = office.links()
    return Notifier(
        office.store(), sealer or office.sealer, links, everybody, office.clock, KEY,
        "https://gate.example.com", look=0.001, pause=0.001, **more,
    )  # fmt: skip


@asynccontextmanager
async def running(told: Notifier) -> AsyncIterator[None]:
    task = asyncio.create_task(told.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(there: Callable[[], bool]) -> None:
    """Wait for what happens within some turns of the loop."""
    async with asyncio.timeout(30):
        while not there():
            await asyncio.sleep(0)


async def test_who_may_decide_is_told_once_and_others_not(office: Office) -> None:
    way, other, foreign = Way(), Way(), Way()
    everybody = [sue(way), sue(other, "Sec", "security"), sue(foreign, "Far", tenant="far")]
    store = office.store()
    async with running(notifier(office, everybody)):
        asked = office.ask()
        await until(lambda: store.untold() == [])
    assert [notice.id for _, notice in way.tried] == [asked.id]
    assert (other.tried, foreign.tried) == ([], [])


async def test_the_link_is_one_that_the_approver_can_decide_by(office: Office) -> None:
    way = Way()
    told = notifier(office, [sue(way)])
    async with running(told):
        asked = office.ask()
        await way.arrived.wait()
    _, notice = way.tried[0]
    assert notice.link.startswith("https://gate.example.com/approvals/link/")
    link, who = office.links().opened(notice.link.rpartition("/")[2])
    assert (link.approval, link.expires, who.subject) == (asked.id, asked.expires, "Sue")


async def test_it_is_tried_again_until_it_works_by_the_same_id(office: Office) -> None:
    way = Way(failures=3)
    async with running(notifier(office, [sue(way)])):
        office.ask()
        await way.arrived.wait()
    assert len(way.tried) == 4
    assert len({id_ for id_, _ in way.tried}) == 1


async def test_one_that_fails_or_hangs_delays_no_other(office: Office) -> None:
    broken, hanging, fine = Way(float("inf")), Way(hangs=True), Way()
    everybody = [sue(broken, "A"), sue(hanging, "B"), sue(fine, "C")]
    async with running(notifier(office, everybody)):
        office.ask()
        await fine.arrived.wait()
        await hanging.begun.wait()
        fine.arrived.clear()
        office.ask(arguments={"another": 1})
        await fine.arrived.wait()
    assert len(fine.tried) == 2


async def test_a_notifier_that_follows_a_killed_one_goes_on_where_that_was(office: Office) -> None:
    done, broken = Way(), Way(float("inf"))
    everybody = [sue(done, "A"), sue(broken, "B")]
    async with running(notifier(office, everybody)):
        office.ask()
        await done.arrived.wait()
        await broken.begun.wait()
    broken.failures = 0
    async with running(notifier(office, everybody)):
        await broken.arrived.wait()
    assert len(done.tried) == 1
    assert len({id_ for id_, _ in broken.tried}) == 1


@pytest.mark.parametrize("end", ["granted", "expired"])
async def test_nobody_is_told_of_what_is_over(office: Office, end: str) -> None:
    way = Way(float("inf"))
    told = notifier(office, [sue(way)])
    async with running(told):
        asked = office.ask()
        await way.begun.wait()
        if end == "granted":
            office.grant(asked, BOB)
        else:
            office.now += ONCALL.within
        await until(lambda: not told._telling)
        count = len(way.tried)
        await until(lambda: not told._telling)
        assert len(way.tried) == count


async def test_a_newer_key_is_fetched_and_what_cannot_be_opened_is_given_up(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    way, renewed = Way(), []
    sealer = Sealer([b"old" + b"x" * 29], lambda: b"n" * 12)

    def renew() -> None:
        renewed.append(1)
        if len(renewed) > 1:
            sealer.use(office.keys)

    store = office.store()
    with caplog.at_level(logging.ERROR, "bawn.approvals"):
        async with running(notifier(office, [sue(way)], sealer, renew=renew)):
            office.ask()
            await until(lambda: store.untold() == [])
            office.ask(arguments={"another": 1})
            await way.arrived.wait()
    assert len(way.tried) == 1
    assert "nobody is told" in caplog.text


async def test_the_log_names_who_was_not_told_and_no_secret(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    way = Way(failures=1)
    async with running(notifier(office, [sue(way, webhook="https://x.example/s3cr3t")])):
        office.ask()
        await way.arrived.wait()
        while not caplog.records:  # it is said after the way has failed
            await asyncio.sleep(0)
    assert "Sue was not told by webhook" in caplog.text
    assert "s3cr3t" not in caplog.text


async def test_a_store_that_fails_ends_nothing(office: Office, tmp_path: Path) -> None:
    way = Way()
    told = notifier(office, [sue(way)])
    looks = 0
    untold = told._store.untold

    def failing() -> Any:
        nonlocal looks
        looks += 1
        if looks < 3:
            raise RuntimeError("whatever")
        return untold()

    told._store.untold = failing  # type: ignore[method-assign]  # a store with a defect
    async with running(told):
        office.ask()
        await way.arrived.wait()
    assert looks >= 3


async def test_only_those_of_the_asks_still_count_when_there_are_several(office: Office) -> None:
    one, other = Way(), Way()
    async with running(notifier(office, [sue(one), sue(other, "Sec", "security")])):
        office.ask(ONCALL, SECURITY)
        await one.arrived.wait()
        await other.arrived.wait()
    assert one.tried[0][0] != other.tried[0][0]


def config(**approvals: Any) -> Config:
    return Config.model_validate_json(msgspec.json.encode({"approvals": approvals}))


def test_everybody_is_found_with_their_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", "https://hooks.example.com/s3cr3t")
    people = [
        {"name": "Sue", "roles": ["oncall"], "webhook": "${env:HOOK}"},
        {"name": "Tom", "roles": ["oncall"], "desktop": True},
    ]
    found = recipients(config(approvers=people), tmp_path, Site(), lambda: 0.0)
    assert [(each.approver.name, each.way) for each in found] == [
        ("Sue", "webhook"), ("Tom", "desktop"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "approvals",
    [
        {"approvers": [{"name": "S", "roles": ["r"], "webhook": "${env:NOT_SET_AT_ALL}"}]},
        {"approvers": [{"name": "S", "roles": ["r"], "webhook": "http://x.example/"}]},
        {"webhook_secret": "${env:NOT_SET_AT_ALL}"},
    ],
)
def test_what_cannot_be_used_does_not_start(tmp_path: Path, approvals: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        recipients(config(**approvals), tmp_path, Site(), lambda: 0.0)
