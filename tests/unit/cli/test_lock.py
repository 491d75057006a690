"""`bawn lock` writes what is approved, and tells what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bawn.app import listing as live
from bawn.app.listing import Listed
from bawn.assurance.lock.reading import parse
from bawn.launching.package import Package, Resolution
from bawn.packages.store import resolutions
from bawn.pins.record import Change
from bawn.storage import StateDirectory
from tests.lockfiles import CONFIG, READ, WORSE, WRITE, configured, listing, text
from tests.unit.cli.locking import Place


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    return Place(tmp_path / "home")


def test_what_is_approved_is_written_and_is_the_same_next_time(place: Place) -> None:
    place.approved()
    told = json.loads(place.run("--json").stdout)
    assert told["servers"] == {"far": 2, "files": 3}
    lock = parse(place.file.read_bytes(), "x")
    assert (told["digest"], told["written"]) == (lock.digest, True)
    assert place.file.stat().st_mode & 0o777 == 0o644
    before = place.file.read_bytes()
    assert place.code() == 0
    assert place.file.read_bytes() == before
    assert place.code("--check") == 0


def test_nothing_is_written_while_something_waits_unless_that_is_asked_for(place: Place) -> None:
    place.approved()
    place.approve("far", READ, waiting=(Change("tool", "x", "0" * 64, WORSE, 1.0),))
    result = place.run()
    assert result.exit_code == 1
    assert "far: tool x waits for approval" in result.output
    assert not place.file.exists()
    assert place.code("--allow-waiting") == 0
    assert [e.name for e in parse(place.file.read_bytes(), "x").servers["far"].pins] == ["read"]


def test_where_no_gate_has_run_nothing_is_locked_and_nothing_made(place: Place) -> None:
    assert place.code() == 1
    assert not place.loaded.state.exists()
    assert not place.file.exists()


def test_a_link_in_its_place_is_replaced_and_not_followed(place: Place, tmp_path: Path) -> None:
    place.approved()
    target = tmp_path / "profile"
    target.write_text("mine")
    place.file.symlink_to(target)
    assert place.code() == 0
    assert not place.file.is_symlink()
    assert target.read_text() == "mine"


def test_a_damaged_file_is_replaced_and_that_is_said(place: Place) -> None:
    place.approved()
    place.file.write_text("{")
    result = place.run()
    assert result.exit_code == 0
    assert "replaced" in result.stderr
    parse(place.file.read_bytes(), "x")


@pytest.mark.parametrize(
    "words",
    [
        ("--check", "--install"),
        ("--check", "--allow-waiting"),
        ("--install", "--live"),
        ("--trust-config",),
        ("--root", "x"),
        ("--sarif", "x"),
    ],
)
def test_options_that_do_not_go_together_are_refused(place: Place, words: tuple[str, ...]) -> None:
    assert place.code(*words) == 2


def _offer(monkeypatch: pytest.MonkeyPatch, **offered: Any) -> None:
    listings = {name: listing(name, *tools) for name, tools in offered.items()}
    failed = {name: "it died" for name in ("files", "far") if name not in offered}
    monkeypatch.setattr(live, "run", lambda *_: Listed(listings, failed))


def test_live_locks_and_checks_what_is_offered_without_a_state(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    _offer(monkeypatch, files=(READ,), far=(READ, WRITE))
    made = place.run("--live", "--trust-config")
    assert made.exit_code == 0
    assert "starts files and reaches far" in made.stderr
    assert place.code("--check", "--live") == 0
    _offer(monkeypatch, files=(READ,), far=(READ, WORSE))
    assert place.code("--check", "--live") == 1
    assert not place.loaded.state.exists()


def test_live_starts_nothing_without_consent(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _offer(monkeypatch, files=(READ,), far=(READ,))
    refused = place.run("--live")
    assert (refused.exit_code, "consent" in refused.stderr) == (2, True)
    assert not place.file.exists()


def test_a_server_that_cannot_be_listed_is_not_locked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    _offer(monkeypatch, files=(READ,))
    result = place.run("--live", "--trust-config")
    assert result.exit_code == 1
    assert "far: not listed: it died" in result.output
    assert not place.file.exists()


def test_no_package_is_installed_where_none_is_locked(place: Place) -> None:
    place.approved()
    place.run()
    assert "No package is locked." in place.run("--install").stdout


def test_what_is_locked_is_installed_from_its_digests_and_put_on_record(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Package("npm", "files-server", "1.2.3")
    resolution = Resolution(asked, asked, (), "ab" * 32)
    done = msgspec.structs.replace(resolution, program=("x",), tree="cd" * 32)
    installed: list[Resolution] = []

    def install(found: Resolution, *_: object, **__: object) -> Resolution:
        installed.append(found)
        return done

    monkeypatch.setattr("bawn.packages.install.install", install)
    command = "[npx, files-server@1.2.3, --root, docs]"
    place.loaded = configured(
        place.home, "state: ./state\n" + CONFIG.replace("[files-server, --root, docs]", command)
    )
    place.file.write_bytes(text(place.loaded.config, resolution))
    assert "installed as locked" in place.run("--install").stdout
    assert installed == [resolution]
    state = StateDirectory(place.loaded.state)
    assert resolutions(state).read("files") == done
    changed = place.loaded.path.read_text().replace("--root", "--other")
    place.loaded = configured(place.home, changed)
    refused = place.run("--install")
    assert (refused.exit_code, "not configured as it is locked" in refused.stderr) == (1, True)
    assert len(installed) == 1
