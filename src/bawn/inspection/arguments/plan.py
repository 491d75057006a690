"""What is checked of the arguments of one tool or prompt: compiled once, run for each call.

Every value whose kind is known is held against the checks of that kind; keys that reach prototypes are
looked for everywhere. Text and what is unknown have no typed check: other detectors look at all of it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

from bawn.config.inspection import ArgumentKind
from bawn.config.server import Server
from bawn.inspection.arguments import address, command, path, sql, template, value
from bawn.inspection.arguments.context import Context
from bawn.inspection.arguments.found import found
from bawn.inspection.arguments.kinds import TEXT, Sort, configured, sort_of
from bawn.inspection.arguments.schema import Schema
from bawn.model import Detection, Json

Check: TypeAlias = Callable[[str, Context], Iterable[Detection]]
Placed: TypeAlias = tuple[str, Detection]

_CHECKS: Final[Mapping[ArgumentKind, Check]] = {
    "command": command.check,
    "path": path.check,
    "url": address.url,
    "host": address.host,
    "sql": sql.check,
    "template": template.check,
    "code": template.code,
    "identifier": value.check,
}
_DEEPEST: Final = 128
_LEAVES: Final = 256
_ALL: Final = 2048
"""Places within one argument, and in all, of which the schema is read."""
_SORTED: Final = 8
_VARIANTS: Final = 64
_PROTOTYPE: Final = frozenset(
    {"__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__"}
)
_DOTTED: Final = (
    "__proto__.",
    "__proto__[",
    "constructor.prototype",
    "constructor[prototype",
    "prototype.__",
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is known of one place: its check if it has one, what lies below names, and what lies in items."""

    check: Check | None = None
    below: Mapping[str, Leaf] | None = None
    items: Leaf | None = None
    others: tuple[Leaf, ...] = ()  # of members that no schema names
    joined: bool = False  # the items are the words of one command


_NOTHING: Final = Leaf()


@dataclass(frozen=True, slots=True)
class Plan:
    """The checks of one tool's or prompt's arguments."""

    root: Leaf
    context: Context
    schema: Schema
    kinds: Mapping[str, ArgumentKind]

    @classmethod
    def of(cls, definition: Json, server: Server, base: Path) -> Self:
        """The plan for a definition as it was approved; `base` is where the configuration lies."""
        tool = str(definition.get("name", ""))
        set_ = configured(server.arguments, tool)
        about = f"{definition.get('title') or ''} {definition.get('description') or ''}"
        schema = definition.get("inputSchema")
        build = _Build(set_, tool, about, schema if isinstance(schema, dict) else {})
        root = build.prompt(definition) if schema is None else build.leaf("", "", schema, 0)
        return cls(root, Context.of(server, base), Schema.of(schema), build.kinds)

    def check(self, arguments: Any) -> list[Placed]:
        """What is found in arguments, each with its RFC 6901 pointer within them."""
        found_: list[Placed] = []
        _walk(arguments, self.root, self.context, "", found_, 0)
        return found_

    def invalid(self, arguments: Any) -> str | None:
        """What the approved schema does not allow in arguments, without any value of theirs."""
        return self.schema.invalid(arguments)

    @property
    def problem(self) -> str | None:
        """Why the schema could not be compiled, if so: then nothing is held against it."""
        return self.schema.problem


@dataclass(slots=True)
class _Build:
    """Leaves from a schema, with the kinds by dotted path as they are found."""

    configured: Mapping[str, ArgumentKind]
    tool: str
    about: str
    schema: Json
    kinds: dict[str, ArgumentKind] = None  # type: ignore[assignment]  # set below, for each its own
    left: int = 0
    all: int = _ALL

    def __post_init__(self) -> None:
        self.kinds = {}

    def prompt(self, definition: Json) -> Leaf:
        """The leaves of a prompt, whose arguments are texts by name."""
        given = definition.get("arguments")
        below = {
            name: self.leaf(name, name, {**each, "type": "string"}, 1)
            for each in (given if isinstance(given, list) else [])
            if isinstance(each, dict) and isinstance(name := each.get("name"), str)
        }
        for path_ in self.configured:
            below.setdefault(path_, self.leaf(path_, path_, {}, 1))
        return Leaf(below=below)

    def leaf(self, path_: str, name: str, schema: Any, depth: int) -> Leaf:
        """What is known of one place by its schema; deeper than 16 levels nothing is."""
        schema = self._resolved(schema)
        if depth <= 1:  # each argument has its share: recursive schemas have no end
            self.left = _LEAVES
        self.left -= 1
        self.all -= 1
        if not isinstance(schema, dict) or depth > 16 or self.left < 0 or self.all < 0:
            return _NOTHING
        sort = self._sort(path_, name, schema) if path_ else TEXT
        below = self._below(path_, schema, depth)
        items = self._items(path_, name, schema, depth)
        check = _checking(sort)
        if check is not None and _may_be_text(schema):
            self.kinds[path_] = sort.kind
        others = tuple(self._others(path_, name, schema, depth))
        return Leaf(check, below or None, items, others, sort.kind == "command" and not sort.word)

    def _sort(self, path_: str, name: str, schema: Json) -> Sort:
        chosen = self.configured.get(path_)
        if chosen is not None:
            return Sort(chosen)
        for part in islice(
            _variants(schema, self._resolved), _SORTED
        ):  # `anyOf` of a URL and null is a URL
            whole = schema if part is schema else {**schema, **part}
            sort = sort_of(name, whole, self.tool, self.about)
            if sort != TEXT:
                return sort
        return TEXT

    def _below(self, path_: str, schema: Json, depth: int) -> dict[str, Leaf]:
        """What is known of each member, from all that the schema is put together of."""
        below: dict[str, Leaf] = {}
        for name, leaf in self._members(path_, schema, depth):
            below[name] = _both(below[name], leaf) if name in below else leaf
        return below

    def _others(self, path_: str, name: str, schema: Json, depth: int) -> Iterator[Leaf]:
        for part in _variants(schema, self._resolved):
            named = part.get("patternProperties")
            several = (*(named.values() if isinstance(named, dict) else ()),)
            for inner in (*several, part.get("additionalProperties")):
                if isinstance(inner, dict):
                    yield self.leaf(path_, name, inner, depth + 1)

    def _members(self, path_: str, schema: Json, depth: int) -> Iterator[tuple[str, Leaf]]:
        before = f"{path_}." if path_ else ""
        for part in _variants(schema, self._resolved):
            properties = part.get("properties")
            if isinstance(properties, dict):
                for name, inner in properties.items():
                    yield name, self.leaf(before + name, name, inner, depth + 1)
        for name in self._heads(before):
            known = any(
                name in (part.get("properties") or {}) for part in _variants(schema, self._resolved)
            )
            if not known:
                yield name, self.leaf(before + name, name, {}, depth + 1)

    def _heads(self, before: str) -> set[str]:
        """Names that the configuration has below a place, whether or not the schema names them."""
        rests = (each.removeprefix(before) for each in self.configured if each.startswith(before))
        return {rest.partition(".")[0] for rest in rests if rest}

    def _items(self, path_: str, name: str, schema: Json, depth: int) -> Leaf | None:
        for part in _variants(schema, self._resolved):
            inner = part.get("items")
            if isinstance(inner, dict):
                own = {"description": schema.get("description", ""), **inner}
                return _item(self.leaf(path_, name, own, depth + 1))
        if schema.get("type") != "array":
            return None
        return _item(self.leaf(path_, name, {"type": "string"}, depth + 1))

    def _resolved(self, schema: Any) -> Any:
        """A schema behind a reference within the document; remote ones are never fetched."""
        for _ in range(8):
            reference = schema.get("$ref") if isinstance(schema, dict) else None
            if not isinstance(reference, str) or not reference.startswith("#/"):
                return schema
            target: Any = self.schema
            for part in reference[2:].split("/"):
                target = (
                    target.get(part.replace("~1", "/").replace("~0", "~"))
                    if isinstance(target, dict)
                    else None
                )
            schema = (
                {**target, **{key: each for key, each in schema.items() if key != "$ref"}}
                if isinstance(target, dict)
                else None
            )
        return schema


def _item(leaf: Leaf) -> Leaf:
    """An item of a list: what is a command line by its name is one word of it there."""
    return replace(leaf, check=command.item) if leaf.check is command.check else leaf


def _both(one: Leaf, other: Leaf) -> Leaf:
    """What two variants of a schema say of the same place."""
    return Leaf(
        one.check or other.check,
        {**(other.below or {}), **(one.below or {})} or None,
        one.items or other.items,
        one.others + other.others,
        one.joined or other.joined,
    )


def _variants(schema: Json, resolved: Callable[[Any], Any]) -> Iterator[Json]:
    """A schema, and those that it is put together from, at most 64."""
    waiting = [schema]
    for _ in range(_VARIANTS):
        if not waiting:
            return
        each = waiting.pop(0)
        yield each
        lists = (each.get(key) for key in ("anyOf", "oneOf", "allOf"))
        several = [part for parts in lists if isinstance(parts, list) for part in parts[:_VARIANTS]]
        inner = (resolved(part) for part in (*several, each.get("then"), each.get("else")))
        waiting += [part for part in inner if isinstance(part, dict)]


def _may_be_text(schema: Json) -> bool:
    type_ = schema.get("type")
    if isinstance(type_, str):
        return type_ in ("string", "array", "any")
    return True


def _checking(sort: Sort) -> Check | None:
    if sort.word:
        return command.word
    if sort.kind == "url" and (sort.custom or sort.remote or sort.inline):
        return partial(address.url, custom=sort.custom, remote=sort.remote, inline=sort.inline)
    return _CHECKS.get(sort.kind)


def _walk(
    node: Any, leaf: Leaf, context: Context, place: str, into: list[Placed], depth: int
) -> None:
    if isinstance(node, str):
        if leaf.check is not None:
            into.extend((place, each) for each in leaf.check(node, context))
    elif isinstance(node, dict):
        if depth < _DEEPEST:
            _object(node, leaf, context, place, into, depth)
    elif isinstance(node, list) and depth < _DEEPEST:
        _array(node, leaf, context, place, into, depth)


def _object(
    node: Json, leaf: Leaf, context: Context, place: str, into: list[Placed], depth: int
) -> None:
    below, others = leaf.below, leaf.others
    if leaf.check is not None and below is None and not others:
        others = (leaf,)  # an object in the place of a text: each text in it is taken for that
    for key, each in node.items():
        if key[:1] in "_cp" and _is_prototype(key, each):
            into.append((_pointer(place, key), found("value-prototype", key)))
        inner = below.get(key) if below is not None else None
        if inner is None:
            for other in others:
                _walk(each, other, context, _pointer(place, key), into, depth + 1)
            inner = _NOTHING
            if others:
                continue
        # most arguments are texts without a check, numbers or truth values: nothing to do for these
        if inner.check is not None or isinstance(each, (dict, list)):
            _walk(each, inner, context, _pointer(place, key), into, depth + 1)


def _array(
    node: list[Any], leaf: Leaf, context: Context, place: str, into: list[Placed], depth: int
) -> None:
    items = leaf.items or (_item(leaf) if leaf.check is not None else _NOTHING)
    for at, each in enumerate(node):
        if items.check is not None or isinstance(each, (dict, list)):
            _walk(each, items, context, f"{place}/{at}", into, depth + 1)
    if leaf.joined and node and all(isinstance(each, str) for each in node):
        into.extend((place, each) for each in command.check(shlex.join(node), context))


def _pointer(place: str, key: str) -> str:
    if "/" in key or "~" in key:
        key = key.replace("~", "~0").replace("/", "~1")
    return f"{place}/{key}"


def _is_prototype(key: str, each: Any) -> bool:
    if key in _PROTOTYPE or key.startswith(_DOTTED):
        return True
    return key == "constructor" and isinstance(each, dict) and "prototype" in each
