"""A process that buries handles and says so: `python -m tests.e2e.store_writer STATE NAME`."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from bawn.errors import Refused
from bawn.ports import UpstreamSession
from bawn.storage import StateDirectory
from bawn.storage.database import NAME, Database
from bawn.storage.tombstones import Tombstones
from bawn.storage.upstream_sessions import SharedSessions
from tests.e2e.audit_writer import tell


def main(state: StateDirectory, name: str) -> None:
    """Write until killed; a line for each thing that was acknowledged, or refused."""
    database = Database(state.path / NAME)
    graves, sessions = Tombstones(database), SharedSessions(database, state)
    for number in itertools.count():
        try:
            graves.bury(f"{name}-{number}", 2e10)
        except Refused as refused:
            tell(f"refused {refused.reason.id}")
            continue
        sessions.offer("files", f"{name}-{number}", UpstreamSession({}, "v", "id"), None)
        tell(f"buried {name}-{number}")


if __name__ == "__main__":
    main(StateDirectory(Path(sys.argv[1])), sys.argv[2])
