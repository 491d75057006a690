"""The runner with real child processes: how they start and end, and that nothing is left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from bawn.model import Json
from bawn.runner.launch import Launch
from bawn.runner.spawn import Process
from tests.e2e.runner_process import (
    RunnerProcess,
    exists,
    fixture_server,
    reason,
    runner,
    until,
    words,
)

__all__ = ["runner"]  # a fixture

pytestmark = pytest.mark.e2e


# ── starting ────────────────────────────────────────────────────────────────────────────────────


async def test_concurrent_first_calls_start_one_process(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    answers = await asyncio.gather(*(runner.tool("files", "echo", n=n) for n in range(20)))
    assert [json.loads(words(answer))["n"] for answer in answers] == list(range(20))
    assert len(runner.pids()) == 1


async def test_a_slow_start_delays_nobody_else(runner: RunnerProcess) -> None:
    gate = runner.base / "gate"
    os.mkfifo(gate)
    runner.order(
        {"slow": fixture_server("slow", env={"GATE": str(gate)}), "quick": fixture_server()}
    )
    slow = asyncio.create_task(runner.tool("slow", "echo"))
    await until(lambda: len(runner.pids()) == 1)
    assert words(await runner.tool("quick", "echo")) == "{}"
    assert not slow.done()
    await asyncio.to_thread(gate.write_text, "go")
    assert words(await slow) == "{}"


async def test_each_isolation_key_has_a_process_of_its_own(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server(isolation="principal")})
    where = [json.loads(words(await runner.tool("files", "where", key))) for key in "aba"]
    assert where[0]["pid"] == where[2]["pid"] != where[1]["pid"]
    children = (await runner.status())["children"]
    assert len({child["isolation"] for child in children}) == 2


async def test_more_children_than_allowed_are_refused(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server(isolation="principal", max_children=1)})
    words(await runner.tool("files", "echo", "a"))
    assert reason(await runner.tool("files", "echo", "b")) == "limit.children"
    words(await runner.tool("files", "echo", "a"))


async def test_a_child_sees_a_scrubbed_environment_and_only_its_pipes(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": fixture_server(env={"EXTRA": "given"})})
    where = json.loads(words(await runner.tool("files", "where")))
    assert where["env"].pop("EXTRA") == "given"
    assert where["env"].pop("LC_ALL") == "C.UTF-8"
    allowed = {"PATH", "HOME", "LANG", "TMPDIR", "USER", "DIARY", "LC_CTYPE"}
    assert where["env"].keys() <= allowed
    assert where["fds"] == 4  # its three, and the listing itself
    assert where["cwd"] == str(runner.base)


async def test_a_project_gets_its_own_process_in_its_own_directory(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server(isolation="project")})
    places = [runner.base / "one", runner.base / "zwölf %41"]
    for place in places:
        place.mkdir()
        answer = await runner.ask("files", "tools/call", {"name": "where"}, project=str(place))
        assert json.loads(words(answer))["cwd"] == str(place)
    assert len(runner.pids()) == 2
    assert reason(await runner.tool("files", "where")) == "upstream.not_started"


async def test_a_program_that_is_not_there_is_named(runner: RunnerProcess) -> None:
    runner.order({"files": {"command": ["./no-such-program"]}})
    answer = await runner.tool("files", "echo")
    assert reason(answer) == "upstream.not_started"
    assert "no-such-program" in answer["error"]["data"]["detail"]


async def test_a_call_without_an_isolation_key_or_to_nobody_is_refused(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": fixture_server()})
    assert reason(await runner.ask("files", "tools/list", isolation="")) == "message.shape"
    assert reason(await runner.ask("other", "tools/list")) == "target.unknown"
    assert not runner.pids()


async def test_a_crash_at_start_is_told_once_and_then_waited_out(runner: RunnerProcess) -> None:
    secret = runner.base / "secret"
    secret.write_text("hunter2hunter2")
    secret.chmod(0o600)
    runner.order({"files": fixture_server("crash", env={"SECRET": f"${{file:{secret}}}"})})
    answer = await runner.tool("files", "echo")
    assert reason(answer) == "upstream.not_started"
    assert "exit code 7" in answer["error"]["data"]["detail"]
    assert "cannot start with [redacted]" in answer["error"]["data"]["detail"]
    starts = len(runner.pids())
    again = await runner.tool("files", "echo")
    assert reason(again) == "upstream.not_started"
    assert "the next start is allowed in 0." in again["error"]["data"]["detail"]
    assert len(runner.pids()) == starts
    assert "hunter2hunter2" not in runner.log.read_text() + json.dumps([answer, again])


# ── stopping ────────────────────────────────────────────────────────────────────────────────────


async def test_an_idle_child_is_stopped_and_started_again(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server(idle_stop=0.3)})
    words(await runner.tool("files", "echo"))
    (first,) = runner.pids()
    await until(lambda: not exists(first))
    assert runner.entries("end of input")
    assert words(await runner.tool("files", "echo")) == "{}"
    assert len(runner.pids()) == 2


async def test_a_busy_child_is_not_idle(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server(idle_stop=0.1)}, first_byte=1.0)
    assert reason(await runner.tool("files", "hang")) == "upstream.first_byte"


async def test_a_reload_ends_what_changed_and_leaves_the_rest(runner: RunnerProcess) -> None:
    def three(**extra: str) -> dict[str, Json]:
        changed = fixture_server(env=dict(extra))
        return {"same": fixture_server(), "changed": changed, "removed": fixture_server()}

    runner.order(three())
    before = {}
    for name in three():
        before[name] = json.loads(words(await runner.tool(name, "where")))["pid"]
    servers = three(NEW="1")
    del servers["removed"]
    servers["same"]["prefix"] = ""  # of no concern to a process
    assert runner.order(servers) == {"ok": True}
    await until(lambda: not exists(before["removed"]) and not exists(before["changed"]))
    assert json.loads(words(await runner.tool("same", "where")))["pid"] == before["same"]
    where = json.loads(words(await runner.tool("changed", "where")))
    assert where["env"]["NEW"] == "1"
    assert reason(await runner.tool("removed", "echo")) == "target.unknown"


async def test_a_bad_order_is_answered_and_changes_nothing(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    assert "error" in runner.send(b"{")
    bad = {"config": {"servers": {"BAD": {}}}, "base": "/", "socket": "/"}
    assert "error" in runner.send(json.dumps(bad).encode())
    assert words(await runner.tool("files", "echo")) == "{}"


async def test_the_socket_is_its_users_alone(runner: RunnerProcess) -> None:
    runner.order({})
    assert stat.S_IMODE(runner.socket.stat().st_mode) == 0o600


@pytest.mark.parametrize("how", ["SIGTERM", "supervisor gone"])
async def test_the_runners_end_is_the_end_of_the_most_stubborn_child(
    runner: RunnerProcess, how: str
) -> None:
    runner.order({"files": fixture_server("stubborn"), "other": fixture_server()}, stop=0.3)
    grandchild = int(words(await runner.tool("files", "spawn")))
    words(await runner.tool("other", "echo"))
    if how == "SIGTERM":
        runner.process.send_signal(signal.SIGTERM)
    else:
        runner.leave()
    assert await asyncio.to_thread(runner.process.wait, 10) == 0
    assert not [pid for pid in [grandchild, *runner.pids()] if exists(pid)]
    assert not runner.socket.exists()


async def test_a_child_that_never_introduces_itself_is_ended(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server("mute")}, start=0.6)
    answer = await runner.tool("files", "echo")
    assert reason(answer) == "upstream.not_started"
    assert "limits.start" in answer["error"]["data"]["detail"]
    (pid,) = runner.pids()
    await until(lambda: not exists(pid))


async def test_an_end_is_noticed_without_process_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    ends: asyncio.Queue[str] = asyncio.Queue()
    process = Process()
    process.on_end = ends.put_nowait
    await process.spawn(Launch((sys.executable, "-c", "raise SystemExit(4)"), tmp_path, {}))
    assert await ends.get() == "the process ended with exit code 4"
    assert not process.running
