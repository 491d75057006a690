from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.audit.entries import Recovered
from bawn.audit.recover import Recovery, recover
from bawn.audit.writer import Writer
from bawn.errors import Refused
from bawn.storage import StateDirectory
from tests.audited import (
    ALLOWED,
    TOOL,
    call,
    calls,
    die,
    kinds,
    read,
    segment_files,
    state_in,
    ticking,
)

LATER = 2 * 10**18

Step: TypeAlias = tuple[str, int]


class KilledError(BaseException):
    """Ends a process in the middle of what it does, for all that the code can tell."""


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return state_in(tmp_path)


def killed(state: StateDirectory, *, torn: bytes = b"") -> Path:
    """A segment of two calls, one with its outcome, whose writer was killed in a write."""
    writer = Writer(state, clock=ticking())
    first = writer.intent(call(1), TOOL, ALLOWED)
    writer.outcome(first, f"{1:032x}", "ok", 0.1, 1)
    writer.intent(call(2), TOOL, ALLOWED)
    die(writer)
    (path,) = segment_files(state)
    with path.open("ab") as file:
        file.write(torn)
    return path


def again(state: StateDirectory) -> tuple[Recovery, ...]:
    return recover(state.audit, ticking(LATER))


def test_a_killed_writers_segment_is_ended(state: StateDirectory) -> None:
    path = killed(state)
    assert again(state) == (Recovery(path.name, 0, 0, 1),)
    assert read(state)[1] == []
    assert kinds(state)[-1] == "recovered"
    assert {int(one.trace, 16): one.status for one in calls(state)} == {1: "ok", 2: "unknown"}


def test_recovering_again_does_nothing(state: StateDirectory) -> None:
    path = killed(state, torn=b'{"kind"')
    again(state)
    content = path.read_bytes()
    assert again(state) == ()
    assert path.read_bytes() == content


def test_a_torn_line_is_set_aside_not_lost(state: StateDirectory) -> None:
    path = killed(state, torn=b'{"kind":"intent","v"')
    assert again(state) == (Recovery(path.name, 20, 0, 1),)
    aside = path.with_name(path.name + ".torn")
    assert aside.read_bytes() == b'{"kind":"intent","v"'
    assert aside.stat().st_mode & 0o777 == 0o600
    assert read(state)[1] == []


def test_lines_that_do_not_follow_are_set_aside_and_reported(state: StateDirectory) -> None:
    path = killed(state)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[1], lines[3]]))
    (recovery,) = again(state)
    assert (recovery.torn, recovery.lines) == (len(lines[3]), 1)
    (problem,) = read(state)[1]
    assert "did not follow the chain" in problem.text


def test_a_living_writers_segment_is_left_alone(state: StateDirectory) -> None:
    writer = Writer(state, clock=ticking())
    assert again(state) == ()
    writer.intent(call(1), TOOL, ALLOWED)
    writer.close()
    assert again(state) == ()
    assert read(state)[1] == []


def test_a_segment_that_was_changed_after_its_end_is_evidence_and_left_alone(
    state: StateDirectory,
) -> None:
    writer = Writer(state, clock=ticking())
    writer.intent(call(1), TOOL, ALLOWED)
    writer.close()
    (path,) = segment_files(state)
    changed = path.read_bytes().replace(b"tools/call", b"tools/list")
    path.write_bytes(changed)
    assert again(state) == ()
    assert path.read_bytes() == changed
    assert read(state)[1] != []


def test_a_segment_without_a_whole_line_is_ended_too(state: StateDirectory) -> None:
    path = killed(state)
    path.write_bytes(b'{"kind":"segm')
    assert again(state) == (Recovery(path.name, 13, 0, 0),)
    assert read(state)[1] == []


@pytest.mark.parametrize("step", ["replace", "ftruncate", "write", "fsync"])
def test_being_killed_while_recovering_is_recovered_from(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def kill(descriptor: int, data: object = None) -> None:
        if step == "write" and isinstance(data, bytes):
            real(descriptor, data[:25])
        raise KilledError

    path, real = killed(state, torn=b"torn"), os.write
    with monkeypatch.context() as patch:
        place = "bawn.audit.recover.replace" if step == "replace" else f"os.{step}"
        patch.setattr(place, kill)
        with pytest.raises(KilledError):
            again(state)
    again(state)
    found, problems = read(state)
    assert problems == []
    ends = [one.record for one in found if isinstance(one.record, Recovered)]
    assert len(ends) == 1
    saved = b"".join(p.read_bytes() for p in sorted(path.parent.glob("*.torn*")))
    assert saved.startswith(b"torn")
    assert ends[0].torn == len(saved)


def test_one_that_cannot_be_recovered_does_not_stop_the_others(
    state: StateDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    path = killed(state)
    link = path.with_name("20200101T000000.000000Z-ffffffff-000000.jsonl")
    link.symlink_to(path)
    assert len(again(state)) == 1
    assert "cannot be recovered" in caplog.text


def test_a_segment_that_never_got_its_name_is_removed_once_it_is_old(state: StateDirectory) -> None:
    old, new = (state.audit / f".{name}.jsonl.tmp" for name in ("old", "new"))
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    again(state)
    assert not old.exists()
    assert new.exists()


class Life:
    """Writers one after the other on one state, with what a caller knows of its calls."""

    def __init__(self, state: StateDirectory, patch: pytest.MonkeyPatch) -> None:
        self.state = state
        self.clock = ticking()
        self.patch = patch
        self.acknowledged: dict[int, int] = {}  # call to number of its intent, with this writer
        self.told: dict[int, str] = {}  # call to status
        self.every: set[int] = set()
        self.number = self.refusals = 0
        self.writer = self.start()

    def start(self) -> Writer:
        self.acknowledged.clear()
        return Writer(self.state, clock=self.clock, rotate=3000)

    def run(self, step: Step) -> None:
        action, size = step
        if action == "outcome" and self.acknowledged:
            number, intent = sorted(self.acknowledged.items())[size % len(self.acknowledged)]
            self.told[number] = "ok"
            self.writer.outcome(intent, f"{number:032x}", "ok", 0.1, 1)
        elif action == "refusal":
            self.refusals += 1
            self.writer.refusal(call(10_000 + self.refusals), "policy.denied", "")
        elif action == "flush":
            self.writer.flush()
        elif action == "close":
            self.writer.close()
            self.writer = self.start()
        elif action in ("intent", "full", "stuck", "kill"):
            self.intent(action, size)

    def intent(self, action: str, size: int) -> None:
        self.number += 1
        with self.patch.context() as patch:
            if action != "intent":
                patch.setattr(os, "write", torn_write(size, kill=action == "kill"))
            if action == "stuck":
                patch.setattr(os, "ftruncate", broken)
            try:
                intent = self.writer.intent(call(self.number), TOOL, ALLOWED)
            except Refused:
                return
            except KilledError:
                die(self.writer)
                intent = None
        if intent is None:
            self.writer = self.start()
        else:
            self.acknowledged[self.number] = intent
            self.every.add(self.number)


def broken(*_: object) -> None:
    raise OSError(errno.EIO, "I/O error")


def torn_write(size: int, *, kill: bool) -> Callable[[int, bytes], int]:
    write = os.write

    def torn(descriptor: int, data: bytes) -> int:
        part = data[: size % len(data)]
        written = write(descriptor, part) if part else 0
        if kill:
            raise KilledError
        return written

    return torn


STEPS = st.tuples(
    st.sampled_from(
        ["intent", "intent", "outcome", "refusal", "flush", "full", "stuck", "kill", "close"]
    ),
    st.integers(0, 4000),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_whatever_is_cut_short_every_acknowledged_intent_stands_in_a_whole_chain(
    steps: list[Step],
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        life = Life(StateDirectory(Path(folder) / "state"), patch)
        for step in steps:
            life.run(step)
        die(life.writer)
        recover(life.state.audit, life.clock)
        assert read(life.state)[1] == []
        every = calls(life.state)
        refusals = [one.trace for one in every if one.decision == "refused"]
        assert len(refusals) == len(set(refusals))
        found = [one for one in every if one.decision == "allowed"]
        standing = {int(one.trace, 16): one.status for one in found}
        assert len(standing) == len(found)
        assert life.every <= standing.keys()
        for number, status in standing.items():
            assert status in {"unknown", life.told.get(number, "unknown")}
