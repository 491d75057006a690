"""Tokens that stand for secrets, and that the gate alone turns back: for the same caller and server.

The secret is in the token, under the gate's key, with caller and server bound in and an end to it:
nothing is kept, and any worker can turn it back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from bawn.inspection.redaction.redact import Mask
from bawn.model import Detection, Severity
from bawn.protocol.sealing import Sealer, Unsealed

OPENS: Final = "[sealed:"
TRIGGERS: Final = (r"\[sealed:",)
"""What a message with a token in it has, for the gate of a survey."""

REFUSED: Final = "secret/token-refused"
"""The rule of tokens that are forged, expired, or another caller's or server's."""

LIFETIME: Final = 3600.0
_LONGEST: Final = 160 << 10
_MOST: Final = 256  # tokens of one text that are turned back


class Restored(msgspec.Struct, frozen=True):
    """A text with its tokens turned back, and those that could not be, by their spans in the text as given."""

    text: str
    refused: tuple[Detection, ...] = ()
    count: int = 0  # that were turned back


class Tokens:
    """Makes tokens and turns them back. `clock` is in seconds since the epoch, `lifetime` in seconds."""

    def __init__(
        self, sealer: Sealer, clock: Callable[[], float], lifetime: float = LIFETIME
    ) -> None:
        self._sealer, self._clock, self._lifetime = sealer, clock, lifetime

    def mask(self, principal: str, server: str) -> Mask:
        """A mask for `redact` of what one server answers to one caller, by `Principal.key`.

        Equal secrets of a message get equal tokens.
        """
        made: dict[str, str] = {}
        purpose = _purpose(principal, server)
        expires = self._clock() + self._lifetime

        def token(value: str, detection: Detection) -> str:
            if value not in made:
                sealed = self._sealer.seal(purpose, {"v": value, "e": expires})
                made[value] = f"{OPENS}{detection.rule.rpartition('/')[2]}:{sealed}]"
            return made[value]

        return token

    def restored(self, text: str, principal: str, server: str) -> Restored:
        """The text with this caller's tokens of this server turned back; others are left as they are."""
        if OPENS not in text:
            return Restored(text)
        parts: list[str] = []
        refused: list[Detection] = []
        at = count = 0
        for _ in range(_MOST):
            start = text.find(OPENS, at)
            end = text.find("]", start, start + _LONGEST) + 1
            if start < 0 or end == 0:
                break
            value = self._opened(text[start + len(OPENS) : end - 1], principal, server)
            parts += (text[at:start], text[start:end] if value is None else value)
            count += value is not None
            if value is None:
                refused.append(
                    Detection(
                        REFUSED,
                        Severity.HIGH,
                        start,
                        end,
                        "a sealed secret that is not this caller's and server's, or has expired",
                    )
                )
            at = end
        parts.append(text[at:])
        return Restored("".join(parts), tuple(refused), count)

    def restored_tree(
        self, tree: Any, principal: str, server: str, place: str = ""
    ) -> tuple[Any, list[tuple[str, Detection]]]:
        """A JSON value with its texts restored, and what was refused by its place (RFC 6901)."""
        if isinstance(tree, str):
            restored = self.restored(tree, principal, server)
            return restored.text, [(place, each) for each in restored.refused]
        refused: list[tuple[str, Detection]] = []
        if isinstance(tree, list):
            made: list[Any] = []
            for index, each in enumerate(tree):
                value, more = self.restored_tree(each, principal, server, f"{place}/{index}")
                made.append(value)
                refused += more
            return made, refused
        if not isinstance(tree, dict):
            return tree, refused
        fields: dict[str, Any] = {}
        for name, each in tree.items():
            below = f"{place}/{name.replace('~', '~0').replace('/', '~1')}"
            fields[name], more = self.restored_tree(each, principal, server, below)
            refused += more
        return fields, refused

    def _opened(self, token: str, principal: str, server: str) -> str | None:
        try:
            content = self._sealer.open(_purpose(principal, server), token.rpartition(":")[2])
        except Unsealed:
            return None
        value, expires = content.get("v"), content.get("e")
        if not isinstance(value, str) or not isinstance(expires, float | int):
            return None
        return value if self._clock() < expires else None


def _purpose(principal: str, server: str) -> str:
    return f"secret\n{server}\n{principal}"
