"""Kubernetes: which Services, Pods and Deployments are MCP servers, from what the API lists.

Told by labels and annotations (ToolHive: `toolhive.stacklok.dev/…`, kagent: `kagent.dev/…`, and what says
`mcp` itself), `appProtocol`, port names, images and command lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bawn.config import document
from bawn.discovery.shadow.lines import open_regular
from bawn.discovery.shadow.recognise import image_server, server_in
from bawn.discovery.shadow.sighting import Look, Sighting, Unseen, clipped, joined, masked_command
from bawn.errors import Misconfigured

MAX_DUMP: Final = 256 << 20
MAX_OBJECTS: Final = 200_000
KINDS: Final = frozenset(["Service", "Pod", "Deployment", "StatefulSet", "DaemonSet"])
_OPERATORS: Final = ("toolhive", "kagent.dev", "mcp")
_PORTS: Final = ("mcp", "sse", "http-mcp", "mcp-http", "mcp-sse", "streamable-http")


def look(paths: Iterable[Path]) -> Look:
    """The servers in dumps of the API: JSON, or YAML of at most 1 MiB a document."""
    return joined(_of(path) for path in paths)


def of_objects(objects: Iterable[Any], source: str, default_kind: str = "") -> Look:
    """The servers among objects of the API; what has none of the known shapes is passed over."""
    found = []
    for item in objects:
        if isinstance(item, dict) and str(item.get("kind") or default_kind) in KINDS:
            sighting = _sighting(item, str(item.get("kind") or default_kind), source)
            if sighting is not None:
                found.append(sighting)
    return Look(tuple(found))


def _of(path: Path) -> Look:
    try:
        with open_regular(path) as file:
            raw = file.read(MAX_DUMP + 1)
        if len(raw) > MAX_DUMP:
            raise Misconfigured(f"larger than {MAX_DUMP >> 20} MiB")
        trees = _trees(raw)
        objects = list(_items(trees))
    except (OSError, Misconfigured, ValueError, RecursionError) as problem:
        why = f"not a dump of the Kubernetes API: {clipped(str(problem))[:300]}"
        return Look((), (Unseen("cluster", str(path), why),))
    return of_objects(objects, str(path))


def _trees(raw: bytes) -> list[Any]:
    if raw.lstrip()[:1] in {b"{", b"["}:
        return [json.loads(raw)]
    parts = (b"\n" + raw).split(b"\n---")
    return [document.read(part, "YAML").tree for part in parts if part.strip()]


def _items(trees: Iterable[Any], depth: int = 0) -> Iterator[Any]:
    """The objects in lists, and lists of lists as `kubectl get -o json` gives for several kinds."""
    count = 0
    for tree in trees:
        inner = tree.get("items") if isinstance(tree, dict) else tree
        if isinstance(inner, list) and depth < 3:
            kind = str(tree.get("kind", "")).removesuffix("List") if isinstance(tree, dict) else ""
            for item in _items(inner, depth + 1):
                count += 1
                if count > MAX_OBJECTS:
                    raise ValueError(f"more than {MAX_OBJECTS} objects")
                named = isinstance(item, dict) and not item.get("kind") and kind in KINDS
                yield {**item, "kind": kind} if named else item
        else:
            yield tree


def _sighting(item: Mapping[str, Any], kind: str, source: str) -> Sighting | None:
    metadata = _map(item.get("metadata"))
    spec = _map(item.get("spec"))
    pod = spec if kind == "Pod" else _map(_map(spec.get("template")).get("spec"))
    evidence = list(_by_labels(metadata))
    url = ""
    command: tuple[str, ...] = ()
    what_name = ""
    if kind == "Service":
        ports = [_map(port) for port in _list(spec.get("ports"))]
        signs = [sign for port in ports if (sign := _by_port(port))]
        evidence += signs
        url = _address(metadata, spec, ports) if evidence else ""
    else:
        for container in map(_map, _list(pod.get("containers"))):
            signs, words, name = _container(container)
            if signs and not what_name:
                command, what_name = words, name
            evidence += signs
        address = _map(item.get("status")).get("podIP")
        port = _container_port(pod)
        url = f"http://{address}:{port}" if evidence and address and port else ""
    if not evidence:
        return None
    name, namespace = str(metadata.get("name", "")), str(metadata.get("namespace") or "default")
    return Sighting(
        source="cluster",
        what="http" if url or kind == "Service" else "image",
        name=clipped(what_name or name),
        where=clipped(f"{source}: {namespace}/{kind.lower()}/{name}"),
        command=masked_command(command),
        url=clipped(url),
        evidence=tuple(clipped(line)[:256] for line in dict.fromkeys(evidence)),
    )


def _by_labels(metadata: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("labels", "annotations"):
        for key, value in _map(metadata.get(kind)).items():
            prefix, _, name = str(key).rpartition("/")
            is_operator = any(operator in prefix.lower() for operator in _OPERATORS)
            words = str(name).lower().replace("_", "-").replace(".", "-").split("-")
            value_words = str(value)[:64].lower().replace("_", "-").split("-")
            named = name in {"app", "component", "name", "part-of", "protocol", "role", "tier"}
            if is_operator or "mcp" in words or (named and "mcp" in value_words):
                yield f"{kind.removesuffix('s')} {key}={str(value)[:64]}"


def _by_port(port: Mapping[str, Any]) -> str:
    protocol = str(port.get("appProtocol", "")).lower()
    if "mcp" in protocol.replace("/", "-").replace(".", "-").split("-"):
        return f"appProtocol {protocol}"
    name = str(port.get("name", "")).lower()
    return f"port name {name}" if name in _PORTS or name.startswith("mcp-") else ""


def _container(container: Mapping[str, Any]) -> tuple[list[str], tuple[str, ...], str]:
    image = str(container.get("image", ""))
    lists = (_list(container.get("command")), _list(container.get("args")))
    words = tuple(str(word) for words in lists for word in words)
    signs = [f"image {image}"] if (by_image := image_server(image)) else []
    if by_command := server_in(words):
        signs.append(f"command line names {by_command}")
    signs += [sign for port in map(_map, _list(container.get("ports"))) if (sign := _by_port(port))]
    return signs, words, by_image or by_command


def _container_port(pod: Mapping[str, Any]) -> int:
    for container in map(_map, _list(pod.get("containers"))):
        for port in map(_map, _list(container.get("ports"))):
            if isinstance(number := port.get("containerPort"), int):
                return number
    return 0


def _address(metadata: Mapping[str, Any], spec: Mapping[str, Any], ports: list[Any]) -> str:
    """The name that the cluster's DNS gives a service, and the port that speaks MCP, else the first."""
    chosen = next((port for port in ports if _by_port(port)), ports[0] if ports else {})
    host = f"{metadata.get('name')}.{metadata.get('namespace') or 'default'}.svc"
    if spec.get("type") == "ExternalName":
        host = str(spec.get("externalName"))
    scheme = "https" if chosen.get("port") in (443, 8443) else "http"
    return f"{scheme}://{host}:{chosen.get('port', 80)}"


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
