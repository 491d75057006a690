"""Judges on a client that answers what a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec

from bawn.config.inspection import JudgeConfig
from bawn.errors import UPSTREAM_UNREACHABLE, Refused
from bawn.inspection.judges.judge import Judge
from bawn.model import Call, Client, Item, Json, Kind
from bawn.ports import HttpReply, HttpRequest
from tests.fakes import Clock
from tests.gate import ADA

ITEM = Item(Kind.TOOL, "files", "read", "files__read", {})
CALL = Call(1, "tools/call", {}, ADA, None, Client("2026-07-28"), "t" * 32)
URL = "http://127.0.0.1:9/judge"


class FakeClient:
    """Answers each request with the next of these: a body, or an exception."""

    def __init__(self, *answers: bytes | Exception, status: int = 200) -> None:
        self.answers = list(answers)
        self.status = status
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpReply:
        """Fills `ports.HttpClient`."""
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return HttpReply(self.status, {}, answer)

    async def aclose(self) -> None:
        """Fills `ports.HttpClient`."""

    @property
    def shown(self) -> list[Json]:
        """What the judge was sent."""
        return [msgspec.json.decode(request.body) for request in self.requests]


def verdict(*findings: Json) -> bytes:
    """What a judge answers."""
    return msgspec.json.encode({"findings": findings})


DOWN = Refused(UPSTREAM_UNREACHABLE)


def judge(
    client: FakeClient, clock: Callable[[], float] | None = None, token: str = "", **settings: Any
) -> Judge:
    """A judge named `nan`."""
    config = JudgeConfig.model_validate({"url": URL, **settings})
    return Judge("nan", config, token, cast("Any", client), clock or Clock())


def texts(*several: str) -> Iterable[tuple[str, str]]:
    """Texts with their places."""
    return [(f"/{number}", text) for number, text in enumerate(several)]
