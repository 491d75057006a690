"""The life of a policy set: written, checked, in force, explained, tried, replaced; with real gates."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bawn.app.control import ask
from bawn.model import Json
from bawn.policy.files import source
from bawn.policy.files.reading import ruleset
from tests.e2e.caller import a_caller
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate
from tests.e2e.policed import (
    answers,
    audited,
    crowd,
    killed,
    on_each_worker,
    remote,
    running,
    written,
)
from tests.e2e.remote_process import Raw, raw_server
from tests.e2e.runner_process import until

pytestmark = pytest.mark.e2e

ECHO = '@id("echo") permit (principal, action == Action::"call far/echo", resource);\n'
HEADERS = '@id("headers") permit (principal, action == Action::"call far/headers", resource);\n'
ALL = '@id("all") permit (principal, action in Action::"use", resource);\n'
NO_HEADERS = '@id("no-headers")\nforbid (principal, action == Action::"call far/headers", resource)'


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    with raw_server(tmp_path_factory.mktemp("raw")) as server:
        yield server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("policy")


@pytest.fixture(scope="module")
def up(shared_gate: StartGate, raw: Raw, place: Path) -> Gate:
    written(place, {"rules.cedar": ECHO})
    return shared_gate(config(place, raw, workers=2)).until_ok()


def config(place: Path, raw: Raw, more: str = "", workers: int = 1) -> str:
    """Everything but the listeners: this policy directory, and two servers."""
    return f"workers: {workers}\npolicy: '{place}'\n{more}servers:\n" + remote(raw, "far", "near")


def in_force(up: Gate, place: Path, **files: str) -> None:
    """Put these rules in force, as their owner does, unless they are."""
    written(place, {f"{name}.cedar": text for name, text in files.items()})
    now = ask(up.state, "status")["policy"]["version"]
    if now != ruleset(source.read(place), 900.0).version:
        assert up.cli("reload") == "applied: the policies\n"


# ── in force or not ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"a.cedar": ECHO + "\npermit (principal, action resource);"}, "a.cedar:3"),
        ({"b/c.cedar": ECHO + '@nonsense("x")\n' + HEADERS}, "b/c.cedar:2"),
        ({"a.cedar": ECHO, "z.cedar": f"// again\n{ECHO}"}, "z.cedar:2"),
        ({"a.cedar": ECHO, "labels.yaml": "servers:\n  far: {tools: {echo: {labels: [odd]}}}\n"}, "labels.yaml"),
    ],
)  # fmt: skip
def test_a_gate_does_not_start_with_a_broken_set_and_says_where_it_is_broken(
    tmp_path: Path, raw: Raw, files: dict[str, str], told: str
) -> None:
    gate = Gate(tmp_path / "home", config(written(tmp_path / "policy", files), raw))
    done = gate.run("up", "--trust-config")
    assert done.returncode == 2
    assert told in done.stderr
    assert not gate.listens


async def test_a_broken_set_is_refused_by_reload_and_the_old_one_serves_on(
    up: Gate, place: Path
) -> None:
    in_force(up, place, rules=ECHO)
    before = running(up)
    written(place, {"rules.cedar": ALL + "\n\nforbid (principal action, resource);"})
    done = up.run("reload")
    assert done.returncode == 2
    assert "rules.cedar:4" in done.stderr
    assert running(up) == before
    await only_echo_is_served(up)


async def test_files_that_nobody_reloaded_change_nothing_even_for_new_processes(
    up: Gate, place: Path, raw: Raw
) -> None:
    in_force(up, place, rules=ECHO)
    written(place, {"rules.cedar": HEADERS})
    await killed(up, "worker 0", "worker 1", "steward")
    await only_echo_is_served(up)
    written(place, {"rules.cedar": "this is no policy"})
    up.write(
        config(place, raw, workers=2) + "limits: {page: 7}\n"
    )  # a change that needs nobody's consent
    await until(lambda: "applied: limits.page" in up.log_text())
    await only_echo_is_served(up)


async def only_echo_is_served(up: Gate) -> None:
    """See that the rules in force on all workers are those of ECHO."""
    async with crowd(up) as callers:
        assert await answers(callers, "far__echo") == {"ok": len(callers)}
        assert await answers(callers, "far__headers") == {"target.unknown": len(callers)}


# ── seen, then written ──────────────────────────────────────────────────────────────────────────


async def test_what_observing_saw_becomes_a_policy_that_allows_just_that(
    gate: StartGate, raw: Raw, tmp_path: Path
) -> None:
    place, drafted = written(tmp_path / "policy", {"rules.cedar": ECHO}), tmp_path / "drafted"
    up = gate(config(place, raw, "enforcement: observe\n")).until_ok()
    async with (
        a_caller(up.url, up.token()) as alice,
        a_caller(up.url, up.token("viewer", sub="vera")) as vera,
    ):
        shown = {tool["name"] for tool in (await alice.ask("tools/list"))["result"]["tools"]}
        assert {"far__echo", "far__headers", "near__echo"} <= shown
        for name in ("far__echo", "far__headers", "near__echo"):
            assert await alice.text(name)
        assert await vera.text("far__echo", x=1)
    seen = {(call["who"], call["server"], call["name"]): call["rule"] for call in audited(up)}
    assert "nothing permits it" in seen["alice", "far", "headers"]
    assert "nothing permits it" not in seen["alice", "far", "echo"]

    up.cli("policy", "suggest", "--out", str(drafted))
    up.cli("policy", "check", str(drafted))
    passed, _, rest = up.cli("policy", "test", str(drafted)).partition(" passed, ")
    assert (int(passed) > 0, rest) == (True, "0 failed\n")
    up.write(config(drafted, raw))
    up.cli("trust", "--yes")
    up.cli("reload")

    async with (
        a_caller(up.url, up.token()) as alice,
        a_caller(up.url, up.token("viewer", sub="vera")) as vera,
    ):
        for name in ("far__echo", "far__headers", "near__echo"):
            assert await alice.text(name)
        assert await vera.text("far__echo", x=2)
        assert await alice.refusal("far__progress") == "target.unknown"
        assert await alice.refusal("near__headers") == "target.unknown"
        assert await vera.refusal("far__headers") == "target.unknown"
        shown = {tool["name"] for tool in (await vera.ask("tools/list"))["result"]["tools"]}
    assert shown == {"far__echo"}


async def test_a_candidate_is_replayed_over_what_really_happened(
    up: Gate, place: Path, tmp_path: Path
) -> None:
    in_force(up, place, rules=ECHO)
    async with a_caller(up.url, up.token(sub="rita")) as rita:
        assert await rita.text("far__echo")
        assert await rita.refusal("far__headers") == "target.unknown"
    candidate = written(tmp_path / "candidate", {"rules.cedar": HEADERS})
    told = json.loads(up.cli("policy", "replay", str(candidate), "--json"))
    of_rita = {(row["change"], row["item"]) for row in told["rows"] if row["who"] == "rita"}
    assert of_rita == {("newly denied", "far/echo"), ("newly allowed", "far/headers")}
    done = up.run("policy", "replay", str(candidate), "--fail-on-denied")
    assert done.returncode == 1
    same = json.loads(up.cli("policy", "replay", str(place), "--json"))
    assert [row for row in same["rows"] if row["who"] == "rita"] == []


# ── explained, and replaced ───────────────────────────────────────────────────────────────────────────────────


async def refused(up: Gate, tool: str, who: str = "alice") -> str:
    """The trace of a call that was refused."""
    async with a_caller(up.url, up.token(sub=who)) as caller:
        error = (await caller.tool(tool))["error"]
    assert error["data"]["reason"] == "target.unknown"
    trace: str = error["data"]["trace"]
    return trace


def why(up: Gate, trace: str) -> Json:
    """What `bawn why` tells of one call."""
    (told,) = json.loads(up.cli("why", trace, "--json"))
    found: Json = told
    return found


async def test_the_exception_that_why_prints_allows_exactly_what_was_refused(
    up: Gate, place: Path
) -> None:
    in_force(up, place, rules=ECHO)
    trace = await refused(up, "far__headers")
    told = why(up, trace)
    assert told["reason"] == "policy.denied"
    assert told["rule"] == "nothing permits it"
    assert told["permit"] in up.cli("why", trace[:12])

    in_force(up, place, rules=ECHO, exception=told["permit"])

    async with a_caller(up.url, up.token()) as alice:
        assert await alice.text("far__headers")
        assert await alice.refusal("near__headers") == "target.unknown"
        assert await alice.refusal("far__progress") == "target.unknown"
        assert await alice.refusal("near__echo") == "target.unknown"
    await refused(up, "far__headers", "bob")


async def test_a_reload_is_in_force_on_every_worker_when_the_command_returns(
    up: Gate, place: Path
) -> None:
    async with crowd(up) as callers:
        await on_each_worker(up, callers)
        await asyncio.to_thread(in_force, up, place, rules=HEADERS)
        assert await answers(callers, "far__echo") == {"target.unknown": len(callers)}
        assert await answers(callers, "far__headers") == {"ok": len(callers)}
        await asyncio.to_thread(in_force, up, place, rules=ALL, no=f"{NO_HEADERS};")
        assert await answers(callers, "far__echo") == {"ok": len(callers)}
        assert await answers(callers, "far__headers") == {"target.unknown": len(callers)}


async def test_the_exception_from_a_forbid_spares_what_was_refused(up: Gate, place: Path) -> None:
    in_force(up, place, rules=ALL, no=f"{NO_HEADERS};")
    told = why(up, await refused(up, "far__headers"))
    assert told["rule"] == "forbid no-headers"
    assert told["places"] == [{"rule": "no-headers", "place": "no.cedar:1"}]

    in_force(up, place, rules=ALL, no=f"{NO_HEADERS}\n{told['unless']};")

    async with a_caller(up.url, up.token()) as alice:
        assert await alice.text("far__headers")
    await refused(up, "far__headers", "bob")


async def test_a_shadow_rule_is_told_in_the_audit_and_changes_nothing(
    up: Gate, place: Path
) -> None:
    in_force(up, place, rules=ECHO + HEADERS, shadow=f"@shadow {NO_HEADERS};")
    async with a_caller(up.url, up.token(sub="sam")) as sam:
        assert await sam.text("far__headers")
        assert await sam.text("far__echo")
    told = {call["name"]: call["rule"] for call in audited(up, lambda call: call["who"] == "sam")}
    assert told == {
        "headers": "permit headers; shadow: would deny (forbid no-headers)", "echo": "permit echo",
    }  # fmt: skip
