from __future__ import annotations

from pathlib import Path

from bawn.discovery.shadow.processes import Process, Running, ancestors, running, servers


def _proc(root: Path, pid: int, parent: int, command: str, name: str = "x") -> None:
    directory = root / str(pid)
    directory.mkdir()
    (directory / "cmdline").write_bytes(
        b"\0".join(word.encode() for word in command.split()) + b"\0"
    )
    rest = " ".join(["S", str(parent), *["0"] * 17, "200", "0"])
    (directory / "stat").write_text(f"{pid} ({name}) {rest}")


def test_processes_are_read_with_parent_and_start(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("cpu 1\nbtime 1000\n")
    _proc(tmp_path, 1, 0, "init")
    _proc(tmp_path, 7, 1, "uvx mcp-server-git", "a) S 99 (b")
    (tmp_path / "8").mkdir()  # has ended between the listing and the reading
    found = running(tmp_path)
    assert sorted(found.processes) == [1, 7]
    assert (found.processes[7].parent, found.processes[7].started) == (1, 1002.0)
    assert found.unseen == ()


def test_what_is_hidden_is_told(tmp_path: Path) -> None:
    _proc(tmp_path, 7, 1, "x")
    assert [unseen.why for unseen in running(tmp_path).unseen] == [
        "processes of other users are hidden"
    ]


def _running(*processes: Process) -> Running:
    return Running({process.pid: process for process in processes})


def test_a_server_is_told_once_with_its_client_and_without_secrets() -> None:
    found = servers(
        _running(
            Process(2, 1, "ada", ("/usr/bin/node", "/opt/bin/claude")),
            Process(3, 2, "ada", ("npx", "-y", "mcp-server-git", "--token", "sEcReT-value-1")),
            Process(4, 3, "ada", ("sh", "-c", "mcp-server-git")),
            Process(5, 4, "ada", ("node", "/c/.bin/mcp-server-git")),
        )
    )
    (server,) = found.sightings
    assert (server.pid, server.client, server.user, server.ours) == (3, "claude-code", "ada", False)
    assert "sEcReT" not in repr(server)


def test_children_of_the_gate_are_ours_and_known_commands_are_servers() -> None:
    command = ("/srv/odd", "--serve")
    seen = _running(
        Process(2, 1, "ada", ("/v/bin/python", "/v/bin/bawn", "up")),
        Process(3, 2, "ada", ("uvx", "mcp-server-git")),
        Process(9, 1, "ada", command),
        Process(10, 8, "ada", ("uvx", "mcp-server-time")),
        Process(8, 1, "ada", ("keeper",)),
    )
    found = {s.pid: s for s in servers(seen, known=[command], ours=[8]).sightings}
    assert {pid: s.ours for pid, s in found.items()} == {3: True, 9: False, 10: True}
    assert found[9].name == "odd"


def test_a_circle_of_parents_ends() -> None:
    seen = _running(Process(2, 3, "a", ("x",)), Process(3, 2, "a", ("y",)))
    assert [process.pid for process in ancestors(seen.processes[2], seen.processes)] == [3]
