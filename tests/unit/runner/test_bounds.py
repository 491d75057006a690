"""Memory and processor bounds, over a tree of files that stands for the kernel's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bawn.config import Server
from bawn.runner import bounds
from bawn.runner.launch import Launch

LAUNCH = Launch(("serve",), Path("/"), {})
BOTH = Server(command=("serve",), memory=256 << 20, cpu=0.5)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A delegated cgroup with this process in a leaf of its own, as systemd makes it."""
    service = tmp_path / "system.slice" / "bawn.service"
    (service / "gate").mkdir(parents=True)
    for directory, processes in ((service, ""), (service / "gate", "17\n")):
        (directory / "cgroup.procs").write_text(processes)
        (directory / "cgroup.controllers").write_text("cpuset cpu memory pids\n")
        (directory / "cgroup.subtree_control").write_text("")
    (tmp_path / "own").write_text("4:cpu:/\n0::/system.slice/bawn.service/gate\n")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return service


def test_a_delegated_group_without_processes_is_used(tree: Path) -> None:
    found = bounds.find(tree.parents[1] / "own", tree.parents[1])
    assert found == bounds.Bounds(tree, frozenset({"cpu", "memory"}))
    assert (tree / "cgroup.subtree_control").read_text() == "+cpu +memory"


def test_a_server_gets_a_group_with_its_bounds(tree: Path) -> None:
    launch = bounds.Bounds(tree, frozenset({"cpu", "memory"})).apply(LAUNCH, BOTH)
    assert launch.cgroup is not None
    assert launch.cgroup.parent == tree
    assert (launch.cgroup / "memory.max").read_text() == str(256 << 20)
    assert (launch.cgroup / "cpu.max").read_text() == "50000 100000"
    assert launch.data_limit is None
    assert (
        launch.bounds == "memory: 256 MiB for all its processes (cgroup); cpu: 0.5 cores (cgroup)"
    )


def test_without_groups_memory_is_bounded_for_each_process_and_cpu_is_said_not_to_be() -> None:
    launch = bounds.Bounds(None, frozenset()).apply(LAUNCH, BOTH)
    assert launch.cgroup is None
    assert launch.data_limit == 256 << 20
    assert "for each of its processes" in launch.bounds
    assert "cpu: not bounded" in launch.bounds


def test_a_group_that_cannot_be_made_is_no_bound_that_is_claimed(tree: Path) -> None:
    launch = bounds.Bounds(tree / "gone", frozenset({"cpu", "memory"})).apply(LAUNCH, BOTH)
    assert launch.cgroup is None
    assert launch.data_limit == 256 << 20
    assert "cpu: not bounded" in launch.bounds


def test_without_settings_nothing_is_done(tree: Path) -> None:
    plain = Server(command=("serve",))
    assert bounds.Bounds(tree, frozenset({"cpu", "memory"})).apply(LAUNCH, plain) == LAUNCH
    assert len(list(tree.glob("bawn-*"))) == 0


@pytest.mark.parametrize("own", ["", "4:memory:/x\n", "0::/nowhere\n", "0::/../../etc\n"])
def test_a_machine_without_such_groups_offers_nothing(tmp_path: Path, own: str) -> None:
    (tmp_path / "own").write_text(own)
    assert bounds.find(tmp_path / "own", tmp_path).parent is None
    assert bounds.find(tmp_path / "missing", tmp_path).parent is None


def test_root_takes_no_group_that_was_not_given_to_it(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert bounds.find(tree.parents[1] / "own", tree.parents[1]).parent is None


def test_a_group_with_processes_of_its_own_is_left_alone(tree: Path) -> None:
    (tree / "cgroup.procs").write_text("1\n")
    assert bounds.find(tree.parents[1] / "own", tree.parents[1]).parent is None


def test_a_group_is_given_up_once_and_again(tmp_path: Path) -> None:
    group = tmp_path / "bawn-1-1"
    group.mkdir()
    bounds.release(group)
    bounds.release(group)
    assert not group.exists()
