"""One judge behind a URL: what it is shown, and what it may say.

It is sent {"direction", "server", "item", "method", "trace", "texts": [{"place", "text"}]} and answers
{"findings": [{"place", "rule", "severity", "start", "end", "confidence"}]}, of which only `place` and
`severity` have to be there. Anything else that it answers is a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Final

import msgspec

from bawn.config.inspection import Grave, JudgeConfig
from bawn.errors import Refused
from bawn.inspection.judges.breaker import Breaker
from bawn.model import Call, Detection, Item, Severity
from bawn.ports import HttpClient
from bawn.ports.servers import HttpRequest

SHOWN: Final = 64 << 10
"""Characters of one message that a judge is shown."""

_ANSWER: Final = 256 << 10  # bytes
_OK: Final = 200
_LONGEST: Final = 1 << 30


class Unjudged(Exception):
    """The judge could not be asked, or did not answer as a judge does."""


class _Finding(msgspec.Struct, frozen=True):
    place: Annotated[str, msgspec.Meta(max_length=4096)]
    severity: Grave
    rule: Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,63}$")] = "finding"
    start: Annotated[int, msgspec.Meta(ge=0, le=_LONGEST)] = 0
    end: Annotated[int, msgspec.Meta(ge=0, le=_LONGEST)] = 0
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0


class _Verdict(msgspec.Struct, frozen=True):
    findings: Annotated[tuple[_Finding, ...], msgspec.Meta(max_length=256)]


class Judge:
    """Asks one judge. `token` is its credential, empty for none."""

    def __init__(
        self,
        name: str,
        config: JudgeConfig,
        token: str,
        client: HttpClient,
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self.config = config
        self._client = client
        self._breaker = Breaker(config.failures, config.rest, clock)
        self._headers: tuple[tuple[bytes, bytes], ...] = (
            (b"content-type", b"application/json"),
            (b"accept", b"application/json"),
        )
        if token:
            self._headers += ((b"authorization", f"Bearer {token}".encode()),)

    async def ask(
        self, direction: str, call: Call, item: Item, texts: Iterable[tuple[str, str]]
    ) -> list[tuple[str, Detection]]:
        """What it finds in these texts, which come with their places.

        Raises:
            Unjudged: it is left alone now, cannot be reached in its time, or answers something else.
        """
        if self._breaker.open:
            raise Unjudged(f"judge {self.name} has failed too often, and is left alone")
        shown = dict(_bounded(texts))
        try:
            found = await self._answered(self._question(direction, call, item, shown))
        except Unjudged:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return [self._detection(each, shown) for each in found]

    def _question(self, direction: str, call: Call, item: Item, shown: dict[str, str]) -> bytes:
        texts = [{"place": place, "text": text} for place, text in shown.items()]
        return msgspec.json.encode(
            {
                "direction": direction,
                "server": item.server,
                "item": item.name,
                "method": call.method,
                "trace": call.trace,
                "texts": texts,
            }
        )

    async def _answered(self, body: bytes) -> Sequence[_Finding]:
        seconds = self.config.timeout
        request = HttpRequest(
            "POST", self.config.url, self._headers, body, seconds, seconds, _ANSWER
        )
        try:
            reply = await self._client.send(request)
        except Refused as refused:
            raise Unjudged(f"judge {self.name}: {refused.reason.id}") from None
        try:
            if reply.events is not None:
                await reply.events.aclose()  # type: ignore[attr-defined]  # every one is a generator
            if reply.status != _OK or reply.events is not None:
                raise Unjudged(f"judge {self.name} answered {reply.status}")
            return msgspec.json.decode(reply.body, type=_Verdict).findings
        except msgspec.MsgspecError:
            raise Unjudged(f"judge {self.name} answered what is no verdict") from None
        finally:
            if reply.release is not None:
                reply.release()

    def _detection(self, found: _Finding, shown: dict[str, str]) -> tuple[str, Detection]:
        size = len(shown.get(found.place, ""))
        start = min(found.start, size)
        end = max(start, min(found.end or size, size))
        rule = f"judge/{self.name}/{found.rule}"
        grave = Severity[found.severity.upper()]
        return found.place, Detection(rule, grave, start, end, found.rule, found.confidence)


def _bounded(texts: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    left = SHOWN
    for place, text in texts:
        if left <= 0:
            return
        yield place, text[:left]
        left -= len(text)
