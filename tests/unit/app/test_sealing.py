from __future__ import annotations

from pathlib import Path

import pytest

from bawn.app.sealing import Seals
from bawn.errors import Refused
from bawn.protocol.sealing import Unsealed
from bawn.storage import StateDirectory
from bawn.storage.database import Database
from bawn.storage.ring import Ring


def seals(state: StateDirectory) -> Seals:
    return Seals(Ring(state.keys), Database(state.path / "state.db"))


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path / "state")


def test_every_worker_opens_what_another_sealed(state: StateDirectory) -> None:
    one, other = seals(state), seals(state)
    assert other.handles.open("session", one.handles.seal("session", {"a": 1})) == {"a": 1}
    assert other.relay.open("relay", one.relay.seal("relay", {"a": 1})) == {"a": 1}


def test_after_a_rotation_old_handles_still_open_and_new_ones_have_the_new_key(
    state: StateDirectory,
) -> None:
    one, other = seals(state), seals(state)
    old = one.handles.seal("session", {"a": 1})
    Ring(state.keys).rotate(1e10, keep=1e10)
    one.renew()
    new = one.handles.seal("session", {"a": 2})
    assert one.handles.open("session", old) == {"a": 1}
    with pytest.raises(Unsealed):
        other.handles.open("session", new)
    other.renew()
    assert other.handles.open("session", new) == {"a": 2}


def test_forgotten_keys_open_nothing(state: StateDirectory) -> None:
    one = seals(state)
    old = one.handles.seal("session", {})
    Ring(state.keys).forget(1e10)
    one.renew()
    with pytest.raises(Unsealed):
        one.handles.open("session", old)


def test_a_ring_that_cannot_be_read_is_not_obeyed_for_its_keys_may_be_forgotten(
    state: StateDirectory,
) -> None:
    one = seals(state)
    Ring(state.keys).forget(1e10)
    content = (state.keys / "sealing").read_bytes()
    (state.keys / "sealing").write_bytes(b"?")
    with pytest.raises(Refused) as caught:
        one.renew()
    assert caught.value.reason.id == "gate.not_ready"
    (state.keys / "sealing").write_bytes(content)
    one.renew()


def test_a_ring_that_cannot_be_read_does_not_keep_handles_of_a_lost_store_alive(
    state: StateDirectory,
) -> None:
    database = Database(state.path / "state.db")
    one = Seals(Ring(state.keys), database)
    handle = one.handles.seal("session", {})
    (state.path / "state.db").unlink()
    (state.keys / "sealing").write_bytes(b"?")
    database.rows("SELECT 1")
    one.rebind()
    with pytest.raises(Unsealed):
        one.handles.open("session", handle)


def test_a_lost_store_ends_what_was_handed_out_but_not_what_workers_tell_each_other(
    state: StateDirectory,
) -> None:
    one = seals(state)
    handle, told = one.handles.seal("session", {}), one.relay.seal("relay", {})
    (state.path / "state.db").unlink()
    other = seals(state)
    assert other.relay.open("relay", told) == {}
    with pytest.raises(Unsealed):
        other.handles.open("session", handle)
