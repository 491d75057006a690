"""Container images in a file (`docker save`, an OCI layout in tar): what MCP lies in them, nothing unpacked.

Layers are read in order, with whiteouts (OCI image specification, layer.md), so that what is found is what a
container would see. Links are never followed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, TypeAlias

import msgspec

from bawn.discovery.inventory import understood
from bawn.discovery.shadow.archive import Archive, Damaged, Member
from bawn.discovery.shadow.git import client_of
from bawn.discovery.shadow.lines import open_regular
from bawn.discovery.shadow.recognise import SDK_NPM, SDKS_PYPI
from bawn.discovery.shadow.sighting import Look, Sighting, Unseen, clipped, masked_command, of_entry

MAX_FILE: Final = 1 << 20
MAX_FOUND: Final = 10_000
_Path: TypeAlias = tuple[str, ...]
_Change: TypeAlias = tuple[str, _Path, tuple[Sighting, ...]]
_OPAQUE: Final = ".wh..wh..opq"
_WHITEOUT: Final = ".wh."
_DEPENDENCIES: Final = ("dependencies", "peerDependencies", "optionalDependencies")


@dataclass(slots=True)
class _Image:
    """What was found so far, by path; a later layer replaces and removes."""

    found: dict[tuple[str, ...], tuple[Sighting, ...]] = field(default_factory=dict)
    unseen: list[Unseen] = field(default_factory=list)

    def without(self, removed: Collection[_Path], cleared: Collection[_Path] = ()) -> None:
        """Take away these paths with all below them, and what is below the cleared ones."""
        if removed or cleared:
            self.found = {
                path: found
                for path, found in self.found.items()
                if not any(path[:to] in removed for to in range(1, len(path) + 1))
                and not any(path[:to] in cleared for to in range(len(path)))
            }

    def apply(self, changes: Collection[_Change]) -> None:
        """Lay a layer over those before. What it hides is of those, wherever in the layer it says so."""
        self.without(
            {parts for kind, parts, _ in changes if kind == "remove"},
            {parts for kind, parts, _ in changes if kind == "clear"},
        )
        self.without({parts for kind, parts, _ in changes if kind == "put"})
        self.found |= {parts: found for kind, parts, found in changes if kind == "put"}


def look(path: Path) -> Look:
    """The servers in an image: client files, and packages built on an SDK of MCP."""
    try:
        order, start, more = _outline(path)
        image = _layers(path, order)
    except (Damaged, OSError) as problem:
        return Look((), (Unseen("image", str(path), clipped(str(problem))),))
    if more:
        image.unseen.append(Unseen("image", str(path), "further images in the same file", more))
    found = tuple(sighting for each in image.found.values() for sighting in each)
    found = tuple(_started(sighting, start) for sighting in found)
    return Look(found, tuple(image.unseen))


def _started(sighting: Sighting, start: tuple[str, ...]) -> Sighting:
    """A package of the image, with the command that the image starts."""
    if sighting.what != "image" or not start:
        return sighting
    return msgspec.structs.replace(sighting, command=masked_command(start))


def _outline(path: Path) -> tuple[_Path, _Path, int]:
    """The names of the layers, lowest first, the image's own command, and how many images are besides."""
    small: dict[str, Any] = {}
    with open_regular(path) as file:
        archive = Archive(file)
        for member in archive:
            if member.is_file and 0 < member.size <= MAX_FILE and len(small) < MAX_FOUND:
                raw = archive.read(MAX_FILE)
                if raw.lstrip()[:1] in {b"{", b"["} and (parsed := _json(raw)) is not None:
                    small["/".join(member.parts)] = parsed
    manifest = small.get("manifest.json")
    if isinstance(manifest, list) and manifest and isinstance(manifest[0], dict):
        layers = manifest[0].get("Layers")
        config = small.get(str(manifest[0].get("Config")))
        if isinstance(layers, list):
            return tuple(str(layer) for layer in layers), _command(config), len(manifest) - 1
    found = _oci(small, small.get("index.json"))
    if found is None:
        raise Damaged("neither a saved image nor an OCI layout: it has no manifest")
    return *found, max(0, sum(map(_is_image, small.values())) - 1)


def _is_image(document: Any) -> bool:
    """Whether it is the manifest of an image, and not of what is attached to one."""
    if not isinstance(document, dict) or not isinstance(document.get("layers"), list):
        return False
    attached = any("in-toto" in str(layer) for layer in document["layers"][:1])  # as buildx does
    return not attached and not any(key in document for key in ("artifactType", "subject"))


def _oci(
    small: dict[str, Any], index: Any, depth: int = 0
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Follow an index to its first manifest that has layers."""
    manifests = index.get("manifests") if isinstance(index, dict) else None
    for entry in manifests if isinstance(manifests, list) and depth < 4 else ():
        found = small.get(_blob(entry))
        layers = found.get("layers") if isinstance(found, dict) else None
        if isinstance(layers, list) and isinstance(found, dict):
            return tuple(_blob(layer) for layer in layers), _command(
                small.get(_blob(found.get("config")))
            )
        if (deeper := _oci(small, found, depth + 1)) is not None:
            return deeper
    return None


def _blob(descriptor: Any) -> str:
    digest = descriptor.get("digest") if isinstance(descriptor, dict) else None
    return f"blobs/{digest.replace(':', '/')}" if isinstance(digest, str) else ""


def _command(config: Any) -> tuple[str, ...]:
    settings = config.get("config") if isinstance(config, dict) else None
    if not isinstance(settings, dict):
        return ()
    lists = (settings.get("Entrypoint"), settings.get("Cmd"))
    return tuple(str(word) for words in lists if isinstance(words, list) for word in words)


def _layers(path: Path, order: Sequence[str]) -> _Image:
    """Apply the layers in their order, whatever their order in the file."""
    image = _Image()
    wanted = {
        str(PurePosixPath(name)): [at for at, n in enumerate(order) if n == name] for name in order
    }
    reached: dict[int, list[_Change]] = {}
    with open_regular(path) as file:
        archive = Archive(file)
        for member in archive:
            places = wanted.get("/".join(member.parts))
            if member.is_file and places:
                name = "/".join(member.parts)
                try:
                    changes = list(_changes(archive.nested(), path))
                except Damaged as problem:
                    image.unseen.append(Unseen("image", clipped(f"{path}:{name}"), str(problem)))
                    continue
                reached |= dict.fromkeys(places, changes)
    for at, name in enumerate(order):
        if at not in reached:
            where = clipped(f"{path}:{name}")
            if not any(unseen.where == where for unseen in image.unseen):
                image.unseen.append(Unseen("image", where, "the layer is not in the file"))
        image.apply(reached.get(at, []))
    return image


def _changes(file: IO[bytes], path: Path) -> Iterator[_Change]:
    """What a layer does: `remove` a path, `clear` a directory, `put` a file that matters."""
    layer = Archive(file)
    count = 0
    for member in layer:
        parent, name = member.parts[:-1], member.parts[-1]
        if name == _OPAQUE:
            yield "clear", parent, ()
        elif name.startswith(_WHITEOUT):
            yield "remove", (*parent, name.removeprefix(_WHITEOUT)), ()
        elif _matters(member):
            count += 1
            if count > MAX_FOUND * 10:
                raise Damaged("too many files that may be of MCP")
            fits = member.is_file and member.size <= MAX_FILE
            found = tuple(_found(member.parts, layer.read(MAX_FILE), path)) if fits else ()
            yield "put", member.parts, found


def _matters(member: Member) -> bool:
    name = member.parts[-1]
    is_metadata = (
        name == "METADATA" and len(member.parts) > 1 and member.parts[-2].endswith(".dist-info")
    )
    return name == "package.json" or is_metadata or client_of("/".join(member.parts)) is not None


def _found(parts: tuple[str, ...], raw: bytes, path: Path) -> Iterator[Sighting]:
    inside = "/".join(parts)
    where = clipped(f"{path}:{inside}")
    if parts[-1] == "package.json":
        name, why = _npm(raw)
    elif parts[-1] == "METADATA":
        name, why = _pypi(raw)
    else:
        for client, places in client_of(inside) or ():
            for entry in understood(client, Path(inside), places, raw).entries:
                sighting = of_entry(entry, "image", f"{where}:{entry.line}")
                if sighting is not None:
                    yield sighting
        return
    if why:
        yield Sighting("image", "image", clipped(name)[:214], where, evidence=(clipped(why),))


def _npm(raw: bytes) -> tuple[str, str]:
    found = _json(raw)
    if not isinstance(found, dict):
        return "", ""
    name = str(found.get("name") or "(a package without a name)")
    if name == SDK_NPM:
        return "", ""  # the SDK is no server; what depends on it is
    for kind in _DEPENDENCIES:
        needed = found.get(kind)
        if isinstance(needed, dict) and SDK_NPM in needed:
            return name, f"npm package {name} {found.get('version', '')} depends on {SDK_NPM}"
    return "", ""


def _pypi(raw: bytes) -> tuple[str, str]:
    """The name of a distribution that is, or needs, an SDK (core metadata, PEP 566)."""
    head = raw.partition(b"\n\n")[0].decode("utf-8", "replace")
    fields = [line.partition(": ")[::2] for line in head.splitlines()]
    name = next((value.strip() for key, value in fields if key == "Name"), "")
    version = next((value.strip() for key, value in fields if key == "Version"), "")
    if name.lower() in SDKS_PYPI:
        return name, f"PyPI package {name} {version}: an SDK of MCP servers"
    needs = {value.split(";")[0].strip() for key, value in fields if key == "Requires-Dist"}
    for need in needs:
        bare = need.replace("(", " ").split("[")[0]
        bare = bare.split(" ")[0].rstrip("<>=!~,.0123456789*")
        if bare.lower() in SDKS_PYPI:
            return name, f"PyPI package {name} {version} depends on {bare}"
    return "", ""


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
