"""The tables of programs do not contradict each other."""

from __future__ import annotations

from bawn.inspection.guard import programs


def test_no_program_that_writes_is_among_those_that_read() -> None:
    writing = programs.COPIERS | programs.MOVERS | programs.ARCHIVERS | programs.SHELLS
    assert not (writing & programs.READERS) - {"source"}


def test_options_that_write_belong_to_programs_that_read() -> None:
    odd = {*programs.WRITING_OPTIONS} - programs.READERS - {"sdiff"}
    assert not odd


def test_git_writes_with_what_changes_the_tree() -> None:
    assert not {"checkout", "restore", "apply", "mv", "rm", "am", "reset"} & programs.GIT_READERS
