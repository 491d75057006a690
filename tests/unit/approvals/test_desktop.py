"""Without a desktop; with one it is tested against a real session bus in tests/e2e."""

from __future__ import annotations

import sys

import pytest

from bawn.approvals.desktop import Desktop
from bawn.approvals.message import Notice
from bawn.approvals.request import request_of
from bawn.approvals.webhook import UntoldError
from tests.approving import NOW, TOOL, asking, call


@pytest.mark.skipif(sys.platform != "linux", reason="D-Bus is of Linux desktops")
@pytest.mark.parametrize("bus", [None, "unix:path=/nowhere/bus", "nonsense", ""])
async def test_without_a_desktop_it_says_so(
    bus: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bus is None:
        monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    else:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
    notice = Notice("id", request_of(call(), TOOL, asking(), lambda rule: ""), NOW, "https://x")
    with pytest.raises(UntoldError):
        await Desktop("http://127.0.0.1:8811", lambda: NOW).send(notice, "msg")
