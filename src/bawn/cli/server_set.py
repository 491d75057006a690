"""`bawn server set`: what the registry says of a server, changed in the file with its comments kept."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bawn.cli.options import ConfigOption, fail, find_config
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded
from bawn.cli.servers import NameArgument, insist_on, tell_next

if TYPE_CHECKING:
    from bawn.config.server import Server

_KEYS: Final = ("owner", "purpose", "source", "tenant", "status")
_ASSIGNMENT: Final = re.compile(r"([a-z]+)(=|\+=|-=)(.*)", re.DOTALL)


def set_facts(
    name: NameArgument,
    facts: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE...",
            help="owner=…, purpose=…, source=…, tenant=…, status=active|deprecated|disabled, "
            "label+=X, label-=X, labels=X,Y. An empty value takes the key out.",
            show_default=False,
        ),
    ],
    config: ConfigOption = None,
) -> None:
    """Change what the file says of a server: all of it or nothing, with every comment kept. (preview)"""
    from bawn.config import edit

    found = loaded(config)
    insist_on(found, name)
    server = found.config.servers[name]
    changes = _changes(server, facts)
    real = {key: value for key, value in changes.items() if _now(server, key) != _text(key, value)}
    if not real:
        print("Nothing to change.")
        return
    with explained():
        after = edit.change(find_config(config), name, real, os.environ)
    for key in real:
        before, now = _now(server, key), _now(after.config.servers[name], key)
        print(f"{key}: {printable(before) or '-'} → {printable(now) or '-'}")
    tell_next(after, f"Changed `{name}` in {printable(str(after.path))}.")


def _changes(server: Server, facts: list[str]) -> dict[str, Any]:
    """New values by key; None takes the key out."""
    changes: dict[str, Any] = {}
    labels = list(server.labels)
    for fact in facts:
        match = _ASSIGNMENT.fullmatch(fact)
        if match is None:
            fail(
                f"{printable(fact)!r}: expected KEY=VALUE, label+=X or label-=X.",
                f"The keys are {', '.join(_KEYS)}, label and labels.",
                code=2,
            )
        key, how, value = match.groups()
        if key in {"label", "labels"}:
            labels = _labels(labels, key, how, value)
            changes["labels"] = labels or None
        elif key not in _KEYS or how != "=":
            fail(
                f"{printable(key)}{how}: not something that is set here.",
                f"The keys are {', '.join(_KEYS)}, label and labels; "
                "what starts a server is changed in the file.",
                code=2,
            )
        elif key in changes:
            fail(f"{key}: stands there twice.", code=2)
        else:
            changes[key] = value or None
    return changes


def _labels(labels: list[str], key: str, how: str, value: str) -> list[str]:
    if key == "labels" and how == "=":
        return list(dict.fromkeys(filter(None, value.split(","))))
    if not value or how == "=":
        fail("expected label+=X, label-=X or labels=X,Y.", code=2)
    if how == "-=":
        if value not in labels:
            told = ", ".join(labels) or "none"
            fail(f"there is no label {printable(value)!r}; it has {told}.", code=2)
        return [label for label in labels if label != value]
    return labels if value in labels else [*labels, value]


def _now(server: Server, key: str) -> str:
    value = getattr(server, key)
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _text(key: str, value: Any) -> str:
    if value is None:
        return "active" if key == "status" else ""
    return ", ".join(value) if isinstance(value, list) else str(value)
