"""Loads the detectors: the built-in ones, and those of packages that the configuration names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, entry_points, version

from bawn.detectors.known import GROUP, Origin, ordered, unsound, wanted
from bawn.errors import Misconfigured
from bawn.ports.inspecting import Detector


def detectors(plugins: Sequence[str] = ()) -> tuple[Detector, ...]:
    """The built-in detectors and those of `plugins`, each `name==version` of an installed package.

    Nothing of a package that is not named is imported.

    Raises:
        Misconfigured: a plugin is not installed in this version, cannot be loaded, or is no detector.
    """
    points = {
        Origin(point.dist.name, point.dist.version, point.name): point
        for point in entry_points(group=GROUP)
        if point.dist is not None
    }
    named = dict(plugin.split("==", 1) for plugin in plugins)
    chosen, problems = wanted(points, named, _installed(named))
    if problems:
        raise Misconfigured(*problems)
    loaded: list[Detector] = []
    for origin in chosen:
        try:
            detector = points[origin].load()()
        except Exception as error:  # noqa: BLE001 - it is another's code: whatever it raises is told
            problems.append(f"detector {origin} cannot be loaded: {type(error).__name__}: {error}")
            continue
        problems += unsound(origin, detector)
        loaded.append(detector)
    if problems:
        raise Misconfigured(*problems)
    return ordered(loaded)


def _installed(packages: Iterable[str]) -> dict[str, str]:
    """The versions of those of the packages that are installed."""
    versions: dict[str, str] = {}
    for package in packages:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions
