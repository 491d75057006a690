"""What approvers are told: who wants what, until when, and where to decide. Never with which arguments.

Chat rooms and logs of webhooks are read by more people than those who decide, and keep what they got:
arguments stay behind the link. Names come from callers and servers, so nothing in `text` can turn into
markup, a mention or a link of theirs.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

import msgspec

from bawn.approvals import needs
from bawn.approvals.request import Request
from bawn.errors import Misconfigured
from bawn.model import Json
from bawn.telemetry.text import printable

TYPE: Final = "approval.pending"
LEAST: Final = 24
"""Bytes of a key for signatures (Standard Webhooks, "Signature scheme")."""

_PREFIX: Final = "whsec_"
_SHORT: Final = 200  # characters of a name
_MARKUP: Final = str.maketrans(dict.fromkeys("<>&`|", "?"))


class Notice(msgspec.Struct, frozen=True):
    """One message to one approver; `expires` is in seconds since the epoch."""

    id: str
    request: Request
    expires: float
    link: str

    @property
    def title(self) -> str:
        """One line for a desktop."""
        return f"Approve {_plain(self.request.name)} of {_plain(self.request.server)}?"

    @property
    def text(self) -> str:
        """One line for chat systems, without the link."""
        request = self.request
        who = _plain(request.who) + (f" (by {_plain(request.agent)})" if request.agent else "")
        until = datetime.fromtimestamp(self.expires, UTC).strftime("%H:%M UTC")
        return (
            f"`{who}` wants `{_plain(request.name)}` of `{_plain(request.server)}`, until {until}"
            f" ({_plain(self.needs)})"
        )

    @property
    def needs(self) -> str:
        """Whose consent is wanted, in words."""
        asks = self.request.asks
        return needs.in_words(asks, [ask.count for ask in asks])

    def body(self) -> bytes:
        """The webhook's body."""
        request = self.request
        told: Json = {
            "type": TYPE,
            "id": self.id,
            "server": request.server,
            "tool": request.name,
            "kind": request.kind,
            "who": request.who,
            "agent": request.agent,
            "needs": self.needs,
            "expires": int(self.expires),
            "link": self.link,
            "text": f"{self.text}: {self.link}",
        }
        return msgspec.json.encode(told)


def signing_key(secret: str) -> bytes:
    """The key in a secret: base64 after `whsec_`, as Standard Webhooks writes it, else its own bytes.

    Raises:
        Misconfigured: it is too short, or no base64.
    """
    try:
        coded = secret.removeprefix(_PREFIX)
        key = b64decode(coded, validate=True) if coded != secret else secret.encode()
    except ValueError:
        raise Misconfigured(
            f"approvals.webhook_secret: what it refers to is not base64 after `{_PREFIX}`"
        ) from None
    if len(key) < LEAST:
        raise Misconfigured(
            f"approvals.webhook_secret: what it refers to has {len(key)} bytes, expected at least "
            f"{LEAST}; make one with `openssl rand -base64 32`"
        )
    return key


def headers(id_: str, at: float, body: bytes, key: bytes | None) -> tuple[tuple[bytes, bytes], ...]:
    """The headers of a webhook (Standard Webhooks): `id_` is the same each time it is tried."""
    stamp = str(int(at)).encode()
    found = [
        (b"content-type", b"application/json"),
        (b"webhook-id", id_.encode()),
        (b"webhook-timestamp", stamp),
    ]
    if key is not None:
        signed = b"%b.%b.%b" % (id_.encode(), stamp, body)
        signature = b64encode(hmac.new(key, signed, sha256).digest())
        found.append((b"webhook-signature", b"v1," + signature))
    return tuple(found)


def _plain(name: str) -> str:
    """A name from elsewhere that stays one line of plain text."""
    cut = name if len(name) <= _SHORT else f"{name[:_SHORT]}…"
    return printable(cut.translate(_MARKUP))
