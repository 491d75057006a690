"""The example on integrity: its configuration is taken, and its command lines are those of the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bawn.cli import app
from bawn.config.load import parse
from tests.docs import shown

PLACE = Path(__file__).parents[2] / "examples" / "integrity"
CONFIG = PLACE / "bawn.yaml"
PIPELINE = (PLACE / "workflows" / "integrity.yml").read_text("utf-8")


def with_signing() -> str:
    """The configuration with the section that is to be uncommented."""
    text = CONFIG.read_text("utf-8")
    head, _, section = text.partition("# signing:")
    assert section
    return head + "signing:" + section.replace("\n#   ", "\n  ")


def test_the_configuration_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISSUES_TOKEN", "x" * 24)

    done = CliRunner().invoke(app, ["config", "check", "--config", str(CONFIG)])

    assert (done.exit_code, done.output) == (0, f"{CONFIG}: fine; 3 servers.\n")


def test_every_server_has_an_owner_a_purpose_and_labels() -> None:
    servers = parse(CONFIG.read_bytes(), CONFIG, {}).config.servers

    assert [name for name, s in servers.items() if not (s.owner and s.purpose and s.labels)] == []


def test_signing_can_be_uncommented_as_it_is() -> None:
    config = parse(with_signing().encode(), CONFIG, {}).config

    assert config.signing.required
    assert config.signing.root == "signing/root.json"


@pytest.mark.parametrize("text", [PIPELINE, (PLACE / "README.md").read_text("utf-8")])
def test_every_command_line_is_taken(text: str) -> None:
    commands = list(shown.whole_commands(text))

    assert len(commands) >= 5
    assert [told for each in commands if (told := shown.problem(each, whole=True))] == []


def test_the_comments_name_commands_that_exist() -> None:
    named = re.findall(r"^#   (bawn .+?)(?:  .*)?$", CONFIG.read_text("utf-8"), re.MULTILINE)
    page = "".join(f"```sh\n{line}\n```\n" for line in named)

    assert len(named) == 4
    found = [shown.problem(each, whole=True) for each in shown.whole_commands(page)]
    assert found == [""] * 5
