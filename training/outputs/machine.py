"""Honest text that every machine has: what packages say of themselves, in pieces as tools return them.

Of a folder the same files give the same pieces. Nothing of them is kept but counts, digests, and what a
model learns from them.
"""

from __future__ import annotations

import ast
import gzip
import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from training.outputs.example import Example

KINDS: Final = frozenset((".md", ".txt", ".rst", ".html", ".json", ".gz", ".py", ""))
"""Endings of the files that are read; of Python the docstrings alone."""

FAMILY: Final = "machine/"
_FILE: Final = 4  # pieces of one file
_PACKAGE: Final = 48  # pieces of one package
_SIZES: Final = (90, 180, 500, 900, 1500, 3000)
_LARGEST: Final = 1 << 20  # bytes of a file that is read


def machine(folder: Path) -> Iterator[Example]:
    """The pieces of the packages in a folder: each a folder, or a file, in it."""
    for package in sorted(folder.iterdir()):
        yield from _package(package)


def _package(package: Path) -> Iterator[Example]:
    told: Counter[str] = Counter()
    files = sorted(package.rglob("*"), key=_order) if package.is_dir() else [package]
    for path in files:
        if path.suffix not in KINDS or (not path.suffix and path.name != "METADATA"):
            continue
        for piece in _pieces(path):
            if told[package.name] >= _PACKAGE:
                return
            told[package.name] += 1
            name = package.name.removesuffix(".dist-info").split("-")[0]
            yield Example(piece, 0, f"{FAMILY}{package.parent.name}", group=name)


def _order(path: Path) -> bytes:
    return hashlib.sha256(path.name.encode()).digest()


def _pieces(path: Path) -> Iterator[str]:
    text = _text(path)
    draw = _order(path)
    at = int.from_bytes(draw[:4]) % max(1, len(text) // 2)
    for place in range(_FILE):
        piece = text[at : at + _SIZES[draw[4 + place] % len(_SIZES)]]
        if len(piece) < _SIZES[0]:
            return
        yield piece
        at += len(piece) * (1 + draw[8 + place] % 8)


def _text(path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return ""
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    except (OSError, EOFError, UnicodeDecodeError):
        return ""
    return _docstrings(text) if path.suffix == ".py" else text


def _docstrings(source: str) -> str:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    told = (ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, kinds))
    return "\n\n".join(filter(None, told))
