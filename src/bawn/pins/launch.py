"""How a local server is started: the owner's to change by consent, but for the package that is run."""

from __future__ import annotations

from typing import Final

from bawn.model import Json
from bawn.pins.digest import digest
from bawn.pins.ledger import FIRST_USE, Ledger
from bawn.pins.listed import LAUNCH
from bawn.pins.record import Change, Pin, Record

OWNER: Final = "the owner's configuration"


def launch_waits(record: Record) -> bool:
    """Whether the server would not be started as it was approved: nothing of it serves then."""
    return any(change.key == LAUNCH for change in record.waiting)


def admit_launch(
    server: str,
    definition: Json,
    record: Record | None,
    *,
    review: bool,
    consented: bool,
    now: float,
) -> Record:
    """The record after a look at how the server would be started; the same object if nothing is new.

    `consented` says that the owner has just agreed to the configuration as it is. Back at what was
    approved, a change is over if somebody rejected it, or the owner took it back so.

    Raises:
        Uncanonical: the launch cannot be pinned, such as one with a path that is not UTF-8.
    """
    ledger = Ledger(record or Record(server, 0.0))
    found = digest("launch", definition)
    pins, waiting = ledger.pins(LAUNCH), ledger.waiting(LAUNCH)
    if any(pin.digest == found for pin in pins):
        if waiting is not None and (consented or waiting.rejected):
            ledger.forget(LAUNCH)
        return ledger.close()
    refused = waiting is not None and waiting.rejected and waiting.digest == found
    by = "" if review or refused else _approver(definition, pins, waiting, consented)
    if by:
        ledger.pin(Pin("launch", "", found, definition, now, (by,)))
        ledger.forget(LAUNCH)
    else:
        ledger.wait(Change("launch", "", found, definition, now))
    return ledger.close()


def _approver(
    definition: Json, pins: tuple[Pin, ...], waiting: Change | None, consented: bool
) -> str:
    """By what a launch is approved without review; empty when somebody has to be asked."""
    if not pins:
        return FIRST_USE if waiting is None else ""
    package = definition.get("package")
    approved = [pin.definition.get("package") for pin in pins]
    same = package in approved or None in approved  # the first one that was installed for it
    return OWNER if consented and same else ""
