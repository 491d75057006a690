"""What a client of a handshake version cannot understand, said in a way that it can.

SDKs of those versions fail on a content block or a schema of a kind that their version lacks, and
one such block would cost the whole result. Members that are merely unknown do no harm and stay.

Sources: the changelogs and schemas of 2024-11-05 to 2026-07-28.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from bawn.model import Json, Kind
from bawn.protocol.strict import encode


class Abilities(msgspec.Struct, frozen=True):
    """What a client understands by its version alone; nothing by default, as 2024-11-05."""

    audio: bool = False
    annotated_tools: bool = False
    links: bool = False  # blocks of type resource_link
    structured: bool = False  # structuredContent and outputSchema, which are objects
    titles: bool = False
    forms: bool = False
    urls: bool = False
    icons: bool = False
    sampling_tools: bool = False  # and several blocks in one message


_MARCH: Final = Abilities(audio=True, annotated_tools=True)
_JUNE: Final = msgspec.structs.replace(_MARCH, links=True, structured=True, titles=True, forms=True)
_NOVEMBER: Final = msgspec.structs.replace(_JUNE, urls=True, icons=True, sampling_tools=True)

OF: Final[Mapping[str, Abilities]] = {
    "2024-11-05": Abilities(),
    "2025-03-26": _MARCH,
    "2025-06-18": _JUNE,
    "2025-11-25": _NOVEMBER,
}


def abilities(version: str) -> Abilities:
    """What clients of this handshake version understand; the least, for one that is unknown."""
    return OF.get(version, OF["2024-11-05"])


# ── content ─────────────────────────────────────────────────────────────────────────────────────

_ALWAYS: Final = frozenset({"text", "image", "resource"})
_OF_LINKS: Final = frozenset({"uri", "name", "title", "description", "mimeType", "size", "icons"})
_OF_AUDIO: Final = frozenset({"data", "mimeType"})


def block(content: Any, able: Abilities) -> Any:
    """A content block of a result; of a type that the client lacks, a text that says what it was."""
    if not isinstance(content, dict):
        return content
    type_ = content.get("type")
    if isinstance(type_, str) and type_ in _ALWAYS:
        return content
    if type_ == "audio":
        return content if able.audio else _told(content, _audio(content), _OF_AUDIO)
    if type_ == "resource_link":
        return content if able.links else _told(content, _link(content), _OF_LINKS)
    own = content.get("text")
    text = own if isinstance(own, str) else f"[content of type {_shown(type_) or 'unknown'}]"
    return _told(content, text, frozenset())


def tool_result(value: Json, able: Abilities) -> Json:
    """The result of a tool, whose structured content goes into the text where it can't stay."""
    made = dict(value)
    content = made.get("content")
    if isinstance(content, list):
        made["content"] = content = _each(content, lambda one: block(one, able))
    if "structuredContent" not in made:
        return made
    structured = made["structuredContent"]
    if able.structured and isinstance(structured, dict):
        return made
    del made["structuredContent"]
    if content is None or (isinstance(content, list) and not any(map(_is_text, content))):
        copy = {"type": "text", "text": encode(structured).decode()}
        made["content"] = [*(content or []), copy]
    return made


def prompt_result(value: Json, able: Abilities) -> Json:
    """The result of a prompt: the same for the block in each of its messages."""
    messages = value.get("messages")
    if not isinstance(messages, list):
        return value
    return {**value, "messages": _each(messages, lambda one: _message(one, able))}


def _message(message: Any, able: Abilities) -> Any:
    if not isinstance(message, dict) or "content" not in message:
        return message
    content = message["content"]
    made = block(content, able)
    return message if made is content else {**message, "content": made}


def _told(content: Json, text: str, replaced: frozenset[str]) -> Json:
    kept = {key: value for key, value in content.items() if key not in replaced}
    return {**kept, "type": "text", "text": text}


def _audio(content: Json) -> str:
    return f"[audio, {_shown(content.get('mimeType')) or 'of unknown type'}]"


def _link(content: Json) -> str:
    name = _shown(content.get("title")) or _shown(content.get("name"))
    told = [name, _shown(content.get("uri")), _shown(content.get("mimeType"))]
    head = f"[resource: {', '.join(filter(None, told))}]"
    return f"{head} {_shown(content.get('description'))}".rstrip()


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_text(content: Any) -> bool:
    return isinstance(content, dict) and content.get("type") == "text"


def _each(listed: list[Any], change: Callable[[Any], Any]) -> list[Any]:
    """The list with each entry changed; the list itself when none is."""
    made = [change(entry) for entry in listed]
    return listed if all(map(_same, made, listed)) else made


def _same(one: Any, other: Any) -> bool:
    return one is other


# ── definitions ─────────────────────────────────────────────────────────────────────────────────


def definition(kind: Kind, defined: Json, able: Abilities) -> Json:
    """What a list says of a tool, prompt, resource or template; the same object if nothing changes."""
    dropped = _dropped(kind, defined, able)
    changed: Json = {}
    if kind is Kind.TOOL:
        changed = _schemas(defined, dropped)
    elif kind is Kind.PROMPT and not able.titles and isinstance(defined.get("arguments"), list):
        arguments = _each(defined["arguments"], _untitled)
        changed = {} if arguments is defined["arguments"] else {"arguments": arguments}
    if not dropped and not changed:
        return defined
    return {key: value for key, value in defined.items() if key not in dropped} | changed


def _dropped(kind: Kind, defined: Json, able: Abilities) -> frozenset[str]:
    unknown = [
        ("title", able.titles),
        ("icons", able.icons),
        ("annotations", able.annotated_tools or kind is not Kind.TOOL),
        ("outputSchema", kind is not Kind.TOOL or (able.structured and _of_object(defined))),
    ]
    return frozenset(name for name, known in unknown if not known and name in defined)


def _of_object(defined: Json) -> bool:
    schema = defined.get("outputSchema")
    return isinstance(schema, dict) and schema.get("type") == "object"


def _schemas(defined: Json, dropped: frozenset[str]) -> Json:
    """The schemas of a tool that need another spelling: before 2026-07-28 objects stood everywhere."""
    changed: Json = {}
    for name in ("inputSchema", "outputSchema"):
        schema = defined.get(name)
        properties = schema.get("properties") if isinstance(schema, dict) else None
        if name in dropped or not isinstance(schema, dict) or not isinstance(properties, dict):
            continue
        if any(isinstance(value, bool) for value in properties.values()):
            spelt = {key: _spelt(value) for key, value in properties.items()}
            changed[name] = {**schema, "properties": spelt}
    return changed


def _spelt(schema: Any) -> Any:
    """A boolean schema as the object that means the same."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    return schema


def _untitled(argument: Any) -> Any:
    if not isinstance(argument, dict) or "title" not in argument:
        return argument
    return {key: value for key, value in argument.items() if key != "title"}
