"""Telling an approver over HTTPS: one POST, signed, no redirect followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from bawn.approvals.message import Notice, headers
from bawn.config.kinds import is_loopback
from bawn.errors import Misconfigured
from bawn.ports import HttpClient, HttpReply, HttpRequest

FIRST_BYTE: Final = 10.0  # seconds
TOTAL: Final = 15.0
_LARGEST: Final = 64 << 10  # bytes of an answer that nobody reads


class UntoldError(Exception):
    """An approver could not be told; the text holds no secret."""


class Webhook:
    """One approver's webhook; `url` is a secret. `clock` gives seconds since the epoch.

    Raises:
        Misconfigured: the URL is not https, and not http to this machine.
    """

    def __init__(
        self,
        client: HttpClient,
        name: str,
        url: str,
        key: bytes | None,
        clock: Callable[[], float],
    ) -> None:
        check(name, url)
        self._client = client
        self._url = url
        self._key = key
        self._clock = clock

    async def send(self, notice: Notice, id_: str) -> None:
        """Tell it, by a message of this id.

        Raises:
            UntoldError: the answer was not one of success.
            Refused: upstream.*, there was no answer.
        """
        body = notice.body()
        sent = HttpRequest(
            "POST", self._url, headers(id_, self._clock(), body, self._key), body,
            FIRST_BYTE, TOTAL, _LARGEST,
        )  # fmt: skip
        reply = await self._client.send(sent)
        await _let_go(reply)
        if not 200 <= reply.status < 300:
            raise UntoldError(f"it was answered with {reply.status}")


def check(name: str, url: str) -> None:
    """Refuse a URL that would carry a link to where others can read it.

    Raises:
        Misconfigured: without the URL, which may hold a secret.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    sound = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not sound or not host or "@" in parts.netloc or not url.isprintable() or " " in url:
        raise Misconfigured(
            f"approvals.approvers, {name}: expected an https:// URL without a login as `webhook` "
            "(http:// for loopback only): its messages let their reader decide"
        )


async def _let_go(reply: HttpReply) -> None:
    if reply.events is not None:
        close = getattr(reply.events, "aclose", None)
        if close is not None:
            await close()
    if reply.release is not None:
        reply.release()
