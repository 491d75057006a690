from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bawn.telemetry import logs

log = logging.getLogger("bawn.test")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def objects(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_record_is_one_object_with_the_fields_first_that_one_looks_for(
    stream: io.StringIO,
) -> None:
    logs.configure("json", "info", stream)
    log.info("refused %s", 7, extra={"trace": "ab", "server": "files"})
    (told,) = objects(stream)
    assert list(told) == ["timestamp", "level", "logger", "event", "trace", "server"]
    assert told | {"timestamp": ""} == {
        "timestamp": "", "level": "info", "logger": "bawn.test", "event": "refused 7",
        "trace": "ab", "server": "files",
    }  # fmt: skip
    assert told["timestamp"].endswith("Z")


def test_a_bound_trace_is_in_every_record_and_an_explicit_one_wins(stream: io.StringIO) -> None:
    logs.configure("json", "info", stream)
    with structlog.contextvars.bound_contextvars(trace="bound"):
        log.info("one")
        log.info("two", extra={"trace": "explicit"})
        structlog.get_logger("bawn.other").warning("three", server="files")
    log.info("four")
    assert [told.get("trace") for told in objects(stream)] == ["bound", "explicit", "bound", None]
    assert objects(stream)[2]["logger"] == "bawn.other"


def test_records_of_uvicorn_and_warnings_come_out_alike(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").addHandler(logging.StreamHandler(sys.stdout))
    logs.configure("json", "info", stream)
    logging.getLogger("uvicorn.error").warning("Started", extra={"color_message": "\x1b[1m"})
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("careful", UserWarning, stacklevel=1)
    first, second = objects(stream)
    assert (first["logger"], first["event"], "color_message" in first) == (
        "uvicorn.error",
        "Started",
        False,
    )
    assert (second["logger"], "careful" in second["event"]) == ("py.warnings", True)


def test_records_below_the_level_are_left_out(stream: io.StringIO) -> None:
    logs.configure("json", "warning", stream)
    log.info("no")
    structlog.get_logger("bawn.other").info("no")
    log.warning("yes")
    assert [told["event"] for told in objects(stream)] == ["yes"]


def failed() -> None:
    held = "local-variable-content"
    raise ValueError(f"bad Authorization: Bearer {held}\nnext line")


def test_an_exception_is_structured_without_locals_and_secrets(stream: io.StringIO) -> None:
    logs.configure("json", "info", stream)
    try:
        failed()
    except ValueError:
        log.exception("failed")
    (told,) = objects(stream)
    (exception,) = told["exception"]
    assert exception["exc_type"] == "ValueError"
    assert exception["frames"][-1]["name"] == "failed"
    assert "local-variable-content" not in stream.getvalue()


def test_on_a_console_an_exception_is_set_in(stream: io.StringIO) -> None:
    logs.configure("console", "info", stream)
    try:
        raise ValueError("one\n2026-01-01 [info] forged")
    except ValueError:
        log.exception("failed")
    first, *rest = stream.getvalue().splitlines()
    assert "failed" in first
    assert all(line.startswith("    ") for line in rest)


def test_secrets_are_caught_in_messages_arguments_and_fields(stream: io.StringIO) -> None:
    for format_ in ("json", "console"):
        logs.configure(format_, "info", stream)
        log.info(
            "Authorization: Bearer %s",
            "aaaa-secret-1",
            extra={"token": "secret-2", "x": {"password": "secret-3"}},
        )
        structlog.get_logger().info("x", cookie="secret-4", raw=b"token=secret-5")
    assert "secret-" not in stream.getvalue()


def test_a_record_that_cannot_be_formatted_is_told_without_its_content(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("json", "info", stream)
    log.info("%d", "hush-hush")
    (told,) = objects(stream)
    assert (told["event"], told["file"], told["why"]) == (
        "a record was lost",
        "test_logs.py",
        "TypeError",
    )
    assert "hush-hush" not in stream.getvalue() + "".join(capsys.readouterr())


def test_a_stream_that_is_gone_does_not_stop_the_program() -> None:
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    stream.close()
    log.info("nobody hears")


@pytest.mark.parametrize(
    ("format_", "terminal", "as_json"),
    [("auto", False, True), ("auto", True, False), ("json", True, True), ("console", False, False)],
)
def test_people_get_lines_and_programs_objects(
    format_: logs.Format, terminal: bool, as_json: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    logs.configure(format_, "info", stream)
    log.info("hello")
    assert stream.getvalue().startswith("{") is as_json


@pytest.mark.parametrize(
    ("terminal", "no_color", "coloured"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, no_color: str, coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    stream = Terminal() if terminal else io.StringIO()
    logs.configure("console", "info", stream)
    log.info("hello", extra={"server": "files"})
    assert ("\x1b[" in stream.getvalue()) is coloured


def test_a_stream_that_cannot_encode_a_character_still_gets_the_line() -> None:
    raw = io.BytesIO()
    logs.configure("json", "info", io.TextIOWrapper(raw, "ascii", write_through=True))
    log.info("é\ud800")
    assert raw.getvalue().count(b"\n") == 1
    assert b"lost" not in raw.getvalue()


def test_configuring_twice_writes_once(stream: io.StringIO) -> None:
    logs.configure("json", "info", stream)
    logs.configure("json", "info", stream)
    log.info("once")
    assert len(objects(stream)) == 1


def test_metrics_and_text_do_not_pull_in_the_log_machinery() -> None:
    """The command line needs `text` alone; it must not pay for structlog."""
    program = (
        "import sys, bawn.telemetry.text, bawn.telemetry.metrics; print('structlog' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "False\n"
