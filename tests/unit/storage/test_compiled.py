"""What was compiled is found again, and what is not as it was put is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.storage import compiled
from bawn.storage.compiled import Compiled, cache_directory


def test_what_was_put_is_found_by_another_process(tmp_path: Path) -> None:
    Compiled(tmp_path / "c").put("k", b"content")

    assert Compiled(tmp_path / "c").get("k") == b"content"
    assert Compiled(tmp_path / "c").get("other") is None


@pytest.mark.parametrize("torn", [b"", b"short", b"\0" * 40])
def test_what_is_torn_or_changed_is_not_there(tmp_path: Path, torn: bytes) -> None:
    Compiled(tmp_path).put("k", b"content")
    (tmp_path / "k").write_bytes(torn)

    assert Compiled(tmp_path).get("k") is None


def test_what_others_can_change_is_not_there(tmp_path: Path) -> None:
    Compiled(tmp_path).put("k", b"content")
    (tmp_path / "k").chmod(0o666)

    assert Compiled(tmp_path).get("k") is None


def test_where_nothing_can_be_kept_nothing_is_and_nobody_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Compiled(tmp_path / "file" / "below")

    store.put("k", b"content")

    assert store.get("k") is None


def test_what_is_too_large_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "LARGEST", 3)
    Compiled(tmp_path).put("k", b"content")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("given", "found"), [("/x/cache", "/x/cache"), ("", None), ("rel", None)])
def test_the_directory_is_the_users(
    monkeypatch: pytest.MonkeyPatch, given: str, found: str | None
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    base = Path(found) if found else Path.home() / ".cache"

    assert cache_directory() == base / "bawn" / "compiled"
