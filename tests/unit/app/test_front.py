from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest

from bawn.app import health
from bawn.app.assemble import Assembly
from bawn.app.front import DataFront, PrivateFront, management
from bawn.app.health import Report
from bawn.barrier.edition import Cut
from bawn.config import Config
from bawn.errors import AUTH_MISSING, GATE_NOT_READY, Refused
from bawn.identity.metadata import Resources
from bawn.model import Health, Peer, Principal, ServerState
from bawn.storage.directory import StateDirectory
from bawn.telemetry.figures import Figures, decode
from bawn.transport.asgi import Receive, Scope, Send
from bawn.transport.held import Held
from tests.fakes import FakeMeter

BASE = "http://127.0.0.1:8811"
REMOTE = Peer("192.0.2.1")
OWNER = Peer("unix", 1000)


class FakeIdentity:
    """`Bearer ROLE` has that role, `Bearer ROLE files` at one endpoint; the owner is an operator."""

    def __init__(self) -> None:
        self.resources = Resources(BASE, ())
        self.token = self.tenant = ""

    def recognise(self, authorization: bytes | None, peer: Peer, now: float) -> Principal | None:
        if authorization is None and peer.uid is not None:
            return Principal("owner", "local", frozenset({"operator"}), now + 1)
        if authorization is None:
            raise Refused(AUTH_MISSING, challenge="Bearer resource_metadata=x")
        if authorization.startswith(b"Bearer later "):
            return None
        _, role, *endpoint = authorization.decode().split(" ")
        found = frozenset({role})
        where = endpoint[0] if endpoint else None
        return Principal(
            "somebody", "test", found, now + 1, where, token=self.token, tenant=self.tenant
        )

    async def verify(self, authorization: bytes, now: float) -> Principal:
        role = authorization.decode().rpartition(" ")[2]
        return Principal("somebody", "test", frozenset({role}), now + 1)


class FakeFollower:
    """Obeys what is in force; `trouble` is why it cannot."""

    def __init__(self, trouble: Refused | None, *, current: bool) -> None:
        self.trouble = trouble
        self.current = current
        self.edition = SimpleNamespace(cuts=(Cut("server", "far", 0.0),))

    def behind(self) -> bool:
        return self.trouble is not None or not self.current

    def catch_up(self) -> bool:
        if self.trouble is not None:
            raise self.trouble
        return self.current


class FakeSiblings:
    """Two workers, of which this is the first."""

    def own(self) -> Figures:
        return Figures(in_flight={"files": 2}, audit_records=1)

    async def figures(self) -> dict[str, Figures]:
        return {"0": self.own(), "1": Figures(in_flight={"files": 1})}


def rooms(
    *,
    healthy: bool = True,
    required: bool = False,
    trouble: Refused | None = None,
    current: bool = True,
) -> Any:
    """The rooms of a worker, as far as the front looks at them; `far` fails."""
    config = Config.model_validate(
        {
            "servers": {
                "files": {"command": ("x",)},
                "far": {"url": "http://127.0.0.1:9/", "required": required},
            }
        }
    )
    states = {
        "files": ServerState(Health.OK, "", "2025-11-25", 5.0),
        "far": ServerState(Health.FAILING, "upstream.unreachable: refused", "", 6.0),
    }
    report = Report(states, "v", {"tool": 3}, "files__x", {"files": "bubblewrap"})
    path = Path(tempfile.mkdtemp()) / "health.json"
    health.write(path, report)
    return SimpleNamespace(
        config=config,
        identity=FakeIdentity(),
        meter=FakeMeter(),
        gateway=SimpleNamespace(usable=lambda principal: frozenset()),
        follower=FakeFollower(trouble, current=current),
        places=SimpleNamespace(health=path, state=StateDirectory(path.parent / "state")),
        looking=SimpleNamespace(done=None),
        locked=False,
        siblings=FakeSiblings(),
        audit=SimpleNamespace(healthy=healthy),
        relay=SimpleNamespace(peer=lambda sealed: None),
        standing=None,
        held=Held(1 << 20),
        deciding=SimpleNamespace(approvals=None, links=None),
        sealer=None,
    )


def client(app: Any, peer: Peer = REMOTE) -> httpx2.AsyncClient:
    """A client of an application, as the edge shows its peer."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"peer": peer}
        await app(scope, receive, send)

    transport = httpx2.ASGITransport(app=cast(Any, called))
    return httpx2.AsyncClient(transport=transport, base_url=BASE)


def probes(*, open_to_all: bool = False, **how: Any) -> httpx2.AsyncClient:
    """A client of the management listener."""
    return client(management(cast(Assembly, rooms(**how)), open_to_all=open_to_all))


def front(peer: Peer = REMOTE) -> httpx2.AsyncClient:
    """A client of the data listener."""
    return client(DataFront(cast(Assembly, rooms())), peer)


# ── probes ──────────────────────────────────────────────────────────────────────────────────────


async def test_the_process_lives_whatever_else_is_wrong() -> None:
    async with probes(healthy=False, required=True) as http:
        answer = await http.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({}, 200),
        ({"healthy": False}, 503),
        ({"required": True}, 503),
        ({"trouble": Refused(GATE_NOT_READY)}, 503),
        ({"current": False}, 200),  # what comes here is passed on to who serves
    ],
)
async def test_ready_means_that_calls_are_served(how: dict[str, Any], status: int) -> None:
    async with probes(**how) as http:
        answer = await http.get("/readyz")
    told = {200: "ready", 503: "not ready"}[status]
    assert (answer.status_code, answer.json()) == (status, {"status": told})


@pytest.mark.parametrize("role", ["operator", "auditor", "admin", "later operator"])
async def test_details_are_for_who_manages(role: str) -> None:
    async with probes() as http:
        told = (await http.get("/readyz", headers={"authorization": f"Bearer {role}"})).json()
        assert told["servers"]["files"] == {
            "state": "ok", "required": False, "version": "2025-11-25", "detail": "",
            "checked": 5.0, "in_flight": 3, "confined": "bubblewrap",
            "failed": [], "waiting": 0,
        }  # fmt: skip
        assert told["servers"]["far"]["confined"] is None
        assert (told["audit"], told["workers"], told["cuts"]) == ("writing", 2, 1)
        figures = await http.get("/metrics", headers={"authorization": f"Bearer {role}"})
        assert figures.status_code == 200
        assert 'bawn_audit_records_total{worker="0"} 1.0' in figures.text
        assert 'bawn_server_health{server="files",state="ok"} 1.0' in figures.text


@pytest.mark.parametrize("role", ["developer", "viewer", "operator files", "admin files"])
async def test_details_are_for_nobody_else(role: str) -> None:
    async with probes() as http:
        headers = {"authorization": f"Bearer {role}"}
        assert (await http.get("/readyz", headers=headers)).json() == {"status": "ready"}
        assert (await http.get("/metrics", headers=headers)).status_code == 404


async def test_figures_without_a_token_are_refused_with_a_challenge() -> None:
    async with probes() as http:
        answer = await http.get("/metrics")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer resource_metadata=x"
        assert answer.json()["error"] == "auth.missing"
        in_url = await http.get(
            "/metrics?access_token=x", headers={"authorization": "Bearer admin"}
        )
        assert in_url.status_code == 401
        assert (await http.get("/readyz?access_token=x")).json() == {"status": "ready"}


@pytest.mark.parametrize(
    ("cut", "seen"),
    [
        (Cut("principal", "somebody", 0.0), False),
        (Cut("token", "id", 0.0), False),
        (Cut("principal", "else", 0.0), True),
        (Cut("gate", "", 0.0), True),  # a gate that serves nobody can still be looked at
    ],
)
async def test_who_is_cut_sees_nothing_of_the_gate(cut: Cut, seen: bool) -> None:
    made = rooms()
    made.identity.token = "id"
    made.follower.edition = SimpleNamespace(cuts=(cut,))
    who = {"authorization": "Bearer admin"}
    async with client(management(cast(Assembly, made), open_to_all=False)) as http:
        assert ("servers" in (await http.get("/readyz", headers=who)).json()) == seen
        assert (await http.get("/metrics", headers=who)).status_code == (200 if seen else 404)


async def test_who_manages_one_tenant_learns_nothing_of_the_others() -> None:
    made = rooms()
    made.identity.token, made.identity.tenant = "id", "acme"
    who = {"authorization": "Bearer admin"}
    async with client(management(cast(Assembly, made), open_to_all=False)) as http:
        told = (await http.get("/readyz", headers=who)).json()
        assert (told["servers"], told["items"], told["longest_name"], told["policy"]) == (
            {}, {}, "", [],
        )  # fmt: skip
        assert (await http.get("/metrics", headers=who)).status_code == 404


async def test_an_open_listener_asks_nobody() -> None:
    async with probes(open_to_all=True) as http:
        assert "servers" in (await http.get("/readyz")).json()
        assert (await http.get("/metrics")).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("POST", "/healthz"), ("GET", "/mcp"), ("GET", "/")])
async def test_nothing_else_is_served_to_probes(method: str, path: str) -> None:
    async with probes() as http:
        answer = await http.request(method, path)
    assert (answer.status_code, answer.json()["error"]) == (404, "http.not_found")


# ── clients ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("", "/mcp"),
        ("/mcp", "/mcp"),
        ("/mcp/files", "/mcp/files"),
        ("/mcp/unknown", "/mcp/unknown"),
    ],
)
async def test_the_metadata_of_every_endpoint_is_public(path: str, resource: str) -> None:
    async with front() as http:
        answer = await http.get(f"/.well-known/oauth-protected-resource{path}")
    assert answer.status_code == 200
    assert answer.json()["resource"] == BASE + resource


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/readyz", "/metrics", "/mcpx", "/.well-known/openid-configuration"]
)
async def test_a_client_finds_nothing_else(path: str) -> None:
    async with front() as http:
        answer = await http.get(path, headers={"authorization": "Bearer admin"})
    assert (answer.status_code, answer.json()["error"]) == (404, "http.not_found")


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"host": "evil.example.com"}, 421), ({"origin": "https://evil.example.com"}, 403)],
)
async def test_names_are_judged_on_every_path(headers: dict[str, str], status: int) -> None:
    async with front() as http:
        for path in ("/.well-known/oauth-protected-resource", "/nothing"):
            assert (await http.get(path, headers=headers)).status_code == status


async def test_the_owner_reaches_health_and_figures_over_the_socket() -> None:
    async with front(OWNER) as http:
        assert "servers" in (await http.get("/readyz", headers={"host": "localhost"})).json()
        assert (await http.get("/metrics")).status_code == 200
        assert (await http.get("/nothing")).status_code == 404


# ── other workers ───────────────────────────────────────────────────────────────────────────────


async def test_a_worker_tells_its_figures_to_the_others() -> None:
    async with client(PrivateFront(cast(Assembly, rooms()))) as http:
        assert decode((await http.get("/figures")).content).in_flight == {"files": 2}
        assert (await http.get("/readyz")).status_code == 404
