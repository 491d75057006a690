"""A reference is resolved or refused by its name; what it holds is in no message."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.errors import KeyringLocked, NoKeyringError

from bawn.config.secrets import Reference, is_reference, parse, references, resolve
from bawn.errors import Misconfigured

SECRET = "hunter2-but-longer"


def keyring_that(answers: Callable[[str, str], str | None]) -> ModuleType:
    module = ModuleType("keyring")
    module.get_password = answers  # type: ignore[attr-defined]  # stands in for the real one
    module.errors = sys.modules["keyring.errors"]  # type: ignore[attr-defined]  # the same
    return module


def private_file(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def refusal(text: str, base: Path) -> str:
    with pytest.raises(Misconfigured) as caught:
        resolve(text, base)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_an_environment_variable_is_resolved_within_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE_TOKEN", SECRET)

    assert resolve("${env:GATE_TOKEN}", tmp_path) == SECRET
    assert resolve("Bearer ${env:GATE_TOKEN}!", tmp_path) == f"Bearer {SECRET}!"


def test_what_is_resolved_is_not_resolved_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE_TOKEN", "${env:PATH}")

    assert resolve("${env:GATE_TOKEN}", tmp_path) == "${env:PATH}"


@pytest.mark.parametrize("value", [None, ""])
def test_an_unset_or_empty_variable_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("GATE_TOKEN", raising=False)
    if value is not None:
        monkeypatch.setenv("GATE_TOKEN", value)

    assert refusal("${env:GATE_TOKEN}", tmp_path).startswith("${env:GATE_TOKEN}: ")


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_a_private_file_is_read_without_its_last_newline(tmp_path: Path, ending: bytes) -> None:
    private_file(tmp_path / "token", SECRET.encode() + ending)

    assert resolve("${file:token}", tmp_path) == SECRET
    assert resolve(f"${{file:{tmp_path / 'token'}}}", Path("/nowhere")) == SECRET


def test_only_one_newline_is_taken_off(tmp_path: Path) -> None:
    private_file(tmp_path / "token", b"a\n\n")

    assert resolve("${file:token}", tmp_path) == "a\n"


def test_a_file_below_the_home_directory_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    private_file(tmp_path / "token", SECRET.encode())

    assert resolve("${file:~/token}", Path("/nowhere")) == SECRET


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = private_file(tmp_path / "token", SECRET.encode(), mode)

    problem = refusal("${file:token}", tmp_path)

    assert problem.startswith("${file:token}: others can reach it")
    assert f"chmod 600 {path}" in problem


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the file is empty"),
        (b"\n", "the file is empty"),
        (SECRET.encode() + b"\0", "NUL character"),
        (SECRET.encode() + b"\xff", "not UTF-8"),
        (SECRET.encode() * 4096, "larger than 65536 bytes"),
    ],
)
def test_a_file_that_is_no_single_secret_is_refused(
    tmp_path: Path, content: bytes, why: str
) -> None:
    private_file(tmp_path / "token", content)

    assert why in refusal("${file:token}", tmp_path)


def test_what_is_no_plain_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)

    for name in ("pipe", ".", "missing", "missing/token", "~no-such-user/x"):
        assert refusal(f"${{file:{name}}}", tmp_path).startswith(
            f"${{file:{name}}}: cannot be read"
        )


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = private_file(tmp_path / "token", SECRET.encode())
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        mine = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: mine + 1)

    assert "belongs to another user" in refusal("${file:token}", tmp_path)


def test_the_keyring_is_asked_for_the_service_bawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        sys.modules, "keyring", keyring_that(lambda service, name: f"{service}/{name}")
    )

    assert resolve("${keyring:files}", tmp_path) == "bawn/files"


def test_what_the_keyring_lacks_is_told_with_how_to_store_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", keyring_that(lambda service, name: None))

    assert "store it with `keyring set bawn files`" in refusal("${keyring:files}", tmp_path)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (NoKeyringError(SECRET), "this machine has no keyring"),
        (KeyringLocked(SECRET), "did not answer (KeyringLocked)"),
        (ConnectionError(SECRET), "did not answer (ConnectionError)"),
    ],
)
def test_a_keyring_that_fails_is_told_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, why: str
) -> None:
    def fail(service: str, name: str) -> str:
        raise error

    monkeypatch.setitem(sys.modules, "keyring", keyring_that(fail))

    assert why in refusal("${keyring:files}", tmp_path)


def test_the_pieces_of_a_text_keep_their_order() -> None:
    assert parse("a${env:B}c${file:d e}$${x") == (
        "a",
        Reference("env", "B"),
        "c",
        Reference("file", "d e"),
        "${",
        "x",
    )
    assert references("a${env:B}$${env:C}") == (Reference("env", "B"),)


@pytest.mark.parametrize("text", ["", "a", "$", "$$", "$a", "{env:A}", "$${env:A}", "a$b{c}"])
def test_a_text_without_references_is_itself(text: str, tmp_path: Path) -> None:
    assert resolve(text, tmp_path) == text.replace("$${", "${")
    assert not is_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        f"${{{SECRET}}}",
        "${",
        "${}",
        "${env}",
        "${env:}",
        "${env: }",
        "${vault:a}",
        "${env:a{b}",
        "${env:a",
    ],
)
def test_what_only_looks_like_a_reference_is_refused_and_not_repeated(
    text: str, tmp_path: Path
) -> None:
    assert "expected a reference such as ${env:NAME}" in refusal(text, tmp_path)
    assert not is_reference(text)


def test_one_reference_and_nothing_else_is_a_reference() -> None:
    assert is_reference("${env:A}")
    assert not is_reference("${env:A}${env:B}")
    assert not is_reference(" ${env:A}")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_escaped(text: str) -> None:
    assert resolve(text.replace("${", "$${"), Path("/nowhere")) == text


@given(st.text(alphabet="${}:envfilkyrg AB\0", max_size=30))
def test_any_text_is_pieces_or_misconfigured(text: str) -> None:
    try:
        pieces = parse(text)
    except Misconfigured:
        return
    again = "".join(p.replace("${", "$${") if isinstance(p, str) else str(p) for p in pieces)
    assert parse(again) == pieces


def test_the_private_directory_is_no_secret_and_known_only_later(tmp_path: Path) -> None:
    text = "${data}/memory $${data}"
    assert references(text) == ()
    assert not is_reference("${data}")
    assert resolve(text, tmp_path) == "${data}/memory ${data}"
    assert resolve(text, tmp_path, Path("/d")) == "/d/memory ${data}"
