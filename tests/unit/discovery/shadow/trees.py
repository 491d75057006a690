"""Git repositories and container images, made for the tests."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

MCP = '{"mcpServers": {"%s": {"command": "%s-mcp", "env": {"API_TOKEN": "tree-fixture-112233"}}}}'


def git(directory: Path, *arguments: str) -> str:
    """Run git as a person would who has no configuration."""
    people = {
        f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    environment = {**os.environ, **people, "GIT_CONFIG_GLOBAL": "/dev/null"}
    done = subprocess.run(
        ["git", "-C", str(directory), *arguments],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def repository(directory: Path, files: Mapping[str, str]) -> Path:
    """A repository with one commit."""
    directory.mkdir(parents=True)
    git(directory, "init", "-q", "-b", "main")
    commit(directory, files)
    return directory


def commit(directory: Path, files: Mapping[str, str]) -> None:
    """Add files in a commit."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "x")


def layer(files: Mapping[str, str], links: Mapping[str, str] | None = None) -> bytes:
    """A layer, packed."""
    return gzip.compress(tar({name: text.encode() for name, text in files.items()}, links or {}))


def tar(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    """A tar archive."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return made.getvalue()


def docker(path: Path, layers: Sequence[bytes]) -> Path:
    """What `docker save` writes; the layers stand in reverse, as their order is the manifest's."""
    names = [f"l{at}/layer.tar" for at in range(len(layers))]
    config = {"config": {"Entrypoint": ["node"], "Cmd": ["index.js", "--token=abcdefgh12345678"]}}
    outline = {
        "manifest.json": json.dumps([{"Config": "c.json", "Layers": names}]).encode(),
        "c.json": json.dumps(config).encode(),
    }
    packed = dict(reversed(list(zip(names, layers, strict=True))))
    path.write_bytes(tar({**packed, **outline}))
    return path


def oci(path: Path, layers: Sequence[bytes]) -> Path:
    """An OCI layout in a tar."""
    blobs: dict[str, bytes] = {}

    def put(content: bytes) -> dict[str, str]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = content
        return {"digest": f"sha256:{digest}"}

    manifest = {"config": put(b'{"config": {}}'), "layers": [put(content) for content in layers]}
    index = {"manifests": [put(json.dumps(manifest).encode())]}
    path.write_bytes(tar({**blobs, "index.json": json.dumps(index).encode()}))
    return path
