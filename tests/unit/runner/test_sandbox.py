"""What one server sees of the file system, as arguments."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bawn.runner import sandbox
from bawn.runner.launch import Launch

HOME = "home/anna"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine in a directory: what is private lies in another."""
    (tmp_path / "tmp").mkdir()
    for name in ("work/.bawn/data/x", "work/docs", "consents", "apps/node_modules/.bin", "py/lib"):
        (tmp_path / HOME / name).mkdir(parents=True)
    (tmp_path / HOME / "work/bawn.yaml").write_text("")
    (tmp_path / HOME / "py/pyvenv.cfg").write_text("")
    program = tmp_path / HOME / "apps/node_modules/.bin/serve"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sandbox, "private_places", lambda: (tmp_path / "tmp",))
    return tmp_path


class Seen:
    """The mounts of one launch, in their order."""

    def __init__(self, root: Path, *arguments: str, env: Any = None, **places: Any) -> None:
        home = root / HOME
        view = sandbox.View(
            places.get("hide", (home / "work/.bawn", home / "consents")),
            places.get("guard", (home / "work/bawn.yaml",)),
            places.get("code", ()),
        )
        program = str(home / "apps/node_modules/.bin/serve")
        data = places.get("data", home / "work/.bawn/data/x")
        cwd = places.get("cwd", home / "work")
        installed = places.get("installed")
        launch = Launch((program, *arguments), cwd, env or {}, data=data, installed=installed)
        found = sandbox.arguments(launch, view)
        assert found[: len(sandbox.base())] == sandbox.base()
        self.rest = list(found[len(sandbox.base()) :])
        self.kinds: dict[Path, str] = {}
        for at, argument in enumerate(self.rest):
            if argument in {"--bind", "--ro-bind", "--tmpfs"}:
                self.kinds[Path(self.rest[at + 1])] = argument

    def order(self, *paths: Path) -> list[int]:
        places = list(self.kinds)
        return [places.index(path) for path in paths]


def test_bawns_own_is_hidden_and_the_configuration_read_only(root: Path) -> None:
    seen = Seen(root)
    home = root / HOME
    assert seen.kinds[home / "work/.bawn"] == "--tmpfs"
    assert seen.kinds[home / "consents"] == "--tmpfs"
    assert seen.kinds[home / "work/bawn.yaml"] == "--ro-bind"
    assert seen.rest.count("--remount-ro") == 2
    assert seen.rest[-3:] == ["--chdir", str(home / "work"), "--"]


def test_its_own_data_is_seen_within_what_is_hidden(root: Path) -> None:
    seen = Seen(root)
    hidden, data = root / HOME / "work/.bawn", root / HOME / "work/.bawn/data/x"
    assert seen.kinds[data] == "--bind"
    first, second = seen.order(hidden, data)
    assert first < second
    assert seen.rest.index("--remount-ro") > seen.rest.index(str(data))


def test_whatever_is_above_a_protected_path_is_kept_in_its_place(root: Path) -> None:
    seen = Seen(root)
    for above in (root / HOME / "work", root / HOME, root / "home"):
        assert seen.kinds[above] == "--bind"
    paths = list(seen.kinds)
    assert sorted(paths, key=lambda path: len(path.parts)) == paths


def test_what_this_user_cannot_rename_needs_no_mount(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).is_relative_to(root / HOME))
    seen = Seen(root)
    assert root / HOME / "work" in seen.kinds
    assert root / HOME not in seen.kinds


def test_program_files_are_read_only_with_all_their_packages(root: Path) -> None:
    seen = Seen(root, str(root / HOME / "py/lib"))
    assert seen.kinds[root / HOME / "apps/node_modules"] == "--ro-bind"
    assert seen.kinds[root / HOME / "py"] == "--ro-bind"


def test_nothing_is_opened_again_within_what_is_read_only(root: Path) -> None:
    nested = root / HOME / "py/lib/secret"
    nested.mkdir()
    seen = Seen(root, code=(root / HOME / "py",), guard=(nested,))
    assert root / HOME / "py/lib" not in seen.kinds


def test_temporary_places_are_empty_but_for_what_the_owner_named(root: Path) -> None:
    for name in ("work", "named", "listed", "other", "bawn"):
        (root / "tmp" / name).mkdir()
    seen = Seen(
        root,
        f"--db={root}/tmp/named",
        env={"LIST": f"{root}/tmp/listed", "ALL": f"{root}/tmp"},
        cwd=root / "tmp" / "work",
        hide=(root / "tmp/bawn",),
    )
    assert seen.kinds[root / "tmp"] == "--tmpfs"
    for name in ("work", "named", "listed"):
        assert seen.kinds[root / "tmp" / name] == "--bind"
    assert root / "tmp/other" not in seen.kinds
    assert root / "tmp/bawn" not in seen.kinds  # it is not there anyway


def test_no_argument_brings_back_what_is_hidden(root: Path) -> None:
    (root / "tmp/project/.bawn/keys").mkdir(parents=True)
    hidden = root / "tmp/project/.bawn"
    seen = Seen(root, str(hidden / "keys"), cwd=root / "tmp/project", hide=(hidden,), data=None)
    assert seen.kinds[hidden] == "--tmpfs"
    assert hidden / "keys" not in seen.kinds


def test_a_script_is_a_program_and_a_database_is_not(tmp_path: Path) -> None:
    for name in ("serve.py", "data.db"):
        (tmp_path / name).write_text("")
    assert list(sandbox.program_files(tmp_path / "serve.py")) == [tmp_path / "serve.py"]
    assert list(sandbox.program_files(tmp_path / "data.db")) == []


def test_a_link_into_packages_protects_them_where_they_are(tmp_path: Path) -> None:
    real = tmp_path / "store" / "site-packages" / "serve.py"
    real.parent.mkdir(parents=True)
    real.write_text("")
    (tmp_path / "node_modules").mkdir()
    link = tmp_path / "node_modules" / "serve"
    link.symlink_to(real)
    found = set(sandbox.program_files(link))
    assert found == {real, real.parent, tmp_path / "node_modules"}


def test_what_it_is_started_from_is_seen_within_what_is_hidden_and_read_only(root: Path) -> None:
    tree = root / HOME / "work/.bawn/packages/store/d/tree"
    tree.mkdir(parents=True)
    seen = Seen(root, installed=tree)
    assert seen.kinds[tree] == "--ro-bind"
    hidden, shown = seen.order(root / HOME / "work/.bawn", tree)
    assert hidden < shown
    assert not any(path.is_relative_to(tree.parent) for path in seen.kinds if path != tree)
