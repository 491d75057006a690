from __future__ import annotations

import pytest

from bawn.config import Limits
from bawn.errors import Refused
from bawn.transport.standing import Standing
from tests.fakes import counting_sealer
from tests.unit.transport.house import ALICE, BOB

SEALER = counting_sealer()


def test_a_handle_says_where_its_stream_is_to_whom_it_belongs() -> None:
    standing = Standing.within(Limits(), SEALER, 1, 2)
    handle = standing.seal(SEALER, ALICE, "files", "r")
    assert Standing.within(Limits(), SEALER).opened(handle, ALICE) == ("files", 1, "r")
    assert "alice" not in handle


def test_to_all_others_it_says_nothing() -> None:
    standing = Standing.within(Limits(), SEALER)
    handle = standing.seal(SEALER, ALICE, None, "r")
    keyless = Standing.within(Limits())
    of_session = SEALER.seal("session", {"p": ALICE.key, "e": None, "o": 0, "r": "r"})
    for where, who, said in (
        (standing, BOB, handle),
        (standing, ALICE, of_session),
        (standing, ALICE, handle[:-1]),
        (keyless, ALICE, handle),
    ):
        with pytest.raises(Refused) as caught:
            where.opened(said, who)
        assert caught.value.reason.id == "session.unknown"
        assert not caught.value.public


def test_an_owner_that_was_one_of_more_workers_is_stood_in_for() -> None:
    standing = Standing.within(Limits(), SEALER, 1, 2)
    assert [standing.owns(owner) for owner in range(4)] == [False, True, False, True]
