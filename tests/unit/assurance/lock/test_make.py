"""What is approved is locked, what is not is told, and nothing is locked that would not serve."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bawn.assurance.lock.make import NOTHING, Known, of_listings, of_records, pins_of
from bawn.assurance.lock.reading import parse
from bawn.config import Config
from bawn.errors import INTEGRITY_STORE, Refused
from bawn.findings.evidence import Evidence
from bawn.launching.definition import launch_of
from bawn.pins.record import Change, Hold, Record
from bawn.signing import lock as signing
from tests.lockfiles import CONFIG, READ, WORSE, WRITE, configured, listing, pin
from tests.signers import NOW, person
from tests.unit.assurance.lock.test_reading import PACKAGE

SCAN = Evidence("scan", "verified", "nothing found", 7.0)


def records(config: Config) -> dict[str, Record]:
    launch = pin(launch_of(config.servers["files"], PACKAGE), "launch", "")
    return {
        "files": Record("files", 1.0, pins=(pin(READ), launch)),
        "far": Record("far", 1.0, pins=(pin(WRITE), pin(READ))),
    }


def known(found: dict[str, Record]) -> Known:
    return Known(found.get, lambda n: PACKAGE if n == "files" else None, lambda n: (SCAN,))


def test_what_is_approved_is_locked_with_packages_and_evidence(tmp_path: Path) -> None:
    config = configured(tmp_path).config
    made = of_records(config, known(records(config)))
    assert made.waiting == []
    lock = parse(made.content(None), "x")
    assert lock.servers == made.servers
    assert lock.servers["files"].package == PACKAGE
    assert lock.servers["far"].evidence == (SCAN,)
    assert [each.name for each in lock.servers["far"].pins] == ["read", "write"]
    assert made.content(None) == of_records(config, known(records(config))).content(None)


def test_evidence_that_says_the_same_keeps_its_time(tmp_path: Path) -> None:
    config = configured(tmp_path).config
    before = of_records(config, known(records(config)))
    later = msgspec.structs.replace(SCAN, at=9.0)
    worse = msgspec.structs.replace(later, verdict="failed")
    for evidence, kept in ((later, SCAN), (worse, worse)):
        on_record = Known(records(config).get, lambda _: PACKAGE, lambda _, e=evidence: (e,))  # type: ignore[misc]
        made = of_records(config, on_record)
        made.keep_times(before.servers)
        assert made.servers["far"].evidence == (kept,)


def test_evidence_of_a_running_gate_is_not_locked(tmp_path: Path) -> None:
    config = configured(tmp_path).config
    drift = Evidence("drift", "verified", "nothing has changed", 7.0)
    made = of_records(
        config, Known(records(config).get, lambda _: PACKAGE, lambda _: (drift, SCAN))
    )
    assert made.servers["far"].evidence == (SCAN,)


def test_what_waits_is_told_and_not_locked(tmp_path: Path) -> None:
    config = configured(tmp_path).config
    found = records(config)
    waits = Change("tool", "extra", "0" * 64, WORSE, 1.0)
    gone = Change("tool", "no", "0" * 64, WORSE, 1.0, rejected="ann")
    held = Hold("tool", "read", 1.0, "ann")
    found["far"] = msgspec.structs.replace(found["far"], waiting=(waits, gone), holds=(held,))
    made = of_records(config, known(found))
    assert made.waiting == ["far: tool extra waits for approval", "far: tool read is in quarantine"]
    assert len(made.servers["far"].pins) == 2


def test_a_server_without_approvals_or_with_another_launch_is_not_locked(tmp_path: Path) -> None:
    config = configured(tmp_path, CONFIG.replace("--root", "--other")).config
    before = configured(tmp_path).config
    found = {"files": records(before)["files"]}
    made = of_records(config, known(found))
    assert made.servers == {}
    assert made.waiting == [
        "far: nothing of it was approved yet",
        "files: its launch is not the one that was approved",
    ]


def test_an_unreadable_record_is_told_and_hurts_no_other(tmp_path: Path) -> None:
    config = configured(tmp_path).config
    found = records(config)

    def read(server: str) -> Record | None:
        if server == "far":
            raise Refused(INTEGRITY_STORE, detail="torn")
        return found.get(server)

    made = of_records(config, msgspec_free(known(found), read))
    assert (set(made.servers), made.waiting) == ({"files"}, ["far: torn"])


def msgspec_free(before: Known, read: object) -> Known:
    return Known(read, before.packages, before.evidence)  # type: ignore[arg-type]  # a reader


def test_a_disabled_server_is_not_locked(tmp_path: Path) -> None:
    config = configured(tmp_path, CONFIG.replace("shared}", "shared, status: disabled}")).config
    assert set(of_records(config, known(records(config))).servers) == {"files"}


def test_signatures_of_the_file_before_stay_so_that_the_next_has_a_higher_version(
    tmp_path: Path,
) -> None:
    config = configured(tmp_path).config
    made = of_records(config, known(records(config)))
    before = signing.sign(parse(made.content(None), "x").tree, [person("rita")], NOW)
    del made.servers["far"]
    after = parse(made.content(before), "x").tree
    assert after["signatures"] == before["signatures"]
    (again,) = signing.envelopes(signing.sign(after, [person("rita")], NOW))
    assert b'"version":1800000001' in again.payload


def test_listings_are_locked_as_they_are(tmp_path: Path) -> None:
    config = configured(tmp_path).config
    offered = {"far": listing("far", READ, WRITE, instructions="Hi")}
    made = of_listings(config, offered, NOTHING, {"files": "it died"})
    assert made.waiting == ["files: not listed: it died"]
    assert [(e.aspect, e.name) for e in made.servers["far"].pins] == [
        ("instructions", ""),
        ("tool", "read"),
        ("tool", "write"),
    ]


def test_what_cannot_be_locked_of_a_listing_is_told(tmp_path: Path) -> None:
    config = configured(tmp_path).config
    huge = {"name": "huge", "description": "x" * (2 << 20)}
    found = listing("far", READ, {**READ, "description": "?"}, WRITE, WRITE, huge, {"title": "x"})
    pins, problems = pins_of(found, config.servers["far"], None)
    assert [each.name for each in pins] == ["write"]
    assert len(problems) == 3
