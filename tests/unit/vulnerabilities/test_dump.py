"""A dump answers by package; where it cannot, it says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bawn.vulnerabilities import dump as module
from bawn.vulnerabilities.database import Answer
from bawn.vulnerabilities.dump import Dump
from tests import vulnerable
from tests.vulnerable import JINJA, LODASH, NEW_JINJA, OLD_JINJA, OLD_LODASH, component


async def ask(path: Path) -> Answer:
    (answer,) = await Dump(path).answers([NEW_JINJA])
    return answer


async def test_only_records_of_the_package_come_back(tmp_path: Path) -> None:
    dump = Dump(vulnerable.directory(tmp_path))
    jinja, lodash = await dump.answers([OLD_JINJA, OLD_LODASH])
    assert {each["id"] for each in jinja.records} == {"GHSA-h5c8-rqwp-cp95", "PYSEC-2024-1"}
    assert [each["id"] for each in lodash.records] == ["GHSA-p6mc-m468-83gw"]
    assert (jinja.problem, lodash.problem) == ("", "")


async def test_what_is_judged_by_is_kept_and_long_texts_are_not(tmp_path: Path) -> None:
    told = {**JINJA, "details": "x" * 1000, "references": [{"type": "WEB", "url": "https://x"}]}
    dump = Dump(vulnerable.directory(tmp_path, [told]))
    (answer,) = await dump.answers([OLD_JINJA])
    kept = set(answer.records[0])
    assert kept == {"id", "affected", "aliases", "severity", "database_specific", "summary"}
    assert answer.records[0]["affected"] == JINJA["affected"]


async def test_an_empty_dump_knows_nothing(tmp_path: Path) -> None:
    assert "has no records of PyPI at all" in (await ask(tmp_path)).problem


async def test_a_dump_of_one_ecosystem_knows_nothing_of_another(tmp_path: Path) -> None:
    path = vulnerable.directory(tmp_path, [LODASH])
    assert "has no records of PyPI at all" in (await ask(path)).problem


async def test_one_file_that_cannot_be_read_may_be_about_anything(tmp_path: Path) -> None:
    path = vulnerable.directory(tmp_path)
    for content in (b"{", b"[]", b"\xff", b'{"affected": []}', b'{"id": "X", "affected": "x"}'):
        (path / "odd.json").write_bytes(content)
        answer = await ask(path)
        assert "odd.json' cannot be read, and may be about anything" in answer.problem
        assert answer.records, "what is known is told all the same"


async def test_a_record_whose_text_is_broken_is_a_problem(tmp_path: Path) -> None:
    path = vulnerable.directory(tmp_path)
    content = json.dumps({**JINJA, "summary": "SUMMARY"}).encode().replace(b"SUMMARY", b"\xff\xfe")
    (path / "odd.json").write_bytes(content)
    assert "cannot be read" in (await ask(path)).problem


async def test_packages_that_no_database_has_are_problems(tmp_path: Path) -> None:
    dump = Dump(vulnerable.directory(tmp_path))
    (answer,) = await dump.answers([component("x", "1", "oci")])
    assert answer.problem == "no database has packages of oci"


async def test_the_records_that_are_held_have_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_KEPT", 10)
    assert "more than 10 bytes of records" in (await ask(vulnerable.directory(tmp_path))).problem


async def test_a_closed_dump_reads_anew(tmp_path: Path) -> None:
    dump = Dump(vulnerable.directory(tmp_path, [JINJA]))
    assert (await dump.answers([OLD_LODASH]))[0].problem
    await dump.aclose()
    vulnerable.directory(tmp_path, [LODASH])
    assert (await dump.answers([OLD_LODASH]))[0].records
