"""Disks that are full, read-only, slow or gone, and descriptors that ran out: refused, then recovered.

What needs a mount runs in a private mount namespace, for which one has to be root on Linux.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bawn.audit.recover import recover
from bawn.audit.writer import Writer
from bawn.errors import AUDIT_UNAVAILABLE, STORE_UNAVAILABLE, Refused
from bawn.storage import StateDirectory
from bawn.storage.database import NAME, RETRY, Database
from bawn.storage.tombstones import Tombstones
from tests.audited import ALLOWED, TOOL, call, calls, read
from tests.e2e.audit_writer import tell

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534

pytestmark = pytest.mark.e2e


def can_mount() -> bool:
    """Whether a mount namespace with a file system of its own can be had here."""
    probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    try:
        return subprocess.run(probe, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


needs_mount = pytest.mark.skipif(
    not can_mount(), reason="needs root and mount namespaces to make a small disk"
)


class Gate:
    """What of a gate writes to the disk, and what each was refused by."""

    def __init__(self, state: Path) -> None:
        self.state = StateDirectory(state)
        self.writer = Writer(self.state, rotate=100_000)
        self.database = Database(self.state.path / NAME)
        self.graves = Tombstones(self.database)
        self.number = 0
        self.acknowledged: set[int] = set()
        self.buried: set[str] = set()

    def call(self) -> str:
        """One call; the reason id it was refused for, empty if it was not."""
        self.number += 1
        try:
            intent = self.writer.intent(call(self.number), TOOL, ALLOWED)
        except Refused as refused:
            return refused.reason.id
        self.writer.outcome(intent, f"{self.number:032x}", "ok", 0.1, 1)
        self.acknowledged.add(self.number)
        return ""

    def bury(self) -> str:
        """One session ended; the reason id it was refused for, empty if it was not."""
        self.number += 1
        try:
            self.graves.bury(f"{self.number}", 2e10)
        except Refused as refused:
            return refused.reason.id
        self.buried.add(f"{self.number}")
        return ""

    def healthy(self) -> tuple[bool, bool]:
        """What the audit and the database say of themselves."""
        return self.writer.healthy, self.database.healthy

    def check(self) -> None:
        """Nothing acknowledged is lost, and the chain holds."""
        self.writer.close()
        recover(self.state.audit)
        _, problems = read(self.state)
        assert problems == []
        standing = {int(one.trace, 16) for one in calls(self.state)}
        assert self.acknowledged <= standing
        assert all(self.graves.buried(name) for name in self.buried)
        self.database.close()
        assert list(self.state.path.glob("*broken*")) == []


def until_refused(attempt: Iterator[str]) -> str:
    return next(reason for reason in attempt if reason)


def repeated(attempt: Callable[[], str], times: int) -> Iterator[str]:
    for _ in range(times):
        yield attempt()


def wait_for_retry() -> None:
    """Let the time pass for which a database that could not be opened is not tried again."""
    time.sleep(RETRY + 0.05)


def drill(name: str, tmp_path: Path) -> None:
    """Run a function of this module in a mount namespace of its own, on a small disk there."""
    script = (
        f"mount -t tmpfs -o size=1m,mode=700 tmpfs {tmp_path} && "
        f"exec {sys.executable} -m tests.e2e.test_disk {name} {tmp_path}"
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("done\n")


def mounted(options: str, path: Path) -> None:
    subprocess.run(["mount", "-o", options, str(path)], check=True)


def full(disk: Path) -> None:
    """Calls and ends are refused while there is no room, and go on when there is."""
    gate = Gate(disk / "state")
    assert gate.call() == gate.bury() == ""
    for round_ in range(3):
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        assert until_refused(repeated(gate.call, 5000)) == AUDIT_UNAVAILABLE.id
        assert until_refused(repeated(gate.bury, 5000)) == STORE_UNAVAILABLE.id
        assert {gate.call() for _ in range(20)} == {AUDIT_UNAVAILABLE.id}
        assert gate.healthy() == (False, False)
        assert not gate.graves.buried("nobody")  # reading needs no room
        ballast.unlink()
        assert [gate.call(), gate.bury()] == ["", ""], round_
        assert gate.healthy() == (True, True)
    gate.check()


def full_at_start(disk: Path) -> None:
    """Without room for a first segment a start is refused, and leaves nothing half-made."""
    state = StateDirectory(disk / "state")
    ballast = disk / "ballast"
    Writer(state).close()
    Database(state.path / NAME).close()
    before = sorted(path.name for path in state.audit.iterdir())
    (state.path / NAME).unlink()
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    with pytest.raises(Refused) as caught:
        Writer(state)
    assert caught.value.reason is AUDIT_UNAVAILABLE
    with pytest.raises(Refused) as caught:
        Database(state.path / NAME)
    assert caught.value.reason is STORE_UNAVAILABLE
    assert sorted(path.name for path in state.audit.iterdir()) == before
    ballast.unlink()
    Gate(state.path).check()


def read_only(disk: Path) -> None:
    """A disk that turned read-only refuses what has to be written, and answers what it knows."""
    gate = Gate(disk / "state")
    assert gate.call() == gate.bury() == ""
    for _ in range(2):
        # with files open for writing no disk can be turned: what is opened anew finds it so
        subprocess.run(["mount", "--bind", str(disk), str(disk)], check=True)
        mounted("remount,bind,ro", disk)
        with pytest.raises(Refused) as caught:
            Writer(gate.state)
        assert caught.value.reason is AUDIT_UNAVAILABLE
        gate.database.close()
        assert gate.bury() == STORE_UNAVAILABLE.id
        subprocess.run(["umount", str(disk)], check=True)
        wait_for_retry()
        assert gate.bury() == ""
        assert gate.call() == ""
    gate.check()


@needs_mount
@pytest.mark.parametrize("name", ["full", "full_at_start", "read_only"])
def test_a_disk_that_takes_nothing_refuses_and_is_recovered_from(tmp_path: Path, name: str) -> None:
    drill(name, tmp_path)


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Not one more file can be opened by this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    with suppress(OSError):
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    try:
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def exhausted(home: Path) -> None:
    """Descriptors run out, and are there again."""
    gate = Gate(home / "state")
    assert gate.call() == gate.bury() == ""
    gate.writer._commit._thread.submit(bool).result()  # it has no key left to open
    with no_descriptors():
        assert gate.call() == gate.bury() == ""
        told = list(repeated(gate.call, 1000))  # over the end of the segment: the next needs some
    assert AUDIT_UNAVAILABLE.id in told
    assert gate.call() == gate.bury() == ""
    gate.check()


def test_without_a_descriptor_left_what_is_open_goes_on_and_the_rest_is_refused(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.test_disk", "exhausted", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_state_directory_that_is_gone_refuses_until_it_is_back(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "state")
    assert gate.call() == gate.bury() == ""
    gate.writer._looked = 0  # as if the last look was a second ago
    (tmp_path / "state").rename(tmp_path / "away")
    assert gate.bury() == STORE_UNAVAILABLE.id
    assert gate.call() == AUDIT_UNAVAILABLE.id
    (tmp_path / "away").rename(tmp_path / "state")
    wait_for_retry()
    assert gate.call() == gate.bury() == ""
    gate.check()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become a user whom modes concern")
def test_a_directory_that_may_not_be_written_refuses_a_new_segment_and_database() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        os.chown(home, NOBODY, NOBODY)
        done = subprocess.run(
            [sys.executable, "-m", "tests.e2e.test_disk", "not_writable", home],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=90,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr


def not_writable(home: Path) -> None:
    """Both directories cannot be written for a while."""
    time.strptime("1", "%S")  # it imports what this user may not read, as does the first record
    with tempfile.TemporaryDirectory() as elsewhere:
        Gate(Path(elsewhere) / "state").call()
    os.setgroups([])
    os.setuid(NOBODY)
    gate = Gate(home / "state")
    assert gate.call() == gate.bury() == ""
    gate.database.close()
    for path in (gate.state.audit, gate.state.path):
        path.chmod(0o500)
    told = list(repeated(gate.call, 1000))
    assert AUDIT_UNAVAILABLE.id in told
    assert gate.bury() == STORE_UNAVAILABLE.id
    for path in (gate.state.audit, gate.state.path):
        path.chmod(0o700)
    wait_for_retry()
    assert gate.call() == gate.bury() == ""
    gate.check()


DRILLS: dict[str, Callable[[Path], None]] = {
    "full": full,
    "full_at_start": full_at_start,
    "read_only": read_only,
    "not_writable": not_writable,
    "exhausted": exhausted,
}

if __name__ == "__main__":
    DRILLS[sys.argv[1]](Path(sys.argv[2]))
    tell("done")
