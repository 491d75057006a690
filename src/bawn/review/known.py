"""The View that the gate last published: what its servers offer, as far as that is known here."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bawn.barrier import edition, views
from bawn.barrier.page import Barrier, TornError
from bawn.barrier.shelf import Shelf
from bawn.errors import Refused
from bawn.model import View


def view(barrier: Callable[[], Barrier], shelf: Shelf) -> View | None:
    """What is in force at the gate whose barrier and shelf these are; None when no gate tells."""
    try:
        page = barrier()
        try:
            number, digest = page.read()
        finally:
            page.close()
        if number == 0:
            return None
        named = edition.decode(shelf.get(digest.hex())).view
        return None if named is None else views.load(shelf.get(named))
    except (OSError, ValueError, TornError, Refused, msgspec.MsgspecError):
        return None
