from __future__ import annotations

import json
from pathlib import Path

import httpx2

from bawn.discovery.shadow import kubernetes
from bawn.discovery.shadow.cluster import look

SERVICE = {
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "ai", "labels": {"app": "web"}},
    "spec": {"ports": [{"port": 80, "name": "http"}, {"port": 9000, "appProtocol": "mcp"}]},
}
POD = {
    "kind": "Pod",
    "metadata": {"name": "p", "annotations": {}},
    "spec": {"containers": [{"image": "python:3", "command": ["uvx", "mcp-server-git", "--token=aaaabbbbcccc1"],
                             "ports": [{"containerPort": 8000}]}]},
    "status": {"podIP": "10.2.3.4"},
}  # fmt: skip
HIVE = {
    "kind": "Deployment",
    "metadata": {"name": "thv", "labels": {"toolhive.stacklok.dev/name": "x"}},
    "spec": {"template": {"spec": {"containers": [{"image": "nginx"}]}}},
}
PLAIN = {"kind": "Service", "metadata": {"name": "db"}, "spec": {"ports": [{"port": 5432}]}}


def test_servers_are_told_by_protocol_command_and_labels(tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    path.write_text(json.dumps({"kind": "List", "items": [SERVICE, POD, HIVE, PLAIN, 3]}))
    found = {s.name: s for s in look([path]).sightings}
    assert {name: s.url for name, s in found.items()} == {
        "web": "http://web.ai.svc:9000", "mcp-server-git": "http://10.2.3.4:8000", "thv": "",
    }  # fmt: skip
    assert "aaaabbbbcccc1" not in repr(found)


def test_yaml_is_read_document_by_document(tmp_path: Path) -> None:
    path = tmp_path / "dump.yaml"
    path.write_text(
        "kind: Service\nmetadata: {name: a, labels: {app: mcp}}\nspec: {}\n---\nkind: Other\n"
    )
    assert [s.name for s in look([path]).sightings] == ["a"]


def test_what_is_no_dump_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("{" + "[" * 100_000)
    assert look([path, tmp_path / "absent"]).unseen[0].source == "cluster"


CONFIG = """
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "https://k.example.com"}}]
users: [{name: u, user: %s}]
"""


def test_a_kubeconfig_lists_with_its_token_and_reads_only(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(CONFIG % "{token: t0ken}")
    asked: list[httpx2.Request] = []

    def api(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        if "pods" in request.url.path:
            return httpx2.Response(403)
        more = "" if "continue" in request.url.params or "services" not in request.url.path else "n"
        item = {**SERVICE, "kind": None} if more else None
        return httpx2.Response(200, json={"items": [item], "metadata": {"continue": more}})

    found = kubernetes.look(path, transport=httpx2.MockTransport(api))
    assert [s.name for s in found.sightings] == ["web"]
    assert ["403" in unseen.why for unseen in found.unseen] == [True]
    assert {request.method for request in asked} == {"GET"}
    assert {request.headers["authorization"] for request in asked} == {"Bearer t0ken"}
    assert "t0ken" not in repr(found)


def test_programs_that_make_credentials_are_not_run(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(CONFIG % "{exec: {command: touch, args: [ran]}}")
    (unseen,) = kubernetes.look(path).unseen
    assert "not run" in unseen.why
    path.write_text((CONFIG % "{token: t}").replace("https:", "http:"))
    assert "not https" in kubernetes.look(path).unseen[0].why
