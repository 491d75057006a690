"""bawn itself as a target: a gate with one server behind it, as `bawn up` starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench import procfs
from bench.calls import TOOL
from bench.process import NotStartedError, free_port, running, wait_until
from bench.procfs import Cores
from bench.target import SERVER, Target
from bench.verify import verify

BAWN: Final = (sys.executable, "-m", "bawn")
_SERVER_ID: Final = "mock"


def configure(
    place: Path,
    servers: Mapping[str, Any],
    management: int | None = None,
    policies: Mapping[str, str] | None = None,
) -> Path:
    """Write the configuration of a gate on a free port, with its state and policies beside it."""
    place.mkdir(parents=True)
    path = place / "bawn.yaml"
    settings = {
        "listen": f"127.0.0.1:{free_port()}",
        "management": {"listen": management and f"127.0.0.1:{management}"},
        "state": "state",
        "servers": servers,
        "policy": None if policies is None else "policies",
    }
    if policies is not None:
        (place / "policies").mkdir()
        for name, text in policies.items():
            (place / "policies" / name).write_text(text)
    path.write_text(json.dumps(settings))  # JSON is YAML
    return path


def environment(place: Path) -> dict[str, str]:
    """That of a gate's processes: what is consented to is kept at its place, not with the user's own."""
    return {**os.environ, "XDG_STATE_HOME": str(place / "consents")}


@contextmanager
def gate(
    name: str,
    place: Path,
    server: Mapping[str, Any],
    core: int,
    policies: Mapping[str, str] | None = None,
) -> Iterator[Target]:
    """A running gate, all its processes on one core; callers use the aggregate endpoint.

    `policies` are files; without, roles alone decide.
    """
    config = configure(place, {_SERVER_ID: {**server, "required": True}}, policies=policies)
    log = place / "log"
    command: Sequence[str | Path] = (*BAWN, "up", "--trust-config", "--config", config)

    def up() -> bool:
        return "bawn is up." in log.read_text(errors="replace")

    def ready() -> bool:
        return bool(_ask(config, "status")["health"]["status"] == "ready")

    with running(command, core, log, environment(place)) as process:
        wait_until(up, process, log)
        wait_until(ready, process, log)
        told = _ask(config, "status")
        token = _ask(config, "token", "--sub", "bench", "--role", "developer", "--ttl", "1d")
        pids = told["pids"]
        parts = {"worker": tuple(pids.pop("workers"))}
        parts |= {part: (pid,) for part, pid in pids.items() if pid}
        yield Target(name, f"{told['url']}/mcp", parts, f"{_SERVER_ID}__{TOOL}", token["token"])


def _ask(config: Path, *command: str) -> dict[str, Any]:
    asked = [*BAWN, *command, "--json", "--config", str(config)]
    env = environment(config.parent)
    done = subprocess.run(asked, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotStartedError(f"`bawn {command[0]}` failed: {done.stderr.strip()[-1500:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


async def with_local_server(target: Target, cores: Cores) -> Target:
    """The same with the processes of its local server as a part, which run where the load does.

    The caller's own process is started by a first call (isolation is per principal).
    """
    await verify(target, 200, connections=1, each=1)
    (runner,) = target.parts["runner"]
    started = tuple(procfs.children(runner))
    for pid in started:
        procfs.pin(pid, cores.load)
    return Target(
        target.name, target.url, {**target.parts, SERVER: started}, target.tool, target.bearer
    )
