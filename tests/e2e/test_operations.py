"""What an operator relies on: starts that are refused, the record of calls, health, and no secret anywhere."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from bawn.model import Json
from bawn.storage import StateDirectory
from tests.e2e.caller import a_caller, words
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate, wait_until
from tests.e2e.local_server import entries, local
from tests.e2e.remote_process import Raw, raw_server
from tests.e2e.runner_process import exists, until

pytestmark = pytest.mark.e2e

SECRET = "planted-secret-8d2f61c0"


@pytest.fixture(scope="module")
def diary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("children") / "diary"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    with raw_server(tmp_path_factory.mktemp("raw"), SECRET) as server:
        yield server


@pytest.fixture(scope="module")
def up(raw: Raw, diary: Path, shared_gate: StartGate) -> Gate:
    """A gate with the secret in a local server's environment and in a remote one's credential."""
    servers = (
        "servers:\n"
        + local(
            "files", "legacy", diary=diary, env=", SECRET: '${env:PLANTED}'", isolation="shared"
        )
        + f"  far: {{url: '{raw.base}/guarded', "
        "auth: {type: bearer, token: '${env:PLANTED}'}}\n"
        + "  gone: {url: 'http://127.0.0.1:9/mcp'}\n"
        "log: {level: debug}\n"
        "limits: {stop: 1}\n"
    )
    return shared_gate(servers, extra_env={"PLANTED": SECRET}).until_ok("files", "far")


# ── starts that are refused ─────────────────────────────────────────────────────────────────────


def refused(up: Gate, *flags: str) -> str:
    """What a start says that does not happen; nothing may be left of it."""
    done = up.run("up", *flags)
    assert done.returncode == 2, done.stderr
    assert not [pid for pid in up.processes() if exists(pid)]
    return done.stderr


def test_a_second_gate_on_the_same_state_is_refused(up: Gate, tmp_path: Path) -> None:
    second = Gate(tmp_path, "")
    text = second.config.read_text()
    second.config.write_text(text.replace("./state", str(up.state)))
    said = refused(second)
    assert f"process {up.pids()['supervisor']}" in said
    assert "one gate to a state directory" in said
    assert up.readyz()["status"] == "ready"


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = refused(Gate(tmp_path / "a", "", port=port))
        assert f"listen: 127.0.0.1:{port} cannot be bound" in said
        said = refused(Gate(tmp_path / "b", "", management_port=port))
        assert f"management.listen: 127.0.0.1:{port} cannot be bound" in said


def test_without_identity_only_loopback_and_only_with_the_flag(tmp_path: Path) -> None:
    open_gate = Gate(tmp_path / "a", "identity: {mode: none}\n")
    said = refused(open_gate)
    assert "--insecure-no-auth" in said
    text = open_gate.config.read_text().replace("listen: 127.0.0.1", "listen: 0.0.0.0", 1)
    open_gate.config.write_text(text)
    said = refused(open_gate, "--insecure-no-auth")
    assert "listen" in said
    assert "127.0.0.1" in said
    public = Gate(tmp_path / "b", "identity: {mode: none}\npublic_url: https://gate.example.com\n")
    assert "public_url" in refused(public, "--insecure-no-auth")


async def test_with_the_flag_nobody_is_asked(gate: StartGate, raw: Raw) -> None:
    servers = f"identity: {{mode: none}}\nservers:\n  far: {{url: '{raw.base}/modern'}}\n"
    up = gate(servers, flags=("--trust-config", "--insecure-no-auth")).until_ok()
    async with a_caller(up.url, None) as anybody:
        assert await anybody.text("far__echo") == "{}"
    assert '"anonymous' in up.cli("audit", "tail", "--json")


def test_commands_need_consent(tmp_path: Path, diary: Path) -> None:
    asking = Gate(tmp_path, "servers:\n" + local("files", diary=diary), flags=())
    said = refused(asking)
    assert "consent" in said
    assert "bawn trust --yes" in said


def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    auth = "{type: bearer, token: '${env:NO_SUCH_VARIABLE}'}"
    missing = Gate(tmp_path, f"servers: {{far: {{url: 'http://127.0.0.1:9/', auth: {auth}}}}}\n")
    assert "NO_SUCH_VARIABLE" in refused(missing, "--trust-config")


# ── the record of calls ─────────────────────────────────────────────────────────────────────────


async def test_the_audit_has_every_call_with_its_outcome(up: Gate, raw: Raw, diary: Path) -> None:
    async with (
        a_caller(up.url, up.token(sub="auditee")) as caller,
        a_caller(up.url, up.token("viewer", sub="auditee")) as viewer,
    ):
        ok = await caller.send("tools/call", {"name": "files__echo", "arguments": {"x": 1}})
        assert words(ok.json())
        await caller.tool("far__error")
        await caller.tool("far__garbage")
        denied = await viewer.tool("files__echo")
        unknown = await caller.tool("files__nothing")
        hanging = len(entries(diary, "hanging"))
        call = asyncio.create_task(caller.tool("files__hang"))
        await until(lambda: len(entries(diary, "hanging")) > hanging)
        call.cancel()
        await until(lambda: bool(entries(diary, "notifications/cancelled")))

    def told() -> list[Json]:
        records = map(json.loads, up.cli("audit", "tail", "--json", "-n", "200").splitlines())
        return [record for record in records if "auditee" in record["who"]]

    wait_until(lambda: len(told()) == 6)
    seen = {(r["name"], r["decision"], r["status"]): r for r in told()}
    assert seen.keys() == {
        ("echo", "allowed", "ok"),
        ("error", "allowed", "error"),
        ("garbage", "allowed", "upstream.invalid"),
        ("hang", "allowed", "cancelled"),
        ("files__echo", "refused", "policy.denied"),
        ("files__nothing", "refused", "target.unknown"),
    }
    traces = {r["trace"] for r in told()}
    assert len(traces) == 6
    for refusal in (denied, unknown):
        assert refusal["error"]["data"]["trace"] in traces
    text = up.cli("audit", "tail")
    assert "auditee" in text
    assert "policy.denied" in text


async def test_a_caller_who_goes_away_is_told_to_a_local_server(up: Gate, diary: Path) -> None:
    before = len(entries(diary, "hanging")), len(entries(diary, "notifications/cancelled"))
    async with a_caller(up.url, up.token()) as alice:
        call = asyncio.create_task(alice.tool("files__hang"))
        await until(lambda: len(entries(diary, "hanging")) > before[0])
        call.cancel()
        await until(lambda: len(entries(diary, "notifications/cancelled")) > before[1])
        cancelled = entries(diary, "notifications/cancelled")[-1]["params"]["requestId"]
        assert cancelled == entries(diary, "hanging")[-1]["id"]
        assert await alice.text("files__echo") == "{}"
    wait_until(lambda: up.readyz()["servers"]["files"]["in_flight"] == 0)


# ── health ──────────────────────────────────────────────────────────────────────────────────────


async def get(url: str, token: str | None = None, **headers: str) -> httpx2.Response:
    """One GET."""
    async with a_caller(url, token) as prober:
        return await prober.http.get(url, headers=headers)


async def test_probes_need_no_token_and_get_no_details(up: Gate) -> None:
    healthy = await get(f"{up.probes}/healthz", host="probe.cluster.local")
    assert (healthy.status_code, healthy.json()) == (200, {"status": "ok"})
    ready = await get(f"{up.probes}/readyz", host="probe.cluster.local")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    for token in ("not-a-token", up.token("developer"), up.token("operator", server="far")):
        assert (await get(f"{up.probes}/readyz", token)).json() == {"status": "ready"}


@pytest.mark.parametrize("role", ["operator", "auditor", "admin"])
async def test_who_manages_sees_details_and_figures(up: Gate, role: str) -> None:
    token = up.token(role, sub=role)
    told = (await get(f"{up.probes}/readyz", token)).json()
    assert told["servers"]["files"]["state"] == "ok"
    assert told["servers"]["files"]["confined"].startswith("no: ")
    assert told["servers"]["gone"]["state"] == "failing"
    figures = await get(f"{up.probes}/metrics", token)
    assert figures.status_code == 200
    assert 'server="files"' in figures.text


async def test_figures_are_for_who_manages_only(up: Gate) -> None:
    stranger = await get(f"{up.probes}/metrics")
    assert stranger.status_code == 401
    assert stranger.headers["www-authenticate"].startswith("Bearer ")
    assert (await get(f"{up.probes}/metrics", "not-a-token")).status_code == 401
    assert (await get(f"{up.probes}/metrics", up.token("developer"))).status_code == 404
    admin = up.token("admin")
    assert (await get(f"{up.probes}/metrics?access_token={admin}")).status_code == 401
    assert (await get(f"{up.probes}/mcp", admin)).status_code == 404
    assert (await get(f"{up.base}/metrics", admin)).status_code == 404
    assert (await get(f"{up.base}/readyz", admin)).status_code == 404


async def test_the_gate_is_not_ready_while_a_required_server_fails(gate: StartGate) -> None:
    up = gate("servers: {gone: {url: 'http://127.0.0.1:9/mcp', required: true}}\n")
    assert (await get(f"{up.probes}/healthz")).status_code == 200
    ready = await get(f"{up.probes}/readyz")
    assert (ready.status_code, ready.json()) == (503, {"status": "not ready"})
    assert "not ready" in up.cli("status")
    doctor = up.run("doctor")
    assert doctor.returncode == 1
    assert "upstream.unreachable" in doctor.stdout


def test_an_open_management_listener_is_the_operators_choice(gate: StartGate) -> None:
    head = "management: {{listen: '127.0.0.1:{management}', open: true}}"
    up = gate("servers: {gone: {url: 'http://127.0.0.1:9/mcp'}}\n", head=head)
    assert "servers" in httpx2.get(f"{up.probes}/readyz").json()
    assert httpx2.get(f"{up.probes}/metrics").status_code == 200


def test_status_and_doctor_tell_about_each_server(up: Gate) -> None:
    told = up.cli("status")
    assert f"{up.url} is ready" in told
    assert "unconfined" in told
    assert "upstream.unreachable" in told
    whole = json.loads(up.cli("status", "--json"))
    assert whole["pids"].keys() == {"supervisor", "forkserver", "steward", "workers", "runner"}
    assert whole["health"]["servers"]["files"]["state"] == "ok"
    checks = json.loads(up.run("doctor", "--json").stdout)
    failing = {check["what"] for check in checks if not check["ok"]}
    assert "server gone" in failing
    assert "server files" not in failing


def test_status_without_a_gate_says_how_to_start_one(tmp_path: Path) -> None:
    done = Gate(tmp_path, "").run("status")
    assert done.returncode == 1
    assert "bawn up" in done.stderr


def test_status_tells_of_a_gate_that_does_not_answer(gate: StartGate) -> None:
    up = gate("")
    worker = up.pids()["worker"]
    os.kill(worker, signal.SIGSTOP)
    try:
        done = up.run("status")
        assert done.returncode == 1
        assert "does not answer" in done.stderr
    finally:
        os.kill(worker, signal.SIGCONT)


def test_doctor_tells_of_a_state_that_others_can_write(tmp_path: Path) -> None:
    down = Gate(tmp_path, "")
    StateDirectory(down.state)
    down.state.chmod(0o777)
    done = down.run("doctor")
    assert done.returncode == 1
    assert "FAIL  state" in done.stdout


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────


async def test_no_secret_is_in_a_log_a_record_or_any_file(up: Gate, diary: Path) -> None:
    token = up.token(sub="leaky")
    async with a_caller(up.url, token) as caller:
        where = json.loads(await caller.text("files__where"))
        assert where["env"]["SECRET"] == "[secret:assigned]"  # it has it, and nobody reads it
        await caller.text("files__complain", lines=3)  # the server itself writes it to its log
        await caller.text("far__headers")
        await caller.tool("far__garbage")
    async with a_caller(up.url, token + "x") as caller:
        assert (await caller.send("tools/list")).status_code == 401
    await get(f"{up.base}/mcp?access_token={token}")
    await get(f"{up.probes}/metrics?access_token={token}")
    wait_until(lambda: "complaint 2" in up.log_text())
    shown = [
        up.cli("audit", "tail", "--json", "-n", "500"),
        up.cli("status", "--json"),
        up.cli("config", "show"),
        up.run("doctor").stdout,
        httpx2.get(f"{up.probes}/metrics", headers={"authorization": f"Bearer {up.token('admin')}"}).text,
    ]  # fmt: skip
    files = [up.log, *(path for path in up.state.rglob("*") if path.is_file())]
    assert len(files) > 4
    for text in [*(path.read_bytes() for path in files), *(text.encode() for text in shown)]:
        assert SECRET.encode() not in text
        assert token.encode() not in text
        assert token.rpartition(".")[2].encode() not in text


def test_what_is_private_is_private(up: Gate) -> None:
    for path in [up.state, *up.state.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_log_is_one_json_object_a_line_without_errors(up: Gate) -> None:
    records = [json.loads(line) for line in up.log_text().splitlines()]
    assert {"timestamp", "level", "logger", "event"} <= records[0].keys()
    assert not [r for r in records if r["level"] == "error" and r["logger"] != "bawn.server.files"]
    assert not [r for r in records if "exception" in r]
