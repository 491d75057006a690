"""Every target by name, started when it is first asked for and kept until the end."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from bench import procfs, rules, toolchain
from bench.gate import gate, with_local_server
from bench.process import free_port, listens, running, wait_until
from bench.procfs import Cores
from bench.target import SERVER, Target

FEW: Final = 20
MANY: Final = 1_000
"""Tools of the server behind a target."""


class Fleet:
    """Starts targets below `place`; ends them all when left."""

    def __init__(self, place: Path, cores: Cores) -> None:
        self._place = place
        self._cores = cores
        self._running = ExitStack()
        self._targets: dict[str, Target] = {}
        self._upstreams: dict[int, Target] = {}
        self._makers: Mapping[str, Callable[[str], Target]] = {
            "direct": lambda _: self._upstream(FEW),
            "nginx": self._nginx,
            "yardstick": self._yardstick,
            "bawn": lambda name: self._bawn(name, FEW),
            "bawn, 1,000 tools": lambda name: self._bawn(name, MANY),
            "bawn, safe policies": lambda name: self._deciding(name, {}),
            "bawn, 100 policies": lambda name: self._deciding(name, rules.constant(100)),
            "bawn, 100 policies, arguments": lambda name: self._deciding(name, rules.residual(100)),
            "FastMCP": self._fastmcp,
            "bawn, stdio": lambda name: self._bawn_stdio(name, FEW),
            "bawn, stdio, 1,000 tools": lambda name: self._bawn_stdio(name, MANY),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *caught: object) -> None:
        self._running.close()

    def target(self, name: str) -> Target:
        """The running target of this name."""
        if name not in self._targets:
            print(f"starting {name}", file=sys.stderr)
            self._targets[name] = self._makers[name](name)
        return self._targets[name]

    def _serving(self, name: str, port: int, core: int, *command: str | Path) -> int:
        """Start a program that serves on this port; its process id."""
        log = self._place / f"{name}.log"
        process = self._running.enter_context(running(command, core, log))
        wait_until(lambda: listens(port), process, log)
        return process.pid

    def _upstream(self, tools: int) -> Target:
        if tools not in self._upstreams:
            port = free_port()
            command = (toolchain.mock("upstream"), str(port), str(tools))
            pid = self._serving(f"upstream-{tools}", port, self._cores.load, *command)
            url = f"http://127.0.0.1:{port}/mcp"
            self._upstreams[tools] = Target("direct", url, {SERVER: (pid,)})
        return self._upstreams[tools]

    def _nginx(self, name: str) -> Target:
        toolchain.require("nginx")
        place, port = self._place / "nginx", free_port()
        place.mkdir()
        settings = (toolchain.HERE / "nginx.conf").read_text()
        upstream = self._upstream(FEW).url.split("/")[2]
        filled = {"PORT": str(port), "UPSTREAM": upstream, "PLACE": str(place)}
        for key, value in {**filled, "USER": getpass.getuser()}.items():
            settings = settings.replace(f"@{key}@", value)
        (place / "nginx.conf").write_text(settings)
        command = ("nginx", "-p", place, "-c", place / "nginx.conf", "-e", "stderr")
        pid = self._serving(name, port, self._cores.tested, *command)
        return self._single(name, port, pid)

    def _yardstick(self, name: str) -> Target:
        port = free_port()
        command = (sys.executable, "-m", "bench.yardstick", str(port), self._upstream(FEW).url)
        return self._single(name, port, self._serving(name, port, self._cores.tested, *command))

    def _fastmcp(self, name: str) -> Target:
        port = free_port()
        command = (toolchain.fastmcp(), toolchain.HERE / "fastmcp_proxy.py", str(port))
        url = self._upstream(FEW).url
        pid = self._serving(name, port, self._cores.tested, *command, url)
        return self._single(name, port, pid)

    @staticmethod
    def _single(name: str, port: int, pid: int) -> Target:
        return Target(name, f"http://127.0.0.1:{port}/mcp", {"all": (pid, *procfs.children(pid))})

    def _bawn(self, name: str, tools: int) -> Target:
        return self._gate(name, f"gate-{tools}", {"url": self._upstream(tools).url})

    def _bawn_stdio(self, name: str, tools: int) -> Target:
        command: Sequence[str] = (str(toolchain.mock("stdio")), str(tools))
        target = self._gate(name, f"gate-stdio-{tools}", {"command": command})
        return asyncio.run(with_local_server(target, self._cores))

    def _deciding(self, name: str, policies: Mapping[str, str]) -> Target:
        place = name.replace(", ", "-").replace(" ", "-")
        return self._gate(name, place, {"url": self._upstream(FEW).url}, policies)

    def _gate(
        self,
        name: str,
        place: str,
        server: Mapping[str, Any],
        policies: Mapping[str, str] | None = None,
    ) -> Target:
        opened = gate(name, self._place / place, server, self._cores.tested, policies)
        return self._running.enter_context(opened)
