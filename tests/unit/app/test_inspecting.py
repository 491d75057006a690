"""The inspection of a worker is made of its configuration, and what cannot be is told in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bawn.app.inspecting import inspection
from bawn.config import Config
from bawn.errors import Misconfigured
from bawn.protocol.sealing import Sealer
from bawn.storage.directory import StateDirectory


@pytest.mark.parametrize("value", ["short", "x" * 300])
def test_a_planted_value_of_no_fit_length_is_told_without_it(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", value)
    config = Config.model_validate({"inspection": {"canaries": {"first": "${env:PLANTED}"}}})
    sealer = Sealer([b"k" * 32], lambda: os.urandom(12))
    with pytest.raises(Misconfigured, match="canary first needs 8 to 256") as caught:
        inspection(config, tmp_path, StateDirectory(tmp_path / "state"), sealer)
    assert value not in str(caught.value)
