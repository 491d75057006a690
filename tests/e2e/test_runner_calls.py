"""The runner with real child processes: what goes wrong in one call or child stays there."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.e2e.runner_process import (
    META,
    RunnerProcess,
    fixture_server,
    reason,
    runner,
    until,
    words,
)

__all__ = ["runner"]  # a fixture

pytestmark = pytest.mark.e2e


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
    assert words(await runner.tool("files", "echo", "a")) == "{}"
    assert words(await runner.tool("files", "echo", "b")) == "{}"
    first, second = runner.pids()
    assert [each["pid"] for each in runner.entries("server/discover")] == [first]
    assert {each["pid"] for each in runner.entries("notifications/initialized")} == {first, second}


async def test_a_server_of_an_unknown_version_is_refused(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server("old")})
    answer = await runner.tool("files", "echo")
    assert reason(answer) == "upstream.invalid"
    assert "1999-01-01" in answer["error"]["data"]["detail"]


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
    servers = (await runner.status())["servers"]
    assert {name: server["changed"] for name, server in servers.items()} == {"files": 1, "other": 0}


async def test_a_call_leaves_no_line_in_the_log(runner: RunnerProcess) -> None:
    runner.order({"files": fixture_server()})
    runner.order({"files": fixture_server()})  # a reload must not bring them back
    words(await runner.tool("files", "echo"))
    assert "/servers/files" not in runner.log.read_text()
