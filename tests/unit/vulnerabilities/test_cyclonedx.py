"""A bill of materials is valid CycloneDX 1.6, the same each time, and says whether it is complete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bawn.vulnerabilities.component import Component, Inventory, listed
from bawn.vulnerabilities.cyclonedx import document
from tests.vulnerable import component

SHA256 = "sha256-" + "A" * 43 + "="
FULL = listed(
    [
        component("srv", "1.0", relation="root", requires=("pkg:pypi/jinja2@3.1.2",)),
        component("jinja2", "3.1.2", hashes=(SHA256, "md9-x", "sha512-AAAA"), requires=("gone",)),
        component("@scope/name", "1.2.3-rc.1+b", "npm", scope="optional"),
        component("ghcr.io/x/y", "sha256:aa", "oci"),
        component("/usr/bin/x", "", "binary"),
        component("own", "", "npm", local=True),
        component("odd\x1b\u202e", "1\n2", "npm"),
    ],
    "complete",
    "",
)


def test_it_is_the_same_for_the_same_inventory_and_another_for_another() -> None:
    serial = document("files", FULL)["serialNumber"]
    assert document("files", FULL) == document("files", FULL)
    assert document("other", FULL)["serialNumber"] != serial
    assert document("files", listed([], "unknown", "why"))["serialNumber"] != serial


def test_components_have_their_hashes_and_dependencies() -> None:
    told = document("files", FULL)
    by_ref = {each["bom-ref"]: each for each in told["components"]}
    assert by_ref["pkg:pypi/jinja2@3.1.2"]["hashes"] == [{"alg": "SHA-256", "content": "00" * 32}]
    scoped = by_ref["pkg:npm/%40scope/name@1.2.3-rc.1%2Bb"]
    assert (scoped["group"], scoped["name"], scoped["scope"]) == ("@scope", "name", "optional")
    assert told["dependencies"] == [
        {"ref": "server:files", "dependsOn": ["pkg:pypi/srv@1.0"]},
        {"ref": "pkg:pypi/srv@1.0", "dependsOn": ["pkg:pypi/jinja2@3.1.2"]},
    ]
    assert told["metadata"]["component"]["version"] == "1.0"


def test_a_local_package_has_no_package_url() -> None:
    told = {each["name"]: each for each in document("files", FULL)["components"]}
    assert "purl" not in told["own"]
    assert "purl" in told["srv"]


@pytest.mark.parametrize(
    ("inventory", "aggregate"),
    [
        (FULL, "complete"),
        (listed([Component("npm", "a", "1")], "partial", "torn"), "incomplete"),
        (listed([], "unknown", "a remote server"), "unknown"),
    ],
)
def test_it_says_whether_it_is_complete(inventory: Inventory, aggregate: str) -> None:
    assert document("files", inventory)["compositions"][0]["aggregate"] == aggregate


@pytest.mark.parametrize(
    "inventory", [FULL, listed([], "unknown", "a remote server")], ids=["full", "empty"]
)
def test_it_is_valid_by_the_official_schema(inventory: Inventory) -> None:
    _validator().validate(json.loads(json.dumps(document("files", inventory))))


def _validator() -> Any:
    """The schemas that come with cyclonedx-python-lib, which reach for nothing outside."""
    from cyclonedx import schema
    from jsonschema import Draft7Validator  # type: ignore[import-untyped]
    from referencing import Registry, Resource

    folder = Path(schema.__file__).parent / "_res"
    trees = {
        name: json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text(encoding="utf-8"))
        for name in ("bom-1.6", "jsf-0.82", "spdx")
    }
    resources = [Resource.from_contents(each) for each in trees.values()]
    named = [(tree["$id"], each) for tree, each in zip(trees.values(), resources, strict=True)]
    return Draft7Validator(trees["bom-1.6"], registry=Registry().with_resources(named))
