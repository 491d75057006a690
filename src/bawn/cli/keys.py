"""`bawn keys`: the keys that seal sessions and cursors."""

from __future__ import annotations

import json as jsonlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.reading import explained, loaded

if TYPE_CHECKING:
    from pathlib import Path

    from bawn.storage.ring import Ring

ForgetOption = Annotated[
    bool,
    typer.Option(
        "--forget",
        help="Drop every older key as well: all sessions and cursors end, clients begin anew.",
    ),
]


def show(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show when each sealing key was made; never the keys. (preview)"""
    found = loaded(config)
    with explained():
        made = _ring(found.state).made()
    if json:
        print(jsonlib.dumps([{"made": each} for each in made]))
        return
    for number, each in enumerate(made):
        use = "seals and opens" if number == 0 else "opens"
        print(f"{datetime.fromtimestamp(each, UTC).isoformat(' ', 'seconds')}  {use}")


def rotate(forget: ForgetOption = False, config: ConfigOption = None) -> None:
    """Seal with a new key from here on; the older ones go on opening what they sealed.

    The gate does this by itself every seven days. (preview)
    """
    from bawn.app.control import NotRunningError, ask
    from bawn.protocol.sessions import LIFETIME

    found = loaded(config)
    with explained():
        ring = _ring(found.state)
        if forget:
            ring.forget(time.time())
        else:
            ring.rotate(time.time(), keep=LIFETIME)
        try:
            answer = ask(found.state, "keys")
        except NotRunningError:
            print("rotated; no gate runs, its next start uses the new key")
            return
    if "error" in answer:
        fail(f"rotated, but {answer['error']}", "Repeat it once that is mended.", code=1)
    print("rotated, and in use by every worker")


def _ring(state: Path) -> Ring:
    from bawn.storage import StateDirectory
    from bawn.storage.ring import Ring

    return Ring(StateDirectory(state).keys)
