"""What was seen is kept, privately, and never goes back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bawn.signing.seen import Mark, Seen
from tests.signers import refused


@dataclass(frozen=True)
class Version:
    id: str
    digest: str
    issued: float = 10.0


LINE = [Version("root", "one"), Version("root", "two", 20.0)]


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    made = Seen(tmp_path / "signing.json")
    made.admit_root(LINE)
    return made


def test_the_first_use_is_one(tmp_path: Path) -> None:
    seen = Seen(tmp_path / "signing.json")
    assert seen.bound(5.0) == 5.0
    seen.admit_root(LINE)
    assert seen.bound(5.0) == 20.0
    assert (tmp_path / "signing.json").stat().st_mode & 0o777 == 0o600


def test_versions_rise_by_subject(seen: Seen, tmp_path: Path) -> None:
    seen.admit("root", "a", Mark(5, "x"), 30.0)
    seen.admit("root", "b", Mark(1, "y"), 15.0)
    again = Seen(tmp_path / "signing.json")
    again.admit("root", "a", Mark(5, "x"), 30.0)
    refused("rollback", lambda: again.admit("root", "a", Mark(4, "x"), 40.0))
    refused("rollback", lambda: again.admit("root", "a", Mark(5, "z"), 40.0))
    assert again.bound(0.0) == 30.0


def test_a_root_has_to_be_admitted_before_what_it_vouches_for(tmp_path: Path, seen: Seen) -> None:
    refused("root", lambda: seen.admit("other", "a", Mark(1, "x"), 1.0))
    fresh = Seen(tmp_path / "fresh.json")
    refused("root", lambda: fresh.admit("root", "a", Mark(1, "x"), 1.0))


def test_a_line_of_roots_has_to_go_on(seen: Seen) -> None:
    refused("rollback", lambda: seen.admit_root(LINE[:1]))
    refused("rollback", lambda: seen.admit_root([LINE[0], Version("root", "forged")]))
    refused("root", lambda: seen.admit_root([Version("other", "one")]))
    seen.admit_root([*LINE, Version("root", "three")])


def test_the_same_again_writes_nothing(seen: Seen, tmp_path: Path) -> None:
    seen.admit("root", "a", Mark(5, "x"), 30.0)
    before = (tmp_path / "signing.json").stat().st_ino
    seen.admit("root", "a", Mark(5, "x"), 30.0)
    assert (tmp_path / "signing.json").stat().st_ino == before


def test_the_owner_may_begin_anew_whatever_is_there(seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "signing.json").unlink()
    refused("store", lambda: seen.bound(0.0))
    seen.begin_anew([Version("other", "one")])
    seen.admit("other", "a", Mark(1, "x"), 1.0)
    refused("root", lambda: seen.admit_root(LINE))


def test_a_store_that_cannot_be_written_admits_nothing(tmp_path: Path) -> None:
    seen = Seen(tmp_path / "none" / "signing.json")
    refused("store", lambda: seen.admit_root(LINE))
    refused("store", lambda: seen.begin_anew(LINE))
