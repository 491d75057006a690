"""What a client reads to obtain a token: resource metadata (RFC 9728) and challenges (RFC 6750).

Nothing here depends on which servers exist, so that nobody learns their ids without a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from bawn.config.server import SERVER_ID
from bawn.errors import AUTH_AUDIENCE, AUTH_EXPIRED, AUTH_INVALID, AUTH_MISSING, Reason
from bawn.model import Json, Principal

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"

_INVALID_TOKEN: Final = frozenset({AUTH_INVALID, AUTH_EXPIRED, AUTH_AUDIENCE})
_FROM_THE_OPERATOR: Final = "bawn (its operator issues tokens: bawn token)"


def serves(principal: Principal, endpoint: str | None) -> bool:
    """Whether the principal's credential is good at /mcp (None) or /mcp/{endpoint}."""
    return principal.endpoint is None or principal.endpoint == endpoint


class Resources:
    """The endpoints as OAuth protected resources.

    `base` is the gate's public URL without a trailing slash; `issuers` the authorization servers
    whose tokens are accepted, none when tokens come from the operator. `scopes` are those that the
    configuration maps to anything.
    """

    def __init__(self, base: str, issuers: tuple[str, ...], scopes: Sequence[str] = ()) -> None:
        parts = urlsplit(base)
        self._scopes = tuple(scopes)
        self._base = base
        self._issuers = issuers
        self._path = parts.path
        self._well_known = f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path}"

    def resource(self, endpoint: str | None) -> str:
        """The URL of an endpoint, which is also the audience of its tokens."""
        return self._base + _path(endpoint)

    def metadata_url(self, endpoint: str | None) -> str:
        """Where the endpoint's metadata is: the well-known part goes before the path (RFC 9728, 3.1)."""
        return self._well_known + _path(endpoint)

    def document(self, endpoint: str | None) -> Json:
        """The endpoint's metadata (RFC 9728, section 2)."""
        document: Json = {"resource": self.resource(endpoint)}
        if self._issuers:
            document["authorization_servers"] = list(self._issuers)
        if self._scopes:
            document["scopes_supported"] = list(self._scopes)
        document["bearer_methods_supported"] = ["header"]
        document["resource_name"] = "bawn" if self._issuers else _FROM_THE_OPERATOR
        return document

    def lookup(self, path: str) -> Json | None:
        """The metadata served at this request path, or None; the bare path speaks for /mcp.

        A public URL with a path is found with that path and without, as proxies may cut it off.
        """
        if not path.startswith(WELL_KNOWN):
            return None
        rest = path.removeprefix(WELL_KNOWN)
        if self._path:
            rest = rest.removeprefix(self._path)
        if rest in {"", "/mcp"}:
            return self.document(None)
        server = rest.removeprefix("/mcp/")
        known = server != rest and SERVER_ID.fullmatch(server)
        return self.document(server) if known else None

    def challenge(self, reason: Reason, endpoint: str | None) -> str | None:
        """The WWW-Authenticate value for a 401, or None when the reason asks for no credentials.

        Without credentials there is no error code (RFC 6750, section 3.1).
        """
        metadata = ("resource_metadata", self.metadata_url(endpoint))
        if reason is AUTH_MISSING:
            return _bearer(metadata)
        if reason not in _INVALID_TOKEN:
            return None
        return _bearer(("error", "invalid_token"), ("error_description", reason.message), metadata)

    def insufficient_scope(self, scopes: tuple[str, ...], endpoint: str | None) -> str:
        """The WWW-Authenticate value for a 403: all scopes that the operation needs, at once."""
        return _bearer(
            ("error", "insufficient_scope"),
            ("scope", " ".join(scopes)),
            ("resource_metadata", self.metadata_url(endpoint)),
        )


def _path(endpoint: str | None) -> str:
    return "/mcp" if endpoint is None else f"/mcp/{endpoint}"


def _bearer(*parameters: tuple[str, str]) -> str:
    return "Bearer " + ", ".join(f"{name}={_quoted(value)}" for name, value in parameters)


def _quoted(value: str) -> str:
    """A quoted-string (RFC 9110, section 5.6.4); what is not printable ASCII becomes `?`."""
    safe = "".join(c if " " <= c <= "~" else "?" for c in value)
    return '"' + safe.replace("\\", "\\\\").replace('"', '\\"') + '"'
