"""Brings the public corpus into the form that `bawn bench detect` reads.

    python -m training convert CORPUS DIR [--part held|tune|all]

`held` (the default) are the rows that nothing was trained or tuned on, and is what figures are told of.
"""

from __future__ import annotations

import json
import re
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from training.corpus import Json, Row, rows

Part: TypeAlias = Literal["held", "tune", "all"]
Take: TypeAlias = Callable[[str], Iterator[Row]]
"""The rows of a file of the corpus that are asked for."""

_ATTACK: Final = 1
_BENIGN: Final = 0
_LABELS: Final = {_ATTACK: "attack", _BENIGN: "benign"}
_COMMAND: Final = {
    "type": "object",
    "properties": {"command": {"type": "string", "description": "Shell command to run."}},
    "required": ["command"],
}
_HOST: Final = {
    "type": "object",
    "properties": {"host": {"type": "string", "description": "Host name or address to ping."}},
    "required": ["host"],
}
_PATH: Final = {
    "type": "object",
    "properties": {"path": {"type": "string", "description": "Path of the file to read."}},
    "required": ["path"],
}
_URL: Final = {
    "type": "object",
    "properties": {"url": {"type": "string", "format": "uri", "description": "Address to fetch."}},
    "required": ["url"],
}
_PUBLIC: Final = re.compile(
    r"(?:[\w-]+\.)*(?:github\.com|githubusercontent\.com|wikipedia\.org|owasp\.org|portswigger\.net|medium\.com"
    r"|hackerone\.com|blackhat\.com|twitter\.com|youtube\.com|google\.com|amazon\.com|microsoft\.com)"
)
"""Hosts of public pages, to which documentation refers."""

_WEB: Final = frozenset({"http", "https"})
_NUMBERS: Final = re.compile(r"[\d.x:a-f]+", re.IGNORECASE)


def convert(corpus: Path, directory: Path, part: Part = "held") -> tuple[Path, ...]:
    """Writes a file for each track into a directory, and names them."""

    def take(file: str) -> Iterator[Row]:
        return (row for row in rows(corpus, file) if part == "all" or row.held == (part == "held"))

    directory.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for track, make in _TRACKS.items():
        path = directory / f"{track}.jsonl"
        lines = (json.dumps(each, ensure_ascii=False) for each in make(take))
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8", "surrogatepass")
        written.append(path)
    return tuple(written)


def _row(row: Row, label: str, kind: str, **payload: Any) -> Json:
    return {"id": row.id, "label": label, "kind": kind, **payload}


def _tools(take: Take) -> Iterator[Json]:
    for row in take("benign_tools/benign_tools"):
        value = row.value
        yield _row(row, "benign", value["source"], server=value["server"], tool=value["tool"])
    for row in take("poisoned_tools/grafted"):
        surface, _, style = str(row.value["technique"]).partition("/")
        yield _row(
            row, "attack", "grafted", surface=_snake(surface), style=style, server="", tool=row.value["tool"]
        )  # fmt: skip
    for row in take("poisoned_tools/cisco_overt"):
        yield _row(row, "attack", "overt", surface="purpose", server="", tool=row.value["tool"])
    for row in take("poisoned_tools/cisco_code_only"):
        yield _row(row, "benign", "code_only", server="", tool=row.value["tool"])
    for row in take("poisoned_tools/atr_tool_description"):
        tool = {"name": "tool", "description": row.value["text"], "inputSchema": {"type": "object"}}
        label = _LABELS[row.value["label"]]
        yield _row(row, label, "atr", surface="description", server="", tool=tool)


def _snake(name: str) -> str:
    """`outputSchema` as `output_schema`."""
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()


def _outputs(take: Take) -> Iterator[Json]:
    for file in ("atr_cases", "deepset_gandalf", "cyberseceval_pi", "piguard_valid_wildguard"):
        for row in take(f"injection_outputs/{file}"):
            if row.value["label"] in _LABELS:
                yield _output(row, _LABELS[row.value["label"]], row.value["source"])
    for row in take("injection_outputs/notinject"):
        yield _output(row, "benign", "notinject")
    contexts = [str(row.value["text"]) for row in take("benign_outputs/bipia_contexts")]
    for row in take("injection_outputs/bipia_payloads"):
        text = embedded(str(row.value["text"]), contexts, row.id)
        yield {**_output(row, "attack", "bipia"), "text": text}
    for row in take("benign_outputs/livemcpbench_tool_outputs"):
        yield _output(row, "benign", "real")
    for row in take("benign_outputs/bipia_contexts"):
        yield _output(row, "benign", "bipia_context")


def _output(row: Row, label: str, kind: str) -> Json:
    return _row(row, label, kind, text=row.value["text"], tool="read", mime="text/plain")


def embedded(payload: str, contexts: Sequence[str], seed: str) -> str:
    """A payload between two paragraphs of a text; which, and where, follows from `seed` alone."""
    if not contexts:
        return payload
    dice = int(sha256(seed.encode()).hexdigest(), 16)
    lines = contexts[dice % len(contexts)].split("\n")
    at = (dice >> 64) % (len(lines) + 1)
    return "\n".join([*lines[:at], payload, *lines[at:]])


def _arguments(take: Take) -> Iterator[Json]:
    for row in take("cmdinj/payloads"):
        text = str(row.value["text"])
        yield _call(row, "attack", "command", "run_command", _COMMAND, {"command": text})
        # the same where nothing but a name belongs, which the server puts into a command of its own
        named = _call(row, "attack", "identifier", "ping_host", _HOST, {"host": text})
        yield {**named, "id": f"{row.id}-host"}
    for row in take("cmdinj/benign_commands_tldr"):
        text = str(row.value["text"])
        yield _call(row, "benign", "command", "run_command", _COMMAND, {"command": text})
    for row in take("pathtrav/payloads"):
        text = str(row.value["text"]).replace("{FILE}", "etc/passwd")
        yield _call(row, "attack", "path", "read_file", _PATH, {"path": text})
    for row in take("ssrf/payloads"):
        text = str(row.value["text"])
        label = "attack" if is_inward(text) else "benign"
        yield _call(row, label, "url", "fetch", _URL, {"url": text})


def _call(row: Row, label: str, kind: str, tool: str, schema: Json, arguments: Json) -> Json:
    return _row(row, label, kind, surface=kind, tool=tool, schema=schema, arguments=arguments)


def is_inward(url: str) -> bool:
    """Whether a URL leads inside, or by a scheme that no page has.

    The corpus has no labels for these. Benign is what leads by HTTP to a host of _PUBLIC, or to a global
    address that is written plainly; everything else is there because it leads to this machine, to a private
    network or to a metadata service, or tries to hide where it leads.
    """
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
    except ValueError:
        return True
    if parts.scheme not in _WEB or parts.username is not None or not host.isascii():
        return True
    if _PUBLIC.fullmatch(host):
        return False
    if not _NUMBERS.fullmatch(host):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return True


def _launch(take: Take) -> Iterator[Json]:
    for row in take("launch_configs/benign"):
        config = {key: row.value[key] for key in ("command", "args", "env") if key in row.value}
        yield _row(row, "benign", "launch", config=config)


def _secrets(take: Take) -> Iterator[Json]:
    for row in take("secrets/synthetic_secrets"):
        yield _row(row, "attack", row.value["rule"], text=row.value["text"])
    for row in take("secrets/gitleaks_false_positives"):
        yield _row(row, "benign", row.value["rule"], text=row.value["text"])


_TRACKS: Final[Mapping[str, Callable[[Take], Iterator[Json]]]] = {
    "tools": _tools,
    "outputs": _outputs,
    "arguments": _arguments,
    "launch": _launch,
    "secrets": _secrets,
}


def main(arguments: Sequence[str]) -> int:
    """`python -m training convert`."""
    parser = ArgumentParser(prog="python -m training convert", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--part", choices=("held", "tune", "all"), default="held")
    given = parser.parse_args(arguments)
    for path in convert(given.corpus, given.directory, given.part):
        print(path)  # noqa: T201 - it is a command
    return 0
