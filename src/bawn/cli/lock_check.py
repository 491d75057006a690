"""`bawn lock --check`: what is not as bawn.lock has it, for people, programs and code hosts."""

from __future__ import annotations

import json as jsonlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import typer

from bawn.cli.locking import known, listed, path_of
from bawn.cli.options import fail
from bawn.cli.quoting import printable

if TYPE_CHECKING:
    from bawn.assurance.lock.check import Checked
    from bawn.assurance.lock.reading import Lock
    from bawn.config.load import Loaded
    from bawn.findings.finding import Finding


def run(
    found: Loaded,
    lock: Lock,
    live: bool,
    trust_config: bool,
    root: Path | None,
    sarif: Path | None,
    *,
    as_json: bool,
) -> None:
    """Compare, tell, and exit with 1 if something differs.

    Raises:
        Misconfigured: something that is needed cannot be read.
    """
    checked = _checked(found, lock, live, trust_config)
    checked.findings += _signed(found, lock, root)
    checked.findings = _placed(found, checked.findings)
    if sarif is not None:
        _write(sarif, checked.findings)
    if as_json:
        print(jsonlib.dumps(_tree(lock, checked), indent=2))
    else:
        _print(lock, checked)
    if not checked.same:
        raise typer.Exit(1)


def _checked(found: Loaded, lock: Lock, live: bool, trust_config: bool) -> Checked:
    from bawn.assurance.lock import check

    config, file = found.config, found.path.name
    checked = check.Checked(list(check.configured(config, lock, _lines(found), file)))
    on_record = known(found, lock)
    if found.state.is_dir():
        checked.findings += check.packaged(config, lock, on_record.packages)
    if live:
        now = listed(found, trust_config=trust_config)
        seen = check.offered(config, lock, now.listings, now.failed, on_record.packages)
    else:
        seen = check.recorded(config, lock, on_record.records)
    checked.findings += seen.findings
    checked.changes += seen.changes
    return checked


def _signed(found: Loaded, lock: Lock, root: Path | None) -> list[Finding]:
    from bawn.assurance.lock.vouched import vouched
    from bawn.signing.editing import read

    named = found.config.signing.root
    path = root or (found.base / Path(named).expanduser() if named else None)
    if path is None:
        return []
    try:
        return [vouched(lock, read(path), time.time())]
    except FileNotFoundError:
        fail(f"{printable(str(path))}: no such file.", "Expected the trust root.", code=2)


def _lines(found: Loaded) -> dict[str, int]:
    from bawn.config import document
    from bawn.config.load import read_file

    read = document.read(read_file(found.path), found.path.name)
    return {name: read.line(("servers", name)) or 0 for name in found.config.servers}


def _placed(found: Loaded, findings: list[Finding]) -> list[Finding]:
    """Findings with the line of the lockfile that they are about."""
    from bawn.assurance.lock.contents import NAME
    from bawn.assurance.lock.lines import lines
    from bawn.assurance.lock.reading import read_bytes

    places = lines(read_bytes(path_of(found)))

    def line(each: Finding) -> int:
        if each.file != NAME:
            return each.line
        return places.get(each.subject) or places.get(each.subject.partition("/")[0], 0)

    return [msgspec.structs.replace(each, line=line(each)) for each in findings]


def _write(path: Path, findings: list[Finding]) -> None:
    from bawn.config.atomic import replace
    from bawn.findings.sarif import document

    text = jsonlib.dumps(document(findings), indent=2)
    try:
        replace(path, f"{text}\n".encode(), 0o644)
    except OSError as error:
        fail(f"--sarif {printable(str(path))}: cannot be written ({error.strerror}).", code=2)


def _tree(lock: Lock, checked: Checked) -> dict[str, object]:
    return {
        "same": checked.same,
        "digest": lock.digest,
        "findings": [msgspec.to_builtins(each) for each in checked.findings],
        "changes": [
            {"server": e.server, "aspect": e.aspect, "name": e.name, "drift": e.drift}
            for e in checked.changes
        ],
    }


def _print(lock: Lock, checked: Checked) -> None:
    from bawn.drift.report import lines

    for each in checked.findings:
        if each.kind.startswith("drift/"):
            continue  # told with the fields, below
        print(printable(f"{each.level}: {each.message}  [{each.kind}, {each.place}]"))
        if each.fix and each.level != "note":
            print(f"  {printable(each.fix)}.")
    for change in checked.changes:
        print(f"\n{printable(f'{change.aspect} {change.subject}')}")
        for line in lines(change.drift):
            print(f"  {line}")
    if checked.same:
        print(f"as locked: sha256:{lock.digest}")
