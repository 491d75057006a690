"""Whole and as resolved, or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from bawn.errors import Misconfigured, Refused
from bawn.launching.package import Artifact, Package, Resolution
from bawn.packages import resolve
from bawn.packages.install import install, place
from bawn.storage.trees import Trees, make_read_only, remove
from bawn.vulnerabilities.inventory import of_resolution
from tests.unit.packages.fakes import FakeNpm, entry

PLACE = "node_modules/server"


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    found = tmp_path / "packages"
    found.mkdir()
    return found


def resolved(tool: FakeNpm, base: Path) -> Resolution:
    return resolve.resolve(Package("npm", "server"), base, tool)


def test_what_was_resolved_is_installed_read_only_under_its_digest(packages: Path) -> None:
    tool = FakeNpm({PLACE: entry()})
    done = install(resolved(tool, packages), packages, packages, tool)
    tree = place(packages, done)
    assert tree == packages / "store" / done.digest / "tree"
    assert done.program == ("node", f"{PLACE}/index.js")
    assert Trees().problem(tree, done.tree) == ""
    assert not (tree / PLACE / "index.js").stat().st_mode & 0o222


def test_a_second_install_leaves_it_and_one_that_was_changed_is_made_anew(packages: Path) -> None:
    tool = FakeNpm({PLACE: entry()})
    resolution = resolved(tool, packages)
    done = install(resolution, packages, packages, tool)
    asked = len(tool.asked)
    assert install(resolution, packages, packages, tool) == done
    assert len(tool.asked) == asked
    file = place(packages, done) / PLACE / "index.js"
    file.chmod(0o600)
    file.write_text("evil")
    assert install(resolution, packages, packages, tool) == done
    assert file.read_text() == "x"


def test_one_that_fails_or_was_killed_half_way_leaves_nothing_that_counts(packages: Path) -> None:
    tool = FakeNpm({PLACE: entry()})
    resolution = resolved(tool, packages)

    def dies(argv: Sequence[str], directory: Path) -> str:
        tool(argv, directory)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(resolution, packages, packages, dies)
    store = packages / "store"
    assert [each.name for each in store.iterdir()] == [".lock"]
    left = store / ".new-killed"  # as a process that was killed leaves it
    (left / "tree").mkdir(parents=True)
    make_read_only(left)
    install(resolution, packages, packages, tool)
    assert {each.name for each in store.iterdir()} == {".lock", resolution.digest}


def test_of_two_at_once_one_installs_and_both_have_it(packages: Path) -> None:
    tool = FakeNpm({PLACE: entry()})
    resolution = resolved(tool, packages)
    inside, go = threading.Event(), threading.Event()
    done: list[Resolution] = []

    def slow(argv: Sequence[str], directory: Path) -> str:
        inside.set()
        assert go.wait(10)
        return tool(argv, directory)

    def never(argv: Sequence[str], directory: Path) -> str:
        raise AssertionError("the second one installs, too")

    first = threading.Thread(
        target=lambda: done.append(install(resolution, packages, packages, slow))
    )
    first.start()
    assert inside.wait(10)
    second = threading.Thread(
        target=lambda: done.append(install(resolution, packages, packages, never))
    )
    second.start()
    go.set()
    first.join(10)
    second.join(10)
    assert len(done) == 2
    assert done[0] == done[1]


@pytest.mark.parametrize(
    "forged",
    [
        {"digest": "../../../etc"},
        {"digest": "0" * 64},
        {"package": Package("npm", "other", "1.0.0")},
        {"artifacts": ()},
    ],
)
def test_a_resolution_that_was_changed_is_refused(
    packages: Path, forged: dict[str, object]
) -> None:
    tool = FakeNpm({PLACE: entry()})
    changed = msgspec.structs.replace(resolved(tool, packages), **forged)
    with pytest.raises((Refused, Misconfigured)):
        install(changed, packages, packages, tool)
    assert not (packages / "store").exists()


@pytest.mark.parametrize(
    "artifact",
    [
        {"integrity": "sha512-" + "B" * 85 + "A=="},
        {"version": "1.0.1"},
        {"name": "other"},
        {"path": "node_modules/../../x"},
    ],
)
def test_a_lock_with_a_changed_artifact_is_refused(
    packages: Path, artifact: dict[str, str]
) -> None:
    tool = FakeNpm({PLACE: entry()})
    resolution = resolved(tool, packages)
    changed = tuple(msgspec.structs.replace(each, **artifact) for each in resolution.artifacts)
    with pytest.raises((Refused, Misconfigured)):
        install(msgspec.structs.replace(resolution, artifacts=changed), packages, packages, tool)


def test_an_artifact_that_is_there_twice_is_refused(packages: Path) -> None:
    tool = FakeNpm({PLACE: entry()})
    resolution = resolved(tool, packages)
    twice = resolution.artifacts * 2
    forged = msgspec.structs.replace(
        resolution, artifacts=twice, digest=resolve.digest(resolution.package, twice)
    )
    with pytest.raises(Misconfigured, match="twice"):
        install(forged, packages, packages, tool)


def test_a_link_out_of_the_tree_is_refused(packages: Path) -> None:
    tool = FakeNpm({PLACE: entry()})
    resolution = resolved(tool, packages)

    def links(argv: Sequence[str], directory: Path) -> str:
        said = tool(argv, directory)
        (directory / PLACE / "out").symlink_to("/etc/passwd")
        return said

    with pytest.raises(Refused, match="leads out"):
        install(resolution, packages, packages, links)
    assert [each.name for each in (packages / "store").iterdir()] == [".lock"]


def test_wheels_of_another_platform_are_refused(packages: Path) -> None:
    resolution = resolved(FakeNpm({PLACE: entry()}), packages)
    other = msgspec.structs.replace(resolution, platform="plan9-mips-cpython-3.11")
    with pytest.raises(Misconfigured, match="was resolved for plan9"):
        install(other, packages, packages)


def test_a_program_file_is_copied_and_has_to_be_the_one_resolved(
    tmp_path: Path, packages: Path
) -> None:
    source = tmp_path / "serve"
    source.write_bytes(b"\x7fELF first")
    resolution = resolve.resolve(Package("binary", "./serve"), tmp_path)
    done = install(resolution, packages, tmp_path)
    assert done.program == ("./serve",)
    copy = place(packages, done) / "serve"
    assert copy.read_bytes() == b"\x7fELF first"
    assert os.access(copy, os.X_OK)
    remove(packages / "store" / done.digest)
    source.write_bytes(b"\x7fELF other")
    with pytest.raises(Refused, match="another SHA-256"):
        install(resolution, packages, tmp_path)


def test_a_script_is_no_program_file(tmp_path: Path) -> None:
    (tmp_path / "serve").write_text("#!/bin/sh\n")
    with pytest.raises(Misconfigured, match="is a script"):
        resolve.resolve(Package("binary", "./serve"), tmp_path)
    with pytest.raises(Misconfigured, match="cannot be read"):
        resolve.resolve(Package("binary", "./none"), tmp_path)


def test_an_image_is_started_by_its_digest_and_not_put_into_the_store(packages: Path) -> None:
    package = Package("oci", "r.example/x", "1", "sha256:" + "01" * 32)
    artifacts = (Artifact("r.example/x", "1", "sha256-" + "A" * 43 + "="),)
    image = Resolution(package, package, artifacts, resolve.digest(package, artifacts))
    assert install(image, packages, packages) == image
    assert not (packages / "store").exists()


def test_what_a_package_has_within_itself_is_put_on_record(packages: Path) -> None:
    inner = "vendor/node_modules/@a/b"
    tool = FakeNpm(
        {PLACE: entry(), "node_modules/dep": entry("2.0.0", 2)},
        {
            "node_modules/lodash/package.json": '{"name": "lodash", "version": "4.17.4"}',
            f"{inner}/package.json": "{",
            "lib/package.json": '{"type": "module"}',
        },
    )
    done = install(resolved(tool, packages), packages, packages, tool)
    assert [(each.name, each.version, each.path) for each in done.bundled] == [
        ("lodash", "4.17.4", f"{PLACE}/node_modules/lodash"),
        ("@a/b", "", f"{PLACE}/{inner}"),
    ]
    components = {each.name: each.version for each in of_resolution(done).components}
    assert components == {"server": "1.0.0", "dep": "2.0.0", "lodash": "4.17.4", "@a/b": ""}
