"""npm's locks become artifacts, artifacts become locks, and nothing else is installed."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

import pytest

from bawn.errors import Misconfigured, Refused
from bawn.launching.package import Artifact, Package
from bawn.packages import npm
from tests.unit.packages.fakes import FakeNpm, entry, sri

SERVER = Package("npm", "server")
EXACT = Package("npm", "server", "1.0.0")
PLACE = "node_modules/server"


def resolved(entries: dict[str, Any], scratch: Path) -> tuple[Artifact, ...]:
    return npm.resolve(SERVER, scratch, FakeNpm(entries))[1]


def test_a_package_is_resolved_without_running_anything(tmp_path: Path) -> None:
    tool = FakeNpm({PLACE: entry(), "node_modules/dep": entry("2.0.0", 2)})
    exact, artifacts = npm.resolve(SERVER, tmp_path, tool)
    assert exact == EXACT
    assert {each.path: each.version for each in artifacts} == {
        PLACE: "1.0.0",
        "node_modules/dep": "2.0.0",
    }
    assert tool.wanted["dependencies"] == {"server": "latest"}
    assert {"--ignore-scripts", "--package-lock-only"} <= set(tool.asked[0])
    assert not any("server" in word for word in tool.asked[0])


@pytest.mark.parametrize(
    "odd",
    [
        {"version": "1.0.0"},
        {"resolved": "git+ssh://git@h.example/x.git#abc", "version": "1.0.0", "integrity": sri(1)},
        {"resolved": "https://h.example/x.tgz", "version": "1.0.0", "integrity": sri(1)},
        {"link": True, "resolved": "../x"},
    ],
)
def test_what_is_not_of_the_registry_is_refused(tmp_path: Path, odd: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match="packages of the registry alone"):
        resolved({PLACE: entry(), "node_modules/x": odd}, tmp_path)


def test_a_weak_digest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="SHA-512 or SHA-256"):
        resolved({PLACE: {"version": "1.0.0", "integrity": "sha1-AAAA"}}, tmp_path)


def test_a_lock_with_a_path_out_of_the_tree_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="within the installed tree"):
        resolved({PLACE: entry(), "node_modules/../../x": entry()}, tmp_path)


def test_a_lock_without_the_package_or_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="does not have it"):
        resolved({"node_modules/other": entry()}, tmp_path)
    with pytest.raises(Misconfigured, match="cannot be read"):
        resolved({PLACE: {"version": 1}}, tmp_path)


def test_another_package_under_its_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="does not have it"):
        resolved({PLACE: entry(name="evil")}, tmp_path)


def test_only_what_is_for_this_machine_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.39"))
    kept: dict[str, dict[str, Any]] = {
        "here": {"os": ["linux"], "cpu": ["x64"], "libc": ["glibc"], "optional": True},
        "not-win": {"os": ["!win32"], "optional": True},
        "any": {"optional": True},
    }
    left: dict[str, dict[str, Any]] = {
        "mac": {"os": ["darwin"], "optional": True},
        "arm": {"cpu": ["arm64"], "optional": True},
        "musl": {"libc": ["musl"], "optional": True},
        "not-linux": {"os": ["!linux"], "optional": True},
        "mac/node_modules/below": {},
    }
    both = {f"node_modules/{name}": entry(**more) for name, more in (kept | left).items()}
    found = {each.path for each in resolved({PLACE: entry(), **both}, tmp_path)}
    assert found == {PLACE, *(f"node_modules/{name}" for name in kept)}
    with pytest.raises(Misconfigured, match="is not for linux"):
        resolved({PLACE: entry(os=["darwin"])}, tmp_path)


def test_bundled_packages_come_with_the_one_that_holds_them(tmp_path: Path) -> None:
    bundled = {"version": "1.0.0", "inBundle": True}
    found = resolved({PLACE: entry(), f"{PLACE}/node_modules/in": bundled}, tmp_path)
    assert [each.path for each in found] == [PLACE]


def test_a_lock_is_made_of_artifacts_alone() -> None:
    artifacts = (
        Artifact("server", "1.0.0", sri(1), PLACE),
        Artifact("dep", "2.0.0", sri(2), f"{PLACE}/node_modules/dep"),
        Artifact("other", "3.0.0", sri(3), "node_modules/alias"),
    )
    root, entries = npm.lock_of(artifacts)
    assert root["dependencies"] == {"server": "1.0.0", "alias": "npm:other@3.0.0"}
    assert entries[PLACE]["dependencies"] == {"dep": "2.0.0"}
    assert entries["node_modules/alias"]["name"] == "other"
    with pytest.raises(Misconfigured, match="below something that is not there"):
        npm.lock_of(artifacts[1:2])


ARTIFACTS = (Artifact("server", "1.0.0", sri(1), PLACE),)


def test_it_is_installed_by_ci_without_scripts_and_links(tmp_path: Path) -> None:
    tool = FakeNpm({})
    npm.install(EXACT, ARTIFACTS, tmp_path, tool)
    assert tool.asked[0][:2] == ("npm", "ci")
    assert {"--ignore-scripts", "--no-bin-links"} <= set(tool.asked[0])


@pytest.mark.parametrize(
    "came",
    [
        {},
        {PLACE: entry(fill=9)},
        {PLACE: entry("1.0.1")},
        {PLACE: entry(), "node_modules/more": entry()},
    ],
)
def test_anything_else_that_came_is_refused(tmp_path: Path, came: dict[str, Any]) -> None:
    tool = FakeNpm({})
    tool.installs = lambda packages: came
    with pytest.raises(Refused) as refused:
        npm.install(EXACT, ARTIFACTS, tmp_path, tool)
    assert refused.value.reason.id == "integrity.launch"


def installed(tree: Path, bins: Any, files: dict[str, str]) -> Path:
    home = tree / PLACE
    home.mkdir(parents=True)
    (home / "package.json").write_text(json.dumps({"bin": bins}))
    for name, content in files.items():
        (home / name).write_text(content)
    return tree


NODE = "#!/usr/bin/env node\n"


@pytest.mark.parametrize(
    ("bins", "wanted", "program"),
    [
        ("a.js", "", ("node", f"{PLACE}/a.js")),
        ({"x": "a.js"}, "", ("node", f"{PLACE}/a.js")),
        ({"x": "a.js", "y": "a.js"}, "", ("node", f"{PLACE}/a.js")),
        ({"x": "a.js", "server": "./b.js"}, "", ("node", "--no-warnings", f"{PLACE}/b.js")),
        ({"x": "a.js", "server": "b.js"}, "x", ("node", f"{PLACE}/a.js")),
    ],
)
def test_the_program_is_chosen_as_npx_does(
    tmp_path: Path, bins: Any, wanted: str, program: tuple[str, ...]
) -> None:
    second = "#!/usr/bin/env -S node --no-warnings\n"
    tree = installed(tmp_path, bins, {"a.js": NODE, "b.js": second})
    assert npm.program(EXACT, tree, wanted) == program


@pytest.mark.parametrize(
    ("bins", "wanted", "why"),
    [
        ({"x": "a.js", "y": "b.js"}, "", "it has x, y"),
        ({"x": "a.js"}, "z", "it has x"),
        (None, "", "it has none"),
        ({"x": "../../../etc/passwd"}, "", "no file of the package"),
        ({"x": "/etc/passwd"}, "", "no file of the package"),
        ({"x": "out"}, "", "no file of the package"),
        ({"x": "none.js"}, "", "no file of the package"),
        ({"x": "sh.js"}, "", "expected node"),
        ({"x": "bare"}, "", "no script for node"),
        ({"x": 1}, "", "neither text nor an object"),
        ([1], "", "neither text nor an object"),
    ],
)
def test_an_unclear_or_foreign_program_is_refused(
    tmp_path: Path, bins: Any, wanted: str, why: str
) -> None:
    files = {"a.js": NODE, "b.js": NODE, "sh.js": "#!/bin/sh\n", "bare": "\x7fELF"}
    tree = installed(tmp_path / "tree", bins, files)
    (tmp_path / "secret").write_text(NODE)
    (tree / PLACE / "out").symlink_to(tmp_path / "secret")
    with pytest.raises(Misconfigured, match=why):
        npm.program(EXACT, tree, wanted)
