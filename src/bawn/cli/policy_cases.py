"""`bawn policy test`: the cases of a policy directory, decided by its rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.policy_set import DirectoryArgument, policy_set
from bawn.cli.quoting import printable
from bawn.cli.reading import explained

if TYPE_CHECKING:
    from bawn.cli.policy_set import PolicySet
    from bawn.model import Json
    from bawn.review.explain import Explanation
    from bawn.review.trials.cases import Cases
    from bawn.review.trials.testing import Report, Result


def cases(
    directory: DirectoryArgument = None, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Decide the cases in tests/*.yaml, and tell which did not go as expected.

    Exit code 1 tells that some did not, 2 that the rules or the cases cannot be read. (preview)
    """
    from bawn.review.trials.testing import run

    chosen = policy_set(config, directory)
    with explained():
        files = _cases(chosen)
    within = chosen.config.approvals.within
    report = run(chosen.rules, chosen.config.roles, files, within=within)
    print(json.dumps(_object(chosen, report), indent=2) if as_json else _text(chosen, report))
    if report.failed:
        raise typer.Exit(1)


def _cases(chosen: PolicySet) -> list[Cases]:
    """Every file of cases; the problems of all of them are told together."""
    from bawn.errors import Misconfigured
    from bawn.review.trials import cases as reading

    found: list[Cases] = []
    problems: list[str] = []
    for path, text in chosen.source.files if chosen.source else ():
        if path.startswith("tests/") and path.endswith(".yaml"):
            try:
                found.append(reading.read(text.encode(), path))
            except Misconfigured as error:
                problems += error.problems
    if problems:
        raise Misconfigured(*problems)
    if not any(file.cases for file in found):
        where = f"in {chosen.source.directory}" if chosen.source else "where `policy` is not set"
        fail(f"no test cases {where}.", "Write some in tests/NAME.yaml of a directory.", code=2)
    return found


def _text(chosen: PolicySet, report: Report) -> str:
    from bawn.cli import explained as told
    from bawn.review.advice import advise

    lines: list[str] = []
    for result in report.failed:
        lines.append(f"FAILED {printable(result.case.place)}: {printable(result.case.title)}")
        lines += (f"  {printable(failure)}" for failure in result.failures)
        explanation = _explanation(chosen, result)
        lines += (f"  {line}" for line in told.text(explanation, advise(explanation)))
    for rule in report.unused:
        lines.append(f"note: {printable(rule.place)}: no case makes {printable(rule.id)} speak")
    passed = len(report.results) - len(report.failed)
    return "\n".join([*lines, f"{passed} passed, {len(report.failed)} failed"])


def _object(chosen: PolicySet, report: Report) -> Json:
    from bawn.cli import explained as told
    from bawn.review.advice import advise
    from bawn.review.trials.testing import outcome

    def one(result: Result) -> Json:
        case = result.case
        found: Json = {
            "place": case.place, "name": case.title, "passed": not result.failures,
            "expected": case.entry.expect, "came": outcome(result.verdict),
            "rule": result.verdict.rule, "failures": list(result.failures),
        }  # fmt: skip
        if result.failures:
            explanation = _explanation(chosen, result)
            found["explanation"] = told.as_json(explanation, advise(explanation))
        return found

    unused = [{"rule": rule.id, "place": rule.place} for rule in report.unused]
    return {"cases": [one(result) for result in report.results], "unused": unused}


def _explanation(chosen: PolicySet, result: Result) -> Explanation:
    from bawn.review.explain import Explainer
    from bawn.review.trials.testing import call_of

    config, given = chosen.config, result.case.entry.given
    explainer = Explainer(
        chosen.rules, config.roles, within=config.approvals.within, tenant_of=result.tenants or {}
    )
    return explainer.explain(
        call_of(result.case.entry), result.case.item,
        now=given.instant, touched=frozenset(given.flow),
    )  # fmt: skip
