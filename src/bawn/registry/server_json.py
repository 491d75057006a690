"""The shape of a `server.json`, as the official MCP registry defines it, and reading one with care.

Source: the registry's server.json schema of 2025-12-11. Fields that it does not name are let pass and
not used; fields that are spelled nearly as it spells them are refused, for their content would be lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from bawn.errors import Misconfigured, Refused
from bawn.protocol.strict import JsonLimits, careful

SCHEMA: Final = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
LARGEST: Final = 1 << 20
"""Bytes of one document."""

NAME: Final = r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$"
_LIMITS: Final = JsonLimits(32, 200_000)

Text = Annotated[str, Meta(max_length=4096)]
ServerName = Annotated[str, Meta(min_length=3, max_length=200, pattern=NAME)]
Url = Annotated[str, Meta(max_length=4096, pattern=r"^https?://[^\s]+$")]


class Input(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Something that the user or the document gives."""

    description: Text = ""
    is_required: bool = False
    format: str = "string"
    value: Text | None = None
    is_secret: bool = False
    default: Text | None = None
    placeholder: Text = ""
    choices: Annotated[tuple[Text, ...], Meta(max_length=256)] = ()


Variables: TypeAlias = Annotated[dict[str, Input], Meta(max_length=64)]


class KeyValue(Input, frozen=True, rename="camel", kw_only=True):
    """An environment variable or a header."""

    name: Annotated[str, Meta(min_length=1, max_length=256)]
    variables: Variables = {}


class Positional(
    Input, frozen=True, rename="camel", kw_only=True, tag_field="type", tag="positional"
):
    """A word of the command."""

    value_hint: Text = ""
    is_repeated: bool = False
    variables: Variables = {}


class Named(Input, frozen=True, rename="camel", kw_only=True, tag_field="type", tag="named"):
    """An option of the command, with its value."""

    name: Annotated[str, Meta(min_length=1, max_length=256)]
    is_repeated: bool = False
    variables: Variables = {}


Argument: TypeAlias = Positional | Named
Arguments: TypeAlias = Annotated[tuple[Argument, ...], Meta(max_length=128)]
KeyValues: TypeAlias = Annotated[tuple[KeyValue, ...], Meta(max_length=128)]


class Stdio(msgspec.Struct, frozen=True, tag_field="type", tag="stdio"):
    """Messages over standard input and output."""


class StreamableHttp(msgspec.Struct, frozen=True, tag_field="type", tag="streamable-http"):
    """One HTTP endpoint."""

    url: Url
    headers: KeyValues = ()
    variables: Variables = {}


class Sse(msgspec.Struct, frozen=True, tag_field="type", tag="sse"):
    """The transport of 2024-11-05."""

    url: Url
    headers: KeyValues = ()
    variables: Variables = {}


class PackageJson(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A package that can be started."""

    registry_type: Annotated[str, Meta(min_length=1, max_length=64)]
    identifier: Annotated[str, Meta(min_length=1, max_length=1024)]
    transport: Stdio | StreamableHttp | Sse
    version: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    registry_base_url: Text = ""
    file_sha256: Annotated[str, Meta(pattern="^[a-f0-9]{64}$")] | None = None
    runtime_hint: Text = ""
    runtime_arguments: Arguments = ()
    package_arguments: Arguments = ()
    environment_variables: KeyValues = ()


class Repository(msgspec.Struct, frozen=True):
    """Where the source is."""

    url: Text
    source: Text
    id: Text = ""
    subfolder: Text = ""


class ServerJson(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One server as its publisher describes it."""

    name: ServerName
    description: Annotated[str, Meta(min_length=1, max_length=100)]
    version: Annotated[str, Meta(min_length=1, max_length=255)]
    title: Annotated[str, Meta(max_length=100)] = ""
    website_url: Text = ""
    repository: Repository | None = None
    packages: Annotated[tuple[PackageJson, ...], Meta(max_length=64)] = ()
    remotes: Annotated[tuple[StreamableHttp | Sse, ...], Meta(max_length=64)] = ()


_KNOWN: Final = frozenset(
    each.encode_name
    for kind in (
        Input, KeyValue, Positional, Named, StreamableHttp, PackageJson, Repository, ServerJson,
    )
    for each in msgspec.structs.fields(kind)
)  # fmt: skip
_FOLDED: Final = {name.lower(): name for name in _KNOWN}


def parse(body: bytes, label: str) -> Any:
    """JSON from elsewhere; `label` is what problems call it.

    Raises:
        Misconfigured: not JSON with one reading, or larger or deeper than such a document is.
    """
    try:
        return careful(body, _LIMITS)
    except Refused as refused:
        raise Misconfigured(f"{label}: {refused.message}; expected a server.json") from None


def convert(tree: Any, label: str) -> ServerJson:
    """The document, held against its shape.

    Raises:
        Misconfigured: where it is not of the shape, and what was expected there.
    """
    for place, key, known in _misspelt(tree, "$", 0):
        raise Misconfigured(f"{label}: {place}: found `{key}`, expected `{known}`")
    try:
        return msgspec.convert(tree, ServerJson)
    except msgspec.ValidationError as error:
        raise Misconfigured(
            f"{label}: {error}; expected a server.json of the schema of 2025-12-11"
        ) from None


def _misspelt(tree: Any, place: str, depth: int) -> Iterator[tuple[str, str, str]]:
    """Keys of another case or with underscores, as the formats before 2025-09-16 had them."""
    if isinstance(tree, list):
        for at, item in enumerate(tree):
            yield from _misspelt(item, f"{place}[{at}]", depth + 1)
    if not isinstance(tree, dict):
        return
    for key, value in tree.items():
        known = _FOLDED.get(key.lower().replace("_", ""))
        if known is not None and known != key:
            yield place, ascii(key)[1:-1], known
        if key not in {"_meta", "variables"}:
            yield from _misspelt(value, f"{place}.{ascii(key)[1:-1]}", depth + 1)
