"""A policy directory is read within bounds, or refused with every problem."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bawn.errors import Misconfigured
from bawn.policy.files import reading, source

PERMIT = "permit (principal, action, resource);\n"


def refused(directory: Path) -> str:
    with pytest.raises(Misconfigured) as problem:
        source.read(directory)
    return str(problem.value)


def put(directory: Path, name: str, content: str | bytes = PERMIT) -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_files_that_count_are_read_in_one_order_and_others_left_alone(tmp_path: Path) -> None:
    for name in ("b.cedar", "a/z.cedar", "tenants/acme/t.cedar", "tests/cases.yaml"):
        put(tmp_path, name, name)
    for name in ("README.md", ".hidden.cedar", ".git/x.cedar", "tests/data.json", "a/notes.yaml"):
        put(tmp_path, name, name)
    put(tmp_path, "entities.json", "[]")
    put(tmp_path, "labels.yaml", "")

    found = source.read(tmp_path)

    assert found.directory == str(tmp_path)
    assert [name for name, _ in found.files] == [
        "a/z.cedar", "b.cedar", "entities.json", "labels.yaml", "tenants/acme/t.cedar",
        "tests/cases.yaml",
    ]  # fmt: skip
    assert dict(found.files)["a/z.cedar"] == "a/z.cedar"


def test_the_tenant_of_a_file_is_the_directory_below_tenants() -> None:
    assert source.tenant_of("tenants/acme/deep/a.cedar") == "acme"
    assert source.tenant_of("a.cedar") == source.tenant_of("more/tenants/acme/a.cedar") == ""


def test_links_within_the_directory_are_followed_as_volumes_of_kubernetes_have_them(
    tmp_path: Path,
) -> None:
    put(tmp_path, "..2026/a.cedar")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "a.cedar").symlink_to("..data/a.cedar")

    assert source.read(tmp_path).files == (("a.cedar", PERMIT),)


def test_links_out_of_the_directory_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "out.cedar")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.cedar").symlink_to(tmp_path / "out.cedar")
    assert "a.cedar: a link out of the directory" in refused(tmp_path / "p")


def test_links_to_directories_are_refused_wherever_they_lead(tmp_path: Path) -> None:
    put(tmp_path, "other/a.cedar")
    put(tmp_path, "p/in/a.cedar")
    (tmp_path / "p" / "out").symlink_to(tmp_path / "other")
    (tmp_path / "p" / "again").symlink_to("in")
    (tmp_path / "p" / "self").symlink_to(".")
    told = refused(tmp_path / "p")
    assert "out: a link out of the directory" in told
    assert "again: a link to a directory" in told
    assert "self: a link to a directory" in told


def test_what_is_no_plain_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.cedar")
    assert "a.cedar: cannot be read (not a regular file)" in refused(tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"permit\0", "a.cedar:1: the character U+0000 does not show"),
        (b"\n\xff", "a.cedar:2: not UTF-8"),
        ("\n\n// \u202e".encode(), "a.cedar:3: the character U+202E does not show"),
        ("// \u200b".encode(), "a.cedar:1: the character U+200B does not show"),
        (b"x" * ((1 << 20) + 1), "a.cedar: larger than 1048576 bytes"),
    ],
)
def test_content_that_cannot_be_trusted_to_read_as_it_counts_is_refused(
    tmp_path: Path, content: bytes, told: str
) -> None:
    put(tmp_path, "a.cedar", content)
    assert told in refused(tmp_path)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("labels.yml", "rename it to labels.yaml"),
        ("sub/entities.yaml", "rename it to entities.json"),
        ("sub/entities.json", "expected at the top"),
        ("tests/a.yml", "expected the ending .yaml"),
        ("tests/a.cedar", "rules do not belong into tests/"),
        ("tenants/a.cedar", "expected tenants/NAME/"),
        ("tenants/ACME/a.cedar", "expected tenants/NAME/"),
        ("Tenants/acme/a.cedar", "would count for callers of all tenants"),
        ("more/tenants/acme/a.cedar", "would count for callers of all tenants"),
        ("a.CEDAR", "expected the ending .cedar"),
        ("a`b.cedar", "expected a name of printing characters"),
        ("a\nb.cedar", "expected a name of printing characters"),
    ],
)
def test_files_under_a_name_that_would_be_overlooked_are_refused(
    tmp_path: Path, name: str, told: str
) -> None:
    put(tmp_path, name)
    assert told in refused(tmp_path)


def test_more_files_than_are_sensible_are_refused(tmp_path: Path) -> None:
    for number in range(source.MAX_FILES + 1):
        (tmp_path / f"{number}.cedar").touch()
    assert "1001 files; expected at most 1000" in refused(tmp_path)


def test_more_bytes_than_are_sensible_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_TOTAL", 10)
    put(tmp_path, "a.cedar")
    assert "a.cedar: more than 10 bytes" in refused(tmp_path)


def test_a_directory_that_is_none_is_refused_with_the_next_step(tmp_path: Path) -> None:
    assert "create the directory" in refused(tmp_path / "none")
    assert "it is a file" in refused(put(tmp_path, "a.cedar"))
    assert "cannot be read" in refused(tmp_path / "a\0b")


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    put(tmp_path, "a.cedar", b"\0")
    put(tmp_path, "b.cedar", b"\xff")
    assert refused(tmp_path).count("\n") == 1


WORDS = """permit forbid ( ) { } [ ] principal action resource , ; when unless " \\ @ask @id ("self") //
== in is if then else ! context . has like Action:: "use" true ?principal servers: uid null 1e999 - {} :"""
NAMES = st.sampled_from(
    ("a.cedar", "tenants/x/b.cedar", "entities.json", "labels.yaml", "tests/c.yaml", "d/e.cedar")
)
CONTENT = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    st.lists(
        st.sampled_from(WORDS.split()),
        max_size=40,
    ).map(lambda words: "\n".join(words).encode()),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=st.dictionaries(NAMES, CONTENT, max_size=4))
def test_whatever_lies_in_a_directory_it_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    directory = tmp_path_factory.mktemp("hostile")
    for name, content in files.items():
        put(directory, name, content)
    try:
        rules = reading.ruleset(source.read(directory), 900)
    except Misconfigured as problem:
        told = problem.problems
    else:
        told = (rules.version,)
    assert told
    assert all(each.strip() for each in told)
