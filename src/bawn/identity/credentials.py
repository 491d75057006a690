"""What we present upstream: our own credential for that server, never anything of the caller's."""

from __future__ import annotations

from pathlib import Path

from bawn.config import Server
from bawn.config.secrets import resolve
from bawn.errors import Misconfigured


def headers(server: Server, base: Path) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that authenticate us to a server; resolved once, when the View is compiled.

    `base` is the directory that relative `${file:…}` references start from.

    Raises:
        Misconfigured: the reference leads nowhere, or to what cannot stand in a header.
    """
    if server.auth.token is None:
        return ()
    token = resolve(server.auth.token, base)
    if not token or not all("!" <= character <= "~" for character in token):
        raise Misconfigured(
            "auth.token: what it refers to is not a bearer token; expected printable ASCII without "
            "spaces: look for a second line, or a `Bearer ` in front"
        )
    return ((b"authorization", b"Bearer " + token.encode("ascii")),)
