"""What Node would load is listed as it lies on the disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bawn.vulnerabilities import node
from bawn.vulnerabilities.component import Component, Inventory
from tests.unit.vulnerabilities.trees import needs, package, project


def named(found: Inventory) -> dict[str, Component]:
    return {f"{each.name}@{each.version}": each for each in found.components}


def test_a_project_is_listed_with_everything_in_it(tmp_path: Path) -> None:
    found = node.inventory(project(tmp_path))
    told = named(found)
    assert (found.completeness, found.why) == ("complete", "")
    assert set(told) == {"own@0.1.0", "a@1.0.0", "@s/b@2.0.0", "tool@1.0.0"}
    assert [told[each].relation for each in ("own@0.1.0", "a@1.0.0", "@s/b@2.0.0")] == [
        "root", "direct", "dependency",
    ]  # fmt: skip
    assert told["a@1.0.0"].requires == ("pkg:npm/%40s/b@2.0.0",)


def test_what_comes_from_no_registry_is_known_as_such(tmp_path: Path) -> None:
    script = project(tmp_path)
    package(tmp_path / "packages" / "lib", "lib")
    (tmp_path / "node_modules" / "lib").symlink_to("../packages/lib")
    told = named(node.inventory(script))
    assert {name for name, each in told.items() if each.local} == {"own@0.1.0", "lib@1.0.0"}


def test_an_installed_server_is_listed_without_its_neighbours(tmp_path: Path) -> None:
    modules = tmp_path / "lib" / "node_modules"
    script = package(modules / "server", "server", dependencies=needs("a")) / "index.js"
    package(modules / "a", "a")
    package(modules / "npm", "npm")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "server").symlink_to(script)
    found = node.inventory(tmp_path / "bin" / "server")
    assert set(named(found)) == {"server@1.0.0", "a@1.0.0"}
    assert found.root is not None
    assert (found.root.name, found.root.local, found.completeness) == ("server", False, "complete")


def test_the_nearest_version_is_the_one_that_is_loaded(tmp_path: Path) -> None:
    modules = tmp_path / "node_modules"
    script = package(modules / "s", "s", dependencies=needs("a", "b")) / "index.js"
    package(modules / "a", "a", dependencies=needs("b"))
    package(modules / "a" / "node_modules" / "b", "b", "1.0.0")
    package(modules / "b", "b", "2.0.0")
    told = named(node.inventory(script))
    assert told["a@1.0.0"].requires == ("pkg:npm/b@1.0.0",)
    assert told["s@1.0.0"].requires == ("pkg:npm/a@1.0.0", "pkg:npm/b@2.0.0")


def test_packages_in_a_store_of_links_are_found(tmp_path: Path) -> None:
    store = tmp_path / "node_modules" / ".pnpm"
    package(tmp_path, "own", dependencies=needs("a"))
    package(store / "a@1.0.0" / "node_modules" / "a", "a", dependencies=needs("b"))
    package(store / "b@1.0.0" / "node_modules" / "b", "b")
    (store / "a@1.0.0" / "node_modules" / "b").symlink_to("../../b@1.0.0/node_modules/b")
    (tmp_path / "node_modules" / "a").symlink_to(".pnpm/a@1.0.0/node_modules/a")
    found = node.inventory(tmp_path / "index.js")
    assert set(named(found)) == {"own@1.0.0", "a@1.0.0", "b@1.0.0"}
    assert found.completeness == "complete"


def test_digests_are_those_of_the_lock_where_versions_agree(tmp_path: Path) -> None:
    script = project(tmp_path)
    packages = {
        "node_modules/a": {"version": "1.0.0", "integrity": "sha512-AAAA"},
        "node_modules/tool": {"version": "9.9.9", "integrity": "sha512-BBBB", "dev": True},
    }
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": packages}))
    told = named(node.inventory(script))
    assert told["a@1.0.0"].hashes == ("sha512-AAAA",)
    assert (told["tool@1.0.0"].hashes, told["tool@1.0.0"].scope) == ((), "optional")


def test_what_is_locked_and_not_there_makes_the_list_partial(tmp_path: Path) -> None:
    script = project(tmp_path)
    entries = {"node_modules/gone": {"version": "1.0.0"}, "node_modules/spare": {"optional": True}}
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": entries}))
    found = node.inventory(script)
    assert found.completeness == "partial"
    assert "node_modules/gone is in package-lock.json" in found.why
    assert "spare" not in found.why


def test_a_missing_dependency_makes_the_list_partial(tmp_path: Path) -> None:
    more: dict[str, Any] = {
        "optionalDependencies": needs("spare"),
        "peerDependencies": needs("peer"),
    }
    script = package(tmp_path, "own", dependencies=needs("gone"), **more) / "index.js"
    found = node.inventory(script)
    assert (found.completeness, found.why) == ("partial", "own needs gone, which is not there")


def test_a_link_out_of_the_tree_is_not_followed(tmp_path: Path) -> None:
    package(tmp_path / "elsewhere", "secret")
    script = project(tmp_path / "in")
    (tmp_path / "in" / "node_modules" / "secret").symlink_to(tmp_path / "elsewhere")
    found = node.inventory(script)
    assert found.completeness == "partial"
    assert "leads out of" in found.why
    assert "secret@1.0.0" not in named(found)


def test_a_name_that_leads_elsewhere_is_no_dependency(tmp_path: Path) -> None:
    package(tmp_path / "evil", "evil")
    names = needs("../../evil", "..", "/etc", "@s/../x", "a/b/c", "x\0y", "node_modules")
    script = package(tmp_path / "in", "own", dependencies=names) / "index.js"
    assert set(named(node.inventory(script))) == {"own@1.0.0"}


def test_circles_of_dependencies_and_links_end(tmp_path: Path) -> None:
    script = package(tmp_path, "own", dependencies=needs("a", "self")) / "index.js"
    package(tmp_path / "node_modules" / "a", "a", dependencies=needs("b"))
    package(tmp_path / "node_modules" / "b", "b", dependencies=needs("a"))
    (tmp_path / "node_modules" / "self").symlink_to("self")
    found = node.inventory(script)
    assert {"a@1.0.0", "b@1.0.0"} <= set(named(found))
    assert found.completeness == "partial"


def test_the_packages_of_a_tree_have_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "PACKAGES", 2)
    found = node.inventory(project(tmp_path))
    assert len(found.components) == 2
    assert "more than 2 packages" in found.why


def test_a_package_whose_manifest_is_torn_makes_the_list_partial(tmp_path: Path) -> None:
    script = project(tmp_path)
    (tmp_path / "node_modules" / "tool" / "package.json").write_text("{")
    assert node.inventory(script).completeness == "partial"


def test_a_script_of_no_package_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "x.js").write_text("")
    assert node.inventory(tmp_path / "x.js").completeness == "unknown"
    assert node.inventory(tmp_path / "gone.js").completeness == "unknown"


def test_a_manifest_that_only_tells_a_type_is_passed_over(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "package.json").write_text('{"type": "module"}')
    (tmp_path / "dist" / "main.js").write_text("")
    found = node.inventory(tmp_path / "dist" / "main.js")
    assert found.root is not None
    assert found.root.name == "own"
