"""Shared sessions, kept in memory."""

from __future__ import annotations

from bawn.ports import UpstreamSession


class MemorySessions:
    """Fills `ports.UpstreamSessions`."""

    def __init__(self) -> None:
        self.standing: dict[tuple[str, str], UpstreamSession] = {}

    def find(self, server: str, isolation: str) -> UpstreamSession | None:
        """Fills `ports.UpstreamSessions`."""
        return self.standing.get((server, isolation))

    def offer(
        self, server: str, isolation: str, session: UpstreamSession, instead: UpstreamSession | None
    ) -> UpstreamSession:
        """Fills `ports.UpstreamSessions`."""
        if self.standing.get((server, isolation)) == instead:
            self.standing[server, isolation] = session
        return self.standing[server, isolation]
