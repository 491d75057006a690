"""`bawn config`: look at the configuration, check it, and help an editor with it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bawn.cli.options import ConfigOption, JsonOption
from bawn.cli.quoting import printable
from bawn.cli.reading import loaded

app = typer.Typer(no_args_is_help=True)


@app.command()
def schema() -> None:
    """Print the JSON Schema of bawn.yaml, for editors. (stable)"""
    from bawn.config.schema import json_schema

    print(json.dumps(json_schema(), indent=2))


@app.command()
def docs() -> None:
    """Print docs/configuration.md: every key with its type, default and meaning. (stable)"""
    from bawn.config.schema import markdown

    print(markdown(), end="")


@app.command()
def show(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print the configuration in effect: file, environment and defaults. Secrets are hidden. (stable)"""
    from bawn.config.render import effective, rendered

    found = loaded(config)
    tree = effective(found.config)
    if as_json:
        print(json.dumps(tree, indent=2))
        return
    print(f"# {printable(str(found.path))}, with the environment and the defaults")
    for line in rendered(tree):
        print(printable(line))


@app.command()
def check(
    config: ConfigOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print problems only.")] = False,
) -> None:
    """Check the configuration: exit code 0 when it can be used, 2 with every problem if not. (stable)"""
    from bawn.app import policies
    from bawn.app.launches import refuse_launches
    from bawn.cli.reading import explained
    from bawn.config.roots import refuse_roots

    found = loaded(config)
    with explained():
        refuse_roots(found)
        refuse_launches(found.config)
        policies.read(found)
    if not quiet:
        count = len(found.config.servers)
        print(f"{printable(str(found.path))}: fine; {count} server{'' if count == 1 else 's'}.")
