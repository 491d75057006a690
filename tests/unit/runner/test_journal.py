"""What a server says in the log."""

from __future__ import annotations

import logging

import pytest

from bawn.runner.journal import BURST, LINE, WINDOW, Journal


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="bawn.server")


def test_standard_error_is_logged_by_line_under_the_servers_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    journal = Journal("files")
    journal.stderr(b"one\ntw")
    journal.stderr(b"o\n\nthree")
    assert [(r.name, r.getMessage()) for r in caplog.records] == [
        ("bawn.server.files", "one"),
        ("bawn.server.files", "two"),
    ]
    assert journal.last == "two"


def test_secrets_are_never_written_the_longer_first(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal("files", ("secret", "secret-and-more", "a"))
    journal.stderr(b"a secret-and-more, a secret\n")
    assert caplog.messages == ["a [redacted], a [redacted]"]


def test_a_secret_on_the_edge_of_the_limit_is_not_cut_in_half(
    caplog: pytest.LogCaptureFixture,
) -> None:
    journal = Journal("files", ("hunter2hunter2",))
    journal.stderr(b"x" * (LINE - 5) + b"hunter2hunter2" + b"y" * 10_000 + b"\n")
    assert caplog.messages == ["x" * (LINE - 5) + "[reda"]


def test_control_characters_and_bad_bytes_cannot_forge_an_entry() -> None:
    assert Journal("files").clean("a\x1b[31m\r\nb\u2028c") == "a [31m  b c"


def test_a_flood_is_cut_counted_and_over_with_its_window(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    journal = Journal("files", clock=clock)
    for number in range(BURST + 50):
        journal.write(logging.INFO, f"{number}")
    journal.stderr(b"more\n" * 7)
    assert len(caplog.messages) == BURST
    clock.now += WINDOW
    journal.write(logging.INFO, "again")
    assert caplog.messages[BURST:] == ["57 more lines were left out", "again"]
