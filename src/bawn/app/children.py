"""What the runner tells of the local servers."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import msgspec

from bawn.errors import Refused
from bawn.ports import HttpClient, HttpRequest

_PATIENCE: Final = 2.0
_LONGEST: Final = 4 << 20


class _Server(msgspec.Struct):
    confined: str
    why: str = ""


class _Told(msgspec.Struct):
    servers: dict[str, _Server]


class Children:
    """The runner's own page, at its socket."""

    def __init__(self, client: HttpClient, runner: str) -> None:
        self._client = client
        self._url = f"http+unix://{quote(runner, safe='')}/servers"

    async def confinement(self) -> dict[str, str]:
        """How each local server is confined: `bubblewrap`, or `no: ` and why not; empty if it does not tell."""
        request = HttpRequest("GET", self._url, (), b"", _PATIENCE, _PATIENCE, _LONGEST)
        try:
            reply = await self._client.send(request)
            told = msgspec.json.decode(reply.body, type=_Told)
        except (Refused, msgspec.MsgspecError):
            return {}
        return {
            name: server.confined if server.confined != "no" else f"no: {server.why}"
            for name, server in told.servers.items()
        }
