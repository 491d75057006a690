"""Poisoned definitions: what a server says of itself, with a purpose that is not its tools'."""

from __future__ import annotations

from bawn.detectors.definitions.examine import examine, flagged

__all__ = ("examine", "flagged")
