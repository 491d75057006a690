"""A lockfile is read as it was written, or refused with the place; tests/attacks/test_lockfile.py has the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bawn.assurance.lock.reading import is_sound, parse, read
from bawn.errors import Misconfigured
from bawn.launching.package import Artifact, Package, Resolution
from bawn.signing import lock as signing
from tests.lockfiles import changed, configured, servers, text
from tests.signers import NOW, person

PACKAGE = Resolution(
    Package("npm", "x", "1.0.0"), Package("npm", "x", "1.0.0"),
    (Artifact("x", "1.0.0", "sha512-AA=="),), "ab" * 32, ("x",), "cd" * 32, 5.0,
)  # fmt: skip


def test_it_reads_back_what_was_locked(tmp_path: Path) -> None:
    config = configured(tmp_path).config
    lock = parse(text(config, PACKAGE), "bawn.lock")
    assert lock.servers == servers(config, PACKAGE)
    assert lock.damaged == {}
    assert all(is_sound(pin) for each in lock.servers.values() for pin in each.pins)


def test_the_digest_is_of_everything_but_the_signatures(tmp_path: Path) -> None:
    content = text(configured(tmp_path).config)
    lock = parse(content, "x")
    signed = signing.sign(lock.tree, [person("rita")], NOW)
    assert parse(json.dumps(signed).encode(), "x").digest == lock.digest
    more = changed(content, lambda t: t["servers"]["far"]["reach"].update(tenant="t"))
    assert parse(more, "x").digest != lock.digest


def test_a_problem_names_the_line_and_a_damaged_entry_the_field(tmp_path: Path) -> None:
    content = text(configured(tmp_path).config)
    with pytest.raises(Misconfigured, match=r"bawn\.lock: .* line \d+, column \d+"):
        parse(content[:400], "bawn.lock")
    odd = changed(content, lambda t: t["servers"]["far"]["pins"][1].update(digest=7))
    assert "$.pins[1].digest" in parse(odd, "x").damaged["far"]


def test_a_file_that_is_not_there_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "bawn.lock")


def test_an_entry_that_is_no_server_id_is_damaged() -> None:
    lock = parse(b'{"format": 1, "servers": {"../x": {}}}', "x")
    assert (set(lock.servers), set(lock.damaged)) == (set(), {"../x"})
