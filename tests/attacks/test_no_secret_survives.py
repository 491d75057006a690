"""Secrets are planted wherever others can write, and every byte that the gate writes in clear is read."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bawn.audit.writer import Writer
from bawn.detectors.rule import load
from bawn.detectors.secrets.detector import Secrets
from bawn.inspection.redaction.redact import KEY, STYLES, Mask, redact_tree
from bawn.model import Client, Json, Surface
from bawn.runner.journal import Journal
from bawn.telemetry import logs
from tests.audited import ALLOWED, TOOL, call, state_in, ticking
from tests.spelled import spelled

DETECTOR = Secrets()
EXAMPLES = [text for rule in load("secrets") for text in rule.hit]


def secrets_of(text: str) -> list[str]:
    """What must not be read anywhere: each secret of the text, unless it is short or cut by a line."""
    spans = [text[each.start : each.end] for each in DETECTOR.detect(text, Surface.OUTPUT)]
    return [span for span in spans if len(span) >= 8]


planted = st.builds(spelled, st.sampled_from(EXAMPLES), st.integers(0, 1000))


def written(text: str, folder: Path) -> bytes:
    """All that telemetry and audit write in clear when this text is everywhere."""
    stream = io.StringIO()
    before = logging.getLogger().handlers[:]
    writer = Writer(state_in(folder), clock=ticking())
    styles: tuple[logs.Format, ...] = ("json", "console")
    try:
        for style in styles:
            logs.configure(style, "debug", stream)
            _say(text)
        _audit(writer, text)
        writer.close()
    finally:
        logging.getLogger().handlers[:] = before
    files = b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())
    return stream.getvalue().encode() + files


def _say(text: str) -> None:
    """Standard error of a server, an exception of it, and what is told of it beside a message."""
    journal = Journal("files")
    journal.stderr(f"cannot start with {text}\n".encode())
    journal.write(logging.WARNING, text)
    log = logging.getLogger("bawn.upstream")
    log.warning("a notification did not arrive", extra={"detail": text})
    log.warning("refused", extra={"error": {"message": text, text: [text]}})
    try:
        raise ValueError(f"the server said: {text}")
    except ValueError:
        log.exception("the path of a call failed")
    logging.getLogger("foreign.library").error("request with %s failed", text)


def _audit(writer: Writer, text: str) -> None:
    """Arguments, the client's name and version, methods, names, details and events."""
    client = Client("2026-07-28", text)
    params: Json = {"name": TOOL.shown, "arguments": {text: [text], "path": text}}
    told = call(1, params=params, client=client, session=text)
    writer.outcome(writer.intent(told, TOOL, ALLOWED), told.trace, "ok", 0.1, 1)
    other = call(2, method=text, params={"name": text, "uri": text}, client=client)
    writer.refusal(other, "policy.denied", text)


@given(planted)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_planted_secret_is_readable_in_anything_that_is_written(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    one_line = " ".join(text.split())
    everything = written(one_line, tmp_path_factory.mktemp("written"))
    for secret in secrets_of(one_line):
        for form in (secret, json.dumps(secret)[1:-1]):
            assert form.encode() not in everything


@given(planted, st.sampled_from(list(STYLES.values())))
@settings(max_examples=150, deadline=None)
def test_no_planted_secret_survives_the_redaction_of_a_message(text: str, mask: Mask) -> None:
    found = DETECTOR.detect(text, Surface.OUTPUT)
    tree = {"content": [{"type": "text", "text": text}], text: {"again": text}}
    escaped = text.replace("~", "~0").replace("/", "~1")
    where = {"/content/0/text": found, f"/{escaped}{KEY}": found, f"/{escaped}/again": found}
    told = json.dumps(redact_tree(tree, where, mask), ensure_ascii=False)
    for secret in secrets_of(text):
        assert json.dumps(secret, ensure_ascii=False)[1:-1] not in told
