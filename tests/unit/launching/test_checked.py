from __future__ import annotations

import pytest

from bawn.config.server import Server
from bawn.launching.checked import refuse, refuse_in_project


def test_each_line_says_where_what_and_what_to_do() -> None:
    server = Server(
        command=("docker", "run", "--privileged", "acme:1"), env={"LD_PRELOAD": "${env:X}"}
    )
    first, second = refuse("acme", server)
    assert first.startswith("servers.acme.command[2]: --privileged: the container gets powers")
    assert second.startswith("servers.acme.env.LD_PRELOAD: ")
    assert "launch: any" in first


def test_warnings_do_not_keep_a_server_from_starting() -> None:
    assert refuse("acme", Server(command=("npx", "-y", "acme@latest"))) == ()


def test_what_is_disabled_or_remote_is_not_looked_at() -> None:
    assert refuse("acme", Server(command=("sh", "-c", "x"), status="disabled")) == ()
    assert refuse("acme", Server(url="https://mcp.example.com/")) == ()


@pytest.mark.parametrize(
    "command",
    ["npx -y acme@1.0.0", "npm exec -- acme@1.0.0", "bunx acme@1.0.0", "python -m acme", "python3 -Bm acme x"],
)  # fmt: skip
def test_a_project_does_not_choose_what_is_started_in_it(command: str) -> None:
    words = tuple(command.split())
    assert "isolation: project" in refuse_in_project("acme", Server(command=words))
    assert refuse_in_project("acme", Server(command=words, launch="any")) == ""
    assert refuse_in_project("acme", Server(command=words, cwd="own")) == ""


@pytest.mark.parametrize(
    "command",
    ["uvx acme==1.0", "python -P -m acme", "python -Im acme", "python -Ximporttime s.py", "python s.py -m x",
     "node s.js", "./acme -m x", "pnpm dlx acme@1.0.0"],
)  # fmt: skip
def test_what_looks_nowhere_near_the_project_is_started_there(command: str) -> None:
    assert refuse_in_project("acme", Server(command=tuple(command.split()))) == ""
