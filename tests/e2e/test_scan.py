"""`bawn scan --live` on real servers from npm and PyPI, and the trust that a running gate tells."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from bawn.model import Json
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import wait_until
from tests.e2e.test_quickstart import QUICK, quickstart

pytestmark = pytest.mark.e2e


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    (tmp_path / "bawn.yaml").write_text(quickstart())
    return tmp_path


def bawn(place: Path, *arguments: str, code: int) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "bawn", *arguments, "--config", str(place / "bawn.yaml")],
        cwd=place, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def test_nothing_is_started_without_being_told_to(place: Path) -> None:
    done = bawn(place, "scan", "--json", code=0)
    told: Json = json.loads(done.stdout)
    assert {each["tools"] for each in told["targets"]} == {None}
    assert not (place / ".bawn").exists()


def test_live_says_what_it_starts_and_needs_consent(place: Path) -> None:
    refused = bawn(place, "scan", "--live", code=2)
    assert str(QUICK) in refused.stderr  # the command, before anything was started
    assert "--yes" in refused.stderr
    untrusted = bawn(place, "scan", "--live", "--yes", code=2)
    assert "bawn trust" in untrusted.stderr + untrusted.stdout


def test_live_lists_four_real_servers_and_reads_what_they_offer(place: Path) -> None:
    bawn(place, "trust", "--yes", code=0)
    done = bawn(place, "scan", "--live", "--yes", "--json", "--fail-on", "error", code=0)
    told: Json = json.loads(done.stdout)
    tools = {each["name"]: each["tools"] for each in told["targets"]}
    assert tools.keys() == {"files", "everything", "git", "time"}
    assert all(count >= 2 for count in tools.values())
    kinds = {each["kind"] for each in told["findings"]}
    assert "permission/tools" in kinds
    assert not any(each["level"] == "error" for each in told["findings"])
    unmeasured = {e["server"] for e in told["vulnerabilities"] if e["verdict"] == "unmeasured"}
    assert unmeasured == tools.keys()


def test_one_server_alone_is_started_when_it_is_named(place: Path) -> None:
    bawn(place, "trust", "--yes", code=0)
    done = bawn(place, "scan", "--live", "--yes", "--server", "time", "--json", code=0)
    assert "starts time" in done.stderr
    assert "starts files" not in done.stderr
    (target,) = json.loads(done.stdout)["targets"]
    assert (target["name"], target["tools"]) == ("time", 2)


def test_a_running_gate_tells_the_trust_of_its_servers(shared_gate: StartGate) -> None:
    up = shared_gate(quickstart()).until_ok()

    def trust() -> Json:
        done = up.run("server", "trust", "time", "--json")
        (told,) = json.loads(done.stdout)
        dimensions: Json = told["dimensions"]
        return dimensions

    wait_until(lambda: trust()["scan"]["verdict"] == "verified", what="the scan")
    told = trust()
    assert told["drift"]["verdict"] == "verified"
    assert "reviewed by nobody" in told["pin"]["detail"]
    assert told["vulnerabilities"]["verdict"] == "unmeasured"
    figures = httpx2.get(
        f"{up.probes}/metrics", headers={"authorization": f"Bearer {up.token('admin')}"}
    )
    wanted = 'bawn_server_trust{dimension="scan",server="time",verdict="verified"} 1.0'
    assert wanted in figures.text
    assert 'bawn_definitions_waiting{server="time"} 0.0' in figures.text
