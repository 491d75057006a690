"""Package managers that are none: they write what they are told to, and note how they were asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bawn.packages import naming

Json = dict[str, Any]


def sri(fill: int, algorithm: str = "sha512") -> str:
    size = 64 if algorithm == "sha512" else 32
    return naming.integrity(algorithm, bytes([fill]) * size)


def entry(version: str = "1.0.0", fill: int = 1, **more: Any) -> Json:
    return {"version": version, "integrity": sri(fill), **more}


class FakeNpm:
    """`entries` are the lock that it resolves to; `files` what it puts into the main package."""

    def __init__(self, entries: Json, files: dict[str, str] | None = None) -> None:
        self.entries = entries
        self.files = {"package.json": '{"bin": "index.js"}', "index.js": "x"} | (files or {})
        self.asked: list[tuple[str, ...]] = []
        self.wanted: Json = {}
        self.installs: Callable[[Json], Json] = lambda packages: packages

    def __call__(self, argv: Sequence[str], directory: Path) -> str:
        self.asked.append(tuple(argv))
        self.wanted = json.loads((directory / "package.json").read_text())
        if argv[1] == "install":
            lock = {"lockfileVersion": 3, "packages": {"": {}, **self.entries}}
            (directory / "package-lock.json").write_text(json.dumps(lock))
            return ""
        lock = json.loads((directory / "package-lock.json").read_text())
        packages = {path: one for path, one in lock["packages"].items() if path}
        for path in packages:
            (directory / path).mkdir(parents=True)
        for name, content in self.files.items():
            file = directory / "node_modules" / "server" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        hidden = {"lockfileVersion": 3, "packages": self.installs(packages)}
        (directory / "node_modules" / ".package-lock.json").write_text(json.dumps(hidden))
        return ""
