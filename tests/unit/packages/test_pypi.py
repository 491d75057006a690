"""pip's reports become wheels with digests, and the program is the one of the package's name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bawn.errors import Misconfigured
from bawn.launching.package import Artifact, Package
from bawn.packages import pypi
from tests.unit.packages.fakes import sri

SERVER = Package("pypi", "my-server")


def wheel(name: str, version: str = "1.0", **more: Any) -> dict[str, Any]:
    info = {"url": "x", "archive_info": {"hashes": {"sha256": "01" * 32}}}
    return {"download_info": info, "metadata": {"name": name, "version": version}, **more}


class FakePip:
    """Writes this report."""

    def __init__(self, *installs: dict[str, Any]) -> None:
        self.report = json.dumps({"version": "1", "install": installs}).encode()
        self.asked: list[tuple[str, ...]] = []
        self.said = ""

    def __call__(self, argv: Sequence[str], directory: Path) -> str:
        self.asked.append(tuple(argv))
        if "--report" in argv:
            (directory / "report.json").write_bytes(self.report)
        return self.said


def test_a_package_is_resolved_to_wheels_without_building(tmp_path: Path) -> None:
    tool = FakePip(wheel("My_Server", "2.0"), wheel("Dep.x"))
    exact, artifacts = pypi.resolve(SERVER, tmp_path, tool)
    assert exact == Package("pypi", "my-server", "2.0")
    assert artifacts == (
        Artifact("dep-x", "1.0", sri(1, "sha256")),
        Artifact("my-server", "2.0", sri(1, "sha256")),
    )
    asked = tool.asked[-1]
    assert {"--dry-run", "--only-binary", ":all:", "--ignore-installed"} <= set(asked)
    assert (tmp_path / "wanted.txt").read_text() == "my-server\n"


def test_the_pip_that_resolves_cannot_start_programs(tmp_path: Path) -> None:
    pypi.resolve(SERVER, tmp_path, FakePip(wheel("my-server")))
    (site,) = (tmp_path / "pip").glob("lib/python*/site-packages")
    assert (site / "bawn_guard.pth").read_text() == "import bawn_guard\n"
    assert "subprocess.Popen" in (site / "bawn_guard.py").read_text()


@pytest.mark.parametrize(
    "odd",
    [
        wheel("x", is_direct=True),
        {"download_info": {"url": "x", "vcs_info": {}}, "metadata": {"name": "x", "version": "1"}},
        {"download_info": {"url": "x", "dir_info": {}}, "metadata": {"name": "x", "version": "1"}},
        {"download_info": {"archive_info": {"hashes": {"md5": "00"}}}, "metadata": {"name": "x", "version": "1"}},
        {"download_info": {"archive_info": {"hashes": {"sha256": "zz"}}}, "metadata": {"name": "x", "version": "1"}},
    ],
)  # fmt: skip
def test_what_is_not_a_wheel_of_the_index_is_refused(odd: dict[str, Any]) -> None:
    report = json.dumps({"install": [odd]}).encode()
    with pytest.raises(Misconfigured, match="expected a wheel of the index"):
        pypi.artifacts_of(report)


@pytest.mark.parametrize("report", [b"", b"[]", b"{", b'{"install": [{}]}', b"\xff"])
def test_a_broken_report_is_refused(report: bytes) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        pypi.artifacts_of(report)


def test_a_report_without_the_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="does not have it"):
        pypi.resolve(SERVER, tmp_path, FakePip(wheel("other")))


def test_it_is_installed_with_hashes_alone(tmp_path: Path) -> None:
    tool = FakePip()
    artifacts = (Artifact("my-server", "2.0", sri(1, "sha256")),)
    pypi.install(SERVER, artifacts, tmp_path / "tree", tmp_path, tool)
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(tool.asked[-1])
    assert (tmp_path / "exact.txt").read_text() == f"my-server==2.0 --hash=sha256:{'01' * 32}\n"


def environment(tree: Path, *scripts: str, points: str | None = None) -> Path:
    site = tree / "lib" / "python3.11" / "site-packages"
    (tree / "bin").mkdir(parents=True)
    info = site / "My_Server-2.0.dist-info"
    info.mkdir(parents=True)
    other = site / "dep-1.0.dist-info"
    other.mkdir()
    (other / "entry_points.txt").write_text("[console_scripts]\nmy-server = evil:main\n")
    told = "".join(f"{name} = m:main\n" for name in scripts)
    (info / "entry_points.txt").write_text(points or f"[console_scripts]\n{told}")
    for name in scripts:
        if "/" not in name:
            (tree / "bin" / name).write_text("")
    return tree


@pytest.mark.parametrize(
    ("scripts", "wanted", "chosen"),
    [
        (("my-server",), "", "my-server"),
        (("my_server", "other"), "", "my_server"),
        (("other",), "", "other"),
        (("my-server", "other"), "other", "other"),
    ],
)
def test_the_program_is_chosen_as_uvx_does(
    tmp_path: Path, scripts: tuple[str, ...], wanted: str, chosen: str
) -> None:
    tree = environment(tmp_path, *scripts)
    assert pypi.program(SERVER, tree, wanted) == ("bin/python", "-B", f"bin/{chosen}")


@pytest.mark.parametrize(
    ("scripts", "wanted", "why"),
    [
        (("a", "b"), "", "it has a, b"),
        ((), "", "it has none"),
        (("my-server",), "other", "it has my-server"),
        (("my-server", "my_server"), "", "it has my-server, my_server"),
        (("../my-server",), "", "no file of its environment"),
    ],
)
def test_an_unclear_or_foreign_program_is_refused(
    tmp_path: Path, scripts: tuple[str, ...], wanted: str, why: str
) -> None:
    with pytest.raises(Misconfigured, match=why):
        pypi.program(SERVER, environment(tmp_path, *scripts), wanted)


def test_broken_entry_points_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        pypi.program(SERVER, environment(tmp_path, points="no section\n"), "")


def test_the_index_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    tool = FakePip()
    tool.said = "global.index-url='https://index.example/simple/'\n"
    assert pypi.index_of(tmp_path, tool) == "https://index.example/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "https://other.example/simple")
    assert pypi.index_of(tmp_path, tool) == "https://other.example/simple"
