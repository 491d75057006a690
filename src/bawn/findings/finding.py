"""What a check found: how grave, of which kind, where, and what to do."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Level: TypeAlias = Literal["error", "warning", "note"]


class Finding(msgspec.Struct, frozen=True):
    """One finding. `kind` is a stable name, such as `policy/type` or `launch/shell`.

    `rule` is the id of a policy, `subject` what else it is about, such as `files` or `files/read_file`.
    A note says what is worth knowing, and calls for nothing. `line` is 0 where there is none.
    """

    level: Level
    kind: str
    rule: str
    file: str
    line: int
    message: str
    fix: str = ""
    subject: str = ""

    @property
    def place(self) -> str:
        """Where it is, for people; empty when it is of no file."""
        return f"{self.file}:{self.line}" if self.line else self.file
