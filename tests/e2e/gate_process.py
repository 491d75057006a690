"""A real `bawn up`, in a directory of its own, on ports of its own."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import httpx2

from bawn.identity.embedded import open_embedded
from bawn.model import Json
from bawn.storage import StateDirectory
from tests.conftest import CACHE
from tests.e2e.runner_process import exists
from tests.e2e.template import Started, template

BAWN = (sys.executable, "-m", "bawn")
UP = "bawn is up."


def reserve() -> tuple[int, int]:
    """A port and the descriptor that keeps it, from everybody but listeners that allow reuse."""
    while True:
        port = random.randrange(20_000, 32_000)  # below what outgoing connections are given
        with socket.socket() as held, contextlib.suppress(OSError):
            held.bind(("127.0.0.1", port))
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            return port, held.detach()


def free_port() -> int:
    """A port that nobody listens on now; that somebody takes it meanwhile is unlikely."""
    port, held = reserve()
    os.close(held)
    return port


def wait_until(true: Callable[[], Any], seconds: float = 30.0, what: str = "it") -> None:
    """Wait for something that another process brings about."""
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, f"{what} did not happen in time"
        time.sleep(0.02)


@dataclass
class Gate:
    """One gate: its files below `home`, and its process, forked from a template, once `start` was called."""

    home: Path
    servers: str
    head: str = "management: {{listen: '127.0.0.1:{management}'}}"
    flags: tuple[str, ...] = ("--trust-config",)
    extra_env: dict[str, str] = field(default_factory=dict)
    port: int = 0
    management_port: int = 0
    process: Started | subprocess.Popen[str] | None = None
    _tokens: dict[tuple[object, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.port = self.port or self._reserve()
        self.management_port = self.management_port or self._reserve()
        (self.home / "tmp").mkdir(parents=True, exist_ok=True)
        self.write(self.servers)

    def _reserve(self) -> int:
        port, held = reserve()
        weakref.finalize(self, os.close, held)
        return port

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.home / "bawn.yaml"

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.home / "state"

    @property
    def log(self) -> Path:
        """Standard error of every process of the gate."""
        return self.home / "log"

    @property
    def base(self) -> str:
        """The gate's URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The endpoint of all servers."""
        return f"{self.base}/mcp"

    @property
    def probes(self) -> str:
        """The URL of the management listener."""
        return f"http://127.0.0.1:{self.management_port}"

    @property
    def env(self) -> dict[str, str]:
        """The environment of everything that is started here; HOME marks its processes."""
        home = str(self.home)
        return {
            **os.environ,
            "HOME": home,
            "XDG_STATE_HOME": f"{home}/xdg-state",
            "XDG_CONFIG_HOME": f"{home}/xdg-config",
            "TMPDIR": f"{home}/tmp",
            "XDG_CACHE_HOME": str(CACHE),
            **self.extra_env,
        }

    def write(self, servers: str) -> None:
        """Write the configuration anew, on the same ports."""
        self.servers = servers
        head = self.head.format(management=self.management_port)
        text = f"listen: 127.0.0.1:{self.port}\nstate: ./state\n{head}\n{servers}"
        fresh = self.config.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.config)

    def start(self) -> Gate:
        """Start it, and wait until it says that it serves."""
        with self.log.open("ab") as log:
            command = ["up", *self.flags, "--config", str(self.config)]
            self.process = template().start(command, self.env, self.home, subprocess.PIPE, log)
        assert self.process.stdout is not None
        heard = _until(self.process.stdout, UP)
        assert UP in heard, f"the gate did not start:\n{heard}\n{self.log_text()}"
        return self

    def cli(self, *arguments: str, check: bool = True) -> str:
        """The standard output of a command about this gate."""
        return self.run(*arguments, check=check).stdout

    def run(self, *arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command about this gate to its end."""
        command = [*arguments, "--config", str(self.config)]
        with TemporaryFile() as out, TemporaryFile() as err:
            started = template().start(command, self.env, self.home, out, err)
            code = started.wait(60)
            said = [_text(each) for each in (out, err)]
        done = subprocess.CompletedProcess(command, code, *said)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def token(
        self, *roles: str, sub: str = "alice", server: str | None = None, **claims: Any
    ) -> str:
        """A token of the gate's own, as `bawn token` mints it; `claims`: scopes, agent, tenant."""
        held = list(roles or ("developer",))
        wanted = (sub, *held, server, repr(claims))
        if wanted not in self._tokens:
            embedded = open_embedded(self.base, 30.0, StateDirectory(self.state))
            self._tokens[wanted] = embedded.mint(sub, held, 3600, server, **claims)
        return self._tokens[wanted]

    def readyz(self) -> Json:
        """What /readyz says to the owner, over the Unix socket."""
        transport = httpx2.HTTPTransport(uds=str(StateDirectory(self.state).socket("gate.sock")))
        with httpx2.Client(transport=transport, timeout=30) as client:
            told: Json = client.get("http://localhost/readyz").json()
            return told

    def until_ok(self, *servers: str) -> Gate:
        """Wait until these servers were listed; without names, all of them."""

        def listed() -> bool:
            states = self.readyz()["servers"]
            return all(states[name]["state"] == "ok" for name in servers or states)

        wait_until(listed, what=f"a listing of {servers or 'all servers'}")
        return self

    @property
    def listens(self) -> bool:
        """Whether clients can connect."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def pids(self) -> dict[str, int]:
        """The processes of the gate proper, once a worker answers: one may just have been killed.

        By name: supervisor, steward, runner, `worker 0` and so on; `worker` is the first.
        """
        answered: list[str] = []

        def asked() -> bool:
            done = self.run("status", "--json")
            answered[:] = [done.stdout]
            return done.returncode == 0 and None not in json.loads(done.stdout)["pids"]["workers"]

        wait_until(asked, what="an answer to `bawn status`")
        told = json.loads(answered[0])["pids"]
        workers = told.pop("workers")
        named = {f"worker {slot}": pid for slot, pid in enumerate(workers)}
        every = {**told, **named, "worker": workers[0]}
        return {name: int(pid) for name, pid in every.items() if pid}

    def log_text(self) -> str:
        """Everything that was logged."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def logged(self, event: str) -> list[Json]:
        """The log's records with this text in their event."""
        lines = [json.loads(line) for line in self.log_text().splitlines() if line[:1] == "{"]
        return [line for line in lines if event in line["event"]]

    def processes(self) -> list[int]:
        """Every living process that was started for this gate, however far it went from it."""
        mark = f"HOME={self.home}".encode()
        group = self.process.pid if self.process is not None else None
        return [
            pid
            for pid in _all_processes()
            if (_group(pid) == group or mark in _environment(pid)) and exists(pid)
        ]

    def signal(self, number: int) -> None:
        """Send a signal to the supervisor."""
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> int:
        """End it as `kill` does, and see that nothing is left of it."""
        process = self.process
        assert process is not None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(45)
            self.until_gone()
        finally:
            self.kill()
        return code

    def until_gone(self, seconds: float = 15.0) -> None:
        """Wait until no process of this gate is left."""
        wait_until(lambda: not self.processes(), seconds, "the end of every process of the gate")

    def kill(self) -> None:
        """Leave nothing, whatever went wrong."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):  # one death may bring others
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(10)
            if self.process.stdout is not None:
                self.process.stdout.close()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _until(lines: IO[str], wanted: str) -> str:
    heard = ""
    for line in lines:
        heard += line
        if wanted in line:
            break
    return heard


def _all_processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return -1


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it ended meanwhile, or is another user's
        return []
