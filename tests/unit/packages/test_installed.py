"""A server is started from what was installed for exactly the package that its command names."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bawn.config import Config, Server
from bawn.launching.installed import Installed
from bawn.launching.package import Artifact, Package, Resolution
from bawn.packages import installed, resolve
from bawn.packages.install import install, place
from bawn.packages.moving import moved
from bawn.packages.store import resolutions
from bawn.storage import trees
from bawn.storage.directory import StateDirectory
from tests.unit.packages.fakes import FakeNpm, entry

COMMAND = ("npx", "-y", "server@1.0.0", "--root", "${data}/x")


class Home:
    """A state in which one package is installed for the server `files`."""

    def __init__(self, directory: Path) -> None:
        self.base = directory
        self.state = StateDirectory(directory / "state")
        tool = FakeNpm({"node_modules/server": entry()})
        found = resolve.resolve(Package("npm", "server", "1.0.0"), directory, tool)
        self.resolution = install(found, self.state.packages, directory, tool)
        self.put(self.resolution)
        self.tree = place(self.state.packages, self.resolution)

    def put(self, resolution: Resolution) -> None:
        resolutions(self.state).update("files", lambda _: resolution)

    def found(self, *command: str, required: bool = False) -> Installed | None:
        config = Config(servers={"files": Server(command=command)})
        told = installed.for_servers(config, self.state, self.base, required=required)
        return told.get("files")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_it_is_started_from_the_store_with_its_own_arguments(home: Home) -> None:
    program = str(home.tree / "node_modules/server/index.js")
    argv = ("node", program, "--root", "${data}/x")
    assert home.found(*COMMAND) == Installed(argv, str(home.tree), home.resolution.tree)


@pytest.mark.parametrize(
    "command",
    [("npx", "server@1.0.1"), ("npx", "server"), ("npx", "other@1.0.0"), ("uvx", "server==1.0.0"),
     ("node", "x.js"), ("deno", "run", "npm:server@1.0.0"), ("env", "A=b", "npx", "server@1.0.0"),
     ("npx", "--prefix", "/x", "server@1.0.0"), ("npx", "-p", "server@1.0.0", "-p", "y@1.0.0", "server")],
)  # fmt: skip
def test_any_other_command_is_started_as_it_says(home: Home, command: tuple[str, ...]) -> None:
    assert home.found(*command) is None


def test_what_is_required_and_not_installed_is_not_started(home: Home) -> None:
    for command in (
        ("npx", "other@1.0.0"),
        ("npx", "--prefix", "/x", "server@1.0.0"),
        ("docker", "run", "x/y:1"),
    ):
        found = home.found(*command, required=True)
        assert found is not None
        assert found.problem
        assert not found.argv
    assert home.found("node", "x.js", required=True) is None


def test_what_was_installed_and_is_gone_is_not_started_as_the_command_says(home: Home) -> None:
    trees.remove(home.tree.parent)
    found = home.found(*COMMAND)
    assert found is not None
    assert "bawn server install files" in found.problem


def test_a_record_that_is_torn_forged_or_leads_out_is_a_problem(home: Home) -> None:
    out = ("node", "../../../../evil/index.js")
    forgeries = [
        msgspec.structs.replace(home.resolution, digest="0" * 64),
        msgspec.structs.replace(home.resolution, program=out),
        msgspec.structs.replace(home.resolution, program=("/bin/sh", "-c")),
        msgspec.structs.replace(home.resolution, package=Package("npm", "evil", "1.0.0")),
    ]
    for forged in forgeries:
        home.put(forged)
        found = home.found(*COMMAND)
        assert found is not None
        assert found.problem, forged
    resolutions(home.state).path("files").write_text("{")
    found = home.found(*COMMAND)
    assert found is not None
    assert found.problem


def test_an_image_is_named_by_its_digest(home: Home) -> None:
    digest = "sha256:" + "ab" * 32
    asked = Package("oci", "r.example/x", "1")
    exact = msgspec.structs.replace(asked, digest=digest)
    artifacts = (Artifact("r.example/x", "1", "sha256-" + "A" * 43 + "="),)
    home.put(Resolution(asked, exact, artifacts, resolve.digest(exact, artifacts)))
    found = home.found("docker", "run", "-i", "--rm", "-e", "A=b", "r.example/x:1", "--flag")
    argv = ("docker", "run", "-i", "--rm", "-e", "A=b", f"r.example/x@{digest}", "--flag")
    assert found == Installed(argv)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("npx", "server@1.0.0"), ""),
        (("npx", "-p", "@a/server@1.0.0", "tool"), "tool"),
        (("uvx", "my-server==1.0"), ""),
        (("uvx", "my_server@1.0"), ""),
        (("uvx", "--from", "my-server==1.0", "tool"), "tool"),
    ],
)
def test_the_entry_point_is_told_where_a_command_names_one(
    tmp_path: Path, command: tuple[str, ...], name: str
) -> None:
    found = installed.package_of(Server(command=command), tmp_path)
    assert found is not None
    assert installed.wanted(found[1]) == name


NPM = Package("npm", "server", "2.0.0")
PYPI = Package("pypi", "my-server", "2.0")


@pytest.mark.parametrize(
    ("command", "exact", "becomes"),
    [
        ("npx -y server@1.0.0 server@1.0.0", NPM, "npx -y server@2.0.0 server@1.0.0"),
        ("npx --package=server tool", NPM, "npx --package=server@2.0.0 tool"),
        ("uvx my_server --x", PYPI, "uvx my-server@2.0 --x"),
        ("uvx --from my-server==1.0 tool", PYPI, "uvx --from my-server==2.0 tool"),
        ("docker run -i r.example/x:1 a", Package("oci", "r.example/x", "2", "sha256:" + "0" * 64),
         f"docker run -i r.example/x:2@sha256:{'0' * 64} a"),
    ],
)  # fmt: skip
def test_a_command_is_moved_to_another_version(
    tmp_path: Path, command: str, exact: Package, becomes: str
) -> None:
    server = Server(command=tuple(command.split()))
    found = installed.package_of(server, tmp_path)
    assert found is not None
    assert moved(server, found[1], found[0], exact) == tuple(becomes.split())
