"""From a call to its record: what stands in clear, what is digested, what is sealed."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeAlias

from msgspec.structs import replace

from bawn.audit.entries import Context, Event, Refusal, encode, line_of
from bawn.audit.subjects import KeyedDigests, Subjects
from bawn.model import Call, Decision, Item, Json, Kind, Principal
from bawn.storage import StateDirectory
from bawn.telemetry.foreign import cleaned
from bawn.telemetry.redaction import redact

CACHED: Final = 4096
CLIENT_CHARS: Final = 128
DETAIL_CHARS: Final = 1024
URI_CHARS: Final = 8192

_Key: TypeAlias = tuple[Principal, str, str, str, str, str | None, str, str]


class Describer:
    """Makes the records of calls; those of intents as lines, since they are on the hot path."""

    def __init__(self, state: StateDirectory, subjects: Subjects) -> None:
        digests = KeyedDigests(state)
        self._subjects = subjects
        self._subject = digests.purpose("subject")
        self._arguments = digests.begun("arguments")
        self._uri = digests.purpose("uri")
        of_session = digests.purpose("session")
        self._session = lru_cache(CACHED)(lambda session: of_session(session.encode())[:32])
        self._who = lru_cache(CACHED)(self._seal_who)
        self._contexts: dict[_Key, int] = {}  # those that stand in the segment
        self._made = 0  # contexts

    def forget(self) -> None:
        """Seal anew from here on: called for each segment, so that erasure reaches the caches."""
        self.lost()
        self._who.cache_clear()
        self._subjects.forget()

    def lost(self) -> None:
        """Rely on no context any more: called when lines were not written."""
        self._contexts.clear()

    def intent(self, call: Call, item: Item, decision: Decision, at: int, number: int) -> str:
        """The line of a call that is about to leave, as `entries.write_of` takes it.

        With the line of its context before it, if that does not stand in the segment yet. Of both
        `lost` is to be told when they are not written.

        Raises:
            Misconfigured: the subject's key cannot be read or written.
            ValueError: the call holds what JSON cannot.
        """
        params, client, session, trace = call.params, call.client, call.session, call.trace
        key = (
            call.principal, item.key, item.shown, call.method, decision.rule,
            call.endpoint, _clear(client.name), _clear(client.version),
        )  # fmt: skip
        context, before = self._contexts.get(key), ""
        if context is None:
            context, before = self._begin(key, item, at)
        arguments = params.get("arguments")
        digest = self._arguments()
        digest.update(encode(params if arguments is None else arguments))
        if not trace.isalnum():  # so that it needs no escaping
            raise ValueError("the trace is not a trace-id")
        own = "" if session is None else f',"session":"{self._session(session)}"'
        if item.kind is Kind.RESOURCE or item.kind is Kind.TEMPLATE:
            own += self._hidden_uri(call, item)
        return (
            f'{before}"kind":"intent","at":{at},"number":{number},"context":{context},'
            f'"trace":"{trace}","arguments":"{digest.hexdigest()}"{own}}}\n'
        )

    def refusal(self, call: Call, reason: str, detail: str, at: int) -> Refusal:
        """The record of a call that was refused.

        Raises:
            Misconfigured: the subject's key cannot be read or written.
        """
        subject, who = self._person(call.principal)
        asked = {key: call.params[key] for key in ("name", "uri") if key in call.params}
        sealed = {
            key: _clear(str(text)[:DETAIL_CHARS])
            for key, text in ({"detail": detail} | asked).items()
        }
        return Refusal(
            at=at,
            trace=call.trace,
            subject=subject,
            who=who,
            method=_clear(call.method),
            reason=reason,
            client=_clear(call.client.name),
            version=_clear(call.client.version),
            endpoint=call.endpoint,
            session=None if call.session is None else self._session(call.session),
            sealed=self._subjects.seal(subject, "sealed", sealed),
            tenant=call.principal.tenant,
        )

    def event(self, who: Principal, what: str, trace: str, detail: Json, at: int) -> Event:
        """The record of what somebody did that is no call.

        Raises:
            Misconfigured: the subject's key cannot be read or written.
        """
        subject, sealed = self._person(who)
        return Event(
            at=at,
            trace=trace,
            subject=subject,
            who=sealed,
            what=what,
            sealed=self._subjects.seal(subject, "sealed", cleaned(detail)),
            tenant=who.tenant,
        )

    def _begin(self, key: _Key, item: Item, at: int) -> tuple[int, str]:
        """A new context: its number, and its line with the `{` of the line that follows it."""
        principal, _, shown, method, rule, endpoint, client, version = key
        subject, who = self._person(principal)
        hidden = item.kind is Kind.RESOURCE  # a URI may hold a name; a template holds none
        context = Context(
            at=at,
            number=self._made,
            subject=subject,
            who=who,
            method=method,
            server=item.server,
            rule=rule,
            client=client,
            version=version,
            name=None if hidden else item.name,
            shown=None if hidden else shown,
            endpoint=endpoint,
            tenant=principal.tenant,
        )
        line = line_of(context) + "{"
        if len(self._contexts) >= CACHED:
            self._contexts.clear()
        self._contexts[key] = context.number
        self._made += 1
        return context.number, line

    def _hidden_uri(self, call: Call, item: Item) -> str:
        """A URI may hold a name, an address or a key: digested to compare, sealed to read."""
        uri = str(call.params.get("uri", item.name))
        subject, _ = self._person(call.principal)
        sealed = self._subjects.seal(subject, "sealed", {"uri": uri[:URI_CHARS]})
        return f',"uri":"{self._uri(uri.encode())}","sealed":"{sealed}"'

    def _person(self, principal: Principal) -> tuple[str, str]:
        """The pseudonym and what it stands for, sealed once for all tokens that say the same."""
        # what only this credential has is left out, so that another one is no reason to seal anew
        return self._who(replace(principal, expires=0.0, endpoint=None, token=""))

    def _seal_who(self, principal: Principal) -> tuple[str, str]:
        pseudonym = self._subject(principal.key.encode())[:32]
        who: Json = {
            "subject": principal.subject,
            "issuer": principal.issuer,
            "roles": sorted(principal.roles),
            "scopes": sorted(principal.scopes),
            "agent": principal.agent,
            "tenant": principal.tenant,
        }
        return pseudonym, self._subjects.seal(pseudonym, "who", who)


@lru_cache(CACHED)
def _clear(text: str) -> str:
    """What a caller names itself and its methods, which nothing keeps from holding a secret."""
    return redact(cleaned(text[:URI_CHARS]))[:CLIENT_CHARS]
