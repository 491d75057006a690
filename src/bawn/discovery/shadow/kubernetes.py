"""A cluster's API by a kubeconfig: lists are read, nothing else is asked.

Only credentials that stand in the file are used: a token, or a client certificate. A kubeconfig may also name a
program that makes them (`exec`); it is not run.
"""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from bawn.config import document, files
from bawn.discovery.shadow.cluster import of_objects
from bawn.discovery.shadow.sighting import Look, Unseen, clipped, joined
from bawn.errors import Misconfigured

LISTS: Final = (
    ("Service", "/api/v1/services"),
    ("Pod", "/api/v1/pods"),
    ("Deployment", "/apis/apps/v1/deployments"),
    ("StatefulSet", "/apis/apps/v1/statefulsets"),
)
PAGE: Final = 500
MAX_PAGES: Final = 200
MAX_BODY: Final = 64 << 20
TIMEOUT: Final = 15.0


class _Unusable(Exception):
    """The kubeconfig, or the API's answer, cannot be used; the text says why."""


def look(path: Path, context: str = "", *, transport: httpx2.BaseTransport | None = None) -> Look:
    """The servers of a cluster, with the kubeconfig at `path`; `context` is its current one if empty."""
    try:
        server, headers, verify = _access(path, context)
    except (_Unusable, Misconfigured, OSError, ssl.SSLError, binascii.Error, ValueError) as problem:
        return Look((), (Unseen("cluster", str(path), clipped(str(problem))),))
    with httpx2.Client(
        base_url=server, headers=headers, verify=verify, timeout=TIMEOUT,
        follow_redirects=False, trust_env=False, transport=transport,
    ) as client:  # fmt: skip
        return joined(_list(client, kind, at, server) for kind, at in LISTS)


def _list(client: httpx2.Client, kind: str, at: str, server: str) -> Look:
    try:
        return joined(of_objects(page, server, kind) for page in _pages(client, at))
    except (httpx2.HTTPError, _Unusable, ValueError, RecursionError) as problem:
        return Look((), (Unseen("cluster", f"{server}{at}", clipped(str(problem))[:300]),))


def _pages(client: httpx2.Client, at: str) -> Iterator[list[Any]]:
    following = ""
    for _ in range(MAX_PAGES):
        parameters = {"limit": str(PAGE), **({"continue": following} if following else {})}
        body = bytearray()
        with client.stream("GET", at, params=parameters) as reply:
            if reply.status_code != 200:
                raise _Unusable(f"HTTP {reply.status_code}: expected a list; is `list` permitted?")
            for chunk in reply.iter_bytes():
                body += chunk
                if len(body) > MAX_BODY:
                    raise _Unusable(f"an answer of more than {MAX_BODY >> 20} MiB")
        tree = httpx2.Response(200, content=bytes(body)).json()
        items = tree.get("items") if isinstance(tree, dict) else None
        if not isinstance(items, list):
            raise _Unusable("an answer that is no list")
        yield items
        metadata = tree.get("metadata")
        following = str(metadata.get("continue") or "") if isinstance(metadata, dict) else ""
        if not following:
            return
    raise _Unusable(f"more than {MAX_PAGES} pages")


def _access(path: Path, wanted: str) -> tuple[str, dict[str, str], ssl.SSLContext]:
    """Where the API is, the headers to send, and what to trust.

    Raises:
        _Unusable: something that is needed is missing, or would have to be run.
    """
    raw, _ = files.read(path, document.MAX_BYTES)
    tree = document.read(raw, str(path)).tree
    context = _entry(tree, "contexts", wanted or str(tree.get("current-context", "")), "context")
    cluster = _entry(tree, "clusters", str(context.get("cluster", "")), "cluster")
    user = _entry(tree, "users", str(context.get("user", "")), "user")
    server = str(cluster.get("server", ""))
    if urlsplit(server).scheme != "https":
        raise _Unusable("the cluster's `server` is not https: credentials are not sent to it")
    if cluster.get("insecure-skip-tls-verify"):
        raise _Unusable("`insecure-skip-tls-verify` is set: credentials are not sent to it")
    authority = _bytes(cluster, "certificate-authority", path)
    verify = ssl.create_default_context(cadata=authority.decode() if authority else None)
    certificate, key = _bytes(user, "client-certificate", path), _bytes(user, "client-key", path)
    if certificate and key:
        with tempfile.NamedTemporaryFile() as file:  # mode 0600; ssl reads files only
            file.write(certificate + b"\n" + key)
            file.flush()
            verify.load_cert_chain(file.name)
        return server, {}, verify
    token = str(user.get("token") or "")
    if not token and user.get("tokenFile"):
        token = files.read(path.parent / str(user["tokenFile"]), 65_536)[0].decode().strip()
    if not token:
        what = "`exec` or `auth-provider`, which is not run" if user else "no user"
        raise _Unusable(f"it has neither a token nor a client certificate, but {what}")
    return server, {"Authorization": f"Bearer {token}"}, verify


def _entry(tree: Mapping[str, Any], kind: str, name: str, key: str) -> Mapping[str, Any]:
    entries = tree.get(kind)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("name") == name:
            found = entry.get(key)
            return found if isinstance(found, dict) else {}
    raise _Unusable(f"it has no `{name}` in `{kind}`")


def _bytes(entry: Mapping[str, Any], key: str, path: Path) -> bytes:
    if data := entry.get(f"{key}-data"):
        return base64.b64decode(str(data), validate=True)
    if name := entry.get(key):
        return files.read(path.parent / str(name), 1 << 20)[0]
    return b""
