"""What one worker has counted, in a form that goes from process to process."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from bawn.telemetry.metrics import Meter


class Figures(msgspec.Struct, frozen=True):
    """The counts of one worker since its start; a cell of `calls` is as `Meter` has it."""

    calls: list[tuple[str, str, str, list[float]]] = []
    refusals: dict[str, int] = {}
    findings: list[tuple[str, str, str, int]] = []
    in_flight: dict[str, int] = {}
    audit_records: int = 0
    audit_failures: int = 0
    audit_healthy: bool = True
    cpu_seconds: float = 0.0
    resident_bytes: int = 0
    descriptors: int = 0


def figures(
    meter: Meter, in_flight: Mapping[str, int], records: int, failures: int, *, healthy: bool
) -> Figures:
    """The figures of this process as they stand."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Figures(
        [(*key, cell) for key, cell in meter.calls.items()],
        dict(meter.refusals),
        [(*key, count) for key, count in meter.findings.items()],
        dict(in_flight),
        records,
        failures,
        healthy,
        used.ru_utime + used.ru_stime,
        _resident(),
        _descriptors(),
    )


encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder(Figures).decode


def _resident() -> int:
    """Bytes in memory; 0 where the kernel does not tell by /proc."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _descriptors() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are enough
    except OSError:
        return 0
