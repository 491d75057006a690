"""A server serves if it is configured as locked, and started from the package that was locked."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bawn.assurance.lock.reading import parse
from bawn.assurance.lock.serving import served
from bawn.errors import INTEGRITY_STORE, Refused
from bawn.launching.package import Resolution
from tests.lockfiles import changed, configured, text
from tests.unit.assurance.lock.test_reading import PACKAGE

OTHER = msgspec.structs.replace(PACKAGE, digest="ef" * 32)
ASKED = msgspec.structs.replace(PACKAGE, asked=msgspec.structs.replace(PACKAGE.asked, version="2"))


@pytest.mark.parametrize(
    ("locked", "installed", "told"),
    [
        (None, None, ""),
        (PACKAGE, PACKAGE, ""),
        (PACKAGE, msgspec.structs.replace(PACKAGE, resolved=9.0), ""),
        (PACKAGE, None, "not installed"),
        (None, PACKAGE, "was not locked"),
        (PACKAGE, OTHER, "not what was locked"),
        (PACKAGE, ASKED, "not what was locked"),
    ],
)
def test_the_package_is_exactly_the_locked_one(
    tmp_path: Path, locked: Resolution | None, installed: Resolution | None, told: str
) -> None:
    config = configured(tmp_path).config
    found = served(config, parse(text(config, locked), "x"), lambda _: installed)
    assert told in found.refused.get("files", "")
    assert ("files" in found.records) == (told == "")
    assert "far" in found.records


def test_a_record_of_packages_that_cannot_be_read_refuses_its_server(tmp_path: Path) -> None:
    def torn(server: str) -> Resolution | None:
        raise Refused(INTEGRITY_STORE, detail="torn")

    config = configured(tmp_path).config
    found = served(config, parse(text(config), "x"), torn)
    assert found.refused == {"files": "torn; `bawn lock --install` installs what was locked"}


def test_a_definition_that_is_not_its_own_is_left_out_alone(tmp_path: Path) -> None:
    config = configured(tmp_path).config
    content = changed(
        text(config), lambda t: t["servers"]["far"]["pins"][0]["definition"].update(title="X")
    )
    found = served(config, parse(content, "x"), lambda _: None)
    assert [pin.name for pin in found.records["far"].pins] == ["write"]
    assert len(found.records["files"].pins) == 2
