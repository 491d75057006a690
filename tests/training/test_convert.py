"""The corpus becomes tracks: with the labels it has, or by the rule that is written down."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from training.convert import convert, embedded, is_inward, main
from training.corpus import GROUPS, held_back

from bawn.assurance.measuring.measure import datasets

TOOL = {"name": "t", "description": "d"}

ROWS: dict[str, list[dict[str, Any]]] = {
    "benign_tools/benign_tools": [
        {"label": 0, "source": "crawl", "server": f"s{at}", "tool": TOOL} for at in range(12)
    ],
    "poisoned_tools/grafted": [
        {"label": 1, "technique": "outputSchema/quiet", "tool": {**TOOL, "name": f"t{at}"}}
        for at in range(12)
    ],
    "poisoned_tools/cisco_overt": [{"label": 1, "tool": TOOL}],
    "poisoned_tools/cisco_code_only": [
        {"label": "code-only", "technique": "a", "tool": TOOL},
    ],
    "poisoned_tools/atr_tool_description": [{"label": 0, "technique": "x/y", "text": "said"}],
    "injection_outputs/atr_cases": [
        {"label": label, "technique": f"x{label}/y", "source": "atr", "text": f"t{label}"}
        for label in (0, 1, None)
    ],
    "injection_outputs/deepset_gandalf": [],
    "injection_outputs/cyberseceval_pi": [],
    "injection_outputs/piguard_valid_wildguard": [],
    "injection_outputs/notinject": [{"label": 0, "text": "ignore that"}],
    "injection_outputs/bipia_payloads": [
        {"label": 1, "technique": "text/train/a", "text": "payload"},
        {"label": 1, "technique": "text/test/a", "text": "other payload"},
    ],
    "benign_outputs/livemcpbench_tool_outputs": [{"label": 0, "text": "real"}],
    "benign_outputs/bipia_contexts": [{"label": 0, "text": "one\ntwo"}],
    "cmdinj/payloads": [{"label": 1, "text": ";id"}],
    "cmdinj/benign_commands_tldr": [{"label": 0, "text": "ls -l"}],
    "pathtrav/payloads": [{"label": 1, "text": "../{FILE}"}],
    "ssrf/payloads": [{"label": None, "text": "http://127.0.0.1/"}],
    "launch_configs/benign": [
        {"label": 0, "server": "s", "command": "npx", "args": ["-y", "a@1.0.0"], "env": {}}
    ],
    "secrets/synthetic_secrets": [{"label": 1, "rule": "r", "text": "shh"}],
    "secrets/gitleaks_false_positives": [{"label": 0, "rule": "r", "text": "no"}],
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    assert ROWS.keys() == GROUPS.keys()
    for name, several in ROWS.items():
        path = tmp_path / "corpus" / f"{name}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress("\n".join(map(json.dumps, several)).encode()))
    return tmp_path / "corpus"


def converted(corpus: Path, directory: Path, part: Any) -> dict[str, list[dict[str, Any]]]:
    return {
        path.stem: [json.loads(line) for line in path.read_text().splitlines()]
        for path in convert(corpus, directory, part)
    }


def test_the_parts_are_the_whole_and_share_nothing(corpus: Path, tmp_path: Path) -> None:
    held, tune, both = (
        {row["id"] for rows in converted(corpus, tmp_path / part, part).values() for row in rows}
        for part in ("held", "tune", "all")
    )
    assert held
    assert tune
    assert held | tune == both
    assert not held & tune
    assert held_back(corpus)


def test_tools_keep_their_surface_and_style(corpus: Path, tmp_path: Path) -> None:
    found = converted(corpus, tmp_path / "out", "all")["tools"]
    told = {(row["label"], row["kind"], row.get("surface"), row.get("style")) for row in found}
    assert told == {
        ("benign", "crawl", None, None),
        ("attack", "grafted", "output_schema", "quiet"),
        ("attack", "overt", "purpose", None),
        ("benign", "code_only", None, None),
        ("benign", "atr", "description", None),
    }


def test_outputs_without_a_label_are_left_out_and_bare_payloads_stand_in_a_text(
    corpus: Path, tmp_path: Path
) -> None:
    found = converted(corpus, tmp_path / "out", "all")["outputs"]
    kinds = {row["kind"]: row for row in found}
    assert [row["label"] for row in found if row["kind"] == "atr"] == ["benign", "attack"]
    assert kinds["notinject"]["label"] == kinds["real"]["label"] == "benign"
    lines = kinds["bipia"]["text"].split("\n")
    assert [each for each in lines if "payload" not in each] == ["one", "two"]
    assert len(lines) == 3


def test_command_payloads_are_measured_as_commands_and_as_names(
    corpus: Path, tmp_path: Path
) -> None:
    found = converted(corpus, tmp_path / "out", "all")["arguments"]
    assert [(row["label"], row["kind"], row["arguments"]) for row in found] == [
        ("attack", "command", {"command": ";id"}),
        ("attack", "identifier", {"host": ";id"}),
        ("benign", "command", {"command": "ls -l"}),
        ("attack", "path", {"path": "../etc/passwd"}),
        ("attack", "url", {"url": "http://127.0.0.1/"}),
    ]
    assert len({row["id"] for row in found}) == len(found)


def test_what_is_written_is_what_the_bench_reads(corpus: Path, tmp_path: Path) -> None:
    convert(corpus, tmp_path / "out", "all")
    tracks = [each.track for each in datasets(tmp_path / "out")]
    assert tracks == ["tools", "outputs", "arguments", "launch", "secrets"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1", "http://169.254.169.254/latest",
        "file:///etc/passwd", "gopher://a.example/", "http://localhost:80", "http://2130706433/",
        "http://0x7f.1/", "http://github.com@127.0.0.1/", "http://ⓔxample.com", "http://[", "",
        "http://github.com.evil.example/",
    ],
)  # fmt: skip
def test_what_leads_inside_or_hides_where_it_leads_is_an_attack(url: str) -> None:
    assert is_inward(url)


@pytest.mark.parametrize(
    "url", ["https://github.com/a/b", "http://8.8.8.8/x", "https://en.wikipedia.org/wiki/URL"]
)
def test_public_pages_are_benign(url: str) -> None:
    assert not is_inward(url)


def test_a_payload_stands_in_one_place_for_ever() -> None:
    contexts = ["a\nb\nc", "d\ne"]
    assert embedded("p", contexts, "seed") == embedded("p", contexts, "seed")
    assert "p" in embedded("p", contexts, "seed").split("\n")
    assert embedded("p", [], "seed") == "p"


def test_the_command_names_what_it_wrote(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(corpus), str(tmp_path / "out"), "--part", "tune"]) == 0
    assert str(tmp_path / "out" / "tools.jsonl") in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([str(corpus), str(tmp_path / "out"), "--part", "some"])
