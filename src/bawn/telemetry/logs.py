"""Logs: every record of the process, whoever wrote it, as one line without secrets.

JSON lines for programs, or lines for people. `bawn` logs through `logging`; `extra={"trace": …}` and
what is bound with structlog's contextvars become fields.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Final, Literal, TextIO, TypeAlias

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import ExceptionRenderer, TimeStamper, format_exc_info
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.tracebacks import ExceptionDictTransformer

from bawn.telemetry.foreign import cleaned, of_others
from bawn.telemetry.redaction import clean_entry
from bawn.telemetry.text import printable

Format: TypeAlias = Literal["auto", "console", "json"]
Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Event: TypeAlias = MutableMapping[str, Any]

_FIRST: Final = ("timestamp", "level", "logger", "event")
_NOT_FIELDS: Final = frozenset({"_record", "_from_structlog", "color_message"})


def configure(
    format: Format = "auto",  # noqa: A002  # as the setting is called
    level: Level = "info",
    stream: TextIO | None = None,
) -> None:
    """Send every record of this process to `stream` (standard error); replaces what was set up before."""
    target = sys.stderr if stream is None else stream
    terminal = target.isatty()
    as_json = format == "json" or (format == "auto" and not terminal)
    if isinstance(target, io.TextIOWrapper):
        target.reconfigure(errors="backslashreplace")
    handler = _Handler(target)
    handler.setFormatter(_formatter(as_json, colour=terminal and not os.environ.get("NO_COLOR")))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        # it tells of each listener's start and end, where one line of ours tells of the process
        logger.setLevel(logging.NOTSET if level == "debug" else logging.WARNING)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


class _Handler(logging.StreamHandler[TextIO]):
    """A handler that does not show the raw record when a record cannot be written."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # overrides
        problem = sys.exc_info()[1]
        try:
            told = {"level": "error", "logger": "bawn.telemetry", "event": "a record was lost"}
            place = {"file": record.filename, "line": record.lineno, "why": type(problem).__name__}
            self.stream.write(json.dumps(told | place) + self.terminator)
        except (OSError, ValueError):
            pass  # the stream is gone: there is nobody left to tell


def _formatter(as_json: bool, *, colour: bool) -> ProcessorFormatter:
    exceptions = ExceptionRenderer(ExceptionDictTransformer(show_locals=False, use_rich=False))
    return ProcessorFormatter(
        foreign_pre_chain=[ExtraAdder()],
        processors=[
            structlog.contextvars.merge_contextvars,
            add_log_level,
            add_logger_name,
            TimeStamper(fmt="iso", utc=True),
            exceptions if as_json else format_exc_info,
            _fields,
            _json if as_json else _console(colour),
        ],
    )


def _fields(_logger: object, _method: str, event: Event) -> Event:
    """Drop what is not a field, redact the rest, and put first what a reader looks for first."""
    kept = {key: value for key, value in event.items() if key not in _NOT_FIELDS}
    ordered = {key: kept.pop(key) for key in _FIRST if key in kept} | kept
    foreign = of_others(str(ordered.get("logger", "")), ordered)
    ordered = {key: cleaned(value) if key in foreign else value for key, value in ordered.items()}
    return {key: clean_entry(key, value) for key, value in ordered.items()}


def _json(_logger: object, _method: str, event: Event) -> str:
    # Escapes of `printable` are JSON's own, and only texts hold what needs them.
    return printable(json.dumps(event, ensure_ascii=False))


def _console(colour: bool) -> Callable[[object, str, Event], str]:
    render = ConsoleRenderer(
        colors=colour, sort_keys=False, pad_event_to=0, exception_formatter=plain_traceback
    )

    def console(logger: object, method: str, event: Event) -> str:
        shown: Event = {printable(key): _for_people(key, value) for key, value in event.items()}
        return render(logger, method, shown)

    return console


def _for_people(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value  # shown by repr, which escapes
    if key != "exception":
        return printable(value)
    return "\n".join(f"    {printable(line)}" for line in value.split("\n"))
