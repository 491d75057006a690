"""Versions that were seen, key files, people who sign at once: what would undo the rest."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from bawn.errors import Misconfigured
from bawn.signing import chain, lock
from bawn.signing.editing import edit
from bawn.signing.private import PrivateKey
from bawn.signing.seen import Seen
from bawn.signing.statement import Statement
from bawn.signing.verify import verify_pins
from tests.signers import (
    DAY,
    LOCK,
    MERKLE,
    NOW,
    ROOT,
    SIGNED,
    Office,
    payload_tree,
    person,
    refused,
    resigned,
    signed_lock,
    signed_pins,
    verify,
)


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    """A gate's record, with its root admitted."""
    made = Seen(tmp_path / "signing.json")
    chain.load(Office().content, NOW, made)
    return made


def test_an_older_lockfile_after_a_newer_one(seen: Seen) -> None:
    newer = signed_lock("rita", "rob", tree={**LOCK, "version": 2}, now=NOW + 60)
    lock.verify(SIGNED, ROOT, NOW, seen)
    lock.verify(newer, ROOT, NOW + 60, seen)
    refused("rollback", lambda: lock.verify(SIGNED, ROOT, NOW + 60, seen))
    assert lock.verify(newer, ROOT, NOW + 60, seen).signers


def test_the_same_version_saying_something_else(seen: Seen) -> None:
    other = signed_lock("rita", "rob", tree={**LOCK, "version": 2})
    lock.verify(SIGNED, ROOT, NOW, seen)
    refused("rollback", lambda: lock.verify(other, ROOT, NOW, seen))


def test_older_pins_of_one_server_beside_newer_ones_of_another(seen: Seen) -> None:
    old = signed_pins("files", "rita", "rob")
    new = signed_pins("files", "rita", "rob", merkle="ef" * 32, now=NOW + 1)
    verify_pins("files", "ef" * 32, new, ROOT, NOW + 1, seen)
    verify_pins("issues", MERKLE, signed_pins("issues", "rita", "rob"), ROOT, NOW + 1, seen)
    refused("rollback", lambda: verify_pins("files", MERKLE, old, ROOT, NOW + 1, seen))


def test_what_is_refused_moves_no_version(seen: Seen) -> None:
    """Else one bad lockfile of a high version would keep every good one out."""
    high = signed_lock("rita", "mallory", now=NOW + 200)
    refused("threshold", lambda: lock.verify(high, ROOT, NOW, seen))
    spoiled = {**signed_lock("rita", "rob", now=NOW + 200), "version": 3}
    refused("subject", lambda: lock.verify(spoiled, ROOT, NOW, seen))
    assert lock.verify(SIGNED, ROOT, NOW, seen).signers


def test_a_clock_set_back_does_not_bring_expired_statements_back(seen: Seen) -> None:
    """Freeze: the newer statement is kept away, and the clock is held where the older one lives."""
    old = signed_lock("rita", "rob", lifetime=DAY)
    lock.verify(old, ROOT, NOW, seen)
    new = signed_pins("files", "rita", "rob", now=NOW + 2 * DAY)
    verify_pins("files", MERKLE, new, ROOT, NOW + 2 * DAY, seen)
    refused("freeze", lambda: lock.verify(old, ROOT, NOW + DAY / 2, seen))
    refused("expired", lambda: lock.verify(old, ROOT, NOW + 2 * DAY, seen))


def test_a_clock_set_back_does_not_bring_an_expired_root_back(seen: Seen) -> None:
    office = Office()
    office.lifetime = 400 * DAY
    new = signed_pins("files", "rita", "rob", now=NOW + 364 * DAY)
    verify_pins("files", MERKLE, new, ROOT, NOW + 364 * DAY, seen)
    later = signed_pins("files", "rita", "rob", now=NOW + 364 * DAY + 250)
    verify_pins("files", MERKLE, later, ROOT, NOW + 364 * DAY, seen)
    short = Office(lifetime=364 * DAY).root()
    refused("expired", lambda: lock.verify(SIGNED, short, NOW, seen))


def test_a_lost_store_of_versions_is_no_first_use(seen: Seen, tmp_path: Path) -> None:
    lock.verify(SIGNED, ROOT, NOW, seen)
    (tmp_path / "signing.json").unlink()
    refused("store", lambda: lock.verify(SIGNED, ROOT, NOW, seen))
    refused("store", lambda: chain.load(Office().content, NOW, seen))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"root":"x"}', b"\xff", b"[" * 100_000])
def test_a_torn_store_of_versions(seen: Seen, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "signing.json").write_bytes(content)
    refused("store", lambda: lock.verify(SIGNED, ROOT, NOW, seen))


def test_a_store_of_versions_that_others_can_write(seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "signing.json").chmod(0o666)
    refused("store", lambda: lock.verify(SIGNED, ROOT, NOW, seen))


def test_a_store_of_versions_that_is_a_link(seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "signing.json").rename(tmp_path / "elsewhere")
    (tmp_path / "signing.json").symlink_to("elsewhere")
    refused("store", lambda: lock.verify(SIGNED, ROOT, NOW, seen))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_file_that_others_can_read(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "rita.key"
    person("rita").write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(mode)
    with pytest.raises(Misconfigured, match="others can read it"):
        PrivateKey.read(path)


def test_a_key_file_that_is_a_link_or_there_already(tmp_path: Path) -> None:
    path = tmp_path / "rita.key"
    person("rita").write(path)
    (tmp_path / "link.key").symlink_to(path)
    with pytest.raises(Misconfigured):
        PrivateKey.read(tmp_path / "link.key")
    with pytest.raises(Misconfigured, match="left alone"):
        person("rob").write(path)
    assert PrivateKey.read(path).public.id == person("rita").public.id


def test_a_private_key_does_not_leave_by_printing_or_pickling(tmp_path: Path) -> None:
    key = person("rita")
    seed = key._key.private_bytes_raw()
    shown = f"{key} {key!r} {vars(type(key)).get('__dict__')}"
    assert seed.hex() not in shown
    for act in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            act(key)
    path = tmp_path / "bad.key"
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----\nSECRETSECRET\n-----END PRIVATE KEY-----\n")
    path.chmod(0o600)
    with pytest.raises(Misconfigured) as error:
        PrivateKey.read(path)
    assert "SECRETSECRET" not in str(error.value)


def _sign_in_a_process(path: str, name: str) -> None:
    edit(
        Path(path),
        lambda content: json.dumps(
            lock.sign(lock.read(content or b""), [person(name)], NOW)
        ).encode(),
    )


def test_people_who_sign_at_the_same_time_lose_no_signature(tmp_path: Path) -> None:
    path = tmp_path / "bawn.lock"
    path.write_text(json.dumps(LOCK))
    context = multiprocessing.get_context("spawn")
    signers = [
        context.Process(target=_sign_in_a_process, args=(str(path), name))
        for name in ("rita", "rob", "ruth")
    ]
    for each in signers:
        each.start()
    for each in signers:
        each.join()
    assert [each.exitcode for each in signers] == [0, 0, 0]
    assert len(verify(lock.read(path.read_bytes())).signers) == 3


def test_a_statement_of_a_version_beyond_all_others_is_not_joined() -> None:
    """Who signed it would leave no version for those who come after."""
    told = payload_tree()
    told["predicate"]["version"] = 2**53 - 1
    lure = resigned(told, "mallory")
    found = Statement.read(lock.proposal(lure, NOW).payload)
    assert found.version == int(NOW)


def test_a_statement_that_lasts_for_ever_is_not_joined() -> None:
    told = payload_tree()
    told["predicate"]["expires"] = "9999-12-31T23:59:59Z"
    lure = resigned(told, "mallory")
    found = Statement.read(lock.proposal(lure, NOW).payload)
    assert found.expires == NOW + 90 * DAY


def test_nothing_of_the_verifier_needs_the_network(tmp_path: Path) -> None:
    """It does not as much as make a socket."""
    (tmp_path / "root").write_bytes(Office().content)
    (tmp_path / "lock").write_text(json.dumps(SIGNED))
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from bawn.signing import chain, lock\n"
        "def hook(event, _):\n"
        "    if event.startswith('socket.'): raise SystemExit(event)\n"
        "sys.addaudithook(hook)\n"
        f"root = chain.load(Path({str(tmp_path / 'root')!r}).read_bytes(), {NOW})\n"
        f"lock.verify(lock.read(Path({str(tmp_path / 'lock')!r}).read_bytes()), root, {NOW})\n"
        "print('verified')\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert found.stdout == "verified\n", found.stderr
