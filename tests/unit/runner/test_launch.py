"""What exactly is started."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from bawn.config import Server
from bawn.errors import Refused
from bawn.launching.installed import Installed
from bawn.runner.launch import insist_on, prepare, scrubbed
from bawn.storage.trees import Trees, tree_digest


def server(**settings: Any) -> Server:
    return Server(**{"command": (sys.executable, "-m", "x"), **settings})


def refusal(server: Server, base: Path, project: str | None = None) -> str:
    with pytest.raises(Refused) as refused:
        prepare(server, base, project)
    assert refused.value.reason.id == "upstream.not_started"
    return refused.value.detail


def test_only_the_minimum_of_the_environment_is_inherited() -> None:
    kept = {"PATH": "p", "HOME": "h", "LANG": "l", "LC_TIME": "t", "TMPDIR": "d", "USER": "u"}
    dropped = {"LCX": "1", "AWS_SECRET_ACCESS_KEY": "s", "LD_PRELOAD": "x", "path": "y"}
    assert scrubbed({**kept, **dropped}) == kept


def test_arguments_are_passed_as_they_are(tmp_path: Path) -> None:
    launch = prepare(server(command=(sys.executable, "$HOME", "; rm -rf", "*")), tmp_path, None)
    assert launch.argv[1:] == ("$HOME", "; rm -rf", "*")
    assert Path(launch.argv[0]).is_absolute()


def test_a_program_with_a_slash_is_relative_to_the_configuration(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "serve"
    program.parent.mkdir()
    program.write_text("#!/bin/true\n")
    assert "not an executable" in refusal(server(command=("bin/serve",)), tmp_path)
    program.chmod(0o700)
    assert prepare(server(command=("bin/serve",)), tmp_path, None).argv == (str(program),)


def test_a_program_without_a_slash_is_looked_up_on_the_servers_path(tmp_path: Path) -> None:
    program = tmp_path / "serve"
    program.write_text("#!/bin/true\n")
    program.chmod(0o700)
    named = server(command=("serve",))
    assert "not found on PATH" in refusal(named, tmp_path)
    found = server(command=("serve",), env={"PATH": str(tmp_path)})
    assert prepare(found, tmp_path, None).argv == (str(program),)


def test_references_are_resolved_and_known_as_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAWN_TEST", "hunter2hunter2")
    env = {"TOKEN": "Bearer ${env:BAWN_TEST}", "PLAIN": "plain"}
    launch = prepare(server(env=env), tmp_path, None)
    assert launch.env["TOKEN"] == "Bearer hunter2hunter2"
    assert launch.env["PLAIN"] == "plain"
    assert "BAWN_TEST" not in launch.env
    assert launch.secrets == ("hunter2hunter2",)
    assert "hunter2" not in repr(launch)


def test_a_missing_secret_is_named_and_nothing_starts(tmp_path: Path) -> None:
    detail = refusal(server(env={"TOKEN": "${env:BAWN_NOT_SET}"}), tmp_path)
    assert "env.TOKEN" in detail
    assert "BAWN_NOT_SET" in detail


def test_the_directory_is_the_servers_own_then_the_projects_then_the_configurations(
    tmp_path: Path,
) -> None:
    (tmp_path / "own").mkdir()
    project = tmp_path / "project"
    project.mkdir()
    own = server(cwd="own", isolation="project")
    assert prepare(own, tmp_path, str(project)).cwd == tmp_path / "own"
    assert prepare(server(isolation="project"), tmp_path, str(project)).cwd == project
    assert prepare(server(), tmp_path, str(project)).cwd == tmp_path


@pytest.mark.parametrize("project", [None, "", "relative", "/no/such/directory"])
def test_a_project_must_be_a_directory_that_exists(tmp_path: Path, project: str | None) -> None:
    assert "directory" in refusal(server(isolation="project"), tmp_path, project)


def test_a_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    assert "`cwd`" in refusal(server(cwd="missing"), tmp_path)


def test_the_private_directory_stands_in_arguments_and_variables_and_holds_tmpdir(
    tmp_path: Path,
) -> None:
    given = server(command=(sys.executable, "--db=${data}/x"), env={"PLACE": "${data}"})
    data = tmp_path / "data" / "x"
    launch = prepare(given, tmp_path, None, data)
    assert launch.argv[1:] == (f"--db={data}/x",)
    assert launch.env["PLACE"] == str(data)
    assert launch.env["TMPDIR"] == str(data / "tmp")
    assert (data / "tmp").is_dir()
    assert launch.secrets == ()


def test_what_is_installed_is_started_in_place_of_the_command(tmp_path: Path) -> None:
    data = tmp_path / "data"
    installed = Installed((sys.executable, "/store/x.py", "${data}/y"), "/store", "0")
    launch = prepare(server(command=("no-such-runner", "x")), tmp_path, None, data, installed)
    assert launch.argv[1:] == ("/store/x.py", f"{data}/y")
    assert launch.installed == Path("/store")


def test_a_tree_that_was_changed_is_not_started(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    installed, seen = Installed(("x",), str(root), tree_digest(root)), Trees()
    insist_on(installed, seen)
    (root / "added.js").write_text("")
    for one in (installed, Installed(problem="its record cannot be read")):
        with pytest.raises(Refused) as refused:
            insist_on(one, seen)
        assert refused.value.reason.id == "integrity.launch"
        assert refused.value.detail
    insist_on(Installed(("docker",)), seen)
