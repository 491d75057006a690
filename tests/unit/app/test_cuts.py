from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bawn.app import cuts as module
from bawn.app.cuts import CutList
from bawn.barrier.edition import Cut
from bawn.storage import StateDirectory


def test_cuts_outlive_the_process(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    cuts = CutList(state)
    assert cuts.all == ()
    cuts.keep(cuts.plus(Cut("server", "files", 1.0, "one")))
    cuts.keep(cuts.plus(Cut("principal", "eve", 2.0)))
    cuts.keep(cuts.plus(Cut("server", "files", 3.0, "two")))
    assert CutList(state).all == (Cut("principal", "eve", 2.0), Cut("server", "files", 3.0, "two"))
    assert stat.S_IMODE((state.path / "cuts.json").stat().st_mode) == 0o600
    cuts.keep(cuts.minus(lambda cut: cut.name == "eve"))
    assert CutList(state).all == (Cut("server", "files", 3.0, "two"),)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'[{"kind": "all", "name": ""}]', b"\xff"])
def test_a_list_that_cannot_be_read_cuts_everything_until_it_is_begun_anew(
    tmp_path: Path, content: bytes
) -> None:
    state = StateDirectory(tmp_path / "state")
    (state.path / "cuts.json").write_bytes(content)
    (state.path / "cuts.json").chmod(0o600)
    cuts = CutList(state)
    assert [(cut.kind, cut.why) for cut in cuts.all] == [("gate", module.UNREADABLE)]
    cuts.keep(cuts.minus(lambda cut: True))
    assert CutList(state).all == ()


def test_a_list_that_others_can_read_is_not_relied_on(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    CutList(state).keep((Cut("server", "files", 1.0),))
    (state.path / "cuts.json").chmod(0o644)
    assert CutList(state).all[0].kind == "gate"


def test_a_cut_that_could_not_be_written_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts = CutList(StateDirectory(tmp_path / "state"))

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "replace", full)
    with pytest.raises(OSError, match="No space"):
        cuts.keep((Cut("gate", "", 0.0),))
    assert cuts.all == ()
