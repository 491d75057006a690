from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.model import Client, Principal
from bawn.ports import Arrival
from bawn.protocol.sessions import LIFETIME, Sessions
from tests.gate import ADA, LEGACY, MODERN, VIC, Clock, arrive, counting_sealer

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


def _sessions(clock: Clock | None = None) -> Sessions:
    return Sessions(counting_sealer(), clock or Clock())


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
    sessions = Sessions(sealer, Clock())
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
