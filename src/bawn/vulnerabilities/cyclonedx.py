"""An inventory as a software bill of materials in CycloneDX 1.6 JSON.

Source: ECMA-424 (CycloneDX 1.6), https://cyclonedx.org/docs/1.6/json/. The same inventory gives the same
document, serial number included; so it bears no time.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from bawn import __version__
from bawn.model import Json
from bawn.vulnerabilities.component import Component, Inventory

_ALGORITHMS: Final[Mapping[str, tuple[str, int]]] = {
    "sha1": ("SHA-1", 20),
    "sha256": ("SHA-256", 32),
    "sha384": ("SHA-384", 48),
    "sha512": ("SHA-512", 64),
}
_TYPES: Final[Mapping[str, str]] = {"oci": "container", "binary": "application"}
_AGGREGATES: Final = {"complete": "complete", "partial": "incomplete", "unknown": "unknown"}


def document(server: str, inventory: Inventory) -> Json:
    """The bill of materials of one server."""
    subject = f"server:{server}"
    root = inventory.root
    component: Json = {"type": "application", "bom-ref": subject, "name": server}
    if root is not None and root.version:
        component["version"] = root.version
    serial = uuid5(NAMESPACE_URL, f"urn:bawn:sbom:{server}:{inventory.of}")
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial.urn,
        "version": 1,
        "metadata": {
            "tools": {
                "components": [{"type": "application", "name": "bawn", "version": __version__}]
            },
            "component": component,
            "properties": [{"name": "bawn:inventory", "value": inventory.why or "complete"}],
        },
        "components": [_component(each) for each in inventory.components],
        "dependencies": list(_dependencies(subject, inventory)),
        "compositions": [
            {"aggregate": _AGGREGATES[inventory.completeness], "assemblies": [subject]}
        ],
    }


def _component(component: Component) -> Json:
    group, slash, name = (
        component.name.rpartition("/") if component.ecosystem == "npm" else ("",) * 3
    )
    told: Json = {
        "type": _TYPES.get(component.ecosystem, "library"),
        "bom-ref": component.key,
        **({"group": group} if slash else {}),
        "name": name or component.name,
        "version": component.version,
        "scope": component.scope,
    }
    if not component.local:
        told["purl"] = component.key
    hashes = [found for each in component.hashes if (found := _hash(each)) is not None]
    return {**told, "hashes": hashes} if hashes else told


def _hash(integrity: str) -> Json | None:
    """A digest of Subresource Integrity in hexadecimal; None for what is none."""
    name, _, text = integrity.partition("-")
    algorithm, length = _ALGORITHMS.get(name, ("", 0))
    try:
        digest = b64decode(text.partition("?")[0], validate=True)
    except (binascii.Error, ValueError):
        return None
    return {"alg": algorithm, "content": digest.hex()} if length and len(digest) == length else None


def _dependencies(subject: str, inventory: Inventory) -> Iterator[Json]:
    known = {each.key for each in inventory.components}
    root = inventory.root
    yield {"ref": subject, "dependsOn": [root.key] if root is not None else []}
    for each in inventory.components:
        needs = [key for key in each.requires if key in known and key != each.key]
        if needs:
            yield {"ref": each.key, "dependsOn": needs}
