"""One text to learn from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """A text and its label (1: attack). `family` is its author and wording; `payload` what of it attacks.

    No payload in an attack: all of it. `group` is what is left out together when it is measured what
    carries over: an attack's family, an honest text's sentence.
    """

    text: str
    label: int
    family: str
    payload: str = ""
    group: str = ""
