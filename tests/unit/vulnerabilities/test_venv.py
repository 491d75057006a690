"""A virtual environment is listed by the metadata of its distributions."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.vulnerabilities import venv
from tests.unit.vulnerabilities.trees import distribution, environment


def test_distributions_are_listed_with_what_they_require(tmp_path: Path) -> None:
    site = environment(tmp_path)
    distribution(site, "mcp_server_git", "1.0", ("Jinja2>=3", "gone; extra == 'x'", "<junk"))
    distribution(site, "jinja2", "3.1.2", ("MarkupSafe",))
    distribution(site, "MarkupSafe", "2.0")
    found = venv.inventory(tmp_path, "mcp_server_git")
    told = {each.name: each for each in found.components}
    assert found.completeness == "complete"
    assert {name: each.relation for name, each in told.items()} == {
        "mcp-server-git": "root", "jinja2": "direct", "markupsafe": "dependency",
    }  # fmt: skip
    assert told["mcp-server-git"].requires == ("pkg:pypi/jinja2@3.1.2",)


def test_a_command_belongs_to_the_distribution_that_brings_it(tmp_path: Path) -> None:
    site = environment(tmp_path)
    distribution(site, "something", "1.0", command="mcp-git")
    root = venv.inventory(tmp_path, "mcp-git").root
    assert root is not None
    assert root.name == "something"


def test_an_old_install_is_listed_too(tmp_path: Path) -> None:
    site = environment(tmp_path)
    (site / "old-1.0.egg-info").mkdir()
    (site / "old-1.0.egg-info" / "PKG-INFO").write_text("Name: old\nVersion: 1.0\n\n")
    (site / "older-1.0.egg-info").write_text("Name: older\nVersion: 0.9\n\n")
    found = venv.inventory(tmp_path, "")
    assert [each.key for each in found.components] == ["pkg:pypi/old@1.0", "pkg:pypi/older@0.9"]


@pytest.mark.parametrize(
    ("name", "content", "complete"),
    [
        ("x.egg-link", "/src", False),
        ("x.egg", "", False),
        ("x.pth", "/src/other\n", False),
        ("x.pth", "# a note\nimport thing; thing.go()\n\n", True),
        ("x-1.0.dist-info", "", False),
    ],
)
def test_code_that_was_not_looked_at_makes_the_list_partial(
    tmp_path: Path, name: str, content: str, complete: bool
) -> None:
    site = environment(tmp_path)
    distribution(site, "a", "1.0")
    (site / name).write_text(content)
    assert (venv.inventory(tmp_path, "").completeness == "complete") is complete


def test_the_systems_packages_make_the_list_partial(tmp_path: Path) -> None:
    environment(tmp_path, "include-system-site-packages = true\n")
    assert "system's Python" in venv.inventory(tmp_path, "").why


def test_metadata_without_a_name_is_a_problem(tmp_path: Path) -> None:
    site = environment(tmp_path)
    home = distribution(site, "a", "1.0")
    (home / "METADATA").write_bytes(b"\xff\xfe: \x00\n\nName: later\n")
    found = venv.inventory(tmp_path, "")
    assert (found.components, found.completeness) == ((), "partial")


def test_a_link_out_of_the_environment_is_not_read(tmp_path: Path) -> None:
    site = environment(tmp_path / "in")
    (tmp_path / "secret").write_text("Name: secret\nVersion: 1\n\n")
    home = distribution(site, "a", "1.0")
    (home / "METADATA").unlink()
    (home / "METADATA").symlink_to(tmp_path / "secret")
    found = venv.inventory(tmp_path / "in", "")
    assert (found.components, found.completeness) == ((), "partial")


def test_a_program_belongs_to_the_environment_that_it_lies_in(tmp_path: Path) -> None:
    environment(tmp_path)
    (tmp_path / "bin" / "python").symlink_to("/usr/bin/python3")
    assert venv.environment(tmp_path / "bin" / "python") == tmp_path
    assert venv.environment(Path("/usr/bin/python3")) is None


def test_an_environment_without_packages_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("")
    assert venv.inventory(tmp_path, "").completeness == "unknown"
