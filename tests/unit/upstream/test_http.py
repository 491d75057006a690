from __future__ import annotations

import asyncio

import pytest

from bawn.errors import UPSTREAM_UNREACHABLE, Refused
from bawn.ports import HttpReply
from bawn.upstream.http import Remote
from tests.unit.upstream.scripted import Asked, Server, error, outbound, reply, result

DISCOVERED = {"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {}}
INITIALIZED = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {}}


class Site:
    """A server whose era can be changed; `bad` is how it answers calls, when it is set."""

    def __init__(self, era: str) -> None:
        self.era = era
        self.server = Server(self.answer)
        self.remote = Remote(self.server.wire())
        self.bad: HttpReply | None = None
        self.sessions = 0

    async def answer(self, asked: Asked) -> HttpReply:
        await asyncio.sleep(0)
        if asked.method == "DELETE":
            return reply()
        if asked.method == "server/discover" and self.era == "modern":
            return result(asked, DISCOVERED)
        if self.era == "legacy":
            if asked.method == "initialize":
                self.sessions += 1
                return result(asked, INITIALIZED, f"s{self.sessions}")
            if "id" not in asked.message:
                return reply(status=202)
            if not asked.session:
                return error(asked, -32000, 400, id_=None)
        return self.bad or result(asked)

    @property
    def probes(self) -> int:
        """How often it was asked for its era."""
        return len(self.server.of("server/discover"))


async def test_a_modern_server_is_found_out_once_and_never_initialised() -> None:
    site = Site("modern")
    for _ in range(3):
        assert (await site.remote.call(outbound())).result
    assert site.probes == 1
    assert "initialize" not in site.server.methods()
    probe = site.server.asked[0]
    assert probe.headers[b"mcp-protocol-version"] == b"2026-07-28"
    assert probe.headers[b"mcp-method"] == b"server/discover"


async def test_a_legacy_server_is_found_out_once_and_initialised() -> None:
    site = Site("legacy")
    for _ in range(3):
        assert (await site.remote.call(outbound())).result
    assert site.probes == 1
    assert site.sessions == 1


async def test_calls_at_once_ask_for_the_era_once() -> None:
    site = Site("modern")
    await asyncio.gather(*(site.remote.call(outbound()) for _ in range(5)))
    assert site.probes == 1


def probed(answer: HttpReply) -> Server:
    """A server that answers a probe so, and everything else as a legacy server does."""
    site = Site("legacy")

    async def answering(asked: Asked) -> HttpReply:
        return answer if asked.method == "server/discover" else await site.answer(asked)

    return Server(answering)


def version_error(*supported: str) -> HttpReply:
    """A version error as 2026-07-28 has it."""
    data = {"supported": list(supported), "requested": "2026-07-28"}
    told = {"code": -32022, "message": "no", "data": data}
    return reply({"jsonrpc": "2.0", "id": 0, "error": told}, 400)


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"", 400),
        reply(b"", 404),
        reply(b"", 405),
        reply(b"<html>", 200),
        reply({"jsonrpc": "2.0", "id": 0, "error": {"code": -32601, "message": "no"}}, 200),
        reply({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no"}}, 400),
        reply({"jsonrpc": "2.0", "id": 0, "result": {"supportedVersions": ["2099-01-01"]}}),
        version_error("2025-11-25"),
    ],
)
async def test_whatever_does_not_speak_modern_is_initialised(answer: HttpReply) -> None:
    server = probed(answer)
    assert (await Remote(server.wire()).call(outbound())).result
    assert "initialize" in server.methods()


async def test_a_modern_error_to_the_probe_is_a_modern_server() -> None:
    server = probed(version_error("2026-07-28", "2099-01-01"))
    assert (await Remote(server.wire()).call(outbound())).error  # it is a legacy one to calls
    assert "initialize" not in server.methods()


@pytest.mark.parametrize("status", [401, 403])
async def test_a_server_that_wants_a_sign_in_is_of_no_era_yet(status: int) -> None:
    server = probed(reply(b"", status))
    for _ in range(2):
        with pytest.raises(Refused, match=r"upstream\.sign_in"):
            await Remote(server.wire()).call(outbound())
    assert server.methods() == ["server/discover"] * 2


async def test_a_server_that_cannot_be_reached_is_asked_again() -> None:
    site, answer = Site("modern"), Site("modern").answer

    async def down(asked: Asked) -> HttpReply:
        raise Refused(UPSTREAM_UNREACHABLE)

    site.server.answer = down
    with pytest.raises(Refused, match=r"upstream\.unreachable"):
        await site.remote.call(outbound())
    site.server.answer = answer
    assert (await site.remote.call(outbound())).result


async def test_after_a_doubtful_answer_the_era_is_asked_for_again() -> None:
    site = Site("modern")
    await site.remote.call(outbound())
    site.bad = reply(b"<html>", 500)
    with pytest.raises(Refused, match=r"upstream\.status"):
        await site.remote.call(outbound())
    site.bad, site.era = None, "legacy"
    assert (await site.remote.call(outbound())).result
    assert site.sessions == 1
    assert site.probes == 2


async def test_a_doubtful_answer_of_a_server_that_stays_legacy_costs_no_session() -> None:
    site = Site("legacy")
    await site.remote.call(outbound(isolation="bob"))
    site.bad = reply(b"garbage")
    with pytest.raises(Refused, match=r"upstream\.invalid"):
        await site.remote.call(outbound(isolation="alice"))
    site.bad = None
    await site.remote.call(outbound(isolation="bob"))
    assert [asked.session for asked in site.server.of("tools/call")] == [b"s1", b"s2", b"s1"]
    assert site.probes == 2


async def test_a_server_that_became_modern_loses_its_sessions_properly() -> None:
    site = Site("legacy")
    await site.remote.call(outbound())
    site.bad = reply(b"garbage")
    with pytest.raises(Refused):
        await site.remote.call(outbound())
    site.bad, site.era = None, "modern"
    assert (await site.remote.call(outbound())).result
    assert [asked.session for asked in site.server.of("DELETE")] == [b"s1"]


async def test_a_servers_own_error_is_no_ground_for_doubt() -> None:
    site = Site("modern")

    async def failing(asked: Asked) -> HttpReply:
        found = await site.answer(asked)
        return error(asked, -32050) if asked.method == "tools/call" else found

    site.server.answer = failing
    for _ in range(3):
        assert (await site.remote.call(outbound())).error
    assert site.probes == 1


async def test_the_end_of_a_remote_ends_its_sessions_and_of_one_never_asked_does_nothing() -> None:
    await Site("legacy").remote.aclose()
    site = Site("legacy")
    await site.remote.call(outbound())
    await site.remote.aclose()
    assert len(site.server.of("DELETE")) == 1


async def test_a_modern_server_that_became_legacy_is_found_out_by_the_next_look() -> None:
    site = Site("modern")
    await site.remote.call(outbound())
    site.era = "legacy"
    assert (await site.remote.call(outbound("server/discover"))).error
    assert (await site.remote.call(outbound())).result
    assert site.sessions == 1


@pytest.mark.parametrize("code", [-32020, -32022])
async def test_an_error_about_the_gates_own_headers_is_not_the_callers(code: int) -> None:
    site = Site("modern")
    await site.remote.call(outbound())
    told = {"code": code, "message": "no", "data": {"supported": ["2025-11-25"]}}
    site.bad = reply({"jsonrpc": "2.0", "id": None, "error": told}, 400)
    with pytest.raises(Refused, match=r"upstream\.invalid"):
        await site.remote.call(outbound())
    site.bad = None
    assert (await site.remote.call(outbound())).result
    assert site.probes == 2


async def test_a_servers_error_cannot_be_taken_for_a_refusal_of_the_gate() -> None:
    site = Site("modern")
    await site.remote.call(outbound())
    told = {"code": 1, "message": "no", "data": {"reason": "auth.expired"}}
    site.bad = reply({"jsonrpc": "2.0", "id": None, "error": told})
    answer = await site.remote.call(outbound())
    assert answer.error == {**told, "data": {"server": {"reason": "auth.expired"}}}
