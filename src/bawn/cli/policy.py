"""`bawn policy check|fmt|show`: the rules, looked at before and while they are in force."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.policy_set import DirectoryArgument, chosen, policy_set, published
from bawn.cli.quoting import printable
from bawn.cli.reading import explained
from bawn.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bawn.config.load import Loaded
    from bawn.findings.finding import Finding
    from bawn.model import Json, View
    from bawn.policy.rules import Rule, Source

SarifOption = Annotated[
    Path | None,
    typer.Option("--sarif", metavar="FILE", help="Write the findings there, as SARIF 2.1.0."),
]

_LEVELS = ("error", "warning", "note")


def check(
    directory: DirectoryArgument = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    sarif: SarifOption = None,
) -> None:
    """Check the rules: syntax, names and types against what the gate's servers offer.

    Exit code 1 tells of errors or warnings, 2 of rules that cannot be in force. Notes are for
    information. Without a running gate names and arguments are not checked. (preview)
    """
    from bawn.findings import sarif as writing

    found, place = chosen(config, directory)
    findings, broken = _findings(found, place)
    if sarif is not None:
        base = "" if place is None else os.path.relpath(place).replace(os.sep, "/")
        text = json.dumps(writing.document(findings, base), indent=2)
        _write(sarif, f"{text}\n", mode=0o644)
    if as_json:
        print(json.dumps([_object(each) for each in findings], indent=2))
    else:
        _tell(findings)
    if broken:
        raise typer.Exit(2)
    if any(each.level != "note" for each in findings):
        raise typer.Exit(1)


def fmt(
    directory: DirectoryArgument = None,
    config: ConfigOption = None,
    only_check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 tells that it would.")
    ] = False,
) -> None:
    """Put the .cedar files into their usual form, comments kept. (preview)"""
    from bawn.review.formatting import formatted

    _, place = chosen(config, directory)
    if place is None:
        fail(
            "the configuration names no `policy` directory.",
            "Give one: `bawn policy fmt DIR`.",
            code=2,
        )
    changed: list[tuple[str, str]] = []
    problems: list[str] = []
    for name, text in _cedar(place):
        try:
            form = formatted(text, name)
        except Misconfigured as problem:
            problems += problem.problems
            continue
        if form != text:
            changed.append((name, form))
    with explained():
        if problems:  # nothing is written then
            raise Misconfigured(*problems)
    for name, form in changed:
        if not only_check:
            _write(Path(os.path.realpath(place / name)), form)
        print(f"{printable(name)}: {'would change' if only_check else 'formatted'}")
    if changed and only_check:
        raise typer.Exit(1)


def show(
    directory: DirectoryArgument = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    builtin: Annotated[
        bool, typer.Option("--builtin", help="Print the rules that come with bawn, to copy from.")
    ] = False,
) -> None:
    """Show the rules: what each permits, forbids or asks for, and where it stands. (preview)"""
    if builtin:
        from bawn.policy.files.source import BUILTIN
        from bawn.policy.files.source import builtin as built_in

        texts = dict(file for name in BUILTIN for file in built_in(name).files)
        print(json.dumps(texts, indent=2) if as_json else "\n".join(texts.values()), end="")
        return
    found = policy_set(config, directory)
    rules = found.rules.rules
    if as_json:
        told = {"version": found.rules.version, "rules": [_rule(each) for each in rules]}
        print(json.dumps(told, indent=2))
        return
    rows = [(each.id, _effect(each), _asks(each), _place(each, found.source)) for each in rules]
    _table([("RULE", "EFFECT", "ASKS", "PLACE"), *rows])


def _findings(found: Loaded | None, place: Path | None) -> tuple[list[Finding], bool]:
    """What there is to say, and whether the rules cannot be in force."""
    from bawn.config import Config
    from bawn.policy.files import source
    from bawn.policy.files.reading import ruleset
    from bawn.review.broken import broken
    from bawn.review.checking.check import check as review

    settings = found.config if found else Config()
    try:
        read = None if place is None else source.read(place)
        rules = ruleset(read, settings.approvals.within)
    except Misconfigured as problem:
        return [broken(each) for each in problem.problems], True
    return review(rules, _view(found), _roles(found), settings.approvals.approvers), False


def _view(found: Loaded | None) -> View | None:
    from bawn.storage import StateDirectory

    if found is None or not (found.state / "run").is_dir():
        return None
    with explained():
        return published(StateDirectory(found.state))


def _roles(found: Loaded | None) -> set[str]:
    """The roles that the configuration knows."""
    from bawn.policy.roles import BUILT_IN

    if found is None:
        return set(BUILT_IN)
    identity = found.config.identity
    mapped = [role for issuer in identity.issuers for role in issuer.roles.values()]
    return {*BUILT_IN, *found.config.roles, *identity.local_roles, *mapped}


def _cedar(place: Path) -> Iterable[tuple[str, str]]:
    from bawn.policy.files import source

    with explained():
        return [each for each in source.read(place).files if each[0].endswith(".cedar")]


def _write(path: Path, text: str, mode: int | None = None) -> None:
    from bawn.config import atomic

    try:
        atomic.replace(path, text.encode(), path.stat().st_mode & 0o777 if mode is None else mode)
    except OSError as problem:
        fail(
            f"{path}: cannot be written ({problem.strerror}).", "Nothing of it was changed.", code=2
        )


def _tell(findings: list[Finding]) -> None:
    for each in findings:
        place = f"{each.place}: " if each.place else ""
        named = f" [{each.rule}]" if each.rule and each.rule != each.place else ""
        print(printable(f"{place}{each.level}: {each.message}{named}"))
        if each.fix:
            print(f"    {printable(each.fix)}")
    counts = [(level, sum(each.level == level for each in findings)) for level in _LEVELS]
    print(", ".join(f"{count} {level}{'' if count == 1 else 's'}" for level, count in counts))


def _object(finding: Finding) -> Json:
    return {
        "level": finding.level,
        "kind": finding.kind,
        "rule": finding.rule or None,
        "file": finding.file or None,
        "line": finding.line or None,
        "message": finding.message,
        "fix": finding.fix,
    }


def _rule(rule: Rule) -> Json:
    consent = rule.consent
    return {
        "id": rule.id,
        "effect": rule.effect,
        "file": rule.file,
        "line": rule.line,
        "tenant": rule.tenant or None,
        "shadow": rule.shadow,
        "ask": None
        if consent is None
        else {
            "roles": sorted(consent.roles),
            "self": consent.confirm,
            "approvals": consent.count,
            "within": consent.within,
        },
    }


def _effect(rule: Rule) -> str:
    whose = f" ({rule.tenant})" if rule.tenant else ""
    return f"{rule.effect}{whose}{', shadow' if rule.shadow else ''}"


def _asks(rule: Rule) -> str:
    consent = rule.consent
    if consent is None:
        return ""
    names = [*(["self"] if consent.confirm else []), *sorted(consent.roles)]
    count = f"{consent.count} of " if consent.count > 1 else ""
    return f"{count}{', '.join(names)} within {consent.within:g}s"


def _place(rule: Rule, source: Source | None) -> str:
    own = source is not None and any(rule.file == name for name, _ in source.files)
    return rule.place if own else f"built in: {rule.place}"


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(printable(row[at])) for row in rows) for at in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [f"{printable(cell):{width}}" for cell, width in zip(row, widths, strict=False)]
        print("  ".join((*cells, printable(row[-1]))).rstrip())
