"""What stands in a worker between requests, for all of its listeners alike."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from bawn.config import Limits
from bawn.errors import SESSION_UNKNOWN, Refused
from bawn.model import Principal
from bawn.protocol.sealing import Sealer, Unsealed
from bawn.transport.conversation import Conversation
from bawn.transport.replay import Replay

_PURPOSE: Final = "sse"


@dataclass(frozen=True, slots=True)
class Standing:
    """The logs of streams that may be told again, and the conversations over HTTP+SSE.

    Their handles are sealed, and name the worker: this one's place is `slot` among `workers`.
    """

    replay: Replay
    sealer: Sealer | None = None  # without one, HTTP+SSE is not served
    slot: int = 0
    workers: int = 1
    conversations: dict[str, Conversation] = field(default_factory=dict)
    most: int = Limits().listens
    """Conversations of one principal."""
    holders: Counter[str] = field(default_factory=Counter)

    @classmethod
    def within(
        cls, limits: Limits, sealer: Sealer | None = None, slot: int = 0, workers: int = 1
    ) -> Standing:
        """Nothing stands yet."""
        replay = Replay(limits.replay, limits.resume)
        return cls(replay, sealer, slot, workers, most=limits.listens)

    def seal(self, sealer: Sealer, principal: Principal, endpoint: str | None, name: str) -> str:
        """The handle of a conversation; it serves for nobody else."""
        told = {"p": principal.key, "e": endpoint, "o": self.slot, "r": name}
        return sealer.seal(_PURPOSE, told)

    def opened(self, handle: str, principal: Principal) -> tuple[str | None, int, str]:
        """Endpoint, owner and name that this principal's handle carries.

        Raises:
            Refused: session.unknown, whatever the cause.
        """
        try:
            if self.sealer is None:
                raise Unsealed
            said = self.sealer.open(_PURPOSE, handle)
        except Unsealed as error:
            raise Refused(SESSION_UNKNOWN) from error
        if said["p"] != principal.key:
            raise Refused(SESSION_UNKNOWN, detail="the stream is another principal's")
        return said["e"], said["o"], said["r"]

    def owns(self, owner: int) -> bool:
        """Whether this worker is the one that a handle means."""
        return owner % self.workers == self.slot
