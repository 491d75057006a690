"""Before anything is timed: every answer belongs to its request, on several connections at once."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import Any

import httpx2

from bench import calls
from bench.target import Target


class WrongAnswerError(Exception):
    """A target does not answer as it must; there is nothing to time."""


async def verify(target: Target, size: int, connections: int, each: int) -> int:
    """Send `each` calls on every connection and judge every answer; returns how many there were.

    Raises:
        WrongAnswerError: an answer is not the one to its request.
    """
    numbers = count(1)
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    async with httpx2.AsyncClient(limits=limits, timeout=60, trust_env=False) as client:

        async def one_after_another(connection: int) -> None:
            for turn in range(each):
                await _call(client, target, next(numbers), size, f"check-{connection}-{turn}")

        await asyncio.gather(*map(one_after_another, range(connections)))
    return connections * each


async def _call(client: httpx2.AsyncClient, target: Target, id_: int, size: int, mark: str) -> None:
    reply = await client.post(
        target.url,
        content=calls.body(id_, target.tool, size, mark),
        headers=calls.headers(target.tool, target.bearer),
    )
    if reply.status_code != 200:
        said = f"status {reply.status_code}: {reply.text[:300]}"
    else:
        said = calls.problem(_message(reply), id_, size, mark)
    if said:
        raise WrongAnswerError(f"{target.name} answered request {id_} ({mark}) wrongly: {said}")


def _message(reply: httpx2.Response) -> dict[str, Any]:
    """The JSON-RPC response: the body, or the last event of a stream."""
    text = reply.text
    if reply.headers.get("content-type", "").startswith("text/event-stream"):
        data = [line[5:] for line in text.splitlines() if line.startswith("data:")]
        text = data[-1] if data else "{}"
    message: dict[str, Any] = json.loads(text)
    return message
