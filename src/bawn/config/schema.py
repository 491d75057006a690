"""The settings for readers: a JSON Schema for editors, and the page docs/configuration.md.

`python -m bawn.config.schema > docs/configuration.md` writes the page.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from bawn.config import shape as shapes
from bawn.config.changes import AUTOMATIC
from bawn.config.environment import NOT_SETTINGS, variable
from bawn.config.model import Config
from bawn.config.server import SERVER_ID
from bawn.config.shape import Shape

TIERS: Final = ("stable", "preview", "experimental")

INTRODUCTION: Final = """\
# Configuration

<!-- Generated from src/bawn/config: change the model or schema.py there, then run
     `python -m bawn.config.schema > docs/configuration.md`. -->

bawn reads one YAML 1.2 file: the one given with `--config`, else `./bawn.yaml`, else
`bawn/bawn.yaml` in your configuration folder. Every key has a default, and an empty file is a
valid one. Unknown keys, duplicate keys, tags and wrong types are errors, reported all at once with
file and line. `bawn config check` checks a file, `bawn config show` prints what is in effect, and
`bawn config schema` prints a JSON Schema for editors.

Relative paths start from the directory of the file. Sizes are bytes and times are seconds.

## Environment variables

Each key can be set by an environment variable, which goes before the file: `BAWN_`, then the key in
capitals, with two underscores between levels. `BAWN_LIMITS__BODY=1048576` sets `limits.body`, and
`BAWN_SERVERS__MY_FILES__CWD=/srv` sets `servers.my-files.cwd`: an underscore also stands for the
hyphen of an id. Text is taken as it stands (`null` unsets what may be null); everything else is read
as YAML in flow style, so that `BAWN_HOSTS='[gate.example.com]'` is a list. A `BAWN_` variable that
is not a setting is an error, except {not_settings} and the variables that Kubernetes makes for a
Service named `bawn`.

## Secrets

Secrets are referred to, never written into the file:

| Reference | Where the secret lies |
| --- | --- |
| `${env:NAME}` | the environment that bawn is started with |
| `${file:PATH}` | a file of your own, with mode 0600; one trailing newline does not count |
| `${keyring:NAME}` | the keyring of this machine, under the service `bawn` |

`$${` stands for the two characters `${`. References are resolved in `auth.token` and in the values
of `env`, and nowhere else: arguments of a program can be read by every user of the machine.

- `auth.token` takes one reference.
- A plain value in `env` is accepted when its name does not denote a credential (words such as
  `TOKEN`, `KEY`, `SECRET` or `PASSWORD`, unless the name ends in one such as `FILE`, `URL` or
  `LIMIT`) and its look is not that of one: a known issuer's prefix, a login in a URL, or a long run
  of characters that are neither words nor plain numbers.
- An argument of `command` is refused when it bears a known issuer's prefix, holds a login in a URL,
  or belongs to a flag, assignment or header whose name denotes a credential (`--token=…`).
- A `url` is refused when a parameter of its query may be a secret.

## Consent

A file that starts programs (`command`) needs the owner's consent once: `bawn trust` shows each
command and asks. Consent is bound to the path of the file and to the SHA-256 of its content and of
all variables below `BAWN_SERVERS`; any change asks again. A file without any `command` needs none.

## Reload

A running gate applies changes by itself to these keys and what is below them: {automatic}.

Every other change waits for `bawn reload`, and so does a change that comes together with one that
waits.

## Stability

`stable` keys keep their name and meaning within a major version; `preview` keys may change with a
minor version and a note in the changelog; `experimental` keys may go at any time.
"""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the file; `x-stability` tells each key's tier."""
    schema = _for_editors(Config.model_json_schema())
    schema["properties"]["servers"]["propertyNames"] = {"pattern": f"^{SERVER_ID.pattern}$"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:bawn:configuration",
        **schema,
        "title": "bawn.yaml",
    }


def markdown() -> str:
    """The whole of docs/configuration.md."""
    names = [".".join(rule).replace("*", "<id>") for rule in AUTOMATIC]
    introduction = INTRODUCTION.replace(
        "{not_settings}", ", ".join(f"`{name}`" for name in sorted(NOT_SETTINGS))
    ).replace("{automatic}", ", ".join(f"`{name}`" for name in names))
    return "\n".join([introduction, "## Keys", "", *_tables()]).rstrip() + "\n"


def _for_editors(node: dict[str, Any]) -> dict[str, Any]:
    """Rename the tiers, and drop the titles that pydantic makes of names."""
    found: dict[str, Any] = {}
    for key, value in node.items():
        match key:
            case "title":
                continue
            case "tier":
                found["x-stability"] = value
            case "properties" | "$defs":
                found[key] = {name: _for_editors(inner) for name, inner in value.items()}
            case "anyOf":
                found[key] = [_for_editors(inner) for inner in value]
            case "items" | "additionalProperties" if isinstance(value, dict):
                found[key] = _for_editors(value)
            case _:
                found[key] = value
    return found


@dataclass(slots=True)
class _Table:
    """The keys of one section."""

    about: str = ""
    tier: str = "stable"
    required: tuple[str, ...] = ()
    rows: list[str] = field(default_factory=list)


def _tables() -> Iterator[str]:
    """A heading and a table for the top level, and for every section below it."""
    tables: dict[tuple[str, ...], _Table] = {(): _Table("What concerns the gate as a whole.")}
    for path, shape in shapes.walk():
        # Items and named sections stand two steps below the section that holds them.
        above = tables.get(path[:-1]) or tables[path[:-2]]
        tier = max(above.tier, shape.node.get("tier", "stable"), key=TIERS.index)
        if shape.kind == "section":
            tables[path] = _Table(shape.node["description"], tier, shape.required)
        elif not _holds_named_sections(shape):
            above.rows.append(_row(path, shape, tier, path[-1] in above.required))
    for path, table in tables.items():
        heading = f"`{_named(path)}`" if path else "Top level"
        yield from (f"### {heading}", "", table.about, "")
        yield "| Key | Type | Default | Stability | Meaning |"
        yield "| --- | --- | --- | --- | --- |"
        yield from (*table.rows, "")


def _holds_named_sections(shape: Shape) -> bool:
    inner = shape.child("")
    return shape.kind == "map" and inner is not None and inner.kind == "section"


def _row(path: tuple[str, ...], shape: Shape, tier: str, required: bool) -> str:
    default = "required" if required else f"`{json.dumps(_default(shape))}`"
    name = variable(path)
    override = f" <br>`{name}`" if name else ""
    meaning = shape.node["description"]
    return f"| `{_named(path)}` | {shape.expected} | {default} | {tier} | {meaning}{override} |"


def _default(shape: Shape) -> Any:
    empty: Any = {} if shape.kind == "map" else None
    return shape.node.get("default", empty)


def _named(path: tuple[str, ...]) -> str:
    return ".".join(path).replace(".[]", "[]").replace("*", "<id>")


if __name__ == "__main__":
    sys.stdout.write(markdown())
