"""Nothing reaches a tool or registry that it could read as something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Misconfigured
from bawn.launching.package import Artifact, Ecosystem, Package
from bawn.packages import naming

GOOD: list[Package] = [
    Package("npm", "server-x"), Package("npm", "@a/b", "1.2.3"), Package("npm", "x", "^1 || ~2"),
    Package("npm", "x", "latest"), Package("pypi", "mcp-server-time", "1.0"), Package("pypi", "x", ">=1,<2"),
    Package("pypi", "x", "latest"), Package("oci", "mcp/time", "1.0"), Package("oci", "a.example:5000/b/c"),
    Package("oci", "localhost:5000/x", "", "sha256:" + "0" * 64), Package("binary", "./serve"),
]  # fmt: skip
BAD: list[Package] = [
    Package("npm", "--registry=http://evil.example"), Package("npm", "-g"), Package("npm", "../x"),
    Package("npm", "a/b"), Package("npm", "x", "--ignore-scripts=false"), Package("npm", "x", "file:../y"),
    Package("npm", "x", "git+ssh://h/x"), Package("npm", "x", "npm:y@1"), Package("npm", "x", "a/b"),
    Package("npm", "x\n"), Package("npm", "x" * 300), Package("pypi", "-rfile"), Package("pypi", "x\ny"),
    Package("pypi", "x", "1 --index-url=http://evil.example"), Package("pypi", "x", "1\n--pre"),
    Package("pypi", "x @ http://evil.example"), Package("pypi", "x", "@ file:///x"), Package("oci", "-x"),
    Package("oci", "a/../b"), Package("oci", "a.example/B"), Package("oci", "x", "a/b"),
    Package("oci", "x", "-t"), Package("oci", "x", "", "sha256:12"), Package("oci", "user@host/x"),
]  # fmt: skip


@pytest.mark.parametrize("package", GOOD, ids=str)
def test_real_names_pass(package: Package) -> None:
    naming.check(package)


@pytest.mark.parametrize("package", BAD, ids=str)
def test_options_paths_and_other_sources_are_refused(package: Package) -> None:
    with pytest.raises(Misconfigured, match="expected"):
        naming.check(package)


@given(st.sampled_from(("npm", "pypi", "oci")), st.text(max_size=40), st.text(max_size=40))
def test_whatever_passes_is_no_option_and_one_line(
    ecosystem: Ecosystem, name: str, version: str
) -> None:
    try:
        naming.check(Package(ecosystem, name, version))
    except Misconfigured:
        return
    assert not name.startswith("-")
    assert not version.startswith("-")
    assert name.isprintable()
    assert ".." not in name.split("/")


SOUND = naming.integrity("sha512", bytes(64))


@pytest.mark.parametrize(
    "path",
    ["", "x", "../x", "node_modules/../x", "/node_modules/x", "node_modules/x/../../y",
     "node_modules//x", "node_modules/x/", "node_modules/.bin", "node_modules/x\0",
     "node_modules/@a", "a/node_modules/x", "node_modules/x/lib"],
)  # fmt: skip
def test_a_path_out_of_the_tree_is_refused(path: str) -> None:
    with pytest.raises(Misconfigured, match="within the installed tree"):
        naming.check_artifact(Artifact("x", "1.0.0", SOUND, path), Package("npm", "x"))


def test_a_nested_path_passes() -> None:
    path = "node_modules/@a/b/node_modules/x"
    naming.check_artifact(Artifact("x", "1.0.0", SOUND, path), Package("npm", "x"))


@pytest.mark.parametrize(
    "integrity", ["", "sha1-AAAA", "md5-AAAA", "sha512-AAAA", "sha512-***", "sha256-", SOUND + " x"]
)
def test_a_weak_or_broken_digest_is_refused(integrity: str) -> None:
    with pytest.raises(Misconfigured, match="integrity"):
        naming.check_artifact(
            Artifact("x", "1.0.0", integrity, "node_modules/x"), Package("npm", "x")
        )


@pytest.mark.parametrize("version", ["", "^1.0.0", "latest", "1.0", "1.0.0 --x"])
def test_an_artifact_has_one_exact_version(version: str) -> None:
    with pytest.raises(Misconfigured):
        naming.check_artifact(Artifact("x", version, SOUND, "node_modules/x"), Package("npm", "x"))
