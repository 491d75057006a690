"""Records in the OSV schema, and what they are about. Ids, versions and vectors are facts; texts are ours."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bawn.launching.package import Ecosystem
from bawn.vulnerabilities.component import Component

Record = dict[str, Any]

MODERATE = "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:L/A:N"  # 5.4


def component(name: str, version: str, ecosystem: Ecosystem = "pypi", **more: Any) -> Component:
    return Component(ecosystem, name, version, **more)


def affected(name: str, *events: Mapping[str, str], ecosystem: str = "PyPI", **more: Any) -> Record:
    kind = "SEMVER" if ecosystem == "npm" else "ECOSYSTEM"
    ranges = [{"type": kind, "events": list(events)}] if events else []
    return {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges, **more}


def record(identifier: str, *entries: Record, **more: Any) -> Record:
    return {
        "schema_version": "1.6.0",
        "id": identifier,
        "modified": "2024-02-01T00:00:00Z",
        "affected": list(entries),
        **more,
    }


def since(introduced: str = "0", **end: str) -> list[dict[str, str]]:
    return [{"introduced": introduced}, *({kind: text} for kind, text in end.items())]


JINJA = record(
    "GHSA-h5c8-rqwp-cp95",
    affected("jinja2", *since(fixed="3.1.3")),
    aliases=["CVE-2024-22195"],
    severity=[{"type": "CVSS_V3", "score": MODERATE}],
    database_specific={"severity": "MODERATE"},
    summary="Keys of xmlattr may inject attributes",
)
JINJA_TOO = record(
    "PYSEC-2024-1",
    affected("Jinja2", *since("2.0", fixed="3.1.3"), versions=["3.1.2"]),
    aliases=["CVE-2024-22195"],
)
LODASH = record(
    "GHSA-p6mc-m468-83gw",
    affected("lodash", *since("3.7.0", fixed="4.17.19"), ecosystem="npm"),
    aliases=["CVE-2020-8203"],
    severity=[{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:H"}],
)
RECORDS = (JINJA, JINJA_TOO, LODASH)

OLD_JINJA = component("jinja2", "3.1.2")
NEW_JINJA = component("jinja2", "3.1.3")
OLD_LODASH = component("lodash", "4.17.15", "npm")
NEW_LODASH = component("lodash", "4.17.21", "npm")


def directory(path: Path, records: Sequence[Record] = RECORDS) -> Path:
    for each in records:
        where = path / each["affected"][0]["package"]["ecosystem"]
        where.mkdir(parents=True, exist_ok=True)
        (where / f"{each['id']}.json").write_text(json.dumps(each), encoding="utf-8")
    return path


def archive(path: Path, records: Sequence[Record] = RECORDS) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for each in records:
            file.writestr(f"{each['id']}.json", json.dumps(each))
    return path
