"""A setting names a database, or is refused with what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.errors import Misconfigured
from bawn.vulnerabilities.api import Api
from bawn.vulnerabilities.dump import Dump
from bawn.vulnerabilities.opening import open_database
from tests import vulnerable


async def test_a_url_is_an_api_and_a_path_a_dump(tmp_path: Path) -> None:
    vulnerable.archive(tmp_path / "all.zip")
    for setting, kind in (
        ("https://api.osv.dev", Api),
        ("https://mirror.example.com/osv/", Api),
        ("http://127.0.0.1:9", Api),
        ("all.zip", Dump),
        (".", Dump),
    ):
        database = open_database(setting, tmp_path)
        assert isinstance(database, kind)
        await database.aclose()


@pytest.mark.parametrize(
    "setting",
    [
        "http://api.osv.dev", "https://", "https://user:key@example.com", "https://example.com/?x=1",
        "nowhere", "file.json", "ftp://example.com",
    ],
)  # fmt: skip
def test_anything_else_is_refused(tmp_path: Path, setting: str) -> None:
    (tmp_path / "file.json").write_text("{}")
    with pytest.raises(Misconfigured, match="expected"):
        open_database(setting, tmp_path)
