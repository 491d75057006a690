"""The public corpus: its files, and which rows are held back from training and tuning.

Rows are held back in groups, so that nothing of a server, a rule or an author that is measured was seen
while thresholds and models were made. Which rows these are follows from their group alone; the digest
of all their ids was committed before the first training (`held-back.sha256`).
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

DIGEST: Final = Path(__file__).with_name("held-back.sha256")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of one file. `id` is a digest of what it says; `held` rows are for measuring alone."""

    id: str
    file: str
    held: bool
    value: Json


def _text(row: Json) -> str:
    return str(row["text"])


def _technique(row: Json) -> str:
    return str(row["technique"]).split("/")[0]


def _author(row: Json) -> str:
    """Of these two authors the one is held back whole, the other by text."""
    return "gandalf" if row["technique"] == "jailbreak" else _text(row)


GROUPS: Final[Mapping[str, Callable[[Json], str]]] = {
    "benign_tools/benign_tools": lambda row: str(row["server"]),
    "poisoned_tools/grafted": lambda row: str(row["tool"]["name"]),
    "poisoned_tools/cisco_overt": lambda row: str(row["tool"]["name"]),
    "poisoned_tools/cisco_code_only": lambda row: str(row["technique"]),
    "poisoned_tools/atr_tool_description": _technique,
    "injection_outputs/atr_cases": _technique,
    "injection_outputs/deepset_gandalf": _author,
    "injection_outputs/bipia_payloads": lambda row: str(row["technique"]).split("/")[1],
    "injection_outputs/cyberseceval_pi": lambda row: "cyberseceval",
    "injection_outputs/notinject": _text,
    "injection_outputs/piguard_valid_wildguard": _text,
    "benign_outputs/livemcpbench_tool_outputs": _text,
    "benign_outputs/bipia_contexts": _text,
    "cmdinj/payloads": _text,
    "cmdinj/benign_commands_tldr": lambda row: _text(row).split()[0] if _text(row).split() else "",
    "pathtrav/payloads": _text,
    "ssrf/payloads": _text,
    "launch_configs/benign": lambda row: str(row["server"]),
    "secrets/synthetic_secrets": lambda row: str(row["rule"]),
    "secrets/gitleaks_false_positives": lambda row: str(row["rule"]),
}

_WHOLE: Final = frozenset({"gandalf", "cyberseceval", "test"})  # groups that are held back by name
_KEPT: Final = frozenset({"train"})


def rows(corpus: Path, file: str) -> Iterator[Row]:
    """The rows of one file, which is named without its ending."""
    group = GROUPS[file]
    with gzip.open(corpus / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            value: Json = json.loads(line)
            id_ = hashlib.sha256(f"{file}|{_canonical(value)}".encode()).hexdigest()[:16]
            yield Row(id_, file, _is_held(file, group(value)), value)


def held_back(corpus: Path) -> str:
    """The digest of the ids of all rows that are held back."""
    ids = sorted({row.id for file in GROUPS for row in rows(corpus, file) if row.held})
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def _is_held(file: str, group: str) -> bool:
    """A third of the groups, and those that stand for an author."""
    if group in _WHOLE:
        return True
    digest = hashlib.sha256(f"bawn|{file}|{group}".encode()).digest()
    return group not in _KEPT and digest[0] % 3 == 0


def _canonical(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


if __name__ == "__main__":
    import sys

    sys.stdout.write(f"{held_back(Path(sys.argv[1]))}\n")
