"""What commands share: the options, where the configuration is, and how a command says no."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="Configuration file. Default: ./bawn.yaml, then the one in your configuration folder.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def user_config() -> Path:
    """The configuration file of this user: $XDG_CONFIG_HOME/bawn/bawn.yaml."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "bawn" / "bawn.yaml"


def find_config(given: Path | None) -> Path:
    """The configuration file to use; exits with 2 when there is none."""
    candidates = [given] if given else [Path("bawn.yaml"), user_config()]
    for path in candidates:
        if path.is_file():
            return path.resolve()
    looked = " nor ".join(str(path) for path in candidates)
    fail(f"no configuration: found neither {looked}.", "Write one with `bawn init`.", code=2)


def fail(what: str, next_step: str = "", *, code: int = 1) -> NoReturn:
    """Say what happened and the next step on standard error, and exit."""
    print(f"bawn: {what}", file=sys.stderr)
    if next_step:
        print(f"      {next_step}", file=sys.stderr)
    raise typer.Exit(code)
