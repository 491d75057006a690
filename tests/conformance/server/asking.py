"""One call, and how it asks its client for input in either era.

A tool says what it wants to know; on 2026-07-28 that is an `input_required` result whose
`requestState` holds what is known already, before it is a request on the call's own stream.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel, ConfigDict, TypeAdapter

Context = ServerRequestContext[Any, Any]
Requests = Mapping[str, dict[str, Any]]
"""What is asked, by key: {"method": …, "params": …}."""

_NEEDS = {
    "elicitation/create": "elicitation",
    "sampling/createMessage": "sampling",
    "roots/list": "roots",
}
_REQUEST: TypeAdapter[types.ServerRequest] = TypeAdapter(types.ServerRequest)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow")


class InputRequired(Exception):
    """The call cannot go on before its client has answered; `result` says what to answer."""

    def __init__(self, requests: Requests, known: Mapping[str, Any]) -> None:
        super().__init__(", ".join(requests))
        self.result = {
            "resultType": "input_required",
            "inputRequests": dict(requests),
            "requestState": json.dumps(dict(known)),
        }


def missing(**capabilities: Any) -> MCPError:
    """The refusal of a client that did not declare these."""
    return MCPError(
        types.MISSING_REQUIRED_CLIENT_CAPABILITY,
        "Missing required client capability",
        {"requiredCapabilities": capabilities},
    )


@dataclass
class Call:
    """A tools/call or prompts/get as the handlers see it."""

    ctx: Context
    arguments: Mapping[str, Any]
    known: dict[str, Any] = field(default_factory=dict)
    """Answers by key: those of earlier rounds, and those that this request brings."""
    kept: dict[str, Any] = field(default_factory=dict)
    """Of those, what the tool asked for: its state."""
    resumed: bool = False
    """Whether the client brought a `requestState` back."""

    @classmethod
    def of(cls, ctx: Context) -> Call:
        """The call that this request makes."""
        params = ctx.params or {}
        state = params.get("requestState")
        kept = json.loads(state or "{}")
        known = {**kept, **(params.get("inputResponses") or {})}
        return cls(ctx, params.get("arguments") or {}, known, kept, state is not None)

    @property
    def modern(self) -> bool:
        """Whether it came on the stateless wire."""
        return self.ctx.protocol_version in MODERN_PROTOCOL_VERSIONS

    def declares(self, capability: str) -> bool:
        """Whether the client declared `sampling`, `elicitation` or `roots`."""
        declared = self.ctx.session.client_capabilities
        return getattr(declared, capability, None) is not None

    def extends(self, extension: str) -> bool:
        """Whether the client declared this extension on a wire that has extensions."""
        declared = self.ctx.session.client_capabilities
        return self.modern and extension in (getattr(declared, "extensions", None) or {})

    async def ask(self, **requests: dict[str, Any]) -> dict[str, Any]:
        """The client's results to these requests, by their keys.

        Raises:
            InputRequired: on the modern wire, as long as an answer is missing.
            MCPError: the client did not declare what a request needs, or answered an error.
        """
        for request in requests.values():
            if self.modern and not self.declares(need := _NEEDS[request["method"]]):
                raise missing(**{need: {}})
        wanted = {key: asked for key, asked in requests.items() if key not in self.known}
        self.kept |= {key: self.known[key] for key in requests if key in self.known}
        if wanted and self.modern:
            raise InputRequired(wanted, self.kept)
        try:
            async with anyio.create_task_group() as asking:
                for key, request in wanted.items():
                    asking.start_soon(self._send, key, request)
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return {key: self.known[key] for key in requests}

    async def _send(self, key: str, request: dict[str, Any]) -> None:
        answer = await self.ctx.session.send_request(
            _REQUEST.validate_python(request),
            _Answer,
            metadata=ServerMessageMetadata(related_request_id=self.ctx.request_id),
        )
        self.known[key] = answer.model_dump(mode="json")


def form(message: str, properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """An elicitation by form."""
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {
        "method": "elicitation/create",
        "params": {"message": message, "mode": "form", "requestedSchema": schema},
    }


def sampling(prompt: str, tokens: int = 100) -> dict[str, Any]:
    """A completion by the client's model."""
    message = {"role": "user", "content": {"type": "text", "text": prompt}}
    return {
        "method": "sampling/createMessage",
        "params": {"messages": [message], "maxTokens": tokens},
    }


def roots() -> dict[str, Any]:
    """The client's roots."""
    return {"method": "roots/list", "params": {}}
