"""Components have the names by which everybody knows them, and an inventory each of them once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bawn.launching.package import Ecosystem
from bawn.vulnerabilities.component import listed, purl
from tests.vulnerable import component


@dataclass
class Case:
    ecosystem: Ecosystem
    name: str
    version: str
    purl: str


@pytest.mark.parametrize(
    "case",
    [
        Case("npm", "@angular/animation", "12.3.1", "pkg:npm/%40angular/animation@12.3.1"),
        Case("npm", "foobar", "12.3.1", "pkg:npm/foobar@12.3.1"),
        Case("pypi", "Django_Package", "1.11.1+x", "pkg:pypi/django-package@1.11.1%2Bx"),
        Case("oci", "ghcr.io/a/Debian", "sha256:24", "pkg:oci/debian@sha256%3A24?repository_url=ghcr.io%2Fa%2Fdebian"),
        Case("binary", "/usr/bin/x y", "", "pkg:generic/%2Fusr%2Fbin%2Fx%20y"),
    ],
)  # fmt: skip
def test_a_package_url_has_the_form_of_its_type(case: Case) -> None:
    assert purl(case.ecosystem, case.name, case.version) == case.purl


def test_the_same_package_in_two_places_is_one_component() -> None:
    deep = component("a", "1", hashes=("sha256-x",), requires=("z",), scope="optional")
    near = component("a", "1", hashes=("sha512-y",), relation="direct")
    one = listed([deep, near], "complete", "").components
    assert len(one) == 1
    assert one[0].hashes == ("sha256-x", "sha512-y")
    assert (one[0].relation, one[0].scope, one[0].requires) == ("direct", "required", ("z",))


def test_an_inventory_is_the_same_in_any_order() -> None:
    a, b = component("a", "1"), component("b", "2")
    assert listed([a, b], "complete", "") == listed([b, a], "complete", "")
    assert listed([a], "complete", "").of != listed([b], "complete", "").of
