"""Canonical ⇄ legacy client: what a client with a handshake version says, and what it can understand.

Legacy requests need no counterpart here: their params are canonical once the caller's metadata
stands beside them, and `canonical_meta` writes that.

Sources: the changelogs of 2025-11-25 and 2026-07-28; client/elicitation and client/sampling of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from bawn.errors import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    RESOURCE_NOT_FOUND_LEGACY,
)
from bawn.model import Client, Json, Kind
from bawn.protocol import asking, degrade, versions
from bawn.protocol.degrade import Abilities
from bawn.protocol.strict import encode
from bawn.protocol.versions import META_CAPABILITIES, META_SUBSCRIPTION, TASKS

_NEWEST: Final = versions.HANDSHAKE[0]
_MODERN_MEMBERS: Final = ("resultType", "ttlMs", "cacheScope")
_MODERN_META: Final = frozenset({versions.META_SERVER, META_SUBSCRIPTION})
_MODERN_ERRORS: Final = range(-32099, -32019)  # what 2026-07-28 keeps for itself


# ── what it says ────────────────────────────────────────────────────────────────────────────────


def canonical_meta(meta: Json, client: Client) -> Json:
    """A request's `_meta` as a modern client would have sent it; a modern one's own is as it is."""
    if versions.META_VERSION in meta:
        return meta
    return {
        **meta,
        versions.META_VERSION: versions.MODERN,
        META_CAPABILITIES: capabilities(client),
        versions.META_CLIENT: {"name": client.name or "unknown", "version": ""},
    }


def capabilities(client: Client) -> Json:
    """A legacy client's capabilities in the form of 2026-07-28, none that its version lacks.

    Its tasks are others than those of the extension, which it cannot speak.
    """
    able = degrade.abilities(client.version)
    declared = {name: value for name, value in client.capabilities.items() if name != "tasks"}
    for name, adapt in (("elicitation", _elicitation), ("sampling", _sampling), ("roots", _roots)):
        if name in declared:
            adapted = adapt(declared.pop(name), able)
            if adapted is not None:
                declared[name] = adapted
    extensions = declared.get("extensions")
    if isinstance(extensions, dict) and TASKS in extensions:
        declared["extensions"] = _without(extensions, TASKS)
    return declared


def _elicitation(declared: Any, able: Abilities) -> Json | None:
    if not able.forms or not isinstance(declared, dict):
        return None
    if not declared:
        return {"form": {}}
    adapted = declared if able.urls else _without(declared, "url")
    return adapted or None


def _sampling(declared: Any, able: Abilities) -> Json | None:
    if not isinstance(declared, dict):
        return None
    return declared if able.sampling_tools else _without(declared, "tools")


def _roots(declared: Any, _: Abilities) -> Json | None:
    return _without(declared, "listChanged") if isinstance(declared, dict) else None


# ── what it is told ─────────────────────────────────────────────────────────────────────────────


def result(method: str, value: Json, version: str = _NEWEST) -> Json:
    """A canonical result as a client of this version gets it."""
    legacy = _of_its_era(_without(value, *_MODERN_MEMBERS))
    if method == "tools/call":
        return degrade.tool_result(legacy, degrade.abilities(version))
    if method == "prompts/get":
        return degrade.prompt_result(legacy, degrade.abilities(version))
    return legacy


def notification(message: Json) -> Json:
    """A notification (a whole message) as a legacy client gets it."""
    params = message.get("params")
    return {**message, "params": _of_its_era(params)} if isinstance(params, dict) else message


def definition(kind: Kind, defined: Json, version: str = _NEWEST) -> Json:
    """What a list says of a tool, prompt, resource or template, to a client of this version."""
    return degrade.definition(kind, defined, degrade.abilities(version))


def tool(defined: Json, version: str = _NEWEST) -> Json:
    """The same for a tool."""
    return definition(Kind.TOOL, defined, version)


def error(method: str, value: Mapping[str, Any]) -> Json:
    """A canonical error in the codes of the handshake versions."""
    code = value.get("code")
    if method == "resources/read" and code == INVALID_PARAMS:
        return {**value, "code": RESOURCE_NOT_FOUND_LEGACY}
    if code in _MODERN_ERRORS:  # they mean nothing before 2026-07-28
        return {**value, "code": INVALID_REQUEST}
    return dict(value)


def _of_its_era(body: Json) -> Json:
    meta = body.get("_meta")
    if not isinstance(meta, dict) or _MODERN_META.isdisjoint(meta):
        return body
    rest = _without(meta, *_MODERN_META)
    return {**body, "_meta": rest} if rest else _without(body, "_meta")


def _without(tree: Json, *names: str) -> Json:
    return {key: value for key, value in tree.items() if key not in names}


# ── what it is asked ────────────────────────────────────────────────────────────────────────────


def input_request(method: str, params: Json | None, version: str) -> Json | None:
    """An input request as a request to a client of this version, to be given an `id`.

    None when clients of this version cannot be asked so. `params` have passed `asking.check`.
    """
    able, asked = degrade.abilities(version), params or {}
    if method == asking.ELICITATION:
        adapted = _url(asked, able) if asked.get("mode") == "url" else _form(asked, able)
    elif method == asking.SAMPLING:
        adapted = _conversation(asked, able)
    else:
        adapted = asked
    return None if adapted is None else {"jsonrpc": "2.0", "method": method, "params": adapted}


def input_result(method: str, answer: Json) -> Json:
    """What such a client answered, as the input response that a modern one would have given."""
    if method == asking.ELICITATION and answer.get("content", {}) is None:
        return _without(answer, "content")
    return answer


def _url(params: Json, able: Abilities) -> Json | None:
    if not able.urls:
        return None
    if isinstance(params.get("elicitationId"), str):
        return params
    # nobody tells the client when it is over, so equal questions may share their id
    return {**params, "elicitationId": sha256(encode(params)).hexdigest()[:32]}


def _form(params: Json, able: Abilities) -> Json | None:
    if not able.forms:
        return None
    if able.urls:
        return params
    schema = _plain(params.get("requestedSchema"))
    return None if schema is None else {**_without(params, "mode"), "requestedSchema": schema}


def _plain(schema: Any) -> Json | None:
    """A form's schema without what 2025-11-25 added; None when a field is a choice of several."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(schema, dict) or not isinstance(properties, dict):
        return schema if isinstance(schema, dict) else None
    if any(
        isinstance(field, dict) and field.get("type") == "array" for field in properties.values()
    ):
        return None
    return {**schema, "properties": {name: _choice(field) for name, field in properties.items()}}


def _choice(field: Any) -> Any:
    options = field.get("oneOf") if isinstance(field, dict) else None
    if not isinstance(options, list) or not all(isinstance(each, dict) for each in options):
        return field
    values = [each.get("const") for each in options]
    titles = [each.get("title", each.get("const")) for each in options]
    return {**_without(field, "oneOf"), "enum": values, "enumNames": titles}


def _conversation(params: Json, able: Abilities) -> Json | None:
    if able.sampling_tools:
        return params
    messages = params.get("messages")
    if asking.of_tools(params) or not isinstance(messages, list):
        return None
    adapted = [each for message in messages for each in _single(message, able)]
    return {**_without(params, "tools", "toolChoice"), "messages": adapted}


def _single(message: Any, able: Abilities) -> Iterator[Any]:
    """A message of several blocks as several messages, for clients that know one block of each."""
    content = message.get("content") if isinstance(message, dict) else None
    for each in content if isinstance(content, list) else [content]:
        yield {**message, "content": degrade.block(each, able)} if content is not None else message
