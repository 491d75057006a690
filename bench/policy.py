"""What deciding costs: `python -m bench.policy` prints it; `python -m bench` puts it on the page.

Each figure is CPU time of a process of its own, pinned like the program under test: the engine, the
conversations and the lists of a worker, with no connection around them. What a whole call costs under
such policies is measured in `matrix.py`.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bawn.catalogue import Catalogue
from bawn.flows.flow import Flow
from bawn.model import Call, Client, Decision, Endpoint, Item, Kind, Label, Principal, View
from bawn.policy.engine import CedarEngine
from bawn.policy.files import reading
from bawn.policy.rules import Source
from bawn.protocol.conversation import by_principal
from bawn.protocol.inbound import Request
from bawn.protocol.sealing import Sealer
from bawn.protocol.versions import METHODS, MODERN
from bawn.storage.database import Database
from bawn.storage.flows import StoredFlows
from bench import procfs, rules
from bench.process import NotStartedError
from bench.procfs import Cores

_COUNTS: Final = (10, 100, 1_000)
_PROMISED: Final = 100
_TOOLS: Final = 1_000
_FEW: Final = 20
_CALLERS: Final = 1_000
_BATCHES: Final = 15
_BATCH: Final = 0.02  # seconds
_CLIENT: Final = Client(MODERN, "bench")
_SAFE: Final[Mapping[str, str]] = {}
"""A directory without rules: the set that comes with bawn is in force."""
_APART: Final = rules.apart(_PROMISED)


class Room:
    """An engine over so many tools, as a worker has it; its flows are in a store in `place`."""

    def __init__(self, place: Path, files: Mapping[str, str], tools: int = _FEW) -> None:
        found = reading.ruleset(Source("bench", tuple(files.items())), 900.0)
        self._flows = Flow(StoredFlows(Database(place / "state.db")), 3600.0)
        self.engine = CedarEngine(found, {}, clock=time.time, touched=self._touched)
        self.items = [_tool(n) for n in range(tools)]
        served: dict[Kind, dict[str, Item]] = {kind: {} for kind in Kind}
        served[Kind.TOOL] = {item.shown: item for item in self.items}
        self.endpoint = Endpoint(None, served, frozenset(), {}, {}, 60_000)
        self.engine.swap(View("bench", {None: self.endpoint}))

    def _touched(self, call: Call) -> frozenset[Label]:
        return self._flows.touched(_conversation(call))

    def touch(self, call: Call, *labels: Label) -> None:
        """Let the conversation of this call have touched these."""
        self._flows.touch(_conversation(call), frozenset(labels))


def _conversation(call: Call) -> str:
    return by_principal(call.principal.key, call.principal.agent)


def _tool(number: int) -> Item:
    """As the mock describes it."""
    name = f"echo_{number}" if number else "echo"
    schema = {
        "type": "object",
        "properties": {"size": {"type": "integer", "minimum": 1}, "mark": {"type": "string"}},
        "required": ["size", "mark"],
    }
    told = {
        "name": name,
        "description": "Answers with a text of the size that was asked for.",
        "inputSchema": schema,
        "annotations": {"readOnlyHint": True, "openWorldHint": False},
    }
    return Item(Kind.TOOL, "mock", name, f"mock__{name}", told)


def _mail() -> Item:
    """A tool that sends; it says of itself that it destroys nothing."""
    hints = {"readOnlyHint": False, "destructiveHint": False}
    return Item(Kind.TOOL, "mock", "send_mail", "mock__send_mail", {"annotations": hints})


def _caller(number: int = 0, *more: str) -> Principal:
    return Principal(
        f"bench-{number}", "https://idp.example.com", frozenset({"developer", *more}), float("inf"),
        token=f"t{number}",
    )  # fmt: skip


def _call(who: Principal, number: int) -> Call:
    params = {"name": "echo", "arguments": {"size": 200, "mark": f"call-{number}"}}
    return Call(number, "tools/call", params, who, None, _CLIENT, f"{number:032x}")


# ── each in a process of its own ──


def deciding(place: Path, files: Mapping[str, str], *, sends: bool = False) -> float:
    """Microseconds for a decision of a kind of call that was decided before."""
    room, who = Room(place, files), _caller()
    made = [_call(who, number) for number in range(64)]
    items = [_mail()] if sends else room.items[:4]
    asked = cycle([(call, items[n % len(items)]) for n, call in enumerate(made)])
    if sends:
        room.touch(made[0], Label.PRIVATE)
    decide, many = room.engine.decide, 64

    def batch() -> float:
        begun = time.process_time()
        for call, item in islice(asked, many):
            decide(call, item)
        return time.process_time() - begun

    if not all(_passes(decide(call, item)) for call, item in islice(asked, many)):
        raise SystemExit("bench: expected that every call is allowed, and asks nobody")
    while batch() < _BATCH:
        many *= 2
    return median(batch() for _ in range(_BATCHES)) / many * 1e6


def settling(place: Path, files: Mapping[str, str]) -> float:
    """Milliseconds for the first decision about the first caller of a class, once in a View."""
    room = Room(place, files, _TOOLS)
    call = _call(_caller(), 1)
    begun = time.process_time()
    room.engine.decide(call, room.items[0])
    return (time.process_time() - begun) * 1e3


def listing(place: Path, files: Mapping[str, str], *, first: bool = False) -> float:
    """Milliseconds for a list of all tools: to the first of a class of callers, or to one like it."""
    room = Room(place, files, _TOOLS)
    catalogue = Catalogue(room.engine, Sealer([bytes(32)], partial(os.urandom, 12)), _TOOLS)
    asked = Request(1, METHODS["tools/list"], {}, _CLIENT, modern=True)

    def one(who: Principal) -> float:
        begun = time.process_time()
        reply = catalogue.page(room.endpoint, Kind.TOOL, asked, who)
        spent = time.process_time() - begun
        if reply.body.count(b'"inputSchema"') != _TOOLS:
            raise SystemExit("bench: expected every tool in the list")
        return spent * 1e3

    begun, whose = one(_caller()), [_caller(number) for number in range(_FEW)]
    later = [one(who) for who in whose * _BATCHES]
    return begun if first else median(later)


def memory(place: Path, files: Mapping[str, str]) -> float:
    """MB that policy takes: its rules, and what is settled and remembered of callers and tools."""
    own = (os.getpid(),)
    before = procfs.resident(own)
    room = Room(place, files, _TOOLS)
    for number in range(_CALLERS):
        call = _call(_caller(number, f"team-{number % 10}"), number)
        for item in room.items[:_FEW]:
            room.engine.decide(call, item)
    gc.collect()
    return (procfs.resident(own) - before) / 1e6


def _passes(decision: Decision) -> bool:
    return decision.allowed and not decision.asks


# ── all of them ──


@dataclass(frozen=True, slots=True)
class Figure:
    """What is measured of which policies; `most` is what was promised."""

    what: str
    policies: str
    unit: str
    measure: Callable[[Path], float]
    most: float | None = None

    @property
    def name(self) -> str:
        """What tells it from the others."""
        return f"{self.what}, {self.policies}"


def _figures() -> Iterator[Figure]:
    for count in _COUNTS:
        most = 2.0 if count == _PROMISED else None
        of = partial(deciding, files=rules.constant(count))
        yield Figure("decision, constant", f"{count:,} policies", "µs", of, most)
    yield Figure("decision, constant", "safe set", "µs", partial(deciding, files=_SAFE))
    for count in _COUNTS:
        most = 120.0 if count == _PROMISED else None
        some = f"{count:,} policies, {max(1, count // rules.SOME)} look at arguments"
        of = partial(deciding, files=rules.residual(count))
        yield Figure("decision, residual", some, "µs", of, most)
    of = partial(deciding, files=rules.residual(_PROMISED, rules.ALL))
    yield Figure("decision, residual", f"{_PROMISED} policies, 99 look at arguments", "µs", of)
    of = partial(deciding, files=_SAFE, sends=True)
    yield Figure("decision by what was touched, from the store", "safe set", "µs", of)
    hundred = rules.constant(_PROMISED)
    for told, files in ("100 policies", hundred), ("100 policies, no two tools alike", _APART):
        of = partial(settling, files=files)
        yield Figure("first caller of a class, 1,000 tools", told, "ms", of)
    of = partial(listing, files=hundred, first=True)
    yield Figure("list of 1,000 tools, first", "100 policies", "ms", of)
    of = partial(listing, files=hundred)
    yield Figure("list of 1,000 tools, cached", "100 policies", "ms", of, 1.0)
    of = partial(memory, files=rules.constant(1_000))
    yield Figure("memory, 1,000 tools and callers", "1,000 policies", "MB", of)


FIGURES: Final = tuple(_figures())


def measure(cores: Cores) -> dict[Figure, float]:
    """Measure each, one after another."""
    found = {}
    for number, figure in enumerate(FIGURES):
        command = ["taskset", "-c", str(cores.tested), sys.executable, "-m", "bench.policy"]
        done = subprocess.run([*command, str(number)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotStartedError(f"{figure.name}: {done.stderr.strip()[-1500:]}")
        found[figure] = float(done.stdout)
        print(f"{figure.name:<70} {found[figure]:>10,.2f} {figure.unit}", file=sys.stderr)
    return found


def main() -> None:
    """Print all figures; with a number, that one alone, from this process."""
    if len(sys.argv) == 1:
        measure(Cores.available())
        return
    with TemporaryDirectory(prefix="bawn-policy-") as place:
        print(FIGURES[int(sys.argv[1])].measure(Path(place)))


if __name__ == "__main__":
    main()
