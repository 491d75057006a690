"""One timed run: wrk in front of a target, CPU and memory of the target's processes around it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bench import procfs
from bench.target import SERVER, Target
from bench.toolchain import HERE
from bench.verify import WrongAnswerError


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run gave. `cpu_us` is per call and `rss_mb` in MB, both by part of the target."""

    calls: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_us: Mapping[str, float]
    rss_mb: Mapping[str, float]

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.calls / self.seconds

    @property
    def own_cpu_us(self) -> float:
        """CPU per call of everything but the server behind the target."""
        return sum(us for part, us in self.cpu_us.items() if part != SERVER)

    @property
    def own_rss_mb(self) -> float:
        """Memory of everything but the server behind the target."""
        return sum(mb for part, mb in self.rss_mb.items() if part != SERVER)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "rate": self.rate}


def run(target: Target, size: int, connections: int, seconds: int, core: int) -> Sample:
    """Load a target for whole seconds from one core.

    Raises:
        WrongAnswerError: an answer was not HTTP 200, was too short to be the right one, or is missing.
    """
    before = {part: procfs.cpu_ns(pids) for part, pids in target.parts.items()}
    told = _wrk(target, size, connections, seconds, core)
    after = {part: procfs.cpu_ns(pids) for part, pids in target.parts.items()}
    count = int(told["calls"])
    if told["failed"] or not count or told["bytes"] < count * size:
        raise WrongAnswerError(f"{target.name} at {connections} connections: {told}")
    return Sample(
        calls=count,
        seconds=told["us"] / 1e6,
        p50_ms=told["p50_us"] / 1e3,
        p99_ms=told["p99_us"] / 1e3,
        cpu_us={part: (after[part] - before[part]) / 1e3 / count for part in after},
        rss_mb={part: procfs.resident(pids) / 1e6 for part, pids in target.parts.items()},
    )


def _wrk(target: Target, size: int, connections: int, seconds: int, core: int) -> dict[str, float]:
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    done = subprocess.run(
        [*command, "--timeout", "30s", "-s", str(HERE / "call.lua"), target.url],
        env={
            **os.environ,
            "BENCH_TOOL": target.tool,
            "BENCH_SIZE": str(size),
            "BENCH_BEARER": target.bearer,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return told
