"""The configuration is read whole or not at all, and every problem says where and what."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config.load import Loaded, check, load, parse
from bawn.config.model import Config
from bawn.errors import Misconfigured

BAD = Path(__file__).parent / "bad"
CASES = sorted(path.stem for path in BAD.glob("*.yaml"))


def problems(raw: bytes | str, environ: dict[str, str] | None = None) -> tuple[str, ...]:
    content = raw.encode() if isinstance(raw, str) else raw
    with pytest.raises(Misconfigured) as caught:
        parse(content, Path("bawn.yaml"), environ or {})
    return caught.value.problems


def parsed(text: str, environ: dict[str, str] | None = None) -> Loaded:
    return parse(text.encode(), Path("bawn.yaml"), environ or {})


@pytest.mark.parametrize("name", CASES)
def test_a_bad_file_is_told_with_place_and_expectation(name: str) -> None:
    found = problems((BAD / f"{name}.yaml").read_bytes())
    expected = (BAD / f"{name}.expected").read_text().splitlines()

    assert len(found) == len(expected), found
    for problem, fragments in zip(found, expected, strict=True):
        for fragment in fragments.split("|"):
            assert fragment in problem


@pytest.mark.parametrize("name", CASES)
def test_no_problem_repeats_a_secret(name: str) -> None:
    assert "hunter2" not in "\n".join(problems((BAD / f"{name}.yaml").read_bytes()))


def test_there_are_enough_bad_files_to_call_it_a_promise() -> None:
    assert len(CASES) >= 25


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "{}\n", "\ufeff"])
def test_an_empty_file_is_all_defaults(text: str) -> None:
    assert parsed(text).config == Config()


@pytest.mark.parametrize("key", ["servers", "roles", "limits", "hosts"])
def test_a_section_whose_entries_are_commented_out_is_an_empty_one(key: str) -> None:
    assert parsed(f"{key}:\n  # nothing yet\n").config == Config()


def test_a_whole_file_is_read() -> None:
    found = parsed(
        "listen: 127.0.0.1:9000\n"
        "hosts: &names [gate.example.com]\n"
        "origins: *names\n"
        "limits: {body: 1048576, total: 10}\n"
        "servers:\n"
        "  files:\n"
        '    command: [npx, "@scope/server@1.2.3", ./docs]\n'
        "    env: {TOKEN: '${keyring:files}', MODE: fast}\n"
    ).config

    assert found.hosts == found.origins == ("gate.example.com",)
    assert (found.limits.body, found.limits.total) == (1 << 20, 10.0)
    assert found.servers["files"].command == ("npx", "@scope/server@1.2.3", "./docs")
    assert found.servers["files"].env == {"TOKEN": "${keyring:files}", "MODE": "fast"}


def test_the_environment_goes_before_the_file() -> None:
    found = parsed("limits: {body: 1}\n", {"BAWN_LIMITS__BODY": "2", "HOME": "/nowhere"})

    assert found.config.limits.body == 2


def test_a_problem_of_the_environment_names_the_variable() -> None:
    environ = {"BAWN_LIMITS__BODY": "big", "BAWN_LISTN": "x"}

    assert problems("", environ) == (
        'environment variable BAWN_LIMITS__BODY: limits.body: expected an integer of at least 1, got "big"',
        "environment variable BAWN_LISTN: unknown setting; did you mean BAWN_LISTEN?",
    )


def test_problems_of_file_and_environment_come_together() -> None:
    assert len(problems("listen: 1\n", {"BAWN_LOG__LEVEL": "loud"})) == 2


def test_a_secret_in_an_override_is_refused_and_not_repeated() -> None:
    environ = {"BAWN_SERVERS__A__ENV__API_KEY": "hunter2"}

    (problem,) = problems("servers: {a: {command: [x]}}\n", environ)

    assert problem.startswith("environment variable BAWN_SERVERS__A__ENV__API_KEY: servers.a.env.")
    assert "hunter2" not in problem


def test_the_digest_follows_the_bytes_and_what_the_environment_says_of_servers() -> None:
    text = "servers: {a: {command: [x]}}\n"
    plain = parsed(text).digest

    assert parsed(text, {"BAWN_LOG__LEVEL": "debug"}).digest == plain
    assert parsed(text + "\n").digest != plain
    assert parsed(text, {"BAWN_SERVERS__A__COMMAND": "[y]"}).digest != plain
    assert (
        parsed(text, {"BAWN_SERVERS__A__CWD": "/a"}).digest
        != parsed(text, {"BAWN_SERVERS__A__CWD": "/b"}).digest
    )


def test_paths_start_from_the_directory_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "bawn.yaml").write_text("state: ./state\n")

    found = load(tmp_path / "bawn.yaml", {})

    assert found.path == found.base / "bawn.yaml"
    assert found.state == tmp_path.resolve() / "state"


def test_a_state_below_the_home_directory_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")

    assert parsed("state: ~/gate\n").state == Path("/home/somebody/gate")


def test_a_missing_file_is_told_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no such file; write one with `bawn init`"):
        load(tmp_path / "bawn.yaml", {})


def test_what_is_no_plain_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(Misconfigured, match=r"not a regular file|cannot be read"):
            load(path, {})


def test_a_path_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        load(Path("a\0b"), {})


def test_a_file_beyond_the_bound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bawn.yaml").write_bytes(b"#" * ((1 << 20) + 1))

    with pytest.raises(Misconfigured, match="larger than 1048576 bytes"):
        load(tmp_path / "bawn.yaml", {})


def test_settings_in_no_file_are_checked_by_the_same_rules() -> None:
    check({"servers": {"a": {"command": ["x"]}}})
    with pytest.raises(Misconfigured, match=r"^servers\.a\.env\.KEY: its name says it is a secret"):
        check({"servers": {"a": {"command": ["x"], "env": {"KEY": "v"}}}})


def test_text_that_is_none_is_refused() -> None:
    with pytest.raises(Misconfigured, match="not UTF-8"):
        check({"servers": {"a": {"command": ["\udcff"]}}})


@given(st.binary(max_size=200))
def test_any_bytes_are_a_configuration_or_misconfigured(raw: bytes) -> None:
    with suppress(Misconfigured):
        parse(raw, Path("bawn.yaml"), {})


YAML_LIKE = st.text(alphabet="abs:-_ \n\t[]{}\"'#&*!%|>?,~0.1$/@\\\r\u2028", max_size=80)
KEYS = st.sampled_from(["servers", "limits", "env", "command", "url", "auth", "body", "hosts"])
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | YAML_LIKE,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | YAML_LIKE, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(st.tuples(KEYS, YAML_LIKE), max_size=5))
def test_any_text_like_yaml_is_a_configuration_or_misconfigured(
    parts: list[tuple[str, str]],
) -> None:
    text = "\n".join(f"{key}: {value}" for key, value in parts)
    with suppress(Misconfigured):
        parsed(text)


@given(TREES)
def test_a_server_of_any_shape_is_accepted_or_misconfigured(tree: object) -> None:
    with suppress(Misconfigured):
        check({"servers": tree, "limits": tree})


@given(YAML_LIKE.map(lambda text: text.upper()), st.text(max_size=30))
def test_any_override_is_a_setting_or_misconfigured(name: str, value: str) -> None:
    with suppress(Misconfigured):
        parsed("servers: {a-b: {command: [x]}}\n", {f"BAWN_{name}": value})
