"""An edition: all that is in force at one time. It is made whole, and never changed."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from bawn.errors import GATE_CUT, Refused
from bawn.model import Item, Principal

Kind: TypeAlias = Literal["gate", "server", "item", "principal", "token"]


class Cut(msgspec.Struct, frozen=True):
    """Something that the operator has switched off; `since` is in seconds since the epoch.

    `name` is empty for the gate, a server's id, `server:tool`, a principal's subject, or a token's id.
    """

    kind: Kind
    name: str
    since: float
    why: str = ""


class Edition(msgspec.Struct, frozen=True):
    """What workers obey.

    `epoch` counts configurations: a worker of another epoch is out of date. `view` is the digest of
    the View's file, None before the first. `ring` changes when the sealing keys have. `doubted` are servers
    that say that they have changed, and were not looked at since.
    """

    epoch: int
    workers: int
    view: str | None = None
    cuts: tuple[Cut, ...] = ()
    ring: int = 0
    doubted: tuple[str, ...] = ()


class Cuts:
    """The cuts of an edition, and what is in doubt, arranged for looking up."""

    def __init__(self, cuts: tuple[Cut, ...] = (), doubted: tuple[str, ...] = ()) -> None:
        def names(kind: Kind) -> frozenset[str]:
            return frozenset(cut.name for cut in cuts if cut.kind == kind)

        self.any: Final = bool(cuts or doubted)
        self.doubted: Final = frozenset(doubted)
        self.gate: Final = any(cut.kind == "gate" for cut in cuts)
        self.servers: Final = names("server")
        self.items: Final = names("item")
        self.principals: Final = names("principal")
        self.tokens: Final = names("token")

    def check_caller(self, principal: Principal, endpoint: str | None) -> None:
        """Let this principal in at this endpoint, unless one of them is cut.

        Raises:
            Refused: gate.cut.
        """
        if (
            self.gate
            or principal.token in self.tokens
            or principal.subject in self.principals
            or endpoint in self.servers
        ):
            raise Refused(GATE_CUT)

    def check_item(self, item: Item) -> None:
        """Let this item be used, unless it or its server is cut.

        Raises:
            Refused: gate.cut.
        """
        if item.server in self.servers or f"{item.server}:{item.name}" in self.items:
            raise Refused(GATE_CUT)


encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder(Edition).decode
