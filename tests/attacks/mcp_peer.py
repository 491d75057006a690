"""A modern server that is honest but for one answer, and counts what reaches it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from bawn.config import Limits
from bawn.errors import Refused
from bawn.model import Answer, Outbound
from bawn.ports import HttpClient
from bawn.protocol import versions
from bawn.upstream.exchange import Headers, Wire
from bawn.upstream.http import Remote
from tests.contracts.exchanges import sized
from tests.contracts.scripted import Peer

CREDENTIAL: Headers = ((b"authorization", b"Bearer the-gates-own-secret"),)
META = {versions.META_VERSION: versions.MODERN, versions.META_CAPABILITIES: {}}
POISON = "meant for nobody"
GOOD = "good"
DISCOVERED = {
    "resultType": "complete",
    "supportedVersions": [versions.MODERN],
    "capabilities": {"tools": {}},
}

Attack = Callable[[Peer, int], Awaitable[None]]
"""Answers the one call that is attacked, whose id it gets."""


def response(id_: Any, result: Any) -> bytes:
    """A JSON-RPC response as an honest server writes it."""
    return json.dumps({"jsonrpc": "2.0", "id": id_, "result": result}).encode()


def said(id_: Any, text: str) -> bytes:
    """The response that says something."""
    return response(id_, {"resultType": "complete", "content": [{"type": "text", "text": text}]})


def poison(id_: int) -> bytes:
    """A whole reply that would fit the next request, were it taken for its answer."""
    return sized(said(id_ + 1, POISON))


class Server:
    """Fills `scripted.Script`: every call whose argument is `attack` is answered by the attack."""

    def __init__(self, attack: Attack) -> None:
        self._attack = attack
        self.attacked = 0
        self.heads: list[bytes] = []

    async def __call__(self, peer: Peer) -> None:
        while True:
            head, body = await peer.request()
            self.heads.append(head)
            message = json.loads(body)
            id_, params = message["id"], message["params"]
            if message["method"] == "server/discover":
                peer.send(sized(response(id_, DISCOVERED)))
            elif params["arguments"].get("say") == "attack":
                self.attacked += 1
                await self._attack(peer, id_)
            else:
                peer.send(sized(said(id_, params["arguments"]["say"])))


def remote(client: HttpClient, url: str, **limits: Any) -> Remote:
    """The way to such a server, with small bounds."""
    bounds: dict[str, Any] = {"first_byte": 5.0, "total": 6.0, "result": 200_000}
    return Remote(Wire("files", client, url, CREDENTIAL, Limits(**(bounds | limits))))


def call(say: str, principal: str = "alice") -> Outbound:
    """A call that asks the server to say something."""
    params = {"name": "say", "arguments": {"say": say}, "_meta": META}
    return Outbound("files", "tools/call", params, principal, "0" * 32, name="say")


def outcome(answer: Answer) -> str:
    """What the answer says, or the error's message."""
    if answer.result is None:
        return str((answer.error or {})["message"])
    content = answer.result.get("content")
    return str(content[0]["text"]) if content else "nothing"


async def asked(upstream: Remote, say: str, principal: str = "alice") -> str:
    """What came of a call: what was said, or the id of the refusal's reason."""
    try:
        return outcome(await upstream.call(call(say, principal)))
    except Refused as refused:  # it quotes neither the server nor the credential
        return "told" if "secret" in str(refused) else refused.reason.id
