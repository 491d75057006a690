"""The private directories of servers."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bawn.errors import Refused
from bawn.runner import data


def test_every_part_of_the_key_makes_another_directory(tmp_path: Path) -> None:
    keys = [
        ("a", "anna", None),
        ("b", "anna", None),
        ("a", "ben", None),
        ("a", "anna", "/p"),
        ("a", "anna", ""),
        ("a", "", "anna"),
    ]
    found = {data.place(tmp_path, *key, session=False) for key in keys}
    assert len(found) == len(keys)
    assert data.place(tmp_path, *keys[0], session=False) in found  # the same after a restart


def test_a_name_tells_nothing_of_a_person(tmp_path: Path) -> None:
    place = data.place(
        tmp_path, "files", "https://idp.example.com|anna", "/home/anna", session=False
    )
    assert place.parent == tmp_path
    assert "anna" not in place.name
    assert place.name.isalnum()


def test_it_is_for_its_user_alone_and_stays_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "data" / "x"
    data.make(place)
    (place / "kept").write_text("x")
    data.make(place)
    assert (place / "kept").read_text() == "x"
    for directory in (place.parent, place, place / data.TEMPORARY):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_what_cannot_be_created_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused) as refused:
        data.make(tmp_path / "file" / "x")
    assert refused.value.reason.id == "upstream.not_started"
    assert "cannot be created" in refused.value.detail


def test_removal_follows_no_link_and_what_is_gone_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    place = tmp_path / "x"
    data.make(place)
    (place / "link").symlink_to(tmp_path)
    data.remove(place)
    data.remove(place)
    assert not place.exists()
    assert (tmp_path / "mine").exists()


def test_only_sessions_are_cleared(tmp_path: Path) -> None:
    session = data.place(tmp_path, "a", "s", None, session=True)
    principal = data.place(tmp_path, "a", "s", None, session=False)
    for place in (session, principal):
        data.make(place)
    data.clear_sessions(tmp_path)
    data.clear_sessions(tmp_path / "missing")
    assert [session.exists(), principal.exists()] == [False, True]
