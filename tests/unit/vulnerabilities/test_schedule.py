"""Servers are looked at again and again; a database that fails never hides what is known."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bawn.config import Config
from bawn.errors import Misconfigured
from bawn.findings.evidence import Evidence
from bawn.launching.package import Artifact, Package, Resolution
from bawn.storage.files import ServerFiles
from bawn.vulnerabilities import schedule
from bawn.vulnerabilities.component import Component
from bawn.vulnerabilities.database import Answer
from bawn.vulnerabilities.schedule import Kept, Watching
from tests.vulnerable import JINJA

ASKED = Package("pypi", "jinja2", "3.1.2")
RESOLVED = Resolution(ASKED, ASKED, (Artifact("jinja2", "3.1.2", ""),), "digest")
DRIFT = Evidence("drift", "verified", "as approved", 1.0)


class Database:
    title = "told"

    def __init__(self) -> None:
        self.answer = Answer((JINJA,))
        self.asked = 0
        self.closed = 0

    async def answers(self, components: Sequence[Component]) -> list[Answer]:
        self.asked += 1
        return [self.answer for _ in components]

    async def aclose(self) -> None:
        self.closed += 1


class Subject:
    def __init__(self, tmp_path: Path, **settings: object) -> None:
        (tmp_path / "evidence").mkdir(mode=0o700, exist_ok=True)
        self.kept: Kept = ServerFiles(tmp_path / "evidence", tuple[Evidence, ...])
        self.database = Database()
        self.now = 1000.0
        self.told = asyncio.Event()
        self.base = tmp_path
        servers = {
            "files": {"command": ("uvx", "jinja2==3.1.2")},
            "off": {"command": ("uvx", "x"), "status": "disabled"},
        }
        configured = {"database": "dump", "every": 100.0, **settings}
        self.config = Config.model_validate({"servers": servers, "vulnerabilities": configured})

    def watching(self) -> Watching:
        return Watching(
            self.config,
            self.base,
            self.kept,
            lambda name: RESOLVED,
            self.told.set,
            database=lambda setting, base: self.database,
            clock=lambda: self.now,
        )

    def evidence(self) -> Evidence:
        (found,) = [each for each in self.kept.read("files") or () if each.dimension != "drift"]
        return found


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    return Subject(tmp_path)


async def test_a_look_replaces_its_own_dimension_alone(subject: Subject) -> None:
    subject.kept.update("files", lambda _: (DRIFT,))
    watching = subject.watching()
    await watching.look()
    subject.now += 200
    await watching.look()
    assert subject.evidence().verdict == "failed"
    assert subject.evidence().at == 1200.0
    assert DRIFT in (subject.kept.read("files") or ())
    assert len(subject.kept.read("files") or ()) == 2
    assert subject.told.is_set()
    assert subject.kept.read("off") is None
    assert subject.database.closed == 2


async def test_nobody_is_asked_again_before_it_is_time(subject: Subject) -> None:
    await subject.watching().look()
    subject.now += 99
    assert await subject.watching().look() == []
    subject.now += 1
    assert len(await subject.watching().look()) == 1
    assert len(await subject.watching().look(everything=True)) == 1


async def test_the_figures_are_those_on_record(subject: Subject) -> None:
    await subject.watching().look()
    figures = subject.watching().figures
    assert (figures["files", "medium"], figures["files", "critical"]) == (1, 0)


@pytest.mark.parametrize("records", [(JINJA,), ()], ids=["failed", "verified"])
async def test_an_outage_leaves_what_is_known_with_its_age(
    subject: Subject, records: tuple[dict[str, object], ...]
) -> None:
    subject.database.answer = Answer(records)
    await subject.watching().look()
    before = subject.evidence()
    subject.database.answer = Answer(problem="it is down")
    subject.now += 200
    await subject.watching().look()
    assert subject.evidence() == before


async def test_an_outage_does_not_vouch_for_another_package(subject: Subject) -> None:
    subject.kept.update(
        "files", lambda _: (Evidence("vulnerabilities", "verified", "", 1.0, of="another"),)
    )
    subject.database.answer = Answer(problem="it is down")
    await subject.watching().look()
    assert subject.evidence().verdict == "unmeasured"


async def test_after_an_outage_the_next_look_waits(subject: Subject) -> None:
    subject.database.answer = Answer(problem="it is down")
    watching = subject.watching()
    await watching.look()
    assert await watching.look() == []


async def test_a_store_that_cannot_be_read_is_told_and_stops_nothing(
    subject: Subject, caplog: pytest.LogCaptureFixture
) -> None:
    subject.kept.update("files", lambda _: (DRIFT,))
    subject.kept.path("files").write_text("torn")
    assert await subject.watching().look() == []
    assert "cannot be read" in caplog.text


async def test_a_database_that_is_not_there_is_told(
    subject: Subject, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(setting: str, base: Path) -> Database:
        raise Misconfigured("there is no dump")

    watching = Watching(
        subject.config,
        subject.base,
        subject.kept,
        lambda name: None,
        subject.told.set,
        database=gone,
    )
    assert await watching.look() == []
    assert "there is no dump" in caplog.text


async def test_the_task_looks_soon_after_the_start_and_when_told(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "_FIRST", 0.0)
    watching = subject.watching()
    task = asyncio.create_task(watching.run())
    await asyncio.wait_for(subject.told.wait(), 30)
    subject.told.clear()
    watching.soon()
    await asyncio.wait_for(subject.told.wait(), 30)
    assert subject.database.asked == 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_look_that_breaks_is_no_end_of_looking(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(schedule, "_FIRST", 0.0)
    broken = asyncio.Event()

    def break_once(setting: str, base: Path) -> Database:
        if not broken.is_set():
            broken.set()
            raise RuntimeError("broken")
        return subject.database

    watching = Watching(
        subject.config, subject.base, subject.kept, lambda name: RESOLVED, subject.told.set,
        database=break_once, clock=lambda: subject.now,
    )  # fmt: skip
    task = asyncio.create_task(watching.run())
    await asyncio.wait_for(broken.wait(), 30)
    watching.soon()
    await asyncio.wait_for(subject.told.wait(), 30)
    assert "vulnerabilities were not looked at" in caplog.text
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_without_a_database_nothing_runs(tmp_path: Path) -> None:
    subject = Subject(tmp_path, database=None)
    await asyncio.wait_for(subject.watching().run(), 30)
    assert subject.database.asked == 0
