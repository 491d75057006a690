"""Process trees, as the keeper sees and ends them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bawn.runner import keeper

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process trees are Linux's")

TREE = """
import os, sys, time
for _ in range(2):
    if not os.fork():
        os.setsid()
        if not os.fork():
            os.write(1, b"%d\\n" % os.getpid())  # whole: two write at once
        time.sleep(60)
        os._exit(0)
time.sleep(60)
"""


@pytest.fixture
def tree() -> Iterator[tuple[int, list[int]]]:
    """A process with two children in sessions of their own, and their two children: those."""
    with subprocess.Popen([sys.executable, "-c", TREE], stdout=subprocess.PIPE, text=True) as top:
        assert top.stdout is not None
        leaves = [int(top.stdout.readline()) for _ in range(2)]
        yield top.pid, leaves
        for pid in (top.pid, *leaves):
            keeper.send(pid, 9)


def test_the_whole_tree_is_found_parents_first(tree: tuple[int, list[int]]) -> None:
    top, leaves = tree
    found = keeper.descendants(top)
    assert len(found) == 4
    assert set(found[2:]) == set(leaves)
    assert set(found[:2]) == set(keeper.children(top))


def test_the_whole_tree_is_killed(tree: tuple[int, list[int]]) -> None:
    top, leaves = tree
    ends = [os.pidfd_open(pid) for pid in (top, *leaves)]
    keeper.kill_trees(lambda: [top])
    import select

    for end in ends:
        assert select.select([end], [], [], 10)[0]
        os.close(end)


def test_a_process_that_is_gone_has_no_children_and_takes_no_signal() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert keeper.children(process.pid) == []
    keeper.send(process.pid, 9)


def test_it_starts_with_nothing_of_bawn() -> None:
    code = f"import runpy, sys; runpy.run_path({keeper.__file__!r}); print(sorted(sys.modules))"
    loaded = subprocess.check_output([sys.executable, "-I", "-S", "-c", code], text=True)
    assert "'bawn" not in loaded
    for heavy in ("asyncio", "subprocess", "logging", "json", "pathlib"):
        assert f"'{heavy}'" not in loaded
