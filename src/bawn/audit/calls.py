"""From records to calls: an intent joined with its outcome, a refusal, and who it was if still known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from bawn.audit.entries import Close, Context, Event, Intent, Outcome, Recovered, Refusal
from bawn.audit.read import Found, Problem
from bawn.audit.subjects import Subjects
from bawn.model import Json

UNKNOWN: Final = "unknown"
ERASED: Final = "erased"
LOST: Final = Context(
    at=0, number=-1, subject="", who="", method="", server="", rule="", client="", version=""
)
"""What is known of an intent whose context was removed."""


@dataclass(frozen=True, slots=True)
class AuditedCall:
    """One call or refusal as a person wants to read it, or what somebody did that is no call.

    `decision` is `allowed`, `refused` or `event`, and then `method` is what was done; `status` is
    `ok`, `error`, `cancelled`, a reason id, or `unknown` for an intent without outcome. `sealed` is
    None where nothing was sealed.
    """

    at: int
    who: str
    subject: str
    decision: str
    rule: str
    method: str
    server: str
    name: str
    status: str
    duration_us: int | None
    size: int | None
    trace: str
    endpoint: str | None
    client: str
    sealed: Json | None
    segment: str
    line: int
    tenant: str = ""


class Joiner:
    """Joins intents and outcomes as they are read; give it every record, in the order of time."""

    def __init__(self, subjects: Subjects) -> None:
        self._subjects = subjects
        self._open: dict[tuple[str, int], tuple[Found, Intent]] = {}
        self._who = lru_cache(4096)(self._open_who)

    def join(self, records: Iterable[Found | Problem]) -> Iterator[AuditedCall | Problem]:
        """The calls that these records complete: refusals, and intents with outcome or never to have one."""
        for found in records:
            if isinstance(found, Problem):
                yield found
                continue
            record = found.record
            if isinstance(record, Intent):
                self._open[found.writer, record.number] = (found, record)
            elif isinstance(record, Outcome):
                begun = self._open.pop((found.writer, record.intent), None)
                if begun is not None:
                    yield self._call(*begun, record)
            elif isinstance(record, Refusal):
                yield self._refusal(found, record)
            elif isinstance(record, Event):
                yield self._event(found, record)
            elif isinstance(record, Recovered) or (isinstance(record, Close) and not record.more):
                yield from self._give_up(found.writer)

    def rest(self) -> Iterator[AuditedCall]:
        """The intents that have no outcome so far."""
        for found, intent in self._open.values():
            yield self._call(found, intent, None)

    def _give_up(self, writer: str) -> Iterator[AuditedCall]:
        """A writer is gone: what it left open stays unknown."""
        for key in [key for key in self._open if key[0] == writer]:
            yield self._call(*self._open.pop(key), None)

    def _call(self, found: Found, intent: Intent, outcome: Outcome | None) -> AuditedCall:
        context = found.context or LOST
        sealed = self._unsealed(context.subject, intent.sealed)
        name = context.name or (str(sealed.get("uri", "")) if sealed else intent.uri or "")
        return AuditedCall(
            intent.at, self._who(context.subject, context.who), context.subject, "allowed",
            context.rule, context.method, context.server, name,
            outcome.status if outcome else UNKNOWN,
            outcome.duration_us if outcome else None,
            outcome.size if outcome else None,
            intent.trace, context.endpoint, context.client, sealed, found.segment, found.line,
            context.tenant,
        )  # fmt: skip

    def _refusal(self, found: Found, refusal: Refusal) -> AuditedCall:
        sealed = self._unsealed(refusal.subject, refusal.sealed)
        asked = sealed or {}
        return AuditedCall(
            refusal.at, self._who(refusal.subject, refusal.who), refusal.subject, "refused", "",
            refusal.method, refusal.endpoint or "", str(asked.get("name", asked.get("uri", ""))),
            refusal.reason, None, None,
            refusal.trace, refusal.endpoint, refusal.client, sealed, found.segment, found.line,
            refusal.tenant,
        )  # fmt: skip

    def _event(self, found: Found, event: Event) -> AuditedCall:
        return AuditedCall(
            event.at, self._who(event.subject, event.who), event.subject, "event", "",
            event.what, "", "", "ok", None, None, event.trace, None, "",
            self._unsealed(event.subject, event.sealed), found.segment, found.line, event.tenant,
        )  # fmt: skip

    def _unsealed(self, subject: str, sealed: str | None) -> Json | None:
        if sealed is None:
            return None
        return self._subjects.open(subject, "sealed", sealed) or {ERASED: True}

    def _open_who(self, subject: str, who: str) -> str:
        person = self._subjects.open(subject, "who", who)
        return str(person.get("subject", "")) if person else ERASED


def as_json(call: AuditedCall) -> Json:
    """The call as one JSON object; `at` in ISO 8601, UTC, to the microsecond."""
    at = datetime.fromtimestamp(call.at / 1e9, UTC).isoformat(timespec="microseconds")
    return asdict(call) | {"at": at}
