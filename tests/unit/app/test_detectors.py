"""The plugin door: built-in detectors load, others only when they are named exactly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bawn.app.detectors import detectors
from bawn.errors import Misconfigured

MODULE = """
class Acme:
    id = "acme"
    forms = "raw"
    surfaces = frozenset()
    triggers = ()
    def detect(self, text, surface):
        return []
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Installs a package acme-detectors 2.1 with one entry point and one module."""

    def install(point: str, module: str) -> None:
        info = tmp_path / "acme_detectors-2.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: acme-detectors\nVersion: 2.1\n"
        )
        (info / "entry_points.txt").write_text(f"[bawn.detectors]\n{point}\n")
        (tmp_path / f"{point.partition('= ')[2].partition(':')[0]}.py").write_text(module)
        monkeypatch.syspath_prepend(str(tmp_path))

    return install


def test_built_in_detectors_are_there_without_a_word() -> None:
    assert "hidden" in [each.id for each in detectors()]


def test_a_package_that_is_not_named_is_not_imported(package: Callable[[str, str], None]) -> None:
    package("acme = acme_unnamed:Acme", "raise SystemExit('imported')")
    assert "acme" not in [each.id for each in detectors()]


def test_a_package_that_is_named_is_loaded(package: Callable[[str, str], None]) -> None:
    package("acme = acme_named:Acme", MODULE)
    assert "acme" in [each.id for each in detectors(["acme-detectors==2.1"])]


@pytest.mark.parametrize(
    ("plugin", "told"),
    [("acme-detectors==2.0", "2.1 is installed"), ("nobody-has-this==1", "not installed")],
)
def test_another_version_and_none_are_misconfigured(
    package: Callable[[str, str], None], plugin: str, told: str
) -> None:
    package("acme = acme_other:Acme", MODULE)
    with pytest.raises(Misconfigured, match=told):
        detectors([plugin])


@pytest.mark.parametrize(
    ("point", "module", "told"),
    [
        ("acme = acme_raises:Acme", "raise RuntimeError('broken')", "RuntimeError: broken"),
        ("acme = acme_odd:Acme", "class Acme: id = 'acme'", "has no surfaces"),
        ("hidden = acme_twin:Acme", MODULE, "one detector of each id"),
        ("other = acme_name:Acme", MODULE, "says that its id is 'acme'"),
    ],
)
def test_what_cannot_be_used_is_misconfigured(
    package: Callable[[str, str], None], point: str, module: str, told: str
) -> None:
    package(point, module)
    with pytest.raises(Misconfigured, match=told):
        detectors(["acme-detectors==2.1"])
