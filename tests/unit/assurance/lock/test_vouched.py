"""Who vouches for a lockfile is told, and that somebody has to who does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bawn.assurance.lock.reading import Lock, parse
from bawn.assurance.lock.vouched import vouched
from bawn.signing import lock as signing
from tests.lockfiles import configured, text
from tests.signers import DAY, NOW, Office, person

ROOT = Office().content


def lock(tmp_path: Path, *names: str) -> Lock:
    tree = parse(text(configured(tmp_path).config), "x").tree
    signed = signing.sign(tree, [person(each) for each in names], NOW, 90 * DAY)
    return parse(json.dumps(signed).encode(), "x")


@pytest.mark.parametrize(
    ("names", "days", "kind", "level"),
    [
        (("rita", "rob"), 1, "lock/signed", "note"),
        (("rita", "rob"), 80, "lock/expires", "note"),
        (("rita", "rob"), 91, "lock/expired", "error"),
        (("rita",), 1, "lock/signature", "error"),
        (("paul", "rita"), 1, "lock/signature", "error"),
    ],
)
def test_signers_and_ends_are_told(
    tmp_path: Path, names: tuple[str, ...], days: int, kind: str, level: str
) -> None:
    found = vouched(lock(tmp_path, *names), ROOT, NOW + days * DAY)
    assert (found.kind, found.level) == (kind, level)


def test_a_damaged_root_vouches_for_nothing(tmp_path: Path) -> None:
    assert vouched(lock(tmp_path, "rita", "rob"), ROOT[:-9], NOW).level == "error"
