"""A package manager is bounded, sees little, and what it says is passed on without secrets."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bawn.errors import Misconfigured, Refused
from bawn.packages.tool import Tool, read_bounded, scrubbed

ENV = {"PATH": os.environ["PATH"]}


def run(code: str, directory: Path, seconds: float = 20.0, output: int = 1000) -> str:
    return Tool(ENV, seconds, output)((sys.executable, "-c", code), directory)


def test_it_is_told_where_registries_are_and_nothing_else() -> None:
    kept = {
        "PATH": "p", "HOME": "h", "npm_config_registry": "r", "npm_config_@a:registry": "s",
        "npm_config_//h/:_authToken": "t", "PIP_INDEX_URL": "i", "https_proxy": "x", "LC_ALL": "C",
        "npm_config_fetch_timeout": "1000", "NPM_CONFIG_FETCH_RETRIES": "5", "PIP_RETRIES": "8",
    }  # fmt: skip
    dropped = {
        "NODE_OPTIONS": "--require x", "npm_config_ignore_scripts": "false", "PIP_TARGET": "/",
        "npm_config_script_shell": "/x", "npm_config_prefix": "/", "PYTHONPATH": "/", "LD_PRELOAD": "x",
        "AWS_SECRET_ACCESS_KEY": "s", "PIP_NO_BINARY": ":all:", "PIP_USER": "1", "npm_config_git": "/x",
    }  # fmt: skip
    seen = scrubbed({**kept, **dropped})
    assert kept.items() <= seen.items()
    assert not dropped.keys() & seen.keys()


def test_it_runs_where_it_should_and_its_words_come_back(tmp_path: Path) -> None:
    assert run("import os; print(os.getcwd())", tmp_path).strip() == str(tmp_path)


def test_arguments_are_not_read_by_a_shell(tmp_path: Path) -> None:
    code = "import sys; print(sys.argv[1])"
    said = Tool(ENV)((sys.executable, "-c", code, "$(id); `id`"), tmp_path)
    assert said.strip() == "$(id); `id`"


def test_one_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    with pytest.raises(Misconfigured, match=r"within 0\.5 s"):
        run(child, tmp_path, seconds=0.5)


def test_one_that_writes_without_end_is_ended(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="more than 1000 bytes"):
        run("while True: print('x' * 100)", tmp_path)


def test_one_that_fails_tells_why_without_credentials(tmp_path: Path) -> None:
    code = "import sys; print('npm error 404 https://anna:hunter2@r.example/x'); sys.exit(1)"
    with pytest.raises(Misconfigured, match="404") as failed:
        run(code, tmp_path)
    assert "hunter2" not in str(failed.value)


@pytest.mark.parametrize(
    "said", ["npm error code EINTEGRITY", "THESE PACKAGES DO NOT MATCH THE HASHES"]
)
def test_another_digest_is_a_refusal(tmp_path: Path, said: str) -> None:
    with pytest.raises(Refused) as refused:
        run(f"import sys; print({said!r}); sys.exit(1)", tmp_path)
    assert refused.value.reason.id == "integrity.launch"


def test_one_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="`no-such-tool` was not found"):
        Tool(ENV)(("no-such-tool",), tmp_path)


def test_a_huge_report_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "report").write_bytes(b"x" * 11)
    with pytest.raises(Misconfigured, match="larger than 10"):
        read_bounded(tmp_path / "report", 10)
    with pytest.raises(Misconfigured, match="was not written"):
        read_bounded(tmp_path / "none")
