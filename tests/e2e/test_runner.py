"""The runner with real child processes: what goes wrong in one stays there, and nothing is left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bawn.model import Json
from tests.e2e.runner_process import (
    META,
    RunnerProcess,
    a_runner,
    exists,
    fixture_server,
    until,
)

pytestmark = pytest.mark.e2e


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[RunnerProcess]:
    with tempfile.TemporaryDirectory(prefix="bawn-") as home:  # a socket's path must be short
        async with a_runner(tmp_path, Path(home)) as process:
            yield process
        left = [pid for pid in process.pids() if exists(pid)]
        assert not left, "no process is left after stop"


def words(answer: Json) -> str:
    """The text of a tool's result."""
    assert "error" not in answer, answer
    said: str = answer["result"]["content"][0]["text"]
    return said


def reason(answer: Json) -> str:
    """The reason id of a refusal."""
    assert "result" not in answer, answer
    found: str = answer["error"]["data"]["reason"]
    return found


# ── eras ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("trait", ["legacy", "strict"])
async def test_a_legacy_server_is_initialised_and_answers_in_canonical_form(
    runner: RunnerProcess, trait: str
) -> None:
    assert runner.order({"files": fixture_server(trait)}) == {"ok": True}
    listed = await runner.ask("files", "tools/list")
    assert listed["id"] == "caller-1"
    assert listed["result"]["resultType"] == "complete"
    assert listed["result"]["ttlMs"] == 0
    assert listed["result"]["cacheScope"] == "private"
    discovered = (await runner.ask("files", "server/discover"))["result"]
    assert discovered["supportedVersions"] == ["2025-06-18"]
    assert discovered["instructions"] == "be good"
    assert json.loads(words(await runner.tool("files", "meta"))) is None
    assert runner.entries("notifications/initialized")
    (child,) = (await runner.status())["children"]
    assert (child["era"], child["version"]) == ("legacy", "2025-06-18")


async def test_a_modern_server_is_never_initialised_and_gets_the_metadata(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": fixture_server("modern")})
    assert json.loads(words(await runner.tool("files", "meta"))) == META
    assert (await runner.ask("files", "server/discover"))["result"]["cacheScope"] == "public"
    assert not runner.entries("notifications/initialized")
    (child,) = (await runner.status())["children"]
    assert (child["era"], child["version"]) == ("modern", "2026-07-28")


async def test_a_server_that_is_silent_on_unknown_methods_works_and_is_probed_once_only(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": fixture_server("silent", isolation="principal")}, start=1.0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert words(await runner.tool("files", "echo", "a")) == "{}"
    first, began = loop.time() - began, loop.time()
    assert words(await runner.tool("files", "echo", "b")) == "{}"
    assert first > 0.5 > loop.time() - began


async def test_a_server_of_an_unknown_version_is_refused(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server("old")})
    answer = await runner.tool("files", "echo")
    assert reason(answer) == "upstream.invalid"
    assert "1999-01-01" in answer["error"]["data"]["detail"]


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
    runner.order({"files": fixture_server(isolation="principal")}, children=1)
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


# ── faults of one call ──────────────────────────────────────────────────────────────────────────


async def test_a_death_ends_every_call_in_flight_and_no_other_server_notices(
    runner: RunnerProcess,
) -> None:
    runner.order({"bad": fixture_server(), "good": fixture_server()})
    words(await runner.tool("good", "echo"))
    hanging = asyncio.create_task(runner.tool("bad", "hang"))
    await until(lambda: len(runner.entries("hanging")) == 1)
    answer = await runner.tool("bad", "die")
    assert reason(answer) == reason(await hanging) == "upstream.died"
    assert "exit code 3; it last said: goodbye" in answer["error"]["data"]["detail"]
    assert words(await runner.tool("good", "echo")) == "{}"
    refused = await runner.tool("bad", "echo")
    assert reason(refused) == "upstream.not_started"

    async def back() -> bool:
        return "result" in await runner.tool("bad", "echo")

    while not await back():
        await asyncio.sleep(0.02)
    assert len(runner.pids()) == 3
    restarts = {c["server"]: c["restarts"] for c in (await runner.status())["children"]}
    assert restarts == {"bad": 1, "good": 0}


async def test_an_answer_written_just_before_the_end_counts(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    assert words(await runner.tool("files", "last-words")) == "and then it was gone"


async def test_closing_its_output_ends_a_server(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    assert reason(await runner.tool("files", "mum")) == "upstream.died"


async def test_garbage_is_ignored_and_counted(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    assert words(await runner.tool("files", "garbage")) == "after the garbage"
    (child,) = (await runner.status())["children"]
    assert child["ignored"] == 6
    assert "hello from a banner" in runner.log.read_text()


async def test_of_two_answers_the_first_counts(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    assert words(await runner.tool("files", "twice")) == "first"
    assert words(await runner.tool("files", "echo")) == "{}"
    (child,) = (await runner.status())["children"]
    assert child["ignored"] == 1


@pytest.mark.parametrize("id_last", [False, True])
async def test_an_answer_beyond_the_limit_fails_its_call_alone(
    runner: RunnerProcess, id_last: bool
) -> None:
    runner.order({"files": fixture_server()}, result=300_000)
    assert len(words(await runner.tool("files", "huge", size=250_000, id_last=id_last))) == 250_000
    answer = await runner.tool("files", "huge", size=3_000_000, id_last=id_last)
    assert reason(answer) == "upstream.too_large"
    assert words(await runner.tool("files", "echo")) == "{}"
    assert len(runner.pids()) == 1


async def test_a_lone_surrogate_in_a_result_is_mended(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    assert words(await runner.tool("files", "surrogate")) == "a\ufffdb"


async def test_a_result_that_is_no_object_is_invalid(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    assert reason(await runner.tool("files", "malformed")) == "upstream.invalid"


async def test_no_answer_ends_by_its_deadline_and_the_server_is_told(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": fixture_server()}, first_byte=0.5)
    assert reason(await runner.tool("files", "hang")) == "upstream.first_byte"
    await until(lambda: len(runner.entries("notifications/cancelled")) == 1)
    (hung,), (cancelled,) = runner.entries("hanging"), runner.entries("notifications/cancelled")
    assert cancelled["params"]["requestId"] == hung["id"]
    assert words(await runner.tool("files", "echo")) == "{}"


async def test_a_caller_who_leaves_cancels_the_call(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    call = asyncio.create_task(runner.tool("files", "hang"))
    await until(lambda: len(runner.entries("hanging")) == 1)
    call.cancel()
    await until(lambda: len(runner.entries("notifications/cancelled")) == 1)
    assert words(await runner.tool("files", "echo")) == "{}"


async def test_a_server_that_reads_no_more_holds_up_only_its_own_calls(
    runner: RunnerProcess,
) -> None:
    runner.order({"bad": fixture_server(), "good": fixture_server()}, first_byte=1.0)
    words(await runner.tool("bad", "deaf"))
    calls = [runner.tool("bad", "echo", blob="x" * 400_000) for _ in range(8)]
    pending = asyncio.gather(*calls)
    assert words(await runner.tool("good", "echo")) == "{}"
    reasons = {reason(answer) for answer in await pending}
    assert reasons == {"upstream.first_byte", "upstream.unreachable"}


async def test_a_flood_of_complaints_is_cut_and_carries_no_secret(
    runner: RunnerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = runner.base / "secret"
    secret.write_text("hunter2hunter2")
    secret.chmod(0o600)
    env = {"SECRET": f"${{file:{secret}}}"}
    runner.order({"loud": fixture_server(env=env), "good": fixture_server()})
    assert words(await runner.tool("loud", "complain", lines=20_000)) == "enough"
    assert words(await runner.tool("good", "echo")) == "{}"
    log = runner.log.read_text()
    assert "complaint 1 [redacted]" in log
    assert log.count("complaint") < 500
    assert "hunter2hunter2" not in log


async def test_a_server_cannot_speak_with_the_voice_of_the_gate(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    error = (await runner.tool("files", "impostor"))["error"]
    assert error["data"] == {"server": {"reason": "auth.missing"}}


async def test_a_missing_resource_gets_the_canonical_code(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    error = (await runner.tool("files", "gone"))["error"]
    assert error == {"code": -32602, "message": "Resource not found", "data": {"uri": "x"}}


# ── what a server says besides answers ──────────────────────────────────────────────────────────


async def test_progress_reaches_its_call_under_the_callers_token(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    params: dict[str, Any] = {"name": "progress", "_meta": {**META, "progressToken": "mine"}}
    reply = await runner.http.post(
        "/servers/files",
        json=runner.request("tools/call", params),
        headers=runner.headers("shared"),
    )
    assert reply.headers["content-type"] == "text/event-stream"
    events = [
        json.loads(line.removeprefix("data: "))
        for line in reply.text.splitlines()
        if line.startswith("data: ")
    ]
    steps = [event["params"] for event in events[:-1]]
    assert steps == [{"progressToken": "mine", "progress": n, "x": "kept"} for n in (1, 2, 3)]
    assert words(events[-1]) == "done"


async def test_questions_of_a_server_are_answered_ping_only(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    answers = json.loads(words(await runner.tool("files", "ask-back")))
    assert answers["p"] == {}
    assert answers["s"]["code"] == -32601


async def test_a_changed_list_raises_the_servers_count(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server(), "other": fixture_server()})
    words(await runner.tool("files", "changed"))
    assert (await runner.status())["servers"] == {"files": {"changed": 1}, "other": {"changed": 0}}


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
