"""The gate of the demo: started by the public commands, in a directory of its own, and taken away again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bawn.demo.benign import TIME, Benign
from bawn.demo.ending import undisturbed
from bawn.demo.story import HOSTILE
from bawn.errors import BawnError
from bawn.model import Json
from bawn.storage.compiled import cache_directory

UP: Final = "bawn is up."
STOP: Final = 20.0
"""Seconds in which the gate has to end by itself."""

_BAWN: Final = (sys.executable, "-I", "-m", "bawn")
_SERVER: Final = (sys.executable, "-I", "-m", "bawn.demo.server")
_COMMAND: Final = 60.0
_INSTALL: Final = 300.0
_TOLD: Final = 12  # lines of a log that are shown
_HEAD: Final = """\
# The gate of `bawn demo`: {what}, and a hostile server.
# It goes away with the demo.
"""


class DemoError(BawnError):
    """The demo cannot be given; the text says why."""


class Gate:
    """A gate below `home`, which is its own. `benign` is the server beside the hostile one."""

    def __init__(self, home: Path, benign: Benign, port: int) -> None:
        self.home = home
        self.port = port
        self.config = home / "bawn.yaml"
        self.token_file = home / "token"
        self.endpoint = f"http://127.0.0.1:{port}/mcp"
        self.process: subprocess.Popen[str] | None = None
        self.write(benign)

    @property
    def log(self) -> Path:
        """What the gate logged."""
        return self.home / "log"

    def write(self, benign: Benign) -> None:
        """Write the configuration for this server."""
        servers = {benign.id: benign.command, HOSTILE: _SERVER}
        text = _HEAD.format(what=benign.what) + (
            f"listen: 127.0.0.1:{self.port}\nstate: ./state\nmanagement: {{listen: null}}\nservers:\n"
        )
        for name, command in servers.items():
            text += f"  {name}:\n    command: {json.dumps(command)}\n    isolation: shared\n"
        self.config.write_text(text, encoding="utf-8")

    def install(self) -> None:
        """Install the honest server's package from its digests, by the user's own package index.

        Raises:
            DemoError: it cannot be had.
        """
        # the user's own home: there is written where the index is
        words = ("server", "install", TIME.id, "--yes")
        self._command(words, environment=_environment({}), seconds=_INSTALL)

    def start(self) -> None:
        """Start it, and return once callers are served.

        Raises:
            DemoError: it does not start.
        """
        command = (*_BAWN, "up", "--trust-config", "--config", str(self.config))
        with undisturbed(), self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is ours to hear: we end it in good order
            )
        assert self.process.stdout is not None  # noqa: S101  # it was asked for
        if not any(line.strip() == UP for line in self.process.stdout):
            raise DemoError(f"the gate did not start:\n{self._last_words()}")

    def token(self) -> str:
        """Mint a token for a developer, and keep it beside the configuration.

        Raises:
            DemoError: there is none.
        """
        words = ("token", "--sub", "you", "--role", "developer", "--ttl", "12h")
        minted = self._command(words).strip()
        descriptor = os.open(self.token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{minted}\n")
        return minted

    def waiting(self) -> dict[str, tuple[str, ...]]:
        """The hostile server's tools that wait for approval, each with the rules by which something is found.

        Raises:
            DemoError: it cannot be told.
        """
        told = json.loads(self._command(("server", "diff", HOSTILE, "--json"), fine=(0, 1)))
        return {
            each["name"]: tuple(dict.fromkeys(_rules(each["drift"]["cues"])))
            for each in told["waiting"]
            if each["aspect"] == "tool"
        }

    def wait(self) -> int:
        """Wait until it ends; its exit code."""
        return self.process.wait() if self.process is not None else 0

    def end(self) -> None:
        """End it with all that it started."""
        process = self.process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def keeps(self, value: str) -> list[str]:
        """The files below its home in which a text stands."""
        files = (each for each in self.home.rglob("*") if each.is_file() and not each.is_symlink())
        return [str(each) for each in files if value.encode() in each.read_bytes()]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of everything that is started here: of the user's own it has the cache alone.

        That is bawn's, of compiled rules: without, each demo would compile them anew.
        """
        home = str(self.home)
        return _environment(
            {
                "HOME": home,
                "TMPDIR": home,
                "XDG_STATE_HOME": f"{home}/xdg-state",
                "XDG_CONFIG_HOME": f"{home}/xdg-config",
                "XDG_CACHE_HOME": str(cache_directory().parents[1]),
            }
        )

    def _command(
        self,
        words: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        seconds: float = _COMMAND,
        fine: Sequence[int] = (0,),
    ) -> str:
        command = (*_BAWN, *words, "--config", str(self.config))
        env = self.environment if environment is None else environment
        with ExitStack() as ending:
            # else one could be told to end when it runs, and nobody knows it yet
            with undisturbed():
                process = ending.enter_context(
                    subprocess.Popen(
                        command,
                        cwd=self.home,
                        env=env,
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE,
                        text=True,
                    )
                )
                ending.callback(process.kill)
            try:
                said, complained = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                raise DemoError(f"`bawn {words[0]}` was not done within {seconds:g} s") from None
        if process.returncode not in fine:
            raise DemoError(f"`bawn {words[0]}` failed: {complained.strip()[-400:]}")
        return said

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_TOLD:]) or "it said nothing"


@contextmanager
def a_gate(benign: Benign, port: int) -> Iterator[Gate]:
    """A gate that is not started yet; when the block ends, so does it, and nothing of it is left."""
    home: Path | None = None
    gate: Gate | None = None
    try:
        with undisturbed():
            home = Path(tempfile.mkdtemp(prefix="bawn-demo-"))
        gate = Gate(home, benign, port or free_port())
        yield gate
    finally:
        with undisturbed():
            if gate is not None:
                gate.end()
            if home is not None:
                shutil.rmtree(home, ignore_errors=True)


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _rules(cues: Sequence[Json]) -> Iterator[str]:
    for cue in cues:
        if cue["kind"] == "detected":
            yield cue["found"].partition(":")[0]


def _environment(more: Json) -> dict[str, str]:
    """The user's environment without settings for another gate."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BAWN_")}
    return kept | more
