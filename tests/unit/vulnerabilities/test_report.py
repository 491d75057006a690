"""Verified means all of it and nothing found; unmeasured is never clean."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bawn.findings.sarif import document
from bawn.vulnerabilities.component import Component, listed
from bawn.vulnerabilities.database import Answer
from bawn.vulnerabilities.report import Report, check, unmeasured
from tests.vulnerable import (
    JINJA,
    NEW_JINJA,
    NEW_LODASH,
    OLD_JINJA,
    affected,
    component,
    record,
    since,
)

NOW = 1_800_000_000.0


class Told:
    """A database that answers with the records of each name."""

    title = "told"

    def __init__(self, answers: dict[str, Answer], fail: Exception | None = None) -> None:
        self.told = answers
        self.fail = fail

    async def answers(self, components: Sequence[Component]) -> list[Answer]:
        if self.fail is not None:
            raise self.fail
        return [self.told[each.name] for each in components if each.name in self.told]

    async def aclose(self) -> None:
        return None


KNOWN = Told({"jinja2": Answer((JINJA,)), "lodash": Answer()})


async def look(
    *components: Component,
    completeness: str = "complete",
    database: Told = KNOWN,
    resolved: bool = True,
) -> Report:
    why = "" if completeness == "complete" else "a file is torn"
    inventory = listed(components, completeness, why, resolved=resolved)  # type: ignore[arg-type]
    return await check("files", inventory, database, NOW)


async def test_everything_answered_and_nothing_found_is_verified() -> None:
    report = await look(NEW_JINJA, NEW_LODASH)
    assert report.evidence.verdict == "verified"
    assert report.evidence.detail == "none known to told; 2 of 2 components measured"
    assert (report.evidence.at, report.evidence.findings) == (NOW, ())
    assert report.findings() == []


async def test_a_vulnerability_fails_even_where_the_rest_is_unmeasured() -> None:
    report = await look(OLD_JINJA, component("other", ""), completeness="partial")
    assert report.evidence.verdict == "failed"
    assert report.evidence.detail.startswith(
        "1 known (1 medium); 1 of 2 components measured; also unmeasured: the inventory is partial"
    )
    assert report.counts["medium"] == 1


@pytest.mark.parametrize("completeness", ["partial", "unknown"])
async def test_a_list_that_is_not_complete_is_unmeasured(completeness: str) -> None:
    report = await look(NEW_JINJA, completeness=completeness)
    assert report.evidence.verdict == "unmeasured"
    assert "1 of 1 components measured" in report.evidence.detail
    assert not report.unanswered


@pytest.mark.parametrize(
    "database",
    [
        Told({"jinja2": Answer(problem="it is down")}),
        Told({}),
        Told({}, RuntimeError("broken")),
        Told({"jinja2": Answer((record("X-1", affected("jinja2", *since("odd"))),))}),
    ],
    ids=["down", "short", "broken", "doubtful"],
)
async def test_what_the_database_does_not_answer_is_unmeasured(database: Told) -> None:
    report = await look(NEW_JINJA, database=database)
    assert report.evidence.verdict == "unmeasured"
    assert "0 of 1 components measured" in report.evidence.detail


async def test_nothing_to_look_up_is_unmeasured() -> None:
    report = await look(component("own", "1.0", "npm", local=True))
    assert report.evidence.verdict == "unmeasured"
    assert "no components" in report.evidence.detail


async def test_what_others_published_under_a_local_name_is_not_about_it() -> None:
    report = await look(component("jinja2", "3.1.2", local=True), NEW_LODASH)
    assert report.evidence.verdict == "verified"


async def test_the_move_is_one_command_where_bawn_installs_the_server() -> None:
    root = component("jinja2", "3.1.2", relation="root")
    for own, resolved, move in (
        (root, True, "bawn server update files --to 3.1.3"),
        (OLD_JINJA, True, "bawn server update files"),
        (root, False, ""),
    ):
        (found,) = (await look(own, resolved=resolved)).vulnerabilities
        assert (found.move, found.fixed) == (move, "3.1.3")


async def test_findings_have_kinds_levels_and_subjects() -> None:
    report = await look(OLD_JINJA, component("other", ""))
    found, open_end = report.findings("bawn.yaml")
    assert (found.level, found.kind) == ("warning", "vulnerability/medium")
    assert found.subject == "files/pkg:pypi/jinja2@3.1.2"
    assert "jinja2 3.1.3 has it fixed: `bawn server update files`" in found.fix
    assert (open_end.level, open_end.kind) == ("warning", "vulnerability/unmeasured")
    rules = document([found, open_end])["runs"][0]["tool"]["driver"]["rules"]
    assert [each["id"] for each in rules] == ["vulnerability/medium", "vulnerability/unmeasured"]


async def test_what_nobody_has_rated_is_an_error() -> None:
    told = Told({"jinja2": Answer((record("X-1", affected("jinja2", *since())),))})
    (found,) = (await look(OLD_JINJA, database=told)).findings()
    assert (found.level, found.kind, found.fix) == ("error", "vulnerability/unknown", "")


async def test_the_gravest_comes_first() -> None:
    malware = record("MAL-2024-1", affected("jinja2", *since()))
    told = Told({"jinja2": Answer((JINJA, malware))})
    report = await look(OLD_JINJA, database=told)
    assert [each.severity for each in report.vulnerabilities] == ["critical", "medium"]
    assert report.evidence.findings[0].startswith("critical MAL-2024-1 jinja2 3.1.2")


def test_without_a_database_nothing_is_measured() -> None:
    report = unmeasured("files", listed([NEW_JINJA], "complete", ""), "nobody to ask", NOW)
    assert (report.evidence.verdict, report.measured, report.components) == ("unmeasured", 0, 1)
    assert "nobody to ask" in report.evidence.detail
