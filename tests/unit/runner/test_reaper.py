"""What a killed keeper left behind, in a process of its own: adoption is for good."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux")

# A child here starts `keeper`, which starts two sleepers, one of them in yet another session.
SCENE = """
import asyncio, json, os, subprocess, sys, time
from bawn.runner import reaper
from bawn.runner.keeper import children
{adopt}
def sleeper(**how):
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(10)"], stdout=subprocess.DEVNULL, **how)
keeper = os.fork()
if not keeper:
    os.setsid()
    sleeper(); sleeper(start_new_session=True)
    os._exit(0)
os.waitpid(keeper, 0)
ours, kept, ours_elsewhere = sleeper(), sleeper(start_new_session=True), sleeper(start_new_session=True)
reaper.keepers.add(kept.pid)
before = len(children(os.getpid()))
left = asyncio.run(reaper.sweep(lambda: [ours_elsewhere.pid]))
after = len(children(os.getpid()))
alive = [process.poll() is None for process in (ours, kept, ours_elsewhere)]
for process in (ours, kept, ours_elsewhere):
    process.kill(); process.wait()
print(json.dumps([before, left, after, alive]))
"""


def scene(adopt: str) -> Any:
    code = SCENE.format(adopt=adopt)
    return json.loads(subprocess.check_output([sys.executable, "-c", code], timeout=30))


def test_orphans_are_killed_and_reaped_and_nobody_else() -> None:
    assert scene("reaper.adopt()") == [5, 0, 3, [True, True, True]]


def test_a_process_that_did_not_adopt_kills_nobody() -> None:
    before, left, after, alive = scene("")
    assert (before, left, after, alive) == (3, 0, 3, [True, True, True])
    # their sleepers went to whoever adopts here, and end by themselves
