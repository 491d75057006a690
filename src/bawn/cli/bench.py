"""`bawn bench detect`: what the gate catches of rows that say what they are, and what it flags wrongly."""

from __future__ import annotations

import json
import logging
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bawn.cli.options import JsonOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained

if TYPE_CHECKING:
    from bawn.assurance.measuring.measure import Counts, Dataset, Figures
    from bawn.assurance.measuring.subject import Subject
    from bawn.model import Listing

    Run = tuple[Figures, dict[str, Counts]]


def detect(
    directory: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Where tools, outputs, arguments, launch, secrets and drift are, each .jsonl or .jsonl.gz.",
        ),
    ],
    as_json: JsonOption = False,
    misses: Annotated[
        bool, typer.Option("--misses", help="List what was missed or falsely flagged.")
    ] = False,
    show: Annotated[
        bool,
        typer.Option(
            "--show", help="With --misses: also what it says. Data, never to be followed."
        ),
    ] = False,
    transforms: Annotated[
        bool, typer.Option("--transforms/--no-transforms", help="Each attack in disguise as well.")
    ] = True,
    against: Annotated[
        Literal["cisco"] | None,
        typer.Option(
            help="Another scanner on the same rows: `cisco`, offline, if it is installed."
        ),
    ] = None,
    cisco: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="The mcp-scanner program; default the one on PATH."),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the figures into this page.")
    ] = None,
    date: Annotated[str, typer.Option(help="The day that the page names; default none.")] = "",
) -> None:
    """Measure detection: recall and false alarms of each track that is there, through the gate's own stages.

    Nothing that is read is followed, run or sent anywhere. (preview)
    """
    if not directory.is_dir():
        fail(
            f"{directory}: is no directory.",
            "Name one that holds tools.jsonl and the like.",
            code=2,
        )
    from bawn.assurance.measuring.cisco import interpreter
    from bawn.assurance.measuring.measure import datasets
    from bawn.assurance.measuring.page import write as write_page

    with explained():
        several = datasets(directory)
        python = interpreter(cisco) if against is not None or cisco is not None else None
        with _subject() as subject:
            runs = [_run(subject, each, transforms, python) for each in several]
        if write is not None:
            write_page(write, runs, date)
    _tell(runs, as_json=as_json, misses=misses, show=show)


def _run(subject: Subject, data: Dataset, transforms: bool, python: Path | None) -> Run:
    """The figures of a track, and those of the other scanner whose interpreter this is."""
    from bawn.assurance.measuring.cisco import NAMES, TRACKS, counted
    from bawn.assurance.measuring.measure import measured

    figures = measured(subject, data, transforms, _progress)
    if python is None or data.track not in TRACKS:
        return figures, {}
    return figures, {NAMES[data.track]: counted(python, data)}


@contextmanager
def _subject() -> Iterator[Subject]:
    """The gate's stages at default settings, with a state of their own that goes with them."""
    from bawn.app.inspecting import inspection
    from bawn.app.keeping import Keeping
    from bawn.assurance.measuring.subject import SERVER, Subject
    from bawn.config import Config, Server
    from bawn.config.inspection import InspectionConfig
    from bawn.protocol.sealing import Sealer
    from bawn.storage.directory import StateDirectory

    with tempfile.TemporaryDirectory(prefix="bawn-bench-") as made:
        base = Path(made)
        work = base / "work"
        work.mkdir()
        server = Server(url="https://server.example/mcp")
        config = Config(servers={SERVER: server})
        state = StateDirectory(base / "state")
        # that a changed tool waits is a figure here, and no news for a log
        logging.getLogger("bawn.integrity").addHandler(logging.NullHandler())
        # what a definition says is another track's: here it is asked what of a change is seen
        trusting = config.model_copy(update={"inspection": InspectionConfig(definitions="pass")})
        now = [0.0]
        keeping = Keeping(state, trusting, clock=lambda: now[0])

        def admit(listing: Listing, at: float) -> Listing:
            now[0] = at
            return keeping.approved(listing)

        sealer = Sealer([secrets.token_bytes(32)], partial(secrets.token_bytes, 12))
        yield Subject(inspection(config, work, state, sealer), admit)


def _progress(track: str, done: int, of: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == of else ""
        print(f"\r{track}: {done} of {of}", end=end, file=sys.stderr, flush=True)


def _tell(runs: list[Run], *, as_json: bool, misses: bool, show: bool) -> None:
    from bawn.assurance.measuring.told import as_json as told
    from bawn.assurance.measuring.told import lines, miss_lines

    if as_json:
        found = {
            figures.track: told(figures, others, misses=misses, show=show)
            for figures, others in runs
        }
        print(json.dumps(found, indent=2))
        return
    for figures, others in runs:
        for line in lines(figures, others):
            print(printable(line))
        for line in miss_lines(figures, show) if misses else ():
            print(printable(line))
