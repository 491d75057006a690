"""The answers of the official MCP registry API, read-only. No I/O.

Source: the registry's OpenAPI document, version 2025-12-01; `/v0` and `/v0.1` answer alike. A server
has one version here: the one that serves.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from bawn.errors import MESSAGE_PARAMS, Refused
from bawn.model import Json

PREFIXES: Final = ("/v0.1", "/v0")
OFFICIAL: Final = "io.modelcontextprotocol.registry/official"
LIMIT: Final = 30
MOST: Final = 100
"""Servers in one answer: by default, and at most."""

_LONGEST: Final = 512  # characters of a parameter
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


class Published(msgspec.Struct, frozen=True):
    """A server as others read it; times are in seconds since the epoch."""

    id: str
    tenant: str
    server: Json
    status: str  # active or deprecated
    published: float
    updated: float

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return str(self.server["name"])

    @property
    def version(self) -> str:
        """Its one version."""
        return str(self.server["version"])


class Query(msgspec.Struct, frozen=True):
    """What a list is asked for."""

    after: str = ""  # the name that the page before ended with
    limit: int = LIMIT
    search: str = ""
    since: float = 0.0
    version: str = ""


def query(parameters: Mapping[str, str]) -> Query:
    """The parameters of a list; unknown ones are let pass.

    Raises:
        Refused: message.params, naming the parameter.
    """
    for name, value in parameters.items():
        if len(value) > _LONGEST:
            raise Refused(MESSAGE_PARAMS, f"`{ascii(name)[1:-1][:32]}` is too long")
    included = parameters.get("include_deleted", "false").lower()
    if included not in _BOOLEANS:
        raise Refused(MESSAGE_PARAMS, "`include_deleted` is true or false")
    return Query(
        _opened(parameters.get("cursor", "")),
        _limit(parameters.get("limit", "")),
        parameters.get("search", "").casefold(),
        _since(parameters.get("updated_since", "")),
        parameters.get("version", ""),
    )


def listed(servers: Sequence[Published], asked: Query) -> Json:
    """One page of the servers, by name, and the cursor of the next."""
    found = sorted((each for each in servers if _matches(each, asked)), key=lambda each: each.name)
    page = found[: asked.limit]
    metadata: Json = {"count": len(page)}
    if len(found) > len(page):
        metadata["nextCursor"] = _cursor(page[-1].name)
    return {"servers": [_response(each) for each in page], "metadata": metadata}


def versions(servers: Sequence[Published], name: str) -> Json | None:
    """Every version of a server; None when there is no such server."""
    found = [_response(each) for each in servers if each.name == name]
    return {"servers": found, "metadata": {"count": len(found)}} if found else None


def one(servers: Sequence[Published], name: str, version: str) -> Json | None:
    """A server at a version, or at `latest`; None when there is none."""
    for each in servers:
        if each.name == name and version in {"latest", each.version}:
            return _response(each)
    return None


def _matches(each: Published, asked: Query) -> bool:
    told = f"{each.name}\n{each.server['description']}".casefold()
    return (
        each.name > asked.after
        and asked.search in told
        and each.updated >= asked.since
        and asked.version in {"", "latest", each.version}
    )


def _response(each: Published) -> Json:
    official = {
        "status": each.status,
        "statusChangedAt": _time(each.updated),
        "publishedAt": _time(each.published),
        "updatedAt": _time(each.updated),
        "isLatest": True,
    }
    return {"server": each.server, "_meta": {OFFICIAL: official}}


def _time(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def _opened(cursor: str) -> str:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return base64.b64decode(padded, b"-_", validate=True).decode()
    except (UnicodeError, binascii.Error):
        raise Refused(MESSAGE_PARAMS, "`cursor` is not one that this list gave out") from None


def _limit(text: str) -> int:
    if not text:
        return LIMIT
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
        raise Refused(MESSAGE_PARAMS, f"`limit` is a number from 1 to {MOST}")
    return int(text)


def _since(text: str) -> float:
    if not text:
        return 0.0
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return moment.timestamp()
    except (ValueError, OverflowError):
        raise Refused(
            MESSAGE_PARAMS, "`updated_since` is a time such as 2026-01-31T08:00:00Z"
        ) from None
