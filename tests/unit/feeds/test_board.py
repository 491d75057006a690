from __future__ import annotations

import pytest

from bawn.feeds.board import Board
from bawn.feeds.feed import Wish
from bawn.feeds.mailbox import Mailbox
from bawn.model import Outbound
from tests.unit.feeds.servers import UPDATED, Server, listen, read

ONE = Wish(frozenset({"u:1"}))


async def test_callers_of_one_credential_share_a_stream() -> None:
    server = Server()
    board = Board({"files": server})
    one, other = Mailbox(), Mailbox()
    for mailbox in (one, other):
        assert await board.join(listen(), mailbox, ONE) == ONE
    assert len(server.streams) == 1
    await server.streams[0].tell(UPDATED, {"uri": "u:1"})
    assert await read(one) == await read(other) != []
    await board.aclose()


@pytest.mark.parametrize(
    "other",
    [
        listen(isolation="bob"),
        listen(capabilities={"roots": {}}),
        listen(capabilities={"roots": {"a": 1}}),
        listen(server="issues"),
    ],
    ids=["isolation", "capabilities", "settings of capabilities", "server"],
)
async def test_callers_who_may_not_share_have_streams_of_their_own(other: Outbound) -> None:
    server = Server()
    board = Board({"files": server, "issues": server})
    await board.join(listen(), Mailbox(), ONE)
    await board.join(listen(capabilities={}), Mailbox(), ONE)
    await board.join(other, Mailbox(), ONE)
    assert len(server.streams) == 2
    await board.aclose()


async def test_the_order_of_capabilities_makes_no_other_caller() -> None:
    server = Server()
    board = Board({"files": server})
    await board.join(listen(capabilities={"roots": {}, "sampling": {}}), Mailbox(), ONE)
    await board.join(listen(capabilities={"sampling": {}, "roots": {}}), Mailbox(), ONE)
    assert len(server.streams) == 1
    await board.aclose()


async def test_who_leaves_leaves_everything_and_may_come_again() -> None:
    server = Server()
    board = Board({"files": server, "issues": server})
    mailbox = Mailbox()
    await board.join(listen(), mailbox, ONE)
    await board.join(listen(server="issues"), mailbox, ONE)
    board.leave(mailbox)
    await server.until(lambda: not server.open)
    assert board._feeds == {}
    board.leave(mailbox)
    assert await board.join(listen(), mailbox, ONE) == ONE
    assert len(server.streams) == 3
    await board.aclose()


async def test_closing_ends_every_stream() -> None:
    server = Server()
    board = Board({"files": server})
    mailbox = Mailbox()
    await board.join(listen(), mailbox, ONE)
    await board.join(listen(isolation="bob"), mailbox, ONE)
    await board.aclose()
    await server.until(lambda: not server.open)
    board.leave(mailbox)


async def test_a_server_that_is_not_there_is_nobodys_to_listen_to() -> None:
    with pytest.raises(KeyError):
        await Board({}).join(listen(), Mailbox(), ONE)
