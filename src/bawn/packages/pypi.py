"""PyPI packages: resolved by pip to wheels, installed from their digests into an environment of their own.

Wheels only: a source distribution runs code of its own to be built, before anybody has seen what it is.
The index is whichever the user's own pip is set to.
"""

from __future__ import annotations

import os
import platform
import sys
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from bawn.errors import Misconfigured
from bawn.launching.package import Artifact, Package
from bawn.packages import naming
from bawn.packages.tool import Run, read_bounded

_FLAGS: Final = (
    "--only-binary", ":all:", "--no-build-isolation", "--no-input", "--no-user", "--ignore-installed",
    "--progress-bar", "off", "--quiet",
)  # fmt: skip
_GUARD: Final = """\
import sys

def guard(event, arguments):
    musl = event == "subprocess.Popen" and str(arguments[0]).startswith("/lib/ld-musl")
    if event in {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"} and not musl:
        raise FileNotFoundError(2, "only wheels of the index are taken: nothing is built or cloned")

sys.addaudithook(guard)
"""
"""Within the pip that resolves. A dependency by URL is outside `--only-binary`, and would be built."""


class _Archive(msgspec.Struct):
    hashes: dict[str, str] = {}


class _Download(msgspec.Struct):
    archive_info: _Archive | None = None


class _Metadata(msgspec.Struct):
    name: str
    version: str


class _Install(msgspec.Struct):
    download_info: _Download
    metadata: _Metadata
    is_direct: bool = False


class _Report(msgspec.Struct):
    """What `pip install --report` writes, version 1."""

    install: list[_Install]


def platform_name() -> str:
    """For what the wheels that are found here are made."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{sys.platform}-{platform.machine()}-{sys.implementation.name}-{version}"


def resolve(package: Package, scratch: Path, run: Run) -> tuple[Package, tuple[Artifact, ...]]:
    """The exact version, and the wheels of everything that it needs on this machine.

    Raises:
        Misconfigured: pip cannot, something has no wheel, or does not come from the index.
        Refused: integrity.launch.
    """
    (scratch / "wanted.txt").write_text(f"{naming.requirement(package)}\n")
    run(
        (*_pip(scratch, run, guarded=True), "install", "--dry-run", *_FLAGS, "--report", "report.json",
         "-r", "wanted.txt"),
        scratch,
    )  # fmt: skip
    artifacts = artifacts_of(read_bounded(scratch / "report.json"))
    main = next((each for each in artifacts if each.name == canonicalize_name(package.name)), None)
    if main is None:
        raise Misconfigured(f"{package}: pip's report does not have it")
    return Package("pypi", package.name, main.version), artifacts


def artifacts_of(report: bytes) -> tuple[Artifact, ...]:
    """The wheels of a report, by name.

    Raises:
        Misconfigured: it cannot be read, or one of them is of a URL or has no digest.
    """
    try:
        installs = msgspec.json.decode(report, type=_Report).install
    except (msgspec.MsgspecError, UnicodeError) as problem:
        raise Misconfigured(f"pip wrote a report that cannot be read: {problem}") from None
    found = []
    for each in installs:
        info = each.download_info.archive_info
        try:
            digest = bytes.fromhex(info.hashes["sha256"]) if info and not each.is_direct else b""
        except (KeyError, ValueError):
            digest = b""
        if len(digest) != 32:
            raise Misconfigured(
                f"{each.metadata.name} {each.metadata.version}: comes from a URL, a repository or a "
                "directory; expected a wheel of the index with its SHA-256"
            )
        name = canonicalize_name(each.metadata.name)
        found.append(Artifact(name, each.metadata.version, naming.integrity("sha256", digest)))
    return tuple(sorted(found, key=lambda one: one.name))


def install(
    package: Package, artifacts: tuple[Artifact, ...], tree: Path, scratch: Path, run: Run
) -> None:
    """Make an environment of these wheels, and no others, in `tree`.

    Raises:
        Misconfigured: pip cannot, or an artifact has no wheel any more.
        Refused: integrity.launch: a wheel has another digest.
    """
    pip = _pip(scratch, run)
    run((_python(), "-I", "-m", "venv", "--without-pip", str(tree)), scratch)
    (scratch / "exact.txt").write_text("".join(map(_line, artifacts)))
    run(
        (*pip, "--python", str(tree / "bin" / "python"), "install", "--require-hashes", "--no-deps",
         *_FLAGS, "-r", "exact.txt"),
        scratch,
    )  # fmt: skip


def program(package: Package, tree: Path, wanted: str) -> tuple[str, ...]:
    """What starts the server: the console script of the package's name, as uvx chooses it.

    `wanted` is the name of a script where the command gives one.

    Raises:
        Misconfigured: there is none, or it is not clear which.
    """
    scripts = sorted(_scripts(package, tree))
    name = canonicalize_name(wanted or package.name)
    found = [each for each in scripts if each == wanted or canonicalize_name(each) == name]
    if not found and len(scripts) == 1 and wanted in {"", package.name}:
        found = scripts
    if len(found) != 1:
        known = ", ".join(scripts) or "none"
        raise Misconfigured(
            f"{package}: has no program `{wanted or package.name}`; it has {known}: name one of them "
            f"in the command (`uvx --from {package.name} NAME`)"
        )
    script = tree / "bin" / found[0]
    if "/" in found[0] or not script.is_file() or script.is_symlink():
        raise Misconfigured(f"{package}: its program {found[0]!r} is no file of its environment")
    # Named by its interpreter: the script's first line has the place where it was installed first.
    return ("bin/python", "-B", f"bin/{found[0]}")


def may_lead_out(path: Path, tree: Path) -> bool:
    """Whether a link is one of those by which an environment has its interpreter."""
    return path.parent == tree / "bin" and path.name.startswith("python")


def index_of(scratch: Path, run: Run) -> str:
    """The index that the user's pip is set to, without a slash at its end.

    Raises:
        Misconfigured: pip cannot tell.
    """
    default = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    pip = _pip(scratch, run)
    if url := os.environ.get("PIP_INDEX_URL"):
        return url.rstrip("/")
    settings = run((*pip, "config", "list"), scratch)
    for line in settings.splitlines():
        key, _, value = line.partition("=")
        if key in {"install.index-url", "global.index-url"}:
            return value.strip("'\" ").rstrip("/")
    return run((pip[0], "-I", "-c", default), scratch).strip().rstrip("/")


def _scripts(package: Package, tree: Path) -> list[str]:
    """The console scripts that the package declares (PyPA "Entry points specification")."""
    name = canonicalize_name(package.name)
    for directory in tree.glob("lib/python*/site-packages/*.dist-info"):
        if canonicalize_name(directory.name.partition("-")[0]) != name:
            continue
        file = directory / "entry_points.txt"
        if not file.is_file():
            return []
        points = ConfigParser(delimiters=("=",), interpolation=None, strict=False)
        points.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser documents
        try:
            points.read_string(read_bounded(file).decode())
        except (ConfigError, UnicodeError):
            raise Misconfigured(f"{package}: its entry points cannot be read") from None
        return list(points["console_scripts"]) if points.has_section("console_scripts") else []
    raise Misconfigured(f"{package}: is not among what was installed")


def _pip(scratch: Path, run: Run, *, guarded: bool = False) -> tuple[str, ...]:
    """A pip in an environment of its own: bawn's may have none, and nobody else's is touched."""
    home = scratch / "pip"
    if not home.is_dir():
        run((_python(), "-I", "-m", "venv", str(home)), scratch)
    if guarded:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        site = home / "lib" / version / "site-packages"
        site.mkdir(parents=True, exist_ok=True)
        (site / "bawn_guard.py").write_text(_GUARD)
        (site / "bawn_guard.pth").write_text("import bawn_guard\n")
    return (str(home / "bin" / "python"), "-I", "-m", "pip")


def _python() -> str:
    return str(getattr(sys, "_base_executable", "") or sys.executable)


def _line(artifact: Artifact) -> str:
    _, digest = naming.raw_digest(artifact.integrity)
    return f"{artifact.name}=={artifact.version} --hash=sha256:{digest.hex()}\n"
