from __future__ import annotations

from pathlib import Path

import pytest

from bawn.app.assemble import Place, assemble
from bawn.app.places import Places
from bawn.config import Config
from bawn.errors import Misconfigured
from bawn.protocol.sealing import Unsealed
from bawn.storage import StateDirectory
from bawn.upstream.http import Remote
from bawn.upstream.http1 import PooledClient
from bawn.upstream.local import Local
from bawn.upstream.reference import ReferenceClient

PLACE = Place(1, 0, 2)


def begun(place: Path) -> StateDirectory:
    """The state of a gate that runs."""
    state = StateDirectory(place / "state")
    Places(state).begin()
    return state


def config(servers: str = "{}", rest: str = "{}") -> Config:
    """A configuration in JSON."""
    return Config.model_validate_json(f'{{"servers": {servers}, "identity": {rest}}}')


async def test_every_server_is_reached_in_its_own_way_and_nothing_is_connected_yet(
    tmp_path: Path,
) -> None:
    servers = """{
        "files": {"command": ["x"]},
        "far": {"url": "http://127.0.0.1:9/mcp"},
        "careful": {"url": "http://127.0.0.1:9/mcp", "http": "reference"},
        "proxied": {"url": "http://127.0.0.1:9/mcp", "proxy": "http://127.0.0.1:9"}
    }"""
    state = begun(tmp_path)
    rooms = assemble(config(servers), tmp_path, state, "/r", PLACE, insecure_no_auth=False)
    ways = {name: type(upstream) for name, upstream in rooms.upstreams.items()}
    assert ways == {"files": Local, "far": Remote, "careful": Remote, "proxied": Remote}
    kinds = [type(client) for client in rooms.clients._all]
    assert kinds == [
        PooledClient, PooledClient, ReferenceClient, ReferenceClient, PooledClient, PooledClient
    ]  # fmt: skip
    assert rooms.follower.behind()
    await rooms.aclose()


@pytest.mark.parametrize(
    ("servers", "identity", "said"),
    [
        (
            """{"far": {"url": "http://127.0.0.1:9/", "auth":
                {"type": "bearer", "token": "${env:NO_SUCH_VARIABLE}"}}}""",
            "{}",
            "NO_SUCH_VARIABLE",
        ),
        ("{}", '{"mode": "none"}', "--insecure-no-auth"),
    ],
)
async def test_what_is_unsafe_or_missing_is_refused(
    tmp_path: Path, servers: str, identity: str, said: str
) -> None:
    state = begun(tmp_path)
    with pytest.raises(Misconfigured, match=said):
        assemble(config(servers, identity), tmp_path, state, "/r", PLACE, insecure_no_auth=False)


async def test_the_gates_keys_are_made_once(tmp_path: Path) -> None:
    state = begun(tmp_path)
    keys = []
    for _ in range(2):
        rooms = assemble(config(), tmp_path, state, "/r", PLACE, insecure_no_auth=False)
        await rooms.aclose()
        keys.append({path.name: path.read_bytes() for path in state.keys.iterdir()})
    assert keys[0] == keys[1]
    assert "sealing" in keys[0]


async def test_sessions_die_with_the_store_that_knows_which_were_ended(tmp_path: Path) -> None:
    state = begun(tmp_path)

    async def sealed() -> str:
        rooms = assemble(config(), tmp_path, state, "/r", PLACE, insecure_no_auth=False)
        handle = rooms.gateway._sessions.sealer.seal("session", {})
        await rooms.aclose()
        return handle

    async def opens(handle: str) -> bool:
        rooms = assemble(config(), tmp_path, state, "/r", PLACE, insecure_no_auth=False)
        try:
            rooms.gateway._sessions.sealer.open("session", handle)
        except Unsealed:
            return False
        finally:
            await rooms.aclose()
        return True

    handle = await sealed()
    assert await opens(handle)
    (state.path / "state.db").write_bytes(b"not a database" * 1000)
    assert not await opens(handle)
