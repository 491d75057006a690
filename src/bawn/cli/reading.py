"""Reading the configuration for a command: what is wrong with it goes to the user, line by line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bawn.cli.options import find_config
from bawn.cli.quoting import printable
from bawn.errors import Misconfigured

if TYPE_CHECKING:
    from bawn.config.load import Loaded


def loaded(config: Path | None) -> Loaded:
    """The configuration in effect; exits with 2 and every problem when it cannot be used."""
    from bawn.config.load import load

    path = find_config(config)
    with explained():
        return load(path, os.environ)


@contextmanager
def explained() -> Iterator[None]:
    """Turn Misconfigured into its lines on standard error and exit code 2."""
    try:
        yield
    except Misconfigured as error:
        for problem in error.problems:
            first, *more = map(printable, problem.split("\n"))
            print(f"bawn: {first}", *more, sep="\n", file=sys.stderr)
        raise typer.Exit(2) from None


def on_terminal() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()
