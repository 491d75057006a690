"""Reading the configuration for a command: what is wrong with it goes to the user, line by line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from bawn.cli.options import find_config
from bawn.config.load import Loaded, load
from bawn.errors import Misconfigured


def loaded(config: Path | None) -> Loaded:
    """The configuration in effect; exits with 2 and every problem when it cannot be used."""
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
            print(f"bawn: {problem}", file=sys.stderr)
        raise typer.Exit(2) from None


def on_terminal() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()
