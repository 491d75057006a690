"""Cedar statements as we write them: permits for what is known to be wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bawn.model import Item, Principal
from bawn.policy import actions

_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text: str) -> str:
    """A string literal; what does not print is escaped.

    Source: docs.cedarpolicy.com, "Grammar", STR.
    """
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in _ESCAPED:
        return _ESCAPED[char]
    return char if char.isprintable() else f"\\u{{{ord(char):x}}}"


def uid(type_: str, id_: str) -> str:
    """An entity as policies name it."""
    return f"{type_}::{quoted(id_)}"


def person(principal: Principal) -> str:
    """The entity of a principal; policies name people and agents by their subject."""
    agent = principal.subject and principal.agent == principal.subject
    return uid("Agent" if agent else "User", principal.subject)


def resource(item: Item) -> str:
    """The entity of an item."""
    return uid(item.kind.value.capitalize(), f"{item.server}/{item.name}")


def statement(
    who: str, what: Sequence[str], where: str, *, when: str = "", id_: str = "", note: str = ""
) -> str:
    """A permit over several lines, the way `bawn policy fmt` writes it."""
    named = f"@id({quoted(id_)})\n" if id_ else ""
    told = f"// {note}\n" if note else ""
    condition = f"\nwhen {{ {when} }}" if when else ""
    return f"{told}{named}permit (\n  {who},\n  {_actions(what)},\n  {where}\n){condition};\n"


def exception(principal: Principal, item: Item, methods: Iterable[str] = ()) -> str:
    """The narrowest permit that lets this principal use this item, on one line.

    `methods` are accompanying ones that are wanted besides.
    """
    wanted = [actions.main(item), *sorted(set(methods))]
    issuer = (
        f" when {{ principal.issuer == {quoted(principal.issuer)} }}" if principal.issuer else ""
    )
    return (
        f"permit (principal == {person(principal)}, {_actions(wanted)}, "
        f"resource == {resource(item)}){issuer};"
    )


def sparing(principal: Principal, item: Item) -> str:
    """The clause by which a forbid spares this principal's use of this item, and nothing else."""
    clause = f"principal == {person(principal)} && resource == {resource(item)}"
    if principal.issuer:
        clause += f" && principal.issuer == {quoted(principal.issuer)}"
    return f"unless {{ {clause} }}"


def _actions(ids: Sequence[str]) -> str:
    uids = [uid("Action", each) for each in ids]
    if len(uids) > 1:
        return f"action in [{', '.join(uids)}]"
    return f"action {'in' if ids[0] == actions.CALL else '=='} {uids[0]}"
