"""A desktop notification over a real session bus, with a notification service of our own."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bawn.approvals.desktop import Desktop
from bawn.approvals.message import Notice
from bawn.approvals.request import request_of
from bawn.approvals.webhook import UntoldError
from tests.approving import NOW, TOOL, asking, call

pytestmark = pytest.mark.e2e

jeepney = pytest.importorskip("jeepney")
NOTICE = Notice(
    "abc", request_of(call(), TOOL, asking(), lambda rule: ""), NOW + 60, "https://x/s3cr3t"
)

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy>
</busconfig>"""


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a session bus."""
    program = shutil.which("dbus-daemon")
    if program is None:
        assert "CI" not in os.environ, "`make test` installs dbus: CI must not skip this"
        pytest.skip("dbus-daemon is not installed")
    config = tmp_path / "bus.conf"
    config.write_text(CONFIG.format(path=tmp_path / "bus"))
    command = [program, "--config-file", str(config), "--print-address", "--nofork"]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert daemon.stdout is not None
    address = daemon.stdout.readline().decode().strip()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    yield address
    daemon.terminate()
    daemon.wait()
    daemon.stdout.close()


async def serve(ready: asyncio.Event, *, refuse: bool) -> tuple[Any, ...]:
    """Be the desktop for one notification; what it said."""
    from jeepney.bus_messages import (  # type: ignore[import-untyped]  # it brings no types
        message_bus,
    )
    from jeepney.io.asyncio import (  # type: ignore[import-untyped]  # likewise
        open_dbus_connection,
    )

    connection = await open_dbus_connection(bus="SESSION")
    async with connection:
        await connection.send(message_bus.RequestName("org.freedesktop.Notifications"))
        ready.set()
        while True:
            message = await connection.receive()
            fields = message.header.fields
            if fields.get(jeepney.HeaderFields.member) == "Notify":
                answer = (
                    jeepney.new_error(message, "org.example.Refused")
                    if refuse
                    else jeepney.new_method_return(message, "u", (1,))
                )
                await connection.send(answer)
                return tuple(message.body)


async def told(*, refuse: bool = False) -> tuple[Any, ...]:
    ready = asyncio.Event()
    desktop = asyncio.create_task(serve(ready, refuse=refuse))
    async with asyncio.timeout(30):
        await asyncio.wait(
            {desktop, asyncio.create_task(ready.wait())}, return_when="FIRST_COMPLETED"
        )
        try:
            await Desktop("https://gate.example.com", lambda: NOW).send(NOTICE, "msg")
        finally:
            said = await desktop
    return said


async def test_the_desktop_shows_who_wants_what_and_the_page_but_no_link_that_decides(
    bus: str,
) -> None:
    name, _, _, title, body, actions, hints, timeout = await told()
    assert (name, title, actions, timeout) == ("bawn", "Approve roll_out of deploys?", [], 60_000)
    assert "ada wants roll_out of deploys" in body
    assert body.endswith("https://gate.example.com/approvals/abc")
    assert "s3cr3t" not in body
    assert hints["urgency"] == ("y", 2)


async def test_a_desktop_that_refuses_or_is_not_there_is_an_untold_approver(bus: str) -> None:
    with pytest.raises(UntoldError):
        await told(refuse=True)
    with pytest.raises(UntoldError):
        await Desktop("https://gate.example.com", lambda: NOW).send(NOTICE, "msg")
