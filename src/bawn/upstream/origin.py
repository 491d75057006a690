"""Where a URL leads: whom to connect to, and what to ask them for.

Besides http and https there is `http+unix://{socket path, percent-encoded}/{path}`, by which
workers reach the runner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from bawn.errors import UPSTREAM_UNREACHABLE, Refused

_PORTS: Final = {"http": 80, "https": 443, "http+unix": 0}
# RFC 3986: what may stand in a path and query as it is; a percent sign is one already escaped.
_SAFE: Final = "%/:?@!$&'()*+,;=-._~"


@dataclass(frozen=True, slots=True)
class Origin:
    """One peer; `socket` is a path for http+unix, and then `host` and `port` mean nothing."""

    tls: bool
    host: str
    port: int
    socket: str | None = None

    def __str__(self) -> str:
        if self.socket is not None:
            return f"unix:{self.socket}"
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"


def split(url: str) -> tuple[Origin, bytes, bytes]:
    """The origin of a URL, its Host field and its request target (RFC 9112, section 3.2.1).

    Raises:
        Refused: upstream.unreachable, for what is no such URL.
    """
    try:
        return _split(url)
    except (ValueError, UnicodeError):  # never the URL itself: its query may hold a secret
        raise Refused(
            UPSTREAM_UNREACHABLE, detail="not an http, https or http+unix URL with a host"
        ) from None


def _split(url: str) -> tuple[Origin, bytes, bytes]:
    parts = urlsplit(url)
    default = _PORTS.get(parts.scheme)
    if default is None or not parts.netloc or "@" in parts.netloc:
        raise ValueError
    path = quote(parts.path or "/", safe=_SAFE)
    target = f"{path}?{quote(parts.query, safe=_SAFE)}" if parts.query else path
    if parts.scheme == "http+unix":
        socket = unquote(parts.netloc, errors="strict")
        if "\0" in socket:
            raise ValueError
        return Origin(False, "", 0, socket), b"localhost", target.encode("ascii")
    if not parts.hostname:
        raise ValueError
    host = parts.hostname.encode("idna").decode("ascii")
    port = default if parts.port is None else parts.port
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port == default else f"{shown}:{port}"
    if not authority.isprintable() or " " in authority:
        raise ValueError
    return (
        Origin(parts.scheme == "https", host, port),
        authority.encode("ascii"),
        target.encode("ascii"),
    )
