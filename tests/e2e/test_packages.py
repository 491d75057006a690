"""Real packages of npm and PyPI, by way of the registries this machine's own tools are set to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from bawn.cli import app
from bawn.config import Config, Limits, Server
from bawn.config.load import load
from bawn.errors import Misconfigured, Refused
from bawn.launching.installed import Installed
from bawn.launching.package import Package, Resolution
from bawn.packages import naming, oci, provenance, resolve
from bawn.packages.install import install, place
from bawn.packages.installed import for_servers
from bawn.packages.store import resolutions
from bawn.packages.tool import Tool
from bawn.runner import child
from bawn.runner.child import Child, Plan
from bawn.runner.confine import Shelter
from bawn.runner.pending import Deadlines
from bawn.storage import trees
from bawn.storage.directory import StateDirectory
from tests.e2e.caller import META

# a registry, and two package managers beside everything else that runs: longer than a `Tool` waits
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

SERVERS = """# kept
servers:
  files:
    command: [npx, -y, "@modelcontextprotocol/server-filesystem@2026.8.31", ./docs]  # why
  time:
    command: [uvx, mcp-server-time==2026.10.19]
"""
DEADLINES = Deadlines(30.0, 30.0)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration whose two servers were installed by the command."""
    directory = tmp_path_factory.mktemp("home")
    (directory / "docs").mkdir()
    (directory / "bawn.yaml").write_text(SERVERS)
    result = CliRunner().invoke(
        app, ["server", "install", "--all", "--yes", "--config", str(directory / "bawn.yaml")]
    )
    assert result.exit_code == 0, result.output
    assert "scripts of packages are not run" in result.output
    assert "bawn reload" in result.output
    return directory


def state(home: Path) -> StateDirectory:
    return StateDirectory(home / ".bawn")


def record(home: Path, server: str) -> Resolution:
    found = resolutions(state(home)).read(server)
    assert found is not None
    return found


def given(home: Path) -> tuple[Config, dict[str, Installed]]:
    config = load(home / "bawn.yaml", os.environ).config
    return config, for_servers(config, state(home), home, required=True)


@asynccontextmanager
async def started(home: Path, name: str) -> AsyncIterator[Child]:
    """A server as the runner starts it: confined where it can be, from what was installed."""
    config, installed = given(home)
    shelter = Shelter()
    await shelter.probe()
    shelter.apply(config.servers.values(), home, (state(home).path,), (home / "bawn.yaml",))
    plan = Plan(
        name, config.servers[name], home, Limits(), shelter=shelter, installed=installed[name]
    )
    running = await child.start(plan, None, lambda how: None, lambda method: None)
    try:
        yield running
    finally:
        await running.stop(5.0)


@pytest.mark.parametrize(("name", "tool"), [("files", "read_file"), ("time", "get_current_time")])
async def test_a_real_server_is_started_from_the_store_and_serves(
    home: Path, name: str, tool: str
) -> None:
    _, installed = given(home)
    assert installed[name].problem == ""
    assert str(home / ".bawn/packages/store") in " ".join(installed[name].argv)
    async with started(home, name) as running:
        answer = await running.call("tools/list", {"_meta": META}, DEADLINES, None)
        assert answer.result is not None
        assert tool in {each["name"] for each in answer.result["tools"]}
    # it was served and nothing of it has changed
    assert trees.Trees().problem(Path(installed[name].root), installed[name].tree) == ""


@pytest.mark.parametrize(("name", "ecosystem"), [("files", "npm"), ("time", "pypi")])
def test_what_is_on_record_is_exact_and_names_no_registry(
    home: Path, name: str, ecosystem: str
) -> None:
    found = record(home, name)
    assert found.package.ecosystem == ecosystem
    assert found.package.exact
    assert len(found.artifacts) > 10
    assert b"://" not in msgspec.json.encode(found)


@pytest.mark.parametrize("name", ["files", "time"])
def test_it_is_installed_elsewhere_from_the_record_alone(
    home: Path, name: str, tmp_path: Path
) -> None:
    written = msgspec.json.encode(record(home, name))
    found = msgspec.json.decode(written, type=Resolution)
    bare = msgspec.structs.replace(found, program=(), tree="")
    there = install(bare, tmp_path, tmp_path)
    assert there.digest == found.digest
    assert there.program == found.program
    if name == "files":  # an environment has the place of its interpreter in it
        assert there.tree == found.tree


@pytest.mark.parametrize("name", ["files", "time"])
def test_a_package_with_another_digest_than_on_record_is_refused_by_its_tool(
    home: Path, name: str, tmp_path: Path
) -> None:
    found = record(home, name)
    first = found.artifacts[0]
    algorithm, digest = naming.raw_digest(first.integrity)
    wrong = naming.integrity(algorithm, bytes([digest[0] ^ 1]) + digest[1:])
    artifacts = (msgspec.structs.replace(first, integrity=wrong), *found.artifacts[1:])
    forged = msgspec.structs.replace(
        found, artifacts=artifacts, digest=resolve.digest(found.package, artifacts)
    )
    with pytest.raises(Refused) as refused:
        install(forged, tmp_path, tmp_path)
    assert refused.value.reason.id == "integrity.launch"
    assert [each.name for each in (tmp_path / "store").iterdir()] == [".lock"]


async def test_a_file_that_was_changed_keeps_the_server_from_starting(
    home: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy, symlinks=True)
    program = Path(given(copy)[1]["files"].argv[1])
    program.chmod(0o600)
    program.write_text(program.read_text() + "\n")
    with pytest.raises(Refused) as refused:
        async with started(copy, "files"):
            pass
    assert refused.value.reason.id == "integrity.launch"
    assert "not as it was installed" in refused.value.detail


def test_update_moves_the_version_in_the_file_and_keeps_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "bawn.yaml"
    file.write_text(
        "# kept\nservers:\n  words:\n    command: [npx, -y, \"semver@7.7.1\", '1.2.3']  # why\n"
    )
    result = CliRunner().invoke(
        app, ["server", "update", "words", "--to", "7.7.2", "--yes", "--config", str(file)]
    )
    assert result.exit_code == 0, result.output
    assert "npm:semver@7.7.1 becomes npm:semver@7.7.2" in result.output
    text = file.read_text()
    assert "semver@7.7.2" in text
    assert "7.7.1" not in text
    assert text.startswith("# kept\n")
    assert "# why" in text
    config, installed = load(file, os.environ).config, given(tmp_path)[1]
    assert config.servers["words"].command == ("npx", "-y", "semver@7.7.2", "1.2.3")
    said = subprocess.run(installed["words"].argv, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "1.2.3"


def test_a_package_that_does_not_exist_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    file = tmp_path / "bawn.yaml"
    file.write_text('servers: {x: {command: [npx, "bawn-test-no-such-package-at-all@1.0.0"]}}\n')
    result = CliRunner().invoke(app, ["server", "install", "x", "--yes", "--config", str(file)])
    assert result.exit_code == 2
    assert "npm could not do it" in result.output
    assert not list((tmp_path / ".bawn").glob("packages/*"))


def test_a_dependency_by_url_is_neither_built_nor_run(tmp_path: Path) -> None:
    ran, wheels = tmp_path / "ran", tmp_path / "wheels"
    wheels.mkdir()
    (tmp_path / "setup.py").write_text(
        f"open({str(ran)!r}, 'w')\nfrom setuptools import setup\nsetup()\n"
    )
    with tarfile.open(tmp_path / "evil-1.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "setup.py", "evil-1/setup.py")
    with zipfile.ZipFile(wheels / "bait-1.0-py3-none-any.whl", "w") as wheel:
        url = (tmp_path / "evil-1.tar.gz").as_uri()
        wheel.writestr(
            "bait-1.0.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: bait\nVersion: 1.0\nRequires-Dist: evil @ {url}\n",
        )
        wheel.writestr(
            "bait-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr("bait-1.0.dist-info/RECORD", "")
    env = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    with pytest.raises(Misconfigured, match="nothing is built"):
        resolve.resolve(Package("pypi", "bait"), tmp_path, Tool(env))
    assert not ran.exists()


@pytest.mark.skipif(
    shutil.which("bwrap") is None and "CI" not in os.environ, reason="needs bubblewrap"
)
async def test_inside_its_confinement_a_server_sees_its_own_package_and_cannot_change_it(
    tmp_path: Path,
) -> None:
    base = tmp_path / "base"
    held = StateDirectory(base / ".bawn")
    mine, other = held.packages / "store" / "a" / "tree", held.packages / "store" / "b" / "tree"
    for tree in (mine, other):
        tree.mkdir(parents=True)
        (tree / "file").write_text("x")
    code = f"""
import json, os
def tried(work):
    try: work()
    except OSError as error: return error.errno
    return 0
mine, other = {str(mine)!r}, {str(other)!r}
print(json.dumps([
    open(mine + "/file").read(),
    os.path.exists(other),
    tried(lambda: open(mine + "/file", "w")),
    tried(lambda: open(mine + "/added", "w")),
    tried(lambda: os.chmod(mine + "/file", 0o777)),
    tried(lambda: os.unlink(mine + "/file")),
    tried(lambda: os.rename(mine, mine + "2")),
    tried(lambda: os.mkdir(os.path.dirname(mine) + "/more")),
]))
"""
    (mine / "x.py").write_text(code)
    shelter = Shelter()
    await shelter.probe()
    shelter.apply((), base, (held.path,), ())
    plan = Plan(
        "x", Server(command=("npx", "x")), base, Limits(), shelter=shelter,
        installed=Installed((sys.executable, str(mine / "x.py")), str(mine), trees.tree_digest(mine)),
    )  # fmt: skip
    launch = plan.prepare()
    assert launch.confined == "bubblewrap"
    said = subprocess.run(launch.argv, env=dict(launch.env), capture_output=True, check=True)
    content, seen, *errors = json.loads(said.stdout)
    assert (content, seen) == ("x", False)
    assert all(errors), errors
    assert trees.Trees().problem(mine, trees.tree_digest(mine)) == ""


MANIFEST = json.dumps({"schemaVersion": 2, "config": {}, "layers": []}).encode()


class _Registry(BaseHTTPRequestHandler):
    """An image registry that asks for a token and tells a digest of which `lies` decides."""

    lies = False

    def do_GET(self) -> None:
        host = f"127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
        if self.path.startswith("/token"):
            self._send(200, b'{"token": "t"}')
        elif self.headers.get("authorization") != "Bearer t":
            realm = f'Bearer realm="http://{host}/token",service="s"'
            self._send(401, b"", ("www-authenticate", realm))
        else:
            told = "sha256:" + "0" * 64 if type(self).lies else oci.digest_of(MANIFEST)
            self._send(200, MANIFEST, ("docker-content-digest", told))

    def _send(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("content-length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    _Registry.lies = False
    with ThreadingHTTPServer(("127.0.0.1", 0), _Registry) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_image_is_resolved_at_a_registry_and_started_by_its_digest(
    registry: str, tmp_path: Path
) -> None:
    file = tmp_path / "bawn.yaml"
    image = f"{registry}/team/server:1.0"
    file.write_text(f'servers: {{x: {{command: [docker, run, -i, --rm, "{image}"]}}}}\n')
    result = CliRunner().invoke(app, ["server", "install", "x", "--yes", "--config", str(file)])
    assert result.exit_code == 0, result.output
    digest = oci.digest_of(MANIFEST)
    argv = ("docker", "run", "-i", "--rm", f"{registry}/team/server@{digest}")
    assert given(tmp_path)[1]["x"] == Installed(argv)
    _Registry.lies = True
    result = CliRunner().invoke(app, ["server", "install", "x", "--yes", "--config", str(file)])
    assert result.exit_code == 1
    assert "the registry says sha256:000" in result.output
    assert record(tmp_path, "x").package.digest == digest


def test_the_store_has_the_trees_of_what_is_on_record_and_no_others(home: Path) -> None:
    store = state(home).packages / "store"
    expected = {
        place(state(home).packages, record(home, name)).parent.name for name in ("files", "time")
    }
    assert {each.name for each in store.iterdir()} == {".lock", *expected}


class _Attesting(BaseHTTPRequestHandler):
    """npm's API of attestations; everything else waits until the test is over."""

    over = threading.Event()

    def do_GET(self) -> None:
        if "/attestations/" not in self.path:
            type(self).over.wait(30)
            return
        body = b'{"attestations": [{"bundle": {"a": 1}}]}' if "@1.0.0" in self.path else b""
        self.send_response(200 if body else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def attesting() -> Iterator[str]:
    _Attesting.over.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Attesting) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        _Attesting.over.set()
        server.shutdown()
        thread.join()


def test_attestations_are_read_over_http_and_404_means_none(attesting: str) -> None:
    found = provenance.npm_bundles(Package("npm", "@a/x", "1.0.0"), attesting)
    assert found == [b'{"a": 1}']
    assert provenance.npm_bundles(Package("npm", "@a/x", "2.0.0"), attesting) == []


def test_a_registry_that_does_not_answer_is_given_up(attesting: str, tmp_path: Path) -> None:
    slow = Tool({**os.environ, "npm_config_registry": attesting}, seconds=3.0)
    with pytest.raises(Misconfigured, match="was not done within 3 s"):
        resolve.resolve(Package("npm", "never-answered", "1.0.0"), tmp_path, slow)
