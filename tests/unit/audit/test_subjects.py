from __future__ import annotations

from pathlib import Path

import pytest

from bawn.audit.subjects import KeyedDigests, Subjects
from bawn.errors import Misconfigured
from bawn.storage import StateDirectory

NAME = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path)


def test_what_is_sealed_is_opened_and_not_to_be_read_from_outside(state: StateDirectory) -> None:
    sealed = Subjects(state.subjects).seal(NAME, "who", {"subject": "lovelace"})
    assert "lovelace" not in sealed
    assert Subjects(state.subjects).open(NAME, "who", sealed) == {"subject": "lovelace"}


def test_the_same_content_is_sealed_differently_each_time(state: StateDirectory) -> None:
    subjects = Subjects(state.subjects)
    assert subjects.seal(NAME, "who", {}) != subjects.seal(NAME, "who", {})


def test_erasing_is_deleting_the_key(state: StateDirectory) -> None:
    sealed = Subjects(state.subjects).seal(NAME, "who", {"subject": "ada"})
    (state.subjects / NAME).unlink()
    assert Subjects(state.subjects).open(NAME, "who", sealed) is None


def test_a_new_key_for_an_erased_subject_does_not_open_what_was_before(
    state: StateDirectory,
) -> None:
    subjects = Subjects(state.subjects)
    sealed = subjects.seal(NAME, "who", {"subject": "ada"})
    (state.subjects / NAME).unlink()
    subjects.forget()
    subjects.seal(NAME, "who", {"subject": "ada"})
    assert subjects.open(NAME, "who", sealed) is None


def test_a_ciphertext_serves_one_field_of_one_subject(state: StateDirectory) -> None:
    subjects = Subjects(state.subjects)
    sealed = subjects.seal(NAME, "who", {"subject": "ada"})
    other = NAME[::-1]
    (state.subjects / other).write_bytes((state.subjects / NAME).read_bytes())
    (state.subjects / other).chmod(0o600)
    assert subjects.open(NAME, "sealed", sealed) is None
    assert subjects.open(other, "who", sealed) is None


@pytest.mark.parametrize("name", ["../keys/audit-digests", "", "x", "/etc/passwd"])
def test_a_pseudonym_from_a_changed_file_is_no_path(state: StateDirectory, name: str) -> None:
    assert Subjects(state.subjects).open(name, "who", "AAAA") is None


@pytest.mark.parametrize("sealed", ["", "AAAA", "not base64!", "A" * 64])
def test_noise_is_not_opened(state: StateDirectory, sealed: str) -> None:
    subjects = Subjects(state.subjects)
    subjects.seal(NAME, "who", {})
    assert subjects.open(NAME, "who", sealed) is None


def test_a_key_that_others_can_read_is_refused(state: StateDirectory) -> None:
    sealed = Subjects(state.subjects).seal(NAME, "who", {})
    (state.subjects / NAME).chmod(0o644)
    with pytest.raises(Misconfigured):
        Subjects(state.subjects).open(NAME, "who", sealed)


def test_digests_are_stable_apart_by_purpose_and_apart_by_state(
    state: StateDirectory, tmp_path: Path
) -> None:
    first = KeyedDigests(state)
    elsewhere = KeyedDigests(StateDirectory(tmp_path / "other"))
    digest = first.purpose("arguments")(b"yes")
    assert digest == KeyedDigests(state).purpose("arguments")(b"yes")
    assert digest != first.purpose("uri")(b"yes")
    assert digest != elsewhere.purpose("arguments")(b"yes")
    assert digest != first.purpose("arguments")(b"no")
