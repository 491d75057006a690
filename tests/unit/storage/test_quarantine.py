"""What is held back stays sealed, whole or not at all, and is never more than there is room for."""

from __future__ import annotations

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bawn.errors import INSPECTION_HELD, STORE_UNAVAILABLE, Reason, Refused
from bawn.model import Detection, Item, Json, Kind, Principal, Severity
from bawn.ports import Found
from bawn.storage import StateDirectory, quarantine
from bawn.storage.quarantine import Broken, Held, Quarantine

NOW = 1_800_000_000.0
DAY = 86_400.0
ADA = Principal("lovelace", "https://idp.example.com", frozenset(), 2e9, tenant="acme")
TOOL = Item(Kind.TOOL, "mail", "read", "mail__read", {"name": "read"})
OTHER = Item(Kind.TOOL, "files", "read", "files__read", {"name": "read"})
RESULT: Json = {"content": [{"type": "text", "text": "pl4nted content ✓"}], "n": 2**70}
FOUND = (Found("/content/0/text", Detection("output/x", Severity.HIGH, 0, 4, "e"), "quarantine"),)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path / "state")


@pytest.fixture
def store(state: StateDirectory, clock: Clock) -> Quarantine:
    return Quarantine(state, 14, clock)


def put(store: Quarantine, item: Item = TOOL, result: Json | None = None) -> Held:
    return store.put(ADA, item, "tools/call", "0" * 32, FOUND, result or RESULT)


def refused(reason: Reason, *arguments: object) -> str:
    action, *rest = arguments
    assert callable(action)
    with pytest.raises(Refused) as caught:
        action(*rest)
    assert caught.value.reason is reason
    return f"{caught.value.detail} {caught.value.public}"


def test_what_is_held_is_read_again_by_any_process(
    store: Quarantine, state: StateDirectory, clock: Clock
) -> None:
    held = put(store)
    found, result = Quarantine(state, 14, clock).show(held.handle)
    assert (found, result) == (held, RESULT)
    assert (found.who, found.tenant, found.server, found.item) == (
        "lovelace",
        "acme",
        "mail",
        "read",
    )
    assert (found.found, found.expires) == (FOUND, NOW + 14 * DAY)
    assert found.owner == store.owner(ADA)
    assert store.listed() == [held]


def test_nothing_of_it_stands_on_the_disk_in_clear_and_all_is_private(
    store: Quarantine, state: StateDirectory
) -> None:
    put(store)
    for path in state.quarantine.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        content = path.read_bytes()
        for word in (b"pl4nted", b"lovelace", b"mail", b"output/x"):
            assert word not in content + path.name.encode()


def test_handles_cannot_be_guessed(store: Quarantine) -> None:
    one, two = put(store).handle, put(store).handle
    assert one != two
    assert len(set(one[8:]) & set("0123456789abcdef")) > 5
    assert one[8:] != two[8:]


@pytest.mark.parametrize("handle", ["", "0" * 40, "../keys/sealing", "x" * 40, "0" * 39])
def test_a_handle_that_is_none_finds_nothing(store: Quarantine, handle: str) -> None:
    for verb in (store.find, store.show, store.discard):
        refused(INSPECTION_HELD, verb, handle)
    refused(INSPECTION_HELD, store.release, handle, "ann")


def test_a_release_is_remembered_with_who_was_first(
    store: Quarantine, state: StateDirectory, clock: Clock
) -> None:
    held = put(store)
    clock.now += 60
    store.release(held.handle, "ann")
    again = Quarantine(state, 14, clock).release(held.handle, "bob")
    assert (again.released, again.released_at) == ("ann", NOW + 60)
    assert store.show(held.handle)[1] == RESULT


def test_what_is_discarded_is_gone(store: Quarantine, state: StateDirectory) -> None:
    held = put(store)
    store.discard(held.handle)
    refused(INSPECTION_HELD, store.show, held.handle)
    assert {path.name for path in state.quarantine.iterdir()} == {".lock"}


def test_what_is_past_its_time_is_nowhere_and_then_destroyed(
    store: Quarantine, state: StateDirectory, clock: Clock
) -> None:
    held = put(store)
    clock.now += 14 * DAY
    assert store.listed() == []
    refused(INSPECTION_HELD, store.show, held.handle)
    assert store.sweep() == 1
    assert {path.name for path in state.quarantine.iterdir()} == {".lock"}


def test_a_sweep_leaves_what_still_stands(store: Quarantine) -> None:
    held = put(store)
    assert store.sweep() == 0
    assert store.listed() == [held]


@pytest.mark.parametrize("cut", [0, 5, 20, 100])
def test_torn_facts_are_told_and_can_be_discarded(
    store: Quarantine, state: StateDirectory, cut: int
) -> None:
    held, whole = put(store), put(store)
    path = state.quarantine / f"{held.handle}.facts"
    path.write_bytes(path.read_bytes()[:cut])
    assert store.listed()[0] == whole
    (broken,) = [each for each in store.listed() if isinstance(each, Broken)]
    assert (broken.handle, "torn" in broken.problem) == (held.handle, True)
    assert "torn" in refused(STORE_UNAVAILABLE, store.show, held.handle)
    store.sweep()
    store.discard(held.handle)
    assert store.listed() == [whole]


def test_torn_facts_do_not_stay_for_ever(store: Quarantine, state: StateDirectory) -> None:
    path = state.quarantine / f"{put(store).handle}.facts"
    path.write_bytes(b"torn")
    long_ago = time.time() - 14 * DAY
    os.utime(path, (long_ago + 60, long_ago + 60))
    assert (store.sweep(), path.exists()) == (0, True)
    os.utime(path, (long_ago - 60, long_ago - 60))
    assert (store.sweep(), list(state.quarantine.glob("[!.]*"))) == (1, [])


def test_a_changed_result_is_told(store: Quarantine, state: StateDirectory) -> None:
    held = put(store)
    path = state.quarantine / f"{held.handle}.result"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "changed" in refused(STORE_UNAVAILABLE, store.show, held.handle)
    path.unlink()
    assert "not there any more" in refused(STORE_UNAVAILABLE, store.show, held.handle)


def test_files_that_change_places_are_found_out(store: Quarantine, state: StateDirectory) -> None:
    one, two = put(store), put(store, result={"other": 1})
    place = state.quarantine
    (place / f"{one.handle}.result").replace(place / f"{two.handle}.result")
    assert "changed" in refused(STORE_UNAVAILABLE, store.show, two.handle)
    (place / f"{one.handle}.facts").replace(place / f"{two.handle}.facts")
    assert isinstance(store.find(two.handle), Broken)


def test_another_key_reads_nothing(store: Quarantine, state: StateDirectory, clock: Clock) -> None:
    held = put(store)
    (state.keys / "quarantine").write_bytes(b"k" * 32)
    assert isinstance(Quarantine(state, 14, clock).find(held.handle), Broken)


def test_a_file_that_others_can_read_is_not_believed(
    store: Quarantine, state: StateDirectory
) -> None:
    held = put(store)
    (state.quarantine / f"{held.handle}.facts").chmod(0o644)
    (found,) = store.listed()
    assert isinstance(found, Broken)
    assert "others can read it" in found.problem


def test_one_server_takes_its_share_and_no_more(
    store: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "OF_ONE", 2)
    put(store)
    put(store)
    assert "this server's share" in refused(STORE_UNAVAILABLE, put, store)
    put(store, OTHER)


@pytest.mark.parametrize(("name", "most"), [("MOST", 2), ("BYTES", 400)])
def test_when_it_is_full_the_expired_go_and_then_it_refuses(
    store: Quarantine, clock: Clock, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    monkeypatch.setattr(quarantine, name, most)
    old = put(store)
    clock.now += DAY
    new = put(store)
    count = 2
    while name == "BYTES":
        try:
            put(store)
            count += 1
        except Refused:
            break
    assert "full" in refused(STORE_UNAVAILABLE, put, store)
    assert len(store.listed()) == count
    clock.now += 13 * DAY  # the first one's time is over
    last = put(store)
    handles = {each.handle for each in store.listed()}
    assert old.handle not in handles
    assert {new.handle, last.handle} <= handles


def test_a_result_that_is_too_large_is_refused(
    store: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "LARGEST", 10)
    assert "more than 10" in refused(STORE_UNAVAILABLE, put, store)
    assert store.listed() == []


def test_where_nothing_can_be_written_the_result_is_refused(
    store: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(quarantine, "replace_private", full)
    assert "No space left" in refused(STORE_UNAVAILABLE, put, store)
    assert store.listed() == []


def test_what_was_never_finished_is_not_there_and_goes_in_time(
    store: Quarantine, state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = put(store)
    (state.quarantine / f"{held.handle}.facts").unlink()
    begun = state.quarantine / ".half.facts.abc"
    begun.write_bytes(b"x")
    assert store.listed() == []
    store.sweep()
    assert begun.exists()  # its process may still be at it
    monkeypatch.setattr(quarantine, "_ORPHAN", -1.0)
    assert store.sweep() == 0
    assert {path.name for path in state.quarantine.iterdir()} == {".lock"}


def test_many_workers_hold_at_once_and_none_is_lost(
    state: StateDirectory, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "OF_ONE", 20)

    def work(_: int) -> int:
        done = 0
        mine = Quarantine(state, 14, clock)
        for _ in range(4):
            try:
                put(mine)
                done += 1
            except Refused:
                continue
        return done

    with ThreadPoolExecutor(8) as threads:
        done = sum(threads.map(work, range(8)))
    assert done == len(Quarantine(state, 14, clock).listed()) == 20
