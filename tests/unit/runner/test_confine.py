"""Whether servers are confined, and what is said of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bawn.config import Server
from bawn.errors import Refused
from bawn.runner import confine
from bawn.runner.confine import Shelter
from bawn.runner.launch import Launch

LAUNCH = Launch(("/bin/serve", "x"), Path("/"), {})


def server(how: str) -> Server:
    return Server.model_validate({"command": ("serve",), "confine": how})


async def shelter(monkeypatch: pytest.MonkeyPatch, program: str | None, trouble: str) -> Shelter:
    async def trial(_: str) -> str:
        return trouble

    monkeypatch.setattr(shutil, "which", lambda _: program)
    monkeypatch.setattr(confine, "_trial", trial)
    made = Shelter()
    await made.probe()
    return made


async def test_where_it_works_a_server_is_started_inside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = await shelter(monkeypatch, "/usr/bin/bwrap", "")
    made.apply((), tmp_path, (tmp_path / "state",), ())
    launch = made.wrap(LAUNCH, server("auto"))
    assert launch.argv[0] == "/usr/bin/bwrap"
    assert launch.argv[-3:] == ("--", *LAUNCH.argv)
    assert (launch.confined, launch.layers) == ("bubblewrap", 2)
    assert (tmp_path / "state").is_dir()  # nobody else may create what is to be hidden


@pytest.mark.parametrize(
    ("program", "trouble", "said"),
    [
        (None, "", "is not installed"),
        ("/usr/bin/bwrap", "bubblewrap does not work here (no namespaces)", "(no namespaces)"),
    ],
)
async def test_where_it_does_not_the_reason_is_told_and_required_refuses(
    monkeypatch: pytest.MonkeyPatch, program: str | None, trouble: str, said: str
) -> None:
    made = await shelter(monkeypatch, program, trouble)
    launch = made.wrap(LAUNCH, server("auto"))
    assert launch.argv == LAUNCH.argv
    assert launch.confined == "no"
    assert said in launch.why
    with pytest.raises(Refused) as refused:
        made.wrap(LAUNCH, server("required"))
    assert refused.value.reason.id == "upstream.not_started"
    assert said in refused.value.detail


async def test_off_is_off_even_where_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    made = await shelter(monkeypatch, "/usr/bin/bwrap", "")
    assert made.wrap(LAUNCH, server("off")).argv == LAUNCH.argv
    assert made.verdict(server("off")).confined == "no"


async def test_what_cannot_be_hidden_is_a_refusal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    made = await shelter(monkeypatch, "/usr/bin/bwrap", "")
    made.apply((), tmp_path, (tmp_path / "file" / "state",), ())
    with pytest.raises(Refused) as refused:
        made.wrap(LAUNCH, server("auto"))
    assert "cannot be hidden" in refused.value.detail


def test_another_file_in_a_guarded_files_place_is_noticed(tmp_path: Path) -> None:
    made, guarded = Shelter(), tmp_path / "bawn.yaml"
    made.apply((), tmp_path, (), (guarded,))
    seen = [made.guarded]
    for text in ("one", "two"):
        (tmp_path / "new").write_text(text)
        (tmp_path / "new").replace(guarded)
        seen.append(made.guarded)
    assert len(set(seen)) == 3
    guarded.write_text("changed where it lies")
    assert made.guarded == seen[-1]
