"""Real clients with real servers, each pair through one gate: every feature is seen by its effect."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import pytest
from bench import toolchain

from bawn.model import Json
from tests.conformance.subjects import serving
from tests.e2e import pairs_inspector, pairs_python
from tests.e2e.conftest import gates
from tests.e2e.gate_process import Gate, free_port, wait_until
from tests.e2e.pairs import (
    ANSWERS,
    CLIENT_LACKS,
    CLIENTS,
    FEATURES,
    LACKS,
    NONE,
    SERVER_LACKS,
    STEPS,
    UNDECLARED,
    plan,
)
from tests.e2e.remote_process import EVERYTHING, ROOT, SERVERS

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    # what 2026-07-28 retires is what a legacy client is here to use
    pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning"),
]

QUICK = ROOT / ".quickstart"
TAP = (sys.executable, "-I", str(SERVERS / "tap.py"))
APART = "inspector"
"""A new process of Node.js for each call: each of them finds any worker, with one as with two."""

PAIRS = list(product(CLIENTS, STEPS))
CELLS = [
    (client, server, feature)
    for client, server in PAIRS
    for feature in STEPS[server]
    if feature not in CLIENT_LACKS[client] and (server, feature) not in LACKS
]
ONE_WORKER = pytest.mark.parametrize("seen", [1], indirect=True)


class Seen:
    """What every client saw of every server, and what the servers were sent."""

    def __init__(self, place: Path, workers: int) -> None:
        self.place = place
        self.workers = workers
        self.by: dict[str, Json] = {}

    def diary(self, server: str) -> Path:
        """Where is written down what this server is sent."""
        return self.place / f"{server}.diary"


@pytest.fixture(scope="module", params=[1, 2], ids=["one-worker", "two-workers"])
def seen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seen]:
    found = Seen(tmp_path_factory.mktemp("pairs"), request.param)
    with ExitStack() as running:
        servers = _servers(found, running)
        start = running.enter_context(gates(tmp_path_factory))
        up = start(f"workers: {found.workers}\n{servers}").until_ok()
        for client in CLIENTS:  # one at a time: each has processes of its own started, all at once
            if found.workers == 1 or client != APART:
                _play(client, up, found)
        yield found


def _servers(found: Seen, running: ExitStack) -> str:
    """Start the remote ones; the configuration of them all."""
    fast = free_port()
    fastmcp = toolchain.fastmcp(), SERVERS / "fastmcp4.py", str(fast), found.diary("fastmcp")
    running.enter_context(serving(fast, *fastmcp))
    urls = {"fastmcp": f"http://127.0.0.1:{fast}/mcp"}
    for server, transport, path in (
        ("everything-http", "streamableHttp", "mcp"),
        ("everything-sse", "sse", "sse"),
    ):
        theirs, ours = free_port(), free_port()
        running.enter_context(serving(theirs, "env", f"PORT={theirs}", EVERYTHING, transport))
        tap = (*TAP, found.diary(server), "http", str(ours), str(theirs))
        running.enter_context(serving(ours, *tap))
        urls[server] = f"http://127.0.0.1:{ours}/{path}"
    local = (*TAP, str(found.diary("everything")), "stdio", str(EVERYTHING), "stdio")
    commands = {
        "everything": f"{{command: {json.dumps(local)}, confine: off}}",
        "git": f"{{command: [{QUICK}/venv/bin/mcp-server-git, --repository, {QUICK}/repository]}}",
        "time": f"{{command: [{QUICK}/venv/bin/mcp-server-time, --local-timezone, UTC]}}",
        "memory": f"{{command: [{QUICK}/clients/node_modules/.bin/mcp-server-memory], "
        "env: {MEMORY_FILE_PATH: '${data}/memory.jsonl'}}",
    }
    lines = [f"  {name}: {made}\n" for name, made in commands.items()]
    return "servers:\n" + "".join(lines + [f"  {n}: {{url: '{u}'}}\n" for n, u in urls.items()])


def _play(client: str, up: Gate, found: Seen) -> None:
    steps = plan(str(QUICK / "repository"), client)
    token = up.token(sub=client)
    modes = {"python-modern": "auto", "python-legacy": "legacy"}
    if client in modes:
        found.by[client] = asyncio.run(pairs_python.play(up.url, token, modes[client], steps))
        return
    place = found.place / client
    place.mkdir()
    (place / "node_modules").symlink_to(QUICK / "clients" / "node_modules")
    if client == "inspector":
        found.by[client] = pairs_inspector.play(place, up.url, token, steps)
        return
    for script in (ROOT / "tests/e2e/clients").glob("pairs*.mjs"):
        shutil.copy(script, place)
    done = subprocess.run(
        ["node", f"pairs-{client}.mjs"], cwd=place, env={**os.environ, "HOME": str(place)},
        input=json.dumps({"url": up.url, "token": token, "answers": ANSWERS, "servers": steps}),
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    found.by[client] = json.loads(done.stdout)


# ── the table ───────────────────────────────────────────────────────────────────────────────────


def test_every_feature_of_every_side_is_seen_or_has_a_reason_why_not() -> None:
    for server, steps in STEPS.items():
        assert steps.keys() | SERVER_LACKS[server].keys() == set(FEATURES), server
        assert not steps.keys() & SERVER_LACKS[server].keys(), server
    assert CLIENT_LACKS.keys() == CLIENTS.keys()
    for client, lacks in CLIENT_LACKS.items():
        assert lacks.keys() <= set(FEATURES), client
    assert all(feature in STEPS[server] for server, feature in LACKS)


@pytest.mark.parametrize("client", ["python-modern", "python-legacy"])
@pytest.mark.parametrize("server", STEPS)
def test_what_a_server_is_said_to_lack_it_does_not_offer(
    seen: Seen, client: str, server: str
) -> None:
    found = seen.by[client][server]
    lacks = SERVER_LACKS[server]
    undeclared = {feature for feature, reason in lacks.items() if reason == UNDECLARED}
    empty = {feature for feature, reason in lacks.items() if reason == NONE}
    assert undeclared.isdisjoint(found["declared"])
    assert {feature for feature, count in found["listed"].items() if not count} == empty


@pytest.mark.parametrize(("client", "server"), [each for each in PAIRS if each[0] != APART])
def test_every_pair_speaks_the_newest_version_that_the_client_knows(
    seen: Seen, client: str, server: str
) -> None:
    assert seen.by[client][server]["version"] == CLIENTS[client]


@ONE_WORKER
@pytest.mark.parametrize("server", STEPS)
def test_the_inspector_speaks_the_newest_version_that_it_knows(seen: Seen, server: str) -> None:
    assert seen.by[APART][server]["version"] == CLIENTS[APART]


# ── the effects ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("client", "server", "feature"), [each for each in CELLS if each[0] != APART]
)
def test_a_pair_has_what_both_sides_have(
    seen: Seen, client: str, server: str, feature: str
) -> None:
    _has(seen, client, server, feature)


@ONE_WORKER
@pytest.mark.parametrize(("server", "feature"), [each[1:] for each in CELLS if each[0] == APART])
def test_the_inspector_has_what_both_sides_have(seen: Seen, server: str, feature: str) -> None:
    _has(seen, APART, server, feature)


def _has(seen: Seen, client: str, server: str, feature: str) -> None:
    """See to it that a client found this feature of a server, by its effect."""
    found = seen.by[client][server]["seen"][feature]
    step = plan("", client)[server][feature]
    assert "failed" not in found, found["failed"]
    if feature == "cancellation":
        assert found == {"cancelled": True}
        wait_until(lambda: _was_told(seen, server, client), what="the server's hearing of it")
        return
    if isinstance(step.get("says"), str) and "says" in found:
        assert step["says"] in found["says"]
    for key, check in CHECKS.items():
        if key in found:
            check(found[key], step, server)


def _names(names: list[str], step: Json, server: str) -> None:
    assert len(names) == len(set(names))
    assert set(names) >= set(step.get("names") or [step["uri"]])


def _asked(asked: list[str], step: Json, server: str) -> None:
    # server-everything asks for the roots of a fresh session on its own, in the midst of any call
    questions = [question for question in asked if question != "roots"]
    wanted = step.get("asked")
    assert len(questions) == (wanted is not None)
    if wanted is not None:
        form = step.get(
            "form"
        )  # an elicitation's text says who asks: the client knows the gate alone
        assert questions[0] == (f"[{server}] {wanted}" if form else wanted)


def _steps(steps: list[float], step: Json, server: str) -> None:
    assert steps == step["steps"]


def _link(link: str, step: Json, server: str) -> None:
    assert link == step["link"]


def _size(size: int, step: Json, server: str) -> None:
    assert size > 0


def _values(values: list[str], step: Json, server: str) -> None:
    assert values == step["values"]


def _logged(logged: list[Json], step: Json, server: str) -> None:
    wanted = step["logged"].split("|")
    assert any(word in str(one["data"]) for one in logged for word in wanted), logged


def _updated(updated: list[str], step: Json, server: str) -> None:
    assert set(updated) == {step["uri"]}


def _changed(changed: list[str], step: Json, server: str) -> None:
    assert step["list"] in changed


CHECKS: dict[str, Callable[..., None]] = {
    "names": _names,
    "asked": _asked,
    "steps": _steps,
    "values": _values,
    "logged": _logged,
    "link": _link,
    "size": _size,
    "updated": _updated,
    "changed": _changed,
}


# ── what the servers saw ────────────────────────────────────────────────────────────────────────


def _was_told(seen: Seen, server: str, client: str) -> bool:
    """Whether the server heard that this client's call was given up."""
    text = seen.diary(server).read_text(encoding="utf-8", errors="replace")
    if server == "fastmcp":
        return client in text.split()
    ids: set[int] = set()
    for message in _messages(text):
        params = message.get("params", {})
        if params.get("arguments", {}).get("tag") == client:
            ids.add(message["id"])
        elif message.get("method") == "notifications/cancelled" and params["requestId"] in ids:
            return True
    return False


def _messages(text: str) -> Iterator[Json]:
    """The JSON-RPC messages in what was sent, whatever is around them."""
    decoder = json.JSONDecoder()
    at = text.find('{"')
    while at >= 0:
        try:
            message, at = decoder.raw_decode(text, at)
        except ValueError:
            at += 1
        else:
            yield message
        at = text.find('{"', at)
