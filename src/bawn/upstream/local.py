"""A local server, reached through the runner: canonical on this side, whatever it speaks itself."""

from __future__ import annotations

from functools import lru_cache
from itertools import count
from urllib.parse import quote

from bawn.errors import REASONS, Refused
from bawn.model import Answer, Outbound
from bawn.ports import Emit
from bawn.upstream.exchange import Headers, Relay, Wire


class Local:
    """Implements `ports.Upstream` for a `command`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._ids = count(1)

    async def call(self, outbound: Outbound, emit: Emit | None = None) -> Answer:
        """One exchange with the runner, which starts the server when needed.

        Raises:
            Refused: an upstream.* reason, the runner's own included.
        """
        id_ = next(self._ids)
        relay = Relay(outbound.params, id_, emit)
        headers = runner_headers(outbound.isolation, outbound.project, outbound.principal)
        answer = await self._wire.ask(id_, outbound.method, relay.params, headers, relay)
        if answer.error is not None:
            _raise_runners_own(answer)
        return answer

    async def aclose(self) -> None:
        """Nothing is held: the runner owns the processes."""


@lru_cache(1024)
def runner_headers(isolation: str, project: str | None, principal: str) -> Headers:
    """Whose process the runner shall take, and on whose account."""
    found: Headers = ((b"bawn-isolation", isolation.encode()),)
    if project is not None:
        found += ((b"bawn-project", quote(project).encode()),)
    if principal:
        found += ((b"bawn-principal", principal.encode()),)
    return found


def _raise_runners_own(answer: Answer) -> None:
    """Rebuild the runner's refusal; it sees to it that no server's error looks like one."""
    data = (answer.error or {}).get("data")
    reason = REASONS.get(str(data.get("reason"))) if isinstance(data, dict) else None
    if reason is not None and isinstance(data, dict):
        raise Refused(reason, detail=str(data.get("detail", "")))
