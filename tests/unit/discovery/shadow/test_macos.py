from __future__ import annotations

from bawn.discovery.shadow.macos import connections, processes


def test_ps_and_lsof_are_read() -> None:
    text = "  42     1 ada      Mon Nov 23 00:25:25 2026 npx -y mcp-server-git\n garbage\n"
    (process,) = processes(text).processes.values()
    assert (process.parent, process.user, process.command[-1]) == (1, "ada", "mcp-server-git")
    assert process.started > 1.7e9
    text = "p42\nf3\nn127.0.0.1:8080\nTST=LISTEN\nf4\nn*:3000\nTST=LISTEN\nf5\nn[::1]:5->[::1]:6\nTST=ESTABLISHED\nf6\nnx\n"
    found = connections(text)
    assert [str(socket.local) for socket in found] == ["127.0.0.1:8080", "0.0.0.0:3000", "[::1]:5"]
    assert {socket.pid for socket in found} == {42}
