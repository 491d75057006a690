"""One YAML 1.2 document read as plain data, with the line of every key.

Only what a configuration needs is accepted: one document, the core schema, keys that are text. Tags,
duplicate keys and anything that grows without bound are refused.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from bawn.errors import Misconfigured

Path: TypeAlias = tuple[str | int, ...]

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 32
MAX_VALUES: Final = 20_000

# YAML 1.2.2 section 10.3.2, "Tag Resolution" of the core schema; infinities and NaN stay text.
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_OTHER_INT = re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,400}|[0-9]{1,400}(\.[0-9]{0,400})?)([eE][-+]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Span:
    """Where a key and its value stand: zero-based lines, `last` included, and the key's column."""

    first: int
    last: int
    column: int
    flow: bool


@dataclass(frozen=True, slots=True)
class Document:
    """The data of a file, and where each part of it stands."""

    tree: dict[str, Any]
    spans: dict[Path, Span]

    def line(self, path: Path) -> int | None:
        """The line (from 1) of a key, or of the nearest key around it."""
        for end in range(len(path), 0, -1):
            if span := self.spans.get(path[:end]):
                return span.first + 1
        return None


def read(raw: bytes, name: str) -> Document:
    """Read a file's content; `name` is what problems call the file. An empty file is an empty mapping.

    Raises:
        Misconfigured: with file and line, and what was expected.
    """
    builder = _Builder(_events(_decode(raw, name), name), name)
    tree = builder.document()
    if builder.problems:
        raise Misconfigured(*builder.problems)
    return Document(tree, builder.spans)


def scalar(text: str) -> Any:
    """What a plain scalar means in the core schema."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    if _OTHER_INT.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) and math.isfinite(value := float(text)):
        return value
    return text


def _decode(raw: bytes, name: str) -> str:
    if len(raw) > MAX_BYTES:
        raise Misconfigured(f"{name}: larger than {MAX_BYTES} bytes; expected a configuration file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        raise Misconfigured(f"{name}:{line}: not UTF-8; save the file in that encoding") from None


def _events(text: str, name: str) -> Iterator[Event]:
    try:
        yield from YAML(typ="safe", pure=True).parse(io.StringIO(text))
    except MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        what = problem.problem or "it cannot be parsed"
        if "\\t" in what:
            what = "found a tab; expected spaces for indentation"
        raise Misconfigured(f"{name}:{line}: not valid YAML: {what}") from None
    except Exception as problem:  # noqa: BLE001 - the parser fails in many ways on malformed text
        what = str(getattr(problem, "reason", "")) or "it cannot be parsed"
        raise Misconfigured(f"{name}: not valid YAML: {what}") from None


@dataclass(slots=True)
class _Builder:
    """Turns parser events into data, and notes where things stand."""

    events: Iterator[Event]
    name: str
    problems: list[str] = field(default_factory=list)
    spans: dict[Path, Span] = field(default_factory=dict)
    anchors: dict[str, Any] = field(default_factory=dict)
    values: int = 0
    last: int = 0  # the last line that holds content so far

    def document(self) -> dict[str, Any]:
        tree: Any = None
        seen = False
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                self._directives(event, seen)
                seen = True
            elif not isinstance(event, (StreamEndEvent, DocumentEndEvent)) and seen:
                tree = self._node(event, ())
        if tree is None:
            return {}
        if not isinstance(tree, dict):
            raise Misconfigured(
                f"{self.name}:1: expected a mapping of settings such as `listen: 127.0.0.1:8811`, "
                f"got {kind_of(tree)}"
            )
        return tree

    def _directives(self, event: DocumentStartEvent, seen: bool) -> None:
        if seen:
            raise self._refusal(event, "a second document begins; expected one")
        if event.version not in {None, (1, 2)} or event.tags:
            raise self._refusal(event, "expected YAML 1.2 without directives")

    def _node(self, event: Event, path: Path) -> Any:
        self._count(event, path)
        if isinstance(event, AliasEvent):
            self.last = event.end_mark.line
            return self._alias(event, path)
        if not isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent):
            raise self._refusal(event, "expected a value")
        if event.tag is not None:
            self._note(event, "tags are not supported; write the plain value")
        value: Any
        match event:
            case ScalarEvent():
                value = self._scalar(event)
            case SequenceStartEvent():
                value = self._sequence(path)
            case MappingStartEvent():
                value = self._mapping(path)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return value

    def _mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, MappingEndEvent):
                self._closed(event)
                break
            if not isinstance(event, ScalarEvent):
                raise self._refusal(event, "expected a name as the key")
            key = self._text(event)
            if key in found:
                first = self.spans[(*path, key)].first + 1
                self._note(
                    event,
                    f"{dotted((*path, key))}: stands here a second time, first on line {first}",
                )
            value = self._entry(event, (*path, key))
            found.setdefault(key, value)
        return found

    def _sequence(self, path: Path) -> list[Any]:
        found: list[Any] = []
        for event in self.events:
            if isinstance(event, SequenceEndEvent):
                self._closed(event)
                break
            found.append(self._entry(None, (*path, len(found)), event))
        return found

    def _entry(self, key: ScalarEvent | None, path: Path, event: Event | None = None) -> Any:
        """The value of a key or list item, with its span noted."""
        start = event if event is not None else next(self.events)
        mark = (key or start).start_mark
        flow = bool(getattr(start, "flow_style", False))
        self.last = max(self.last, mark.line)
        value = self._node(start, path)
        self.spans[path] = Span(mark.line, self.last, mark.column, flow)
        return value

    def _scalar(self, event: ScalarEvent) -> Any:
        end = event.end_mark
        if end.index == event.start_mark.index:
            return None  # nothing is written there; the marks are those of what comes next
        # A block scalar ends at the start of the line after it.
        spills = end.column == 0 and end.line > event.start_mark.line
        self.last = max(self.last, end.line - 1 if spills else end.line)
        text = self._text(event)
        return scalar(text) if event.style in {None, ""} else text

    def _text(self, event: ScalarEvent) -> str:
        text = str(event.value)
        if not encodable(text):
            self._note(event, "a lone surrogate is not a character; expected plain text")
            return text.encode("utf-8", "replace").decode()
        return text

    def _alias(self, event: AliasEvent, path: Path) -> Any:
        if event.anchor not in self.anchors:
            raise self._refusal(
                event, f"the alias *{event.anchor} stands for nothing defined before it"
            )
        return self._copy(self.anchors[event.anchor], event, path)

    def _copy(self, value: Any, event: Event, path: Path) -> Any:
        """A copy of its own for each alias: overrides change one place, and the copies are counted."""
        self._count(event, path)
        if isinstance(value, dict):
            return {key: self._copy(item, event, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._copy(item, event, (*path, at)) for at, item in enumerate(value)]
        return value

    def _closed(self, event: Event) -> None:
        # Flow collections end at their bracket; block ones wherever their last content ended.
        if event.end_mark.column > event.start_mark.column:
            self.last = max(self.last, event.end_mark.line)

    def _count(self, event: Event, path: Path) -> None:
        self.values += 1
        if self.values > MAX_VALUES:
            raise self._refusal(event, f"more than {MAX_VALUES} values, aliases counted in full")
        if len(path) > MAX_DEPTH:
            raise self._refusal(event, f"nested deeper than {MAX_DEPTH} levels")

    def _note(self, event: Event, what: str) -> None:
        self.problems.append(f"{self.name}:{event.start_mark.line + 1}: {what}")

    def _refusal(self, event: Event, what: str) -> Misconfigured:
        return Misconfigured(*self.problems, f"{self.name}:{event.start_mark.line + 1}: {what}")


def dotted(path: Path) -> str:
    """A path as people write it: `servers.files.command[1]`. Keys that do not print are escaped."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if step.isprintable() else ascii(step))
    return text


def kind_of(value: Any) -> str:
    """What a value is, without telling it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def encodable(text: str) -> bool:
    """Whether a text can be written as UTF-8: it has no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
