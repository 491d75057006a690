"""What a server is made of: components under the names that vulnerability databases know them by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

import msgspec

from bawn.launching.package import Ecosystem

Completeness: TypeAlias = Literal["complete", "partial", "unknown"]
Relation: TypeAlias = Literal["root", "direct", "dependency"]

OSV_ECOSYSTEMS: Final[Mapping[str, str]] = {"npm": "npm", "pypi": "PyPI"}
"""What OSV calls the ecosystems that it has records of; source: OSV schema, `affected[].package`."""

_UNLIKE: Final = re.compile(r"[-_.]+")
_PLAIN: Final = "-._~"


class Component(msgspec.Struct, frozen=True):
    """One package at one version. `hashes` are in the form of Subresource Integrity, `sha512-…`.

    A `local` one comes from no registry: what others published under its name is not about it.
    `requires` holds the keys of the components that it depends on, as far as that is known.
    """

    ecosystem: Ecosystem
    name: str
    version: str
    hashes: tuple[str, ...] = ()
    relation: Relation = "dependency"
    scope: Literal["required", "optional"] = "required"
    local: bool = False
    requires: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its package URL, which is what tells it from others."""
        return purl(self.ecosystem, self.name, self.version)


class Inventory(msgspec.Struct, frozen=True):
    """What a server would run, and whether that is all of it. `of` names what was looked at.

    `of` is the digest of the resolution, or of the list itself. `resolved` says that bawn installs it,
    so that `bawn server update` can move it. `why` is empty when the inventory is complete.
    """

    components: tuple[Component, ...]
    completeness: Completeness
    why: str
    of: str
    resolved: bool = False

    @property
    def root(self) -> Component | None:
        """The package that is started, when it is one of the components."""
        return next((each for each in self.components if each.relation == "root"), None)


def normalised(name: str) -> str:
    """A name on PyPI in its one form (PEP 503)."""
    return _UNLIKE.sub("-", name).lower()


def purl(ecosystem: Ecosystem, name: str, version: str) -> str:
    """The package URL; source: the purl specification and its types npm, pypi, oci and generic."""
    at = f"@{quote(version, safe=_PLAIN)}" if version else ""
    if ecosystem == "oci":
        last = name.rpartition("/")[2].lower()
        place = f"?repository_url={quote(name.lower(), safe=_PLAIN)}"
        return f"pkg:oci/{quote(last, safe=_PLAIN)}{at}{place}"
    if ecosystem == "npm":
        path = "/".join(quote(part, safe=_PLAIN) for part in name.split("/"))
        return f"pkg:npm/{path}{at}"
    if ecosystem == "pypi":
        return f"pkg:pypi/{quote(normalised(name), safe=_PLAIN)}{at}"
    return f"pkg:generic/{quote(name, safe=_PLAIN)}{at}"


def listed(
    components: Iterable[Component],
    completeness: Completeness,
    why: str,
    *,
    of: str = "",
    resolved: bool = False,
) -> Inventory:
    """An inventory in a fixed order, with each component once."""
    found: dict[str, Component] = {}
    for each in components:
        known = found.get(each.key)
        found[each.key] = each if known is None else _joined(known, each)
    inside = tuple(found[key] for key in sorted(found))
    told = of or sha256(msgspec.json.encode(inside)).hexdigest()
    return Inventory(inside, completeness, why, told, resolved)


def _joined(one: Component, other: Component) -> Component:
    """The same package in two places: the closer relation, and everything that either says."""
    order: tuple[Relation, ...] = ("root", "direct", "dependency")
    return msgspec.structs.replace(
        one,
        hashes=tuple(sorted({*one.hashes, *other.hashes})),
        relation=min(one.relation, other.relation, key=order.index),
        scope="required" if "required" in {one.scope, other.scope} else "optional",
        local=one.local and other.local,
        requires=tuple(sorted({*one.requires, *other.requires})),
    )
