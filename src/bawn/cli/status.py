"""`bawn status`: whether calls will work, server by server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded
from bawn.cli.up import lock_lines

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE: Final = 5.0
_ACROSS: Final = 10  # findings


def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show the running gate and the state of each server. (stable)"""
    from bawn.app.control import NotRunningError, ask

    found = loaded(config)
    with explained():
        try:
            gate = ask(found.state, "status")
        except NotRunningError as error:
            fail(str(error), f"Start one with `bawn up --config {found.path}`.")
    gate["health"] = health(gate["socket"])
    if gate["health"] is None:
        fail("the gate runs, but does not answer.", "Its worker starts or hangs; the log tells.")
    print(json.dumps(gate, indent=2) if as_json else _text(gate))


def health(socket: str | Path) -> dict[str, Any] | None:
    """What /readyz says to the owner, over the Unix socket; None when nobody answers."""
    import httpx2

    transport = httpx2.HTTPTransport(uds=str(socket))
    with httpx2.Client(transport=transport, timeout=_PATIENCE) as client:
        try:
            answer: dict[str, Any] = client.get("http://localhost/readyz").json()
        except (httpx2.HTTPError, ValueError):
            return None
    return answer


def _confinement(confined: str | None) -> str:
    """What a person has to know of a local server; nothing for one that is confined, or is remote."""
    if confined is None or not confined.startswith("no: "):
        return ""
    return f"  unconfined, runs with your rights ({confined.removeprefix('no: ')})"


def _policy(policy: dict[str, Any]) -> str:
    where = policy["directory"] or "roles alone"
    observed = "  OBSERVED ONLY: nothing is refused" if policy["enforcement"] == "observe" else ""
    rules = f"{policy['rules']} rule{'' if policy['rules'] == 1 else 's'}"
    return f"policy {where}, {rules}, version {policy['version'][:12]}{observed}"


def _pids(pids: int | list[int | None]) -> str:
    """One process, or those of several places; `-` where one is just being started again."""
    if isinstance(pids, int):
        return str(pids)
    return " ".join("-" if pid is None else str(pid) for pid in pids)


def _text(gate: dict[str, Any]) -> str:
    health = gate["health"]
    pids = ", ".join(f"{name} {_pids(pid)}" for name, pid in gate["pids"].items() if pid)
    lines = [
        f"{gate['url']}/mcp is {health['status']}  ({pids})",
        f"configuration {gate['config']}",
        _policy(gate["policy"]),
        *(lock_lines(gate["lock"]) if gate.get("lock") else ()),
        f"audit {health.get('audit', 'not shown: identity.local_roles has no operator')}",
        "",
    ]
    for name, server in health.get("servers", {}).items():
        note = _confinement(server["confined"])
        detail = f"  {server['detail']}" if server["detail"] else ""
        lines.append(f"  {name:<20} {server['state']:<14} {server['version']:<12}{note}{detail}")
    for name, server in health.get("servers", {}).items():
        for each in server.get("failed", ()):
            detail = printable(each["detail"])
            lines.append(f"  {name:<20} {each['dimension']} failed: {detail}")
    wrong = health.get("policy", [])
    if wrong:
        lines += ["", "the policies need a look:", *(f"  {each}" for each in wrong)]
    across = health.get("across", [])
    if across:
        told = [f"  {printable(each)}" for each in across[:_ACROSS]]
        more = len(across) - _ACROSS
        lines += ["", "the servers together need a look (`bawn scan --config FILE`):", *told]
        lines += [f"  and {more} more"] if more > 0 else []
    return "\n".join(lines)
