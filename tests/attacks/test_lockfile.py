"""Attacks on bawn.lock: whatever was done to the file, only what was approved serves."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from bawn.app import locked
from bawn.app.keeping import Keeping
from bawn.app.locked import Locked
from bawn.config.load import Loaded
from bawn.errors import Misconfigured
from bawn.model import Json, Kind
from bawn.pins.digest import digest
from bawn.pins.record import Hold, Pin, Record
from bawn.pins.tree import root
from bawn.signing import chain
from bawn.signing import lock as signing
from bawn.storage import StateDirectory
from bawn.storage.files import ServerFiles
from tests.lockfiles import CONFIG, READ, WORSE, WRITE, changed, configured, listing, text
from tests.signers import DAY, Office, person

SIGNED = "signing: {root: root.json, required: true}\n" + CONFIG


class Place:
    """A configuration, its lockfile and its state."""

    def __init__(self, home: Path, config: str = CONFIG) -> None:
        self.loaded: Loaded = configured(home, config)
        self.state = StateDirectory(home / "state")
        self.file = home / "bawn.lock"
        self.good = text(self.loaded.config)
        self.file.write_bytes(self.good)

    def read(self) -> Locked:
        found = locked.read(self.loaded, self.state, wanted=True)
        assert found is not None
        return found

    def refused(self) -> str:
        with pytest.raises(Misconfigured) as error:
            self.read()
        return str(error.value)

    def serves(self, server: str, *tools: Json) -> dict[str, str]:
        """What of these a gate would serve: by name, why not (empty: it serves)."""
        directory = self.read().put(self.state.run)
        keeping = Keeping(self.state, self.loaded.config, lock=str(directory))
        found = keeping.approved(listing(server, *tools))
        out = {each["name"]: "" for each in found.definitions[Kind.TOOL]}
        for each in found.withheld.get(Kind.TOOL, ()):
            out[each.definition["name"]] = each.reason
        return out


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def first(tree: Json) -> Json:
    """The pin of `read` of `files`."""
    found: Json = tree["servers"]["files"]["pins"][0]
    return found


def test_the_file_as_it_was_written_serves(place: Place) -> None:
    assert place.serves("files", READ, WRITE) == {"read": "", "write": ""}


def test_a_definition_that_was_changed_takes_its_item_out_and_nothing_else(place: Place) -> None:
    place.file.write_bytes(changed(place.good, lambda t: first(t).update(definition=WORSE)))
    assert place.serves("files", READ, WRITE) == {"read": "integrity.lock", "write": ""}
    renamed = {**WORSE, "name": "read"}
    assert place.serves("files", renamed) == {"read": "integrity.lock"}
    assert place.serves("far", READ, WRITE) == {"read": "", "write": ""}


def test_a_changed_digest_takes_its_server_out_and_no_other(place: Place) -> None:
    worse = {"definition": WORSE, "digest": digest("tool", WORSE)}
    place.file.write_bytes(changed(place.good, lambda t: first(t).update(worse)))
    assert "damaged" in place.read().refused["files"]
    assert set(place.serves("files", READ, WORSE).values()) == {"integrity.lock"}
    assert place.serves("far", READ) == {"read": ""}


def test_an_added_and_a_removed_pin_take_the_server_out(place: Place) -> None:
    def add(tree: Json) -> None:
        tree["servers"]["files"]["pins"].append({**first(tree), "name": "extra"})

    for change in (add, lambda tree: tree["servers"]["files"]["pins"].pop()):
        place.file.write_bytes(changed(place.good, change))
        assert set(place.serves("files", READ).values()) == {"integrity.lock"}


def test_definitions_that_were_swapped_between_two_names_serve_under_neither(place: Place) -> None:
    def swap(tree: Json) -> None:
        one, other = tree["servers"]["files"]["pins"]
        one["definition"], other["definition"] = other["definition"], one["definition"]

    place.file.write_bytes(changed(place.good, swap))
    assert set(place.serves("files", READ, WRITE).values()) == {"integrity.lock"}


def test_a_server_that_is_not_in_it_does_not_serve(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.loaded = configured(tmp_path, CONFIG + "  more: {command: [evil]}\n")
    assert place.read().refused == {"more": "it is not in bawn.lock"}
    assert set(place.serves("more", READ).values()) == {"integrity.lock"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("--root, docs", "--root, /"),
        ("files-server", "evil-server"),
        ("TOKEN: '${env:TOKEN}'", "OTHER: '${env:TOKEN}'"),
        ("http://127.0.0.1:9/mcp", "http://127.0.0.2:9/mcp"),
        ("isolation: shared", "isolation: principal"),
    ],
)
def test_a_lockfile_of_another_configuration_serves_only_what_both_have(
    tmp_path: Path, before: str, after: str
) -> None:
    place = Place(tmp_path)
    place.loaded = configured(tmp_path, CONFIG.replace(before, after))
    server = "far" if "127" in before or "isolation" in before else "files"
    assert set(place.read().refused) == {server}
    assert set(place.serves(server, READ).values()) == {"integrity.lock"}


def test_a_truncated_file_is_refused_wherever_it_was_cut(place: Place) -> None:
    for cut in range(0, len(place.good) - 2, 37):
        place.file.write_bytes(place.good[:cut])
        assert "bawn.lock" in place.refused()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"format": 1}',
        b'{"format": 1, "servers": []}',
        b'{"format": true, "servers": {}}',
        b'{"format": "1", "servers": {}}',
        b'{"format": 0, "servers": {}}',
        b'{"format": 1, "servers": {}, "more": 1}',
        b'{"format": 1, "servers": {}}trailing',
        b'{"format": 1, "servers": {}, "signatures": [], "signatures": []}',
        b'{"format": 1, "format": 1, "servers": {}}',
        b'{"format": 1, "servers": {"files": {}, "files": {}}}',
        b'{"format": 1, "servers": {"files": {"reach": {"url": "a", "url": "b"}}}}',
        b'{"format": 1, "servers": {"a": 1e999}}',
        b'{"format": 1, "servers": {"a": NaN}}',
        b'{"format": 1, "servers": {"a": "\xff"}}',
        b'{"format": 1, "servers": {"a": "\\ud800"}}',
        b'{"format": 1, "servers": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        b"<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n",
    ],
)
def test_what_is_no_lockfile_or_has_two_readings_is_refused_as_a_whole(
    place: Place, content: bytes
) -> None:
    place.file.write_bytes(content)
    told = place.refused()
    assert "bawn.lock" in told
    assert "bawn lock" in told, "the next step"


def test_a_newer_format_says_so(place: Place) -> None:
    place.file.write_bytes(changed(place.good, lambda t: t.update(format=2)))
    assert "newer" in place.refused()


def test_a_huge_file_is_refused_before_it_is_read_whole(place: Place) -> None:
    with place.file.open("wb") as file:
        file.truncate(200 << 20)
    began = time.process_time()
    assert "larger" in place.refused()
    assert time.process_time() - began < 5


def test_no_file_means_that_nothing_serves(place: Place) -> None:
    place.file.unlink()
    assert "no such file" in place.refused()


def test_what_lies_in_its_place_neither_hangs_nor_helps(place: Place) -> None:
    place.file.unlink()
    os.mkfifo(place.file)
    assert "not a regular file" in place.refused()
    place.file.unlink()
    place.file.mkdir()
    assert "cannot be read" in place.refused()
    place.file.rmdir()
    place.file.symlink_to("/dev/zero")
    assert "not a regular file" in place.refused()
    place.file.unlink()
    place.file.symlink_to(place.file)
    assert "cannot be read" in place.refused()


@pytest.mark.parametrize("damage", [None, [], {"pins": 1}, {"reach": {}, "root": "x", "pins": []}])
def test_a_damaged_entry_hurts_nobody_else(place: Place, damage: object) -> None:
    place.file.write_bytes(changed(place.good, lambda t: t["servers"].update(files=damage)))
    assert "damaged" in place.read().refused["files"]
    assert place.serves("far", READ) == {"read": ""}


def test_two_definitions_under_one_name_are_told_apart_from_the_locked_one(place: Place) -> None:
    assert place.serves("files", READ, {**READ, "description": "Else."}) == {
        "read": "integrity.lock"
    }


def test_what_was_approved_before_counts_for_nothing(place: Place) -> None:
    """First use, decisions on record, changes that wait: the lockfile alone says what serves."""
    extra = {"name": "extra"}
    pins = (Pin("tool", "extra", digest("tool", extra), extra, 1.0, ("eve",)),)
    ServerFiles(place.state.pins, Record).update("far", lambda _: Record("far", 1.0, pins=pins))
    assert place.serves("far", READ, extra) == {"read": "", "extra": "integrity.lock"}


def test_a_quarantine_stands_above_the_lockfile(place: Place) -> None:
    held = Record("far", 0.0, holds=(Hold("tool", "read", 1.0, "ann"),))
    ServerFiles(place.state.pins, Record).update("far", lambda _: held)
    assert place.serves("far", READ, WRITE) == {"read": "integrity.quarantined", "write": ""}
    whole = Record("far", 0.0, holds=(Hold("server", "", 1.0, "ann"),))
    ServerFiles(place.state.pins, Record).update("far", lambda _: whole)
    assert set(place.serves("far", READ).values()) == {"integrity.quarantined"}


def test_a_record_that_cannot_be_read_withholds_its_server(place: Place) -> None:
    """It may hold a quarantine."""
    files = ServerFiles(place.state.pins, Record)
    files.update("far", lambda _: Record("far", 0.0))
    files.path("far").write_bytes(b"torn")
    assert set(place.serves("far", READ).values()) == {"integrity.store"}


def test_looking_at_a_locked_server_writes_nothing(place: Place) -> None:
    place.serves("far", READ, WORSE)
    assert list(place.state.pins.iterdir()) == []


def test_a_root_that_was_recomputed_for_other_pins_takes_a_signature_to_stop(
    place: Place,
) -> None:
    """Without signatures the file is trusted as it stands: whoever may change it decides."""

    def forge(tree: Json) -> None:
        pins = tree["servers"]["far"]["pins"]
        pins[1].update(definition=WORSE, digest=digest("tool", WORSE))
        made = (Pin("tool", e["name"], e["digest"], e["definition"], 0.0) for e in pins)
        tree["servers"]["far"]["root"] = root(made)

    place.file.write_bytes(changed(place.good, forge))
    assert place.serves("far", WORSE) == {"write": ""}
    signed = Signed(place.loaded.base / "signed")
    signed.file.write_bytes(changed(signed.file.read_bytes(), forge))
    assert "integrity.signature: subject" in signed.refused()


# ── signatures ──


class Signed(Place):
    """A place where two of three reviewers have to sign."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, SIGNED)
        now = time.time()
        self.office = Office(lifetime=3000 * DAY)
        self.office.line[:] = []
        self._found(now)
        self.sign("rita", "rob")

    def _found(self, now: float) -> None:
        from bawn.signing import rotation
        from bawn.signing.rotation import Changes
        from tests.signers import sign

        changes = Changes(self.office.members, (), self.office.thresholds)
        made = rotation.first(changes, now - DAY, 365 * DAY)
        self.office.line.append(sign(made, "olga", "otto"))
        (self.loaded.base / "root.json").write_bytes(chain.write(self.office.line))

    def sign(self, *names: str, now: float = 0.0, lifetime: float = 90 * DAY) -> bytes:
        tree = json.loads(self.good)
        signed = signing.sign(tree, [person(n) for n in names], now or time.time(), lifetime)
        self.file.write_text(json.dumps(signed))
        return self.file.read_bytes()


@pytest.fixture
def signed(tmp_path: Path) -> Signed:
    return Signed(tmp_path)


def test_signed_by_enough_reviewers_it_serves_and_names_them(signed: Signed) -> None:
    assert signed.read().signers == ("rita", "rob")
    assert signed.serves("far", READ) == {"read": ""}


def test_required_signatures_need_no_flag(signed: Signed) -> None:
    assert locked.read(signed.loaded, signed.state, wanted=False) is not None


def test_required_without_a_root_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path, "signing: {required: true}\n" + CONFIG)
    assert "`root`" in place.refused()


def test_a_root_is_enough_to_have_signatures_verified_under_a_lock(tmp_path: Path) -> None:
    place = Signed(tmp_path)
    place.loaded = configured(tmp_path, SIGNED.replace(", required: true", ""))
    place.file.write_bytes(place.good)
    assert "integrity.signature: missing" in place.refused()
    assert locked.read(place.loaded, place.state, wanted=False) is None


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ((), "threshold"),
        (("paul",), "unknown key"),
        (("rita",), "threshold"),
        (("rita", "paul"), "threshold"),
        (("olga", "otto"), "unknown key"),
        (("stranger", "other"), "unknown key"),
    ],
)
def test_signatures_of_others_or_too_few_are_none(
    signed: Signed, names: tuple[str, ...], why: str
) -> None:
    signed.sign(*names)
    assert f"integrity.signature: {why}" in signed.refused()


def test_an_unsigned_file_is_refused(signed: Signed) -> None:
    signed.file.write_bytes(signed.good)
    assert "integrity.signature: missing" in signed.refused()


def test_an_expired_signature_is_refused(signed: Signed) -> None:
    signed.sign("rita", "rob", now=time.time() - 10 * DAY, lifetime=5 * DAY)
    assert "integrity.signature: expired" in signed.refused()


def test_an_older_signed_file_is_refused_once_a_newer_one_was_served(signed: Signed) -> None:
    older = signed.sign("rita", "rob", now=time.time() - 5 * DAY)
    signed.read()
    newer = signed.sign("rita", "rob")
    signed.read()
    signed.file.write_bytes(older)
    assert "integrity.signature: rollback" in signed.refused()
    signed.file.write_bytes(newer)
    signed.read()


def test_what_was_seen_cannot_be_forgotten_by_losing_the_store(signed: Signed) -> None:
    signed.read()
    (signed.state.path / "signing.json").unlink()
    assert "integrity.signature: store" in signed.refused()


@pytest.mark.parametrize("member", ["reach", "evidence", "package", "root", "pins"])
def test_a_signature_covers_every_member(signed: Signed, member: str) -> None:
    tree = json.loads(signed.file.read_bytes())
    server = tree["servers"]["far"]
    new: Json = {
        "reach": {**server["reach"], "tenant": "x"},
        "evidence": [{"dimension": "scan", "verdict": "verified", "detail": "", "at": 0.0}],
        "package": None,
        "root": "0" * 64,
        "pins": server["pins"][:1],
    }
    server[member] = new[member]
    signed.file.write_text(json.dumps(tree))
    assert "integrity.signature: subject" in signed.refused()


def test_another_writing_of_the_same_content_is_as_good(signed: Signed) -> None:
    tree = json.loads(signed.file.read_bytes())
    signed.file.write_text(json.dumps(tree, indent=7, sort_keys=True))
    assert signed.read().signers == ("rita", "rob")


def test_a_missing_or_damaged_trust_root_is_refused(signed: Signed) -> None:
    file = signed.loaded.base / "root.json"
    file.write_bytes(file.read_bytes()[:-40])
    assert "integrity.signature: malformed" in signed.refused()
    file.unlink()
    assert "no such file" in signed.refused()
