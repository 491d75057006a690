from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.model import Client, Principal
from bawn.ports import Arrival, Elsewhere
from bawn.protocol.sessions import LIFETIME, Sessions
from tests.fakes import Clock, FakeGraves, counting_sealer
from tests.gate import ADA, LEGACY, MODERN, VIC, arrive

CLIENT = Client(LEGACY, "inspector", {"roots": {}})


def _holding(
    handle: str, *, who: Principal = ADA, at: str | None = None, version: str | None = LEGACY
) -> Arrival:
    return arrive(
        b"{}",
        {
            b"mcp-session-id": handle.encode(),
            b"mcp-protocol-version": version.encode() if version else None,
        },
        who=who,
        at=at,
    )


def _sessions(
    clock: Clock | None = None, graves: FakeGraves | None = None, slot: int = 0, workers: int = 1
) -> Sessions:
    return Sessions(counting_sealer(), clock or Clock(), graves or FakeGraves(), slot, workers)


def _unknown(sessions: Sessions, arrival: Arrival) -> None:
    with pytest.raises(Refused) as caught:
        sessions.open(arrival)
    assert caught.value.reason.id == "session.unknown"


@given(st.sampled_from([LEGACY, "2025-03-26"]), st.text(max_size=128), st.booleans())
def test_a_session_remembers_its_client(version: str, name: str, twice: bool) -> None:
    sessions = _sessions()
    client = Client(version, name, {"elicitation": {"form": {}}})
    arrival = _holding(sessions.begin(client, arrive(b"{}")))
    assert sessions.open(arrival) == client
    assert not twice or sessions.open(arrival) == client


def test_any_process_with_the_key_ring_opens_it() -> None:
    handle = _sessions().begin(CLIENT, arrive(b"{}"))
    assert _sessions().open(_holding(handle)) == CLIENT


def test_without_a_session_there_is_none() -> None:
    assert _sessions().open(arrive(b"{}")) is None


@pytest.mark.parametrize("opened_before", [False, True])
@pytest.mark.parametrize(
    ("who", "at"),
    [
        (VIC, None),
        (Principal("ada", "https://other.example.com", ADA.roles, ADA.expires), None),
        (ADA, "files"),
    ],
    ids=["another person", "the same name of another issuer", "another endpoint"],
)
def test_it_works_for_its_principal_at_its_endpoint_alone(
    who: Principal, at: str | None, opened_before: bool
) -> None:
    sessions = _sessions()
    handle = sessions.begin(CLIENT, arrive(b"{}"))
    if opened_before:
        sessions.open(_holding(handle))
    _unknown(sessions, _holding(handle, who=who, at=at))


def test_a_session_of_one_server_does_not_open_the_aggregate() -> None:
    sessions = _sessions()
    handle = sessions.begin(CLIENT, arrive(b"{}", at="files"))
    assert sessions.open(_holding(handle, at="files")) == CLIENT
    _unknown(sessions, _holding(handle))
    _unknown(sessions, _holding(handle, at="issues"))


def test_it_survives_new_roles_of_its_principal() -> None:
    sessions = _sessions()
    handle = sessions.begin(CLIENT, arrive(b"{}"))
    renewed = Principal(ADA.subject, ADA.issuer, frozenset({"viewer"}), 5.0)
    assert sessions.open(_holding(handle, who=renewed)) == CLIENT


@pytest.mark.parametrize("opened_before", [False, True])
def test_it_ends_with_its_time(opened_before: bool) -> None:
    clock = Clock()
    sessions = _sessions(clock)
    handle = sessions.begin(CLIENT, arrive(b"{}"))
    if opened_before:
        sessions.open(_holding(handle))
    clock.now += LIFETIME - 1
    assert sessions.open(_holding(handle)) == CLIENT
    clock.now += 1
    _unknown(sessions, _holding(handle))


@given(st.text(st.characters(max_codepoint=255), min_size=1, max_size=80))
def test_an_invented_session_is_unknown(handle: str) -> None:
    arrival = arrive(b"{}", {b"mcp-session-id": handle.encode("latin-1")})
    _unknown(_sessions(), arrival)


def test_a_cursor_is_no_session() -> None:
    sealer = counting_sealer()
    sessions = Sessions(sealer, Clock(), FakeGraves())
    _unknown(sessions, _holding(sealer.seal("cursor", {"p": ADA.key})))


def test_a_modern_request_has_no_session_whatever_its_header_says() -> None:
    assert _sessions().open(_holding("forged", version=MODERN)) is None


def test_capabilities_too_large_for_a_header_are_left_out() -> None:
    sessions = _sessions()
    handle = sessions.begin(Client(LEGACY, "c", {"x": "y" * 4000}), arrive(b"{}"))
    assert len(handle) < 1024
    assert sessions.open(_holding(handle)) == Client(LEGACY, "c", {})


def test_a_principal_with_a_long_name_has_sessions_too() -> None:
    long = Principal("s" * 9000, "https://idp.example.com", frozenset(), 5.0)
    sessions = _sessions()
    handle = sessions.begin(CLIENT, arrive(b"{}", who=long))
    assert sessions.open(_holding(handle, who=long)) == CLIENT


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bawn.protocol.sessions._REMEMBERED", 3)
    sessions = _sessions()
    handles = [sessions.begin(CLIENT, arrive(b"{}")) for _ in range(8)]
    assert all(sessions.open(_holding(handle)) == CLIENT for handle in handles * 2)
    assert len(sessions._opened) <= 3


# ── several workers ──


def _settled(arrival: Arrival) -> Arrival:
    return msgspec.structs.replace(arrival, settled=True)


@pytest.mark.parametrize("slot", range(4))
def test_the_worker_that_began_a_session_owns_it(slot: int) -> None:
    workers = [_sessions(slot=each, workers=4) for each in range(4)]
    arrival = _holding(workers[slot].begin(CLIENT, arrive(b"{}")))
    for each, worker in enumerate(workers):
        assert worker.owner(arrival) == slot
        if each == slot:
            assert worker.open(arrival) == CLIENT
            continue
        with pytest.raises(Elsewhere) as caught:
            worker.open(arrival)
        assert caught.value.slot == slot


def test_a_worker_adopts_a_session_that_is_settled_on_it() -> None:
    owner, other = _sessions(slot=0, workers=2), _sessions(slot=1, workers=2)
    arrival = _holding(owner.begin(CLIENT, arrive(b"{}")))
    assert other.open(_settled(arrival)) == CLIENT
    with pytest.raises(Elsewhere):  # the next one goes to its owner again, who may be back
        other.open(arrival)


def test_with_fewer_workers_every_session_still_has_an_owner() -> None:
    before = _sessions(slot=3, workers=4)
    arrival = _holding(before.begin(CLIENT, arrive(b"{}")))
    workers = [_sessions(slot=each, workers=2) for each in range(2)]
    assert workers[1].open(arrival) == CLIENT
    with pytest.raises(Elsewhere):
        workers[0].open(arrival)


@pytest.mark.parametrize("opened_before", [False, True])
def test_an_ended_session_is_unknown_to_every_worker(opened_before: bool) -> None:
    graves = FakeGraves()
    owner = _sessions(graves=graves, slot=0, workers=2)
    other = _sessions(graves=graves, slot=1, workers=2)
    arrival = _holding(owner.begin(CLIENT, arrive(b"{}")))
    if opened_before:
        owner.open(arrival)
        other.open(_settled(arrival))
    owner.end(arrival)
    _unknown(owner, arrival)
    _unknown(other, _settled(arrival))
    _unknown(_sessions(graves=graves), arrival)
    with pytest.raises(Refused):
        owner.end(arrival)


def test_a_grave_tells_nothing_that_opens_a_session() -> None:
    graves = FakeGraves()
    sessions = _sessions(graves=graves)
    handle = sessions.begin(CLIENT, arrive(b"{}"))
    sessions.end(_holding(handle))
    assert all(handle not in grave and grave not in handle for grave in graves.dead)
    assert list(graves.dead.values()) == [Clock().now + LIFETIME]


def test_nobody_ends_the_session_of_another() -> None:
    graves = FakeGraves()
    sessions = _sessions(graves=graves)
    handle = sessions.begin(CLIENT, arrive(b"{}"))
    for thief in (_holding(handle, who=VIC), _holding(handle, at="files"), _holding("x")):
        with pytest.raises(Refused) as caught:
            sessions.end(thief)
        assert caught.value.reason.id == "session.unknown"
    assert graves.dead == {}


def test_without_the_store_no_session_is_opened_or_ended() -> None:
    graves = FakeGraves()
    sessions = _sessions(graves=graves)
    arrival = _holding(sessions.begin(CLIENT, arrive(b"{}")))
    graves.failing = Refused(STORE_UNAVAILABLE)
    for attempt in (sessions.open, sessions.end):
        with pytest.raises(Refused) as caught:
            attempt(arrival)
        assert caught.value.reason.id == "store.unavailable"
    graves.failing = None
    assert sessions.open(arrival) == CLIENT


def test_a_forgotten_session_is_opened_with_the_keys_of_then() -> None:
    sessions = _sessions()
    arrival = _holding(sessions.begin(CLIENT, arrive(b"{}")))
    sessions.open(arrival)
    sessions.sealer.use([b"n" * 32, b"k" * 32])
    sessions.forget()
    assert sessions.open(arrival) == CLIENT
    sessions.sealer.use([b"n" * 32])
    sessions.forget()
    _unknown(sessions, arrival)


def test_a_session_that_another_worker_ended_is_ended_here_too() -> None:
    graves = FakeGraves()
    owner = _sessions(graves=graves, slot=0, workers=2)
    other = _sessions(graves=graves, slot=1, workers=2)
    arrival = _holding(owner.begin(CLIENT, arrive(b"{}")))
    assert owner.open(arrival) == CLIENT
    other.end(_settled(arrival))  # the owner could not be reached
    _unknown(owner, arrival)


def test_a_session_does_not_outlive_the_store_by_being_remembered() -> None:
    graves = FakeGraves()
    sessions = _sessions(graves=graves)
    arrival = _holding(sessions.begin(CLIENT, arrive(b"{}")))
    assert sessions.open(arrival) == CLIENT
    looked = graves.buried

    def renewed(handle: str) -> bool:  # as when the store was found to be another one
        sessions.sealer.use([b"n" * 32])
        sessions.forget()
        return looked(handle)

    graves.buried = renewed  # type: ignore[method-assign]  # a store that changes under our hands
    _unknown(sessions, arrival)
