"""From a call to its record: what stands in clear, what is digested, what is sealed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from bawn.audit.entries import VERSION, Intent, Refusal, encode
from bawn.audit.subjects import KeyedDigests, Subjects
from bawn.model import Call, Client, Decision, Item, Json, Kind, Principal
from bawn.storage import StateDirectory

CACHED: Final = 4096
CLIENT_CHARS: Final = 128
DETAIL_CHARS: Final = 1024
URI_CHARS: Final = 8192
_BY_URI: Final = frozenset({Kind.RESOURCE, Kind.TEMPLATE})


class Describer:
    """Makes records without `seq` and `prev`, which the writer gives them."""

    def __init__(self, state: StateDirectory) -> None:
        digests = KeyedDigests(state)
        self._subjects = Subjects(state.subjects)
        self._subject = digests.purpose("subject")
        self._arguments = digests.purpose("arguments")
        self._uri = digests.purpose("uri")
        self._of_session = digests.purpose("session")
        self._session = lru_cache(CACHED)(lambda session: self._of_session(session.encode())[:32])
        self._who = lru_cache(CACHED)(self._seal_who)

    def forget(self) -> None:
        """Seal anew from here on: called for each segment, so that erasure reaches the caches."""
        self._who.cache_clear()
        self._subjects.forget()

    def intent(self, call: Call, item: Item, decision: Decision, at: int) -> Intent:
        """The record of a call that is about to leave.

        Raises:
            Misconfigured: the subject's key cannot be read or written.
        """
        subject, who = self._person(call.principal)
        params, client, session = call.params, call.client, call.session
        arguments = params.get("arguments")
        record = Intent(
            VERSION, 0, "", at, call.trace, subject, who, call.method, item.server, decision.rule,
            self._arguments(encode(params if arguments is None else arguments)),
            client.name[:CLIENT_CHARS], client.version[:CLIENT_CHARS],
            item.name, item.shown, call.endpoint,
            None if session is None else self._session(session),
        )  # fmt: skip
        if item.kind in _BY_URI:
            self._hide_uri(record, item, str(params.get("uri", item.name)))
        return record

    def refusal(self, call: Call, reason: str, detail: str, at: int) -> Refusal:
        """The record of a call that was refused.

        Raises:
            Misconfigured: the subject's key cannot be read or written.
        """
        subject, who = self._person(call.principal)
        asked = {key: call.params[key] for key in ("name", "uri") if key in call.params}
        sealed = {
            key: str(text)[:DETAIL_CHARS] for key, text in ({"detail": detail} | asked).items()
        }
        return Refusal(
            VERSION, 0, "", at, call.trace, subject, who, call.method[:CLIENT_CHARS], reason,
            *_software(call.client), call.endpoint,
            None if call.session is None else self._session(call.session),
            self._subjects.seal(subject, "sealed", sealed),
        )  # fmt: skip

    def _hide_uri(self, record: Intent, item: Item, uri: str) -> None:
        """A URI may hold a name, an address or a key; a template holds none of them."""
        record.uri = self._uri(uri.encode())
        record.sealed = self._subjects.seal(record.subject, "sealed", {"uri": uri[:URI_CHARS]})
        if item.kind is Kind.RESOURCE:
            record.name = record.shown = None

    def _person(self, principal: Principal) -> tuple[str, str]:
        return self._who(principal.issuer, principal.subject, principal.roles)

    def _seal_who(self, issuer: str, subject: str, roles: frozenset[str]) -> tuple[str, str]:
        pseudonym = self._subject(f"{issuer}|{subject}".encode())[:32]
        who: Json = {"subject": subject, "issuer": issuer, "roles": sorted(roles)}
        return pseudonym, self._subjects.seal(pseudonym, "who", who)


def _software(client: Client) -> tuple[Any, Any]:
    return client.name[:CLIENT_CHARS], client.version[:CLIENT_CHARS]
