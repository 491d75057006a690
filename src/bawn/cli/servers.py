"""What the commands about servers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import fail
from bawn.cli.quoting import printable

if TYPE_CHECKING:
    from bawn.config.load import Loaded


NameArgument = Annotated[str, typer.Argument(help="Id of the server.", show_default=False)]


def tell_next(found: Loaded, done: str) -> None:
    """Say what was done to the file, and what comes next."""
    from bawn.config import trust

    print(done)
    if trust.needs_consent(found.config) and not trust.is_trusted(found.path, found.digest):
        print(
            f"Next: `bawn trust --config {found.path}`, for it does not serve before your consent."
        )
    else:
        print("A running gate takes it up with `bawn reload`.")


def insist_on(found: Loaded, name: str) -> None:
    """Exit with 2 when there is no such server."""
    if name not in found.config.servers:
        known = ", ".join(found.config.servers) or "none"
        fail(f"no server `{printable(name)}` in {found.path.name}; it has {known}.", code=2)
