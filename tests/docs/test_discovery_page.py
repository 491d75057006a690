"""What docs/discovery.md says is what the code takes, knows and gives."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from bawn.cli import app
from bawn.cli.discover_report import Report, metrics
from bawn.config.load import parse
from bawn.discovery.clients import CLIENTS
from bawn.discovery.pointing.managed import files
from bawn.discovery.pointing.rewrite import Gate
from bawn.discovery.telling.reconcile import CLASSES

PAGE = (Path(__file__).parents[2] / "docs" / "discovery.md").read_text("utf-8")
_CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def rows(heading: str) -> list[list[str]]:
    """The rows of the table whose heading begins so, as cells."""
    table = PAGE[PAGE.index(f"| {heading} |") :].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table]


def verbs() -> dict[str, set[str]]:
    """The options of each command."""
    group = typer.main.get_command(app)
    commands = group.commands  # type: ignore[attr-defined]
    return {
        name: {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
        for name, command in commands.items()
    }


@pytest.mark.parametrize(
    "line", [line for block in _CONSOLE.findall(PAGE) for line in block.splitlines()]
)
def test_commands_that_the_page_shows_have_these_options(line: str) -> None:
    program, verb, *words = shlex.split(line)
    assert program == "bawn"
    assert {word for word in words if word.startswith("--")} <= verbs()[verb]


def test_every_option_of_the_table_is_one() -> None:
    named = set(re.findall(r"--[a-z-]+", " ".join(cells[1] for cells in rows("source"))))
    assert named
    assert named <= verbs()["discover"]


def test_the_clients_are_those_that_are_known() -> None:
    assert {cells[1]: cells[0] for cells in rows("client | its id")} == {
        client.id: client.title for client in CLIENTS
    }


def test_the_classes_are_those_that_there_are() -> None:
    assert {cells[0] for cells in rows("class")} == set(CLASSES)


def test_the_metrics_are_those_that_are_written() -> None:
    named = {re.match(r"\w+", cells[0]) for cells in rows("metric")}
    text = metrics(Report((), (), registered=True)).decode()
    written = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    assert {found.group() for found in named if found} == written


def test_the_managed_files_are_those_that_are_written() -> None:
    config = parse(b"registry: {open: true}\n", Path("/x/bawn.yaml"), {}).config
    written = [Path(file.path).name for file in files(Gate("/b", Path("/c"), {}), config)]
    named = [re.sub(r".* `?", "", cells[1]).strip("`") for cells in rows("client | file")]
    assert sorted(named) == sorted(written)
