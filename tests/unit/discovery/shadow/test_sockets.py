from __future__ import annotations

from pathlib import Path

from bawn.discovery.shadow.processes import Process, Running, servers
from bawn.discovery.shadow.sockets import Endpoint, bypasses, listeners, sockets

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def _line(local: str, remote: str, state: str, inode: int) -> str:
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000  1000        0 {inode} 1\n"


def _proc(root: Path) -> Path:
    net = root / "net"
    net.mkdir(parents=True)
    (net / "tcp").write_text(
        HEAD
        + _line("0100007F:1F90", "00000000:0000", "0A", 11)
        + _line("00000000:0BB8", "00000000:0000", "0A", 12)
        + _line("0100007F:C001", "0100007F:1F90", "01", 13)
        + _line("0100007F:C002", "0100007F:1F90", "01", 14)
        + "broken line\n"
    )
    six = "00000000000000000000000001000000"
    (net / "tcp6").write_text(HEAD + _line(f"{six}:1F91", f"{six}:0000", "0A", 15))
    (net / "unix").write_text(
        "Num RefCount Protocol Flags Type St Inode Path\n"
        "0: 00000002 00000000 00010000 0001 01 16 /run/mcp.sock\n"
        "0: 00000003 00000000 00000000 0001 03 17 /run/other.sock\n"
    )
    for pid, inode in ((5, 11), (6, 13), (7, 14), (8, 16)):
        (root / str(pid) / "fd").mkdir(parents=True)
        (root / str(pid) / "fd" / "3").symlink_to(f"socket:[{inode}]")
    return root


SEEN = Running(
    {
        5: Process(5, 1, "ada", ("uvx", "mcp-server-web")),
        6: Process(6, 1, "ada", ("cursor",)),
        7: Process(7, 1, "ada", ("python", "/b/bawn", "up")),
        8: Process(8, 1, "ada", ("x",)),
    }
)


def test_sockets_are_joined_to_their_processes(tmp_path: Path) -> None:
    found = sockets(SEEN, _proc(tmp_path))
    listening = {str(socket.local): socket.pid for socket in found.listening}
    assert listening == {"127.0.0.1:8080": 5, "0.0.0.0:3000": 0, "[::1]:8081": 0}
    assert found.unix == (("/run/mcp.sock", 8),)
    assert [(unseen.count, "not visible" in unseen.why) for unseen in found.unseen] == [(2, True)]


def test_a_server_that_listens_is_told_with_its_address(tmp_path: Path) -> None:
    by_pid = {server.pid: server for server in servers(SEEN).sightings}
    found = listeners(SEEN, sockets(SEEN, _proc(tmp_path)), by_pid)
    assert [(s.name, s.url) for s in found.sightings] == [
        ("mcp-server-web", "http://127.0.0.1:8080")
    ]
    assert found.unseen


def test_a_client_past_the_gate_is_told_and_the_gate_is_not(tmp_path: Path) -> None:
    registered = {Endpoint("127.0.0.1", 8080): "web"}
    found = bypasses(SEEN, sockets(SEEN, _proc(tmp_path)), registered)
    assert [(s.name, s.pid, s.client) for s in found.sightings] == [("web", 6, "cursor")]


def test_the_wildcard_is_reached_by_loopback() -> None:
    assert Endpoint("0.0.0.0", 1).reached == Endpoint("127.0.0.1", 1)
    assert Endpoint("::", 1).reached == Endpoint("::1", 1)
    assert not Endpoint("0.0.0.0", 1).is_loopback
