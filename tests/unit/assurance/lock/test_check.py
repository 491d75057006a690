"""Every difference is a finding of its own kind, with its place; no difference is none."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bawn.assurance.lock import check
from bawn.assurance.lock.reading import Lock, parse
from bawn.config import Config
from bawn.errors import INTEGRITY_STORE, Refused
from bawn.findings.finding import Finding
from bawn.model import Json
from bawn.packages.resolve import digest
from bawn.pins.record import Record
from tests.lockfiles import CONFIG, READ, WORSE, WRITE, changed, configured, listing, pin, text
from tests.unit.assurance.lock.test_reading import PACKAGE


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return configured(tmp_path).config


@pytest.fixture
def lock(config: Config) -> Lock:
    return parse(text(config), "bawn.lock")


def told(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(each.kind, each.subject) for each in findings}


def offered(config: Config, lock: Lock, *tools: Json, instructions: str = "") -> check.Checked:
    listings = {
        "far": listing("far", *tools, instructions=instructions),
        "files": listing("files", READ, WRITE),
    }
    return check.offered(config, lock, listings, {}, lambda _: None)


def test_the_same_is_the_same(config: Config, lock: Lock) -> None:
    assert list(check.configured(config, lock, {}, "bawn.yaml")) == []
    assert list(check.packaged(config, lock, lambda _: None)) == []
    assert offered(config, lock, READ, WRITE).same


def test_servers_that_came_went_or_changed_are_told_with_their_line(
    config: Config, lock: Lock, tmp_path: Path
) -> None:
    other = CONFIG.replace("--root", "--other").replace("  far:", "  near:")
    now = configured(tmp_path, other).config
    found = list(check.configured(now, lock, {"files": 2, "near": 3}, "bawn.yaml"))
    assert told(found) == {("lock/added", "near"), ("lock/removed", "far"), ("lock/reach", "files")}
    assert {each.subject: each.place for each in found} == {
        "near": "bawn.yaml:3",
        "far": "bawn.lock",
        "files": "bawn.yaml:2",
    }
    assert "`command`" in next(each.message for each in found if each.kind == "lock/reach")


def test_damage_is_told_of_a_server_and_of_an_item(config: Config) -> None:
    def damage(tree: Json) -> None:
        tree["servers"]["files"]["root"] = "0" * 64
        tree["servers"]["far"]["pins"][0]["definition"]["title"] = "?"

    lock = parse(changed(text(config), damage), "x")
    found = list(check.configured(config, lock, {}, "bawn.yaml"))
    assert told(found) == {("lock/damaged", "files"), ("lock/damaged", "far/read")}


def test_a_package_that_is_not_that_of_its_digest_is_told(config: Config) -> None:
    whole = msgspec.structs.replace(PACKAGE, digest=digest(PACKAGE.package, PACKAGE.artifacts))
    content = text(config, whole)
    assert list(check.configured(config, parse(content, "x"), {}, "bawn.yaml")) == []

    def another(tree: Json) -> None:
        tree["servers"]["files"]["package"]["artifacts"][0]["integrity"] = "sha512-BB=="

    lock = parse(changed(content, another), "x")
    found = list(check.configured(config, lock, {}, "bawn.yaml"))
    assert told(found) == {("lock/damaged", "files")}
    assert "npm:x" in found[0].message


def test_another_package_is_told(config: Config) -> None:
    lock = parse(text(config, PACKAGE), "x")
    assert told(list(check.packaged(config, lock, lambda _: None))) == {("lock/package", "files")}
    assert list(check.packaged(config, lock, lambda _: PACKAGE)) == []


def test_changes_are_told_by_field_new_and_gone_items_by_name(config: Config, lock: Lock) -> None:
    found = offered(config, lock, WORSE, {**READ, "name": "extra"}, instructions="Hi")
    assert not found.same
    kinds = {each for each in told(found.findings) if each[0].startswith("lock/")}
    assert kinds == {
        ("lock/changed", "far/write"),
        ("lock/new", "far/extra"),
        ("lock/new", "far/instructions"),
        ("lock/gone", "far/read"),
    }
    (change,) = [each for each in found.changes if each.name == "write"]
    assert [each["path"] for each in change.drift["fields"]] == ["description"]
    assert "drift/text" in {each.kind for each in found.findings}


def test_a_server_that_cannot_be_listed_is_not_the_same(config: Config, lock: Lock) -> None:
    found = check.offered(
        config, lock, {"files": listing("files", READ, WRITE)}, {"far": "down"}, lambda _: None
    )
    assert told(found.findings) == {("lock/unlisted", "far")}
    assert "down" in found.findings[0].message


def test_records_are_compared_where_there_are_any(config: Config, lock: Lock) -> None:
    same = {"far": Record("far", 1.0, pins=(pin(WRITE), pin(READ)))}
    assert check.recorded(config, lock, same.get).same
    other = {"far": msgspec.structs.replace(same["far"], pins=(pin(WORSE), pin(READ)))}
    assert ("lock/changed", "far/write") in told(check.recorded(config, lock, other.get).findings)

    def torn(server: str) -> Record | None:
        raise Refused(INTEGRITY_STORE, detail="torn")

    kinds = {each.kind for each in check.recorded(config, lock, torn).findings}
    assert kinds == {"lock/unreadable"}
