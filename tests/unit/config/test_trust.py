"""Consent covers one content of one file, and cannot be given in the owner's place."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bawn.config.load import Loaded, load
from bawn.config.trust import Launch, is_trusted, launches, record, require
from bawn.errors import Misconfigured

LOCAL = "servers:\n  files: {command: [server, ./docs], cwd: /srv, env: {A: b}}\n"
REMOTE = "servers:\n  issues: {url: https://example.com/mcp}\n"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "bawn"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bawn.yaml"
    path.write_text(LOCAL)
    return path


def loaded(path: Path) -> Loaded:
    return load(path, {})


def consented(path: Path) -> Loaded:
    found = loaded(path)
    record(found.path, found.digest)
    return found


def test_what_starts_nothing_needs_no_consent(file: Path) -> None:
    file.write_text(REMOTE)

    require(loaded(file))


def test_what_starts_programs_needs_consent(file: Path) -> None:
    with pytest.raises(
        Misconfigured, match=r"starts programs or sends credentials \(files\).*`bawn trust --config"
    ):
        require(loaded(file))


def test_sending_a_credential_needs_consent(file: Path) -> None:
    file.write_text(
        "servers:\n  issues:\n    url: https://example.com/mcp\n"
        "    auth: {type: bearer, token: '${file:~/.netrc}'}\n"
    )

    with pytest.raises(Misconfigured, match=r"sends credentials \(issues\)"):
        require(loaded(file))


def test_consent_once_is_enough(file: Path) -> None:
    require(consented(file))


def test_a_changed_byte_asks_again(file: Path) -> None:
    consented(file)
    file.write_text(LOCAL + "\n")

    with pytest.raises(Misconfigured):
        require(loaded(file))


def test_a_command_from_the_environment_asks_again(file: Path) -> None:
    consented(file)

    with pytest.raises(Misconfigured):
        require(load(file, {"BAWN_SERVERS__FILES__COMMAND": "[other]"}))


def test_the_same_content_elsewhere_asks_again(file: Path, tmp_path: Path) -> None:
    consented(file)
    (tmp_path / "other.yaml").write_text(LOCAL)

    with pytest.raises(Misconfigured):
        require(loaded(tmp_path / "other.yaml"))


def test_a_link_to_the_file_is_the_file(file: Path, tmp_path: Path) -> None:
    consented(file)
    (tmp_path / "link.yaml").symlink_to(file)

    require(loaded(tmp_path / "link.yaml"))


def test_consent_is_to_what_was_shown_and_not_to_what_lies_there_by_then(file: Path) -> None:
    shown = loaded(file)
    file.write_text("servers: {files: {command: [evil]}}\n")
    record(shown.path, shown.digest)

    with pytest.raises(Misconfigured):
        require(loaded(file))


def test_consent_to_one_file_leaves_that_to_others(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(LOCAL)

    first, second = consented(file), consented(other)

    assert is_trusted(first.path, first.digest)
    assert is_trusted(second.path, second.digest)


def test_the_store_is_the_owners_alone(file: Path, state: Path) -> None:
    consented(file)

    assert state.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in state.iterdir()} == {0o600}
    assert list(json.loads((state / "trust.json").read_text())["trusted"]) == [str(file.resolve())]


@pytest.mark.parametrize("name", [".", "trust.json"])
def test_a_store_that_others_can_write_is_refused(file: Path, state: Path, name: str) -> None:
    found = consented(file)
    (state / name).chmod(0o722 if name == "." else 0o622)

    with pytest.raises(Misconfigured, match="others can change what you consented to"):
        is_trusted(found.path, found.digest)
    with pytest.raises(Misconfigured, match="others can change what you consented to"):
        record(found.path, found.digest)


def test_a_store_of_another_owner_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = consented(file)
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)

    with pytest.raises(Misconfigured, match="others can change what you consented to"):
        require(found)


def test_a_link_in_the_place_of_the_store_is_refused(
    file: Path, state: Path, tmp_path: Path
) -> None:
    found = consented(file)
    (state / "trust.json").rename(tmp_path / "elsewhere.json")
    (state / "trust.json").symlink_to(tmp_path / "elsewhere.json")

    with pytest.raises(Misconfigured, match="cannot be used"):
        is_trusted(found.path, found.digest)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"trusted": {"/x": "yes"}, "version": 1}', '{"trusted": {}, "version": 2}'],
)
def test_a_damaged_store_is_refused_and_left_as_it_is(
    file: Path, state: Path, content: str
) -> None:
    found = consented(file)
    (state / "trust.json").write_text(content)

    for attempt in (is_trusted, record):
        with pytest.raises(Misconfigured, match="cannot be used"):
            attempt(found.path, found.digest)
    assert (state / "trust.json").read_text() == content


def test_consents_given_at_once_are_all_kept(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.yaml" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda path: record(path, "d"), paths))

    assert all(is_trusted(path, "d") for path in paths)


def test_a_relative_state_home_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    record(tmp_path / "x", "d")

    assert (tmp_path / "home/.local/state/bawn/trust.json").is_file()


def test_without_a_home_consent_has_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_home() -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", no_home)

    with pytest.raises(Misconfigured, match="set XDG_STATE_HOME"):
        is_trusted(tmp_path / "x", "d")


def test_launches_are_shown_whole_and_exactly(file: Path) -> None:
    file.write_text(LOCAL + "  issues: {url: https://example.com/mcp}\n")

    assert launches(loaded(file).config) == (
        Launch("files", ("server", "./docs"), "/srv", {"A": "b"}),
    )
