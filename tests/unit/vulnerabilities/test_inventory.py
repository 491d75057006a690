"""An inventory says what a server would run, and whether that is all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.config.server import Server
from bawn.launching.package import Artifact, Package, Resolution
from bawn.vulnerabilities.inventory import of_resolution, of_server
from tests.unit.vulnerabilities.trees import distribution, environment, project

ASKED = Package("pypi", "mcp-server-git", "1.0")
RESOLVED = Resolution(
    asked=ASKED,
    package=ASKED,
    artifacts=(
        Artifact("mcp-server-git", "1.0", "sha256-AAAA"),
        Artifact("jinja2", "3.1.2", "sha256-BBBB"),
    ),
    digest="d" * 64,
)


def local(*command: str, **more: object) -> Server:
    return Server.model_validate({"command": command, **more})


def test_what_was_resolved_is_known_completely(tmp_path: Path) -> None:
    found = of_server(local("uvx", "mcp-server-git==1.0"), tmp_path, RESOLVED)
    assert (found.completeness, found.of, found.resolved) == ("complete", "d" * 64, True)
    assert [(each.key, each.hashes, each.relation) for each in found.components] == [
        ("pkg:pypi/jinja2@3.1.2", ("sha256-BBBB",), "dependency"),
        ("pkg:pypi/mcp-server-git@1.0", ("sha256-AAAA",), "root"),
    ]


def test_a_resolution_of_another_version_counts_for_nothing(tmp_path: Path) -> None:
    found = of_server(local("uvx", "mcp-server-git==2.0"), tmp_path, RESOLVED)
    assert (found.completeness, found.resolved) == ("partial", False)
    assert [each.key for each in found.components] == ["pkg:pypi/mcp-server-git@2.0"]


def test_a_resolution_without_its_own_package_is_partial() -> None:
    torn = Resolution(ASKED, ASKED, RESOLVED.artifacts[1:], "d")
    assert of_resolution(torn).completeness == "partial"


@pytest.mark.parametrize("ecosystem", ["oci", "binary"])
def test_what_is_in_an_image_or_program_is_not_known(ecosystem: str) -> None:
    package = Package(ecosystem, "ghcr.io/x/y", "1", "sha256:aa")  # type: ignore[arg-type]
    found = of_resolution(Resolution(package, package, (Artifact("layer", "", ""),), "d"))
    assert found.completeness == "partial"
    assert [each.version for each in found.components] == ["sha256:aa"]


@pytest.mark.parametrize(
    ("command", "completeness", "keys"),
    [
        (("npx", "@a/b@1.2.3"), "partial", ["pkg:npm/%40a/b@1.2.3"]),
        (("uvx", "x==1.0"), "partial", ["pkg:pypi/x@1.0"]),
        (("npx", "-y", "x"), "unknown", []),
        (("npx", "x@latest"), "unknown", []),
        (("uvx", "x"), "unknown", []),
        (("/usr/local/bin/server",), "unknown", []),
        (("python3", "-m", "x"), "unknown", []),
        (("node", "gone.js"), "unknown", []),
        (("docker", "run", "x:1"), "unknown", []),
    ],
)
def test_what_is_not_on_the_disk_is_not_claimed(
    tmp_path: Path, command: tuple[str, ...], completeness: str, keys: list[str]
) -> None:
    found = of_server(local(*command), tmp_path, None)
    assert (found.completeness, [each.key for each in found.components]) == (completeness, keys)
    assert found.why


def test_a_remote_server_is_unknown(tmp_path: Path) -> None:
    server = Server.model_validate({"url": "https://example.com/mcp"})
    assert of_server(server, tmp_path, None).completeness == "unknown"


def test_a_script_under_node_is_read_from_its_directory(tmp_path: Path) -> None:
    project(tmp_path / "srv")
    for server in (local("node", "srv/index.js"), local("node", "index.js", cwd="srv")):
        found = of_server(server, tmp_path, None)
        assert found.completeness == "complete"
        assert len(found.components) == 4


def test_a_command_of_a_project_leads_to_its_package(tmp_path: Path) -> None:
    script = project(tmp_path)
    (tmp_path / "node_modules" / ".bin").mkdir()
    (tmp_path / "node_modules" / ".bin" / "own").symlink_to(script)
    found = of_server(local(str(tmp_path / "node_modules" / ".bin" / "own")), tmp_path, None)
    assert found.completeness == "complete"


def test_the_python_of_an_environment_leads_to_its_packages(tmp_path: Path) -> None:
    site = environment(tmp_path / "v")
    distribution(site, "srv", "1.0", command="srv-run")
    for command in (("v/bin/python", "-m", "srv"), (str(tmp_path / "v" / "bin" / "srv-run"),)):
        found = of_server(local(*command), tmp_path, None)
        assert found.completeness == "complete"
        assert found.root is not None
        assert found.root.name == "srv"


def test_variables_that_add_code_make_the_list_partial(tmp_path: Path) -> None:
    project(tmp_path)
    found = of_server(local("node", "index.js", env={"NODE_PATH": "/x"}), tmp_path, None)
    assert found.completeness == "partial"
    assert "NODE_PATH" in found.why


def test_nothing_of_the_server_is_run(tmp_path: Path) -> None:
    script = project(tmp_path)
    mark = tmp_path / "ran"
    script.write_text(f"require('fs').writeFileSync({str(mark)!r}, '')")
    of_server(local("node", str(script)), tmp_path, None)
    assert not mark.exists()
