from __future__ import annotations

import pytest

from bawn.launching.specifier import image, npm, python

_COMMIT = "0123456789" * 4


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"github:acme/x#{_COMMIT}", "commit"), (f"acme/x#{_COMMIT}", "commit"), (f"git+https://h.example/x#{_COMMIT}", "commit"),
        ("github:acme/x#main", "remote"), (f"git+http://h.example/x#{_COMMIT}", "remote"), (f"https://h.example/x.tgz#{_COMMIT}", "remote"),
        ("github:acme/x#0123456", "remote"), ("https://user:pw@h.example/x", "remote"), ("git@h.example:acme/x", "remote"),
    ],
)  # fmt: skip
def test_only_a_full_commit_over_a_secure_way_is_exact(text: str, kind: str) -> None:
    package, found = npm(text, 0)
    assert package is None
    assert [each.kind for each in found] == [f"launch/{kind}"]
    assert "pw" not in found[0].message


@pytest.mark.parametrize("text", ["./x", "/srv/x", "file:../x", "../x.tgz", "x@file:./y", "~/x"])
def test_a_path_is_local(text: str) -> None:
    assert npm(text, 0) == (None, ())


@pytest.mark.parametrize(
    ("text", "name", "version"),
    [
        ("Acme_X.y==1.0", "acme-x-y", "1.0"), ("acme[cli]@1.2", "acme", "1.2"), ("acme>=1,<2", "acme", ">=1,<2"),
        ("acme === 1.0", "acme", "1.0"), ("acme==1.0 ; python_version>'3'", "acme", "1.0"), ("acme", "acme", ""),
    ],
)  # fmt: skip
def test_requirements_are_read(text: str, name: str, version: str) -> None:
    package, _ = python(text, 0)
    assert package is not None
    assert (package.name, package.version) == (name, version)


@pytest.mark.parametrize(
    ("text", "name", "version", "exact"),
    [
        ("acme", "acme", "", False), ("r.example:5000/acme", "r.example:5000/acme", "", False), ("acme:1", "acme", "1", False),
        ("acme:1@sha256:" + "a" * 64, "acme", "1", True), ("acme@sha256:abc", "acme", "", False),
    ],
)  # fmt: skip
def test_images_are_read(text: str, name: str, version: str, exact: bool) -> None:
    package, _ = image(text, 0)
    assert package is not None
    assert (package.name, package.version, package.exact) == (name, version, exact)


def test_the_capitals_of_an_npm_package_are_its_name() -> None:
    package, _ = npm("JSONStream@1.3.5", 0)
    assert package is not None
    assert package.name == "JSONStream"
    assert "launch/malicious" in {each.kind for each in npm("Postmark-MCP@1.0.16", 0)[1]}
