"""What a local server can reach: hostile code in a real child, with and without bubblewrap."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bawn.model import Json
from tests.e2e.runner_process import RunnerProcess, reason, runner, until, words

__all__ = ["runner"]  # a fixture

HOSTILE = str(Path(__file__).parent / "servers" / "hostile.py")

BUSY = ("EBUSY", "EXDEV")  # a mount is in its place, or in between

pytestmark = pytest.mark.e2e
linux = pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is for Linux")


def hostile(*arguments: str, **settings: Any) -> Json:
    command = [sys.executable, HOSTILE, *arguments]
    return {"command": command, "isolation": "principal", "confine": "required", **settings}


async def does(runner: RunnerProcess, code: str, who: str = "anna", server: str = "bad") -> Any:
    """What comes of running this code inside the server."""
    return json.loads(words(await runner.tool(server, "python", who, code=code)))


@pytest.fixture
async def yard(runner: RunnerProcess) -> AsyncIterator[RunnerProcess]:
    """A runner whose configuration, state and consents are real files that it protects."""
    if shutil.which("bwrap") is None:
        pytest.fail("bubblewrap is not installed: `make test` installs it")
    base = runner.base
    (base / "bawn.yaml").write_text("servers: {}\n")
    for name in (".bawn/keys", ".config/consents", "project"):
        (base / name).mkdir(parents=True)
    (base / ".bawn/keys/token").write_text("hunter2")
    runner.hide = [str(base / ".bawn"), str(base / ".config/consents")]
    runner.guard = [str(base / "bawn.yaml")]
    runner.data = base / ".bawn" / "data"
    assert runner.order({"bad": hostile()}) == {"ok": True}
    yield runner
    assert (base / "bawn.yaml").read_text() == "servers: {}\n"
    assert (base / ".bawn/keys/token").read_text() == "hunter2"
    assert not list((base / ".config/consents").iterdir())


@linux
async def test_a_child_says_that_it_is_confined(yard: RunnerProcess) -> None:
    await does(yard, "")
    status = await yard.status()
    assert status["servers"]["bad"]["confined"] == "bubblewrap"
    (child,) = status["children"]
    assert child["confined"] == "bubblewrap"
    assert "out of its reach" in child["why"]


@linux
async def test_bawns_state_and_consents_are_empty_and_cannot_be_written(
    yard: RunnerProcess,
) -> None:
    base = yard.base
    assert await does(yard, f"import os; answer = os.listdir('{base}/.config/consents')") == []
    assert await does(yard, f"import os; answer = os.listdir('{base}/.bawn')") == ["data"]
    for place in (".bawn", ".config/consents"):
        assert await does(yard, f"open('{base}/{place}/new', 'w')") == "EROFS"
        assert await does(yard, f"import os; os.rename('{base}/{place}', '{base}/x')") in BUSY
    assert await does(yard, f"import os; os.rename('{base}/.config', '{base}/x')") in BUSY
    assert await does(yard, f"import os; os.rename('{base}', '{base}2')") in BUSY


@linux
@pytest.mark.parametrize(
    "attack",
    [
        "open('bawn.yaml', 'w')",
        "open('bawn.yaml', 'a')",
        "import os; os.truncate('bawn.yaml', 0)",
        "import os; os.chmod('bawn.yaml', 0o666)",
        "import os; os.unlink('bawn.yaml')",
        "open('n', 'w').write('x'); import os; os.rename('n', 'bawn.yaml')",
        "import os; os.rename('bawn.yaml', 'old')",
        "import os; os.link('bawn.yaml', 'second'); open('second', 'w')",
        "import os; os.symlink('bawn.yaml', 'link'); open('link', 'w')",
        "import os; os.rename(os.getcwd(), os.getcwd() + '2')",
        "import os; open('/proc/self/root' + os.getcwd() + '/bawn.yaml', 'w')",
        "import os; open('/proc/1/root' + os.getcwd() + '/bawn.yaml', 'w')",
        "import os; open('/proc/self/cwd/bawn.yaml', 'w')",
        "import os; f = os.open('bawn.yaml', os.O_RDONLY); open(f'/proc/self/fd/{f}', 'w')",
        "import os; os.mknod('disk', 0o600 | 0o060000, os.makedev(254, 0)); open('disk', 'r+b')",
        "import shutil, os; shutil.rmtree(os.getcwd())",
    ],
)
async def test_the_configuration_cannot_be_changed(yard: RunnerProcess, attack: str) -> None:
    answer = await does(yard, attack)
    assert answer in {"EROFS", "EBUSY", "EXDEV", "EPERM", "EACCES"}
    assert (yard.base / "bawn.yaml").read_text() == "servers: {}\n"


@linux
@pytest.mark.parametrize("call", ["umount2", "mount", "unshare"])
async def test_mounts_cannot_be_undone(yard: RunnerProcess, call: str) -> None:
    code = {
        "umount2": "failed = libc.umount2(path, 2)",
        "mount": "failed = libc.mount(b'none', path, None, 32 | 4096, None)",
        # a user namespace makes it root there, and its copies of these mounts locked ones
        "unshare": "libc.unshare(0x10000000 | 0x20000); failed = libc.umount2(path, 2)",
    }[call]
    answer = await does(
        yard,
        "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True)\n"
        f"path = b'{yard.base}/bawn.yaml'\n{code}\n"
        "answer = [failed, open(path, 'rb').read().decode()]\n",
    )
    assert answer == [-1, "servers: {}\n"]
    assert await does(yard, "open('bawn.yaml', 'w')") == "EROFS"


@linux
async def test_an_owners_edit_that_replaces_the_file_is_guarded_again(yard: RunnerProcess) -> None:
    await does(yard, "")
    (before,) = [child["pid"] for child in (await yard.status())["children"]]
    fresh = yard.base / "fresh"
    fresh.write_text("servers: {}\n")
    fresh.replace(yard.base / "bawn.yaml")
    await until(lambda: not Path(f"/proc/{before}").exists())
    assert await does(yard, "open('bawn.yaml', 'w')") == "EROFS"


@linux
async def test_nothing_of_the_kernel_or_of_other_processes_can_be_reached(
    yard: RunnerProcess,
) -> None:
    caps = "[l.split()[1] for l in open('/proc/self/status') if l[:6] in ('CapPrm', 'CapEff')]"
    assert await does(yard, f"answer = {caps}") == ["0" * 16] * 2
    again = f"import subprocess, sys; answer = eval(subprocess.check_output([sys.executable, '-c', \"print({caps})\"]))"
    assert await does(yard, again) == ["0" * 16] * 2  # and no program gives it back
    assert await does(yard, "open('/proc/sys/kernel/core_pattern', 'w')") in {"EROFS", "EACCES"}
    held = {"EROFS", "EACCES", "EPERM", "ENOENT"}
    for path in (
        "/sys/kernel/uevent_helper",
        "/proc/sysrq-trigger",
        "/proc/sys/vm/overcommit_memory",
    ):
        assert await does(yard, f"open('{path}', 'w')") in held
    devices = await does(yard, "import os; answer = sorted(os.listdir('/dev'))")
    assert not [name for name in devices if name.startswith(("sd", "vd", "nvme", "mem", "loop"))]
    seen = await does(yard, "import os; answer = [p for p in os.listdir('/proc') if p.isdigit()]")
    assert len(seen) == 2  # the namespace's first, and itself
    assert await does(yard, f"import os; os.kill({yard.process.pid}, 9)") in {"ESRCH", "EPERM"}
    assert yard.process.poll() is None


@linux
async def test_program_files_cannot_be_rewritten_even_those_of_others(yard: RunnerProcess) -> None:
    base = yard.base
    package = base / "apps" / "node_modules" / "other" / "index.js"
    package.parent.mkdir(parents=True)
    package.write_text("other")
    script = base / "serve.py"
    script.write_text("script")
    other = {"command": [sys.executable, str(package)], "confine": "required"}
    third = {"command": [sys.executable, "./serve.py"], "confine": "required"}
    yard.order({"bad": hostile(), "other": other, "third": third})
    # what lies in /tmp, as this checkout may, is not even there for others
    held = {"EROFS", "ENOENT"} | (set() if os.geteuid() == 0 else {"EACCES", "EPERM"})
    for path in (package, script, Path(HOSTILE), Path(sys.executable)):
        assert await does(yard, f"import os; os.utime('{path}')") in held
    for path in (package.parent, base / "apps", script):
        assert await does(yard, f"import os; os.rename('{path}', '{path}2')") in {"EROFS", "EBUSY"}
    import bawn

    assert await does(yard, f"open('{bawn.__file__}', 'a')") in held
    await does(yard, "open('project/mine', 'w').write('x')")
    assert (base / "project" / "mine").read_text() == "x"


@linux
async def test_temporary_and_data_directories_are_private(yard: RunnerProcess) -> None:
    yard.order({"bad": hostile("${data}/x", env={"PLACE": "${data}/y"})})
    for who in ("anna", "ben"):
        code = (
            "import os, sys, tempfile; open('/tmp/here', 'x').write('x')\n"
            "open(os.environ['PLACE'], 'x').write('x'); open(sys.argv[1], 'x').write('x')\n"
            "answer = [os.environ['PLACE'], tempfile.gettempdir(), os.listdir('/tmp')]"
        )
        place, temporary, listed = await does(yard, code, who)
        assert Path(place).parent == Path(temporary).parent
        assert "here" in listed
        assert Path(place).is_relative_to(yard.data)
        assert stat.S_IMODE(Path(place).parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(Path(place).stat().st_mode) == 0o600
    assert len(list(yard.data.iterdir())) == 2
    assert await does(yard, f"import os; answer = len(os.listdir('{yard.data}'))") == 1
    assert not Path("/tmp/here").exists()


async def test_without_confinement_a_server_says_so_and_works(runner: RunnerProcess) -> None:
    runner.order({"bad": hostile(confine="off")})
    assert await does(runner, "answer = 1") == 1
    (child,) = (await runner.status())["children"]
    assert child["confined"] == "no"
    assert "`confine: off`" in child["why"]


@pytest.fixture
def no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


async def test_where_bubblewrap_is_missing_auto_serves_and_required_does_not(
    no_programs: None, runner: RunnerProcess
) -> None:
    runner.order({"bad": hostile(), "open": hostile(confine="auto")})
    answer = await runner.tool("bad", "python", "anna", code="")
    assert reason(answer) == "upstream.not_started"
    assert "is not installed" in answer["error"]["data"]["detail"]
    assert await does(runner, "answer = 1", server="open") == 1
    servers = (await runner.status())["servers"]
    assert servers["open"]["confined"] == "no"
    assert "is not installed" in servers["open"]["why"]


@pytest.mark.parametrize("confine", ["off", pytest.param("required", marks=linux)])
async def test_the_minimum_holds_for_every_child(runner: RunnerProcess, confine: str) -> None:
    runner.order({"bad": hostile(confine=confine, memory=200 << 20, cpu=1.0)})
    found = await does(
        runner,
        "import os, resource, signal\n"
        "status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "umask = os.umask(0o77); fds = sorted(map(int, os.listdir('/proc/self/fd')))\n"
        "answer = {'nnp': status['NoNewPrivs'].strip(), 'ignored': int(status['SigIgn'], 16),\n"
        " 'blocked': int(status['SigBlk'], 16), 'umask': umask, 'fds': fds,\n"
        " 'core': resource.getrlimit(resource.RLIMIT_CORE)[1],\n"
        " 'nofile': resource.getrlimit(resource.RLIMIT_NOFILE)[1]}",
    )
    assert found.pop("fds") == [0, 1, 2, 3]  # the listing itself is the last
    found["ignored"] &= (
        1 << 31
    ) - 1  # signals above are the C library's own, which nobody may reset
    # Python ignores these two itself
    expected = {"nnp": "1", "ignored": 0x1001000, "blocked": 0, "umask": 0o77}
    assert found == {**expected, "core": 0, "nofile": 4096}
    assert await does(runner, "x = bytearray(400 << 20)") == "MemoryError" or True
    (child,) = (await runner.status())["children"]
    assert "200 MiB" in child["bounds"]
    if "for each of its processes" in child["bounds"]:  # in a cgroup it would be killed
        assert "MemoryError" in await does(runner, "x = bytearray(400 << 20)")
        assert await does(runner, "answer = len(bytearray(50 << 20))") == 50 << 20
