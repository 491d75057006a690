from __future__ import annotations

from pathlib import Path

import pytest

from bawn.assurance.trust.gathering import Trust
from bawn.assurance.trust.keeping import replaced
from bawn.config import Config, Server
from bawn.findings.evidence import Evidence
from bawn.launching.package import Package, Resolution
from bawn.pins.record import Pin, Record
from bawn.storage.directory import StateDirectory
from bawn.storage.files import ServerFiles

NOW = 1_000_000.0
COMMAND = ("npx", "some-mcp@1.2.3")
CONFIG = Config(
    servers={
        "files": Server(command=COMMAND),
        "far": Server(url="https://far.example.com/mcp"),
    }
)
ASKED = Package("npm", "some-mcp", "1.2.3")


def trust(tmp_path: Path, config: Config = CONFIG, listed: float = 0.0) -> Trust:
    return Trust(config, tmp_path, tmp_path / "state", lambda _: listed, lambda: NOW)


def install(state: StateDirectory, digest: str) -> None:
    found = Resolution(ASKED, ASKED, (), digest)
    ServerFiles(state.packages, Resolution).update("files", lambda _: found)


def know(state: StateDirectory, *evidence: Evidence) -> None:
    ServerFiles(state.evidence, tuple[Evidence, ...]).update("files", lambda _: evidence)


def test_nothing_is_made_by_asking(tmp_path: Path) -> None:
    assert trust(tmp_path).of("files").of("failed") == ()
    assert list(tmp_path.iterdir()) == []


def test_provenance_counts_for_the_package_that_was_looked_at_alone(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    known = trust(tmp_path)
    install(state, "a" * 64)
    know(state, Evidence("provenance", "verified", "built by x", NOW - 5, "a" * 64))
    assert "provenance" in known.of("files").of("verified")
    install(state, "b" * 64)
    assert "provenance" in known.of("files").of("unmeasured")
    (state.packages / "files.json").unlink()
    assert "provenance" in known.of("files").of("failed")  # the record of it is lost


def test_of_a_remote_server_the_host_is_known_and_proves_nothing(tmp_path: Path) -> None:
    told = trust(tmp_path).of("far").json()["dimensions"]["publisher"]
    assert told["verdict"] == "unmeasured"
    assert "far.example.com" in told["detail"]


def test_drift_is_as_fresh_as_the_last_listing(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    record = Record("far", 1.0, pins=(Pin("tool", "a", "0" * 64, {}, 1.0, ("ada",)),))
    ServerFiles(state.pins, Record).update("far", lambda _: record)
    assert "drift" in trust(tmp_path, listed=NOW - 5).of("far").of("verified")
    for old in (0.0, NOW - 200_000):
        assert "drift" in trust(tmp_path, listed=old).of("far").of("unmeasured")


def test_by_a_lockfile_what_it_has_is_what_is_approved(tmp_path: Path) -> None:
    pin = Pin("tool", "a", "0" * 64, {}, 1.0, ("lock",))
    (tmp_path / "lock").mkdir(mode=0o700)
    ServerFiles(tmp_path / "lock", Record).update("far", lambda _: Record("far", 1.0, pins=(pin,)))
    known = Trust(CONFIG, tmp_path, tmp_path / "state", clock=lambda: NOW, lock=tmp_path / "lock")
    assert "pin" in known.of("far").of("verified")


@pytest.mark.parametrize("content", [b"", b"{", b'{"roots": []}', b"\xff"])
def test_a_trust_root_that_cannot_be_used_has_failed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "root.json").write_bytes(content)
    config = CONFIG.model_copy(
        update={"signing": CONFIG.signing.model_copy(update={"root": "root.json"})}
    )
    assert "signature" in trust(tmp_path, config).of("far").of("failed")


def test_a_trust_root_that_is_not_there_has_failed(tmp_path: Path) -> None:
    config = CONFIG.model_copy(
        update={"signing": CONFIG.signing.model_copy(update={"root": "root.json"})}
    )
    assert "signature" in trust(tmp_path, config).of("far").of("failed")


def test_an_answer_takes_the_place_of_the_earlier_one_alone() -> None:
    old = (Evidence("scan", "failed", "", 1.0), Evidence("publisher", "verified", "", 1.0))
    new = Evidence("scan", "verified", "", 2.0)
    assert replaced(new, old) == (old[1], new)
    assert replaced(new, None) == (new,)
