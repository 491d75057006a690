"""The fault proxy does what its table says: no test that leans on it leans on nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.e2e.faults import CLEAN, FAULTS, FaultProxy, Rule, Side

pytestmark = pytest.mark.e2e

SAID = b"0123456789" * 20
SOON = 0.3


@asynccontextmanager
async def behind(proxy_rule: Rule = CLEAN) -> AsyncIterator[FaultProxy]:
    """A proxy in front of a server that says back what it hears."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with FaultProxy(("127.0.0.1", port)) as proxy:
        await proxy.switch(proxy_rule)
        yield proxy
    server.close()


def always(name: str) -> Rule:
    """A fault of the table that strikes every time."""
    rule = FAULTS[name]
    fields = {field: getattr(rule, field) for field in rule.__slots__}
    return Rule(**{**fields, "odds": 1.0})


async def heard(proxy: FaultProxy, seconds: float = SOON) -> tuple[bytes, str]:
    """What comes back of SAID, and how it ended: `open`, `end` or `reset`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    got = b""
    try:
        writer.write(SAID)
        async with asyncio.timeout(seconds):
            while data := await reader.read(65536):
                got += data
            return got, "end"
    except TimeoutError:
        return got, "open"
    except ConnectionResetError:
        return got, "reset"
    finally:
        writer.transport.abort()


async def test_a_clean_proxy_passes_everything_and_counts_it() -> None:
    async with behind() as proxy:
        assert await heard(proxy) == (SAID, "open")
        assert proxy.passed.connections == 1
        assert proxy.passed.bytes == {Side.REQUEST: len(SAID), Side.ANSWER: len(SAID)}
        assert not proxy.passed.acts


@pytest.mark.parametrize(
    ("name", "got", "end"),
    [
        ("stall", SAID[:40], "open"),
        ("reset", b"", "reset"),
        ("reset-inside", None, "reset"),
        ("reset-request", b"", "reset"),
        ("half-close", SAID[:40], "end"),
        ("truncate", SAID[:60], "end"),
        ("duplicate", SAID + SAID, "open"),
        ("drop", b"", "open"),
        ("black-hole", b"", "open"),
    ],
)
async def test_each_fault_is_what_its_name_says(name: str, got: bytes | None, end: str) -> None:
    async with behind(always(name)) as proxy:
        bytes_back, how = await heard(proxy)
        assert how == end
        assert got is None or bytes_back == got
        assert proxy.passed.acts[name] >= 1


async def test_garbage_is_inserted_and_the_rest_stays() -> None:
    async with behind(always("garbage")) as proxy:
        got, _ = await heard(proxy)
        assert (got[:20], got[44:]) == (SAID[:20], SAID[20:])


async def test_corruption_changes_one_byte() -> None:
    async with behind(always("corrupt")) as proxy:
        got, _ = await heard(proxy)
        assert len(got) == len(SAID)
        assert sum(a != b for a, b in zip(got, SAID, strict=True)) == 1


async def test_a_refusing_proxy_does_not_listen_and_listens_again_on_the_same_port() -> None:
    async with behind() as proxy:
        port = proxy.port
        async with proxy.misbehaving(FAULTS["refuse"]):
            with pytest.raises(ConnectionRefusedError):
                await heard(proxy)
        assert proxy.port == port
        assert await heard(proxy) == (SAID, "open")


async def test_delays_and_rates_take_their_time() -> None:
    loop = asyncio.get_running_loop()
    for rule in (Rule("latency", latency=0.2), Rule("throttle", rate=len(SAID) * 5)):
        async with behind(rule) as proxy:
            began = loop.time()
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(SAID)
            assert await reader.readexactly(len(SAID)) == SAID
            assert loop.time() - began >= 0.2
            writer.close()


async def test_what_stalled_goes_on_when_the_rule_changes() -> None:
    async with behind(always("stall")) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(SAID)
        assert await reader.readexactly(40) == SAID[:40]
        await proxy.switch(CLEAN)
        assert await reader.readexactly(len(SAID) - 40) == SAID[40:]
        writer.close()
