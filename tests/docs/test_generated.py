from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from bawn.config.inspection import InspectionConfig
from bawn.errors import REASONS
from docs import __main__ as writer
from docs import pages

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "bawn").rglob("*.py"))
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "requirements").glob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        *(ROOT / "training").glob("*.md"),
    ]
)

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\s]+)`")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_TOP = ("src/", "tests/", "docs/", "examples/", "requirements/", "bench/", ".ci/")
_ROOMS = "|".join(sorted({reason.partition(".")[0] for reason in REASONS}))
_REASON = re.compile(rf"(?:{_ROOMS})\.[a-z_]+")
# What looks like the id of a reason and is none: settings, events, a socket, a message of ASGI.
_OTHER = {
    *(f"inspection.{name}" for name in InspectionConfig.model_fields),
    "approval.asked",
    "approval.confirmed",
    "approval.granted",
    "approval.used",
    "audit.durability",
    "auth.token",
    "gate.sock",
    "http.disconnect",
    "http.request",
    "inspection.found",
    "integrity.instructions",
    "policy.json",
    "server.json",
    "server.quarantined",
    "server.released",
    "state.db",
}


# ── up to date ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", pages.PAGES)
def test_a_generated_document_is_what_the_code_says(name: str) -> None:
    written = (pages.FOLDER / name).read_text("utf-8")
    assert written == pages.PAGES[name](), f"docs/{name} is out of date: run `make docs`"


def test_writing_names_what_has_changed_and_leaves_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(writer, "FOLDER", tmp_path)
    writer.main()
    assert capsys.readouterr().out.splitlines() == [f"docs/{name}" for name in pages.PAGES]
    writer.main()
    assert capsys.readouterr().out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(pages.PAGES)


# ── reasons ─────────────────────────────────────────────────────────────────────────────────────


def _constants(path: Path) -> Iterator[str]:
    """The strings of a module, without those that only document it."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    documenting = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    strings = (node for node in nodes if isinstance(node, ast.Constant))
    yield from (
        node.value
        for node in strings
        if isinstance(node.value, str) and id(node) not in documenting
    )


def test_every_reason_that_the_code_names_is_one_and_is_documented() -> None:
    page = pages.reasons()
    named = {
        text
        for path in SOURCES
        for text in _constants(path)
        if _REASON.fullmatch(text) and text not in _OTHER
    }
    assert named >= {"policy.denied", "upstream.invalid"}
    assert {reason for reason in named if reason not in REASONS} == set()
    assert {reason for reason in named if f"| `{reason}` |" not in page} == set()


def test_every_reason_that_a_document_names_is_one() -> None:
    named = {
        (path.name, text)
        for path in DOCUMENTS
        for text in _CODE.findall(path.read_text("utf-8"))
        if _REASON.fullmatch(text) and text not in _OTHER
    }
    assert {entry for entry in named if entry[1] not in REASONS} == set()


def test_every_reason_has_its_row() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \|", pages.reasons(), re.MULTILINE)
    assert rows == sorted(rows, key=list(REASONS).index)
    assert set(rows) == set(REASONS)


# ── commands ────────────────────────────────────────────────────────────────────────────────────

COMMANDS = dict(pages.tree())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_help_ends_in_its_tier(name: str) -> None:
    assert pages.tier(COMMANDS[name]), (
        f"{name}: end its docstring in (stable), (preview) or (experimental)"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_and_option_says_what_it_means(name: str) -> None:
    assert [p.name for p in COMMANDS[name].params if not p.help] == []


def test_every_command_that_a_document_names_exists() -> None:
    known = {word for name in COMMANDS for word in _beginnings(name)}
    for path in DOCUMENTS:
        named = re.findall(r"`bawn ((?:[a-z]+ ?)+)", path.read_text("utf-8"))
        for words in named:
            assert words.split()[0] in {name.split()[1] for name in known if " " in name}, (
                f"{path.name} names `bawn {words}`"
            )


def _beginnings(name: str) -> Iterator[str]:
    words = name.split()
    for count in range(1, len(words) + 1):
        yield " ".join(words[:count])


# ── links and paths ─────────────────────────────────────────────────────────────────────────────


def _anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _broken(document: Path) -> Iterator[str]:
    text = _FENCE.sub("", document.read_text("utf-8"))
    for link in _LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (document.parent / unquote(target)).resolve() if target else document
        if not path.exists():
            yield f"link {link}"
        elif anchor and anchor not in _anchors(path):
            yield f"anchor {link}"
    for code in _CODE.findall(text):
        if (
            code.startswith(_TOP)
            and not any(c in code for c in "*<{…")
            and not (ROOT / code).exists()
        ):
            yield f"path {code}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_points_to_exists(document: Path) -> None:
    assert list(_broken(document)) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](none.md) [b](#two) [c](#one) `src/none.py` [d](http://x/)\n")
    assert list(_broken(page)) == ["link none.md", "anchor #two", "path src/none.py"]
