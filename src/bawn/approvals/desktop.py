"""Telling an approver on this machine's desktop, over D-Bus; no program is started.

What passes over the session bus can be read by every program of this user, so a notification names the
page and no link that decides. Source: Desktop Notifications Specification 1.3.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

from bawn.approvals.message import Notice
from bawn.approvals.webhook import UntoldError

PATIENCE: Final = 5.0  # seconds
_NAME: Final = "org.freedesktop.Notifications"
_CRITICAL: Final = 2  # the urgency of what stays until somebody looks
_LONGEST: Final = 2**31 - 1


def can_be_had() -> bool:
    """Whether the library that speaks D-Bus is there."""
    return find_spec("jeepney") is not None


class Desktop:
    """Notifications of the user whose session this is. `clock` gives seconds since the epoch."""

    def __init__(self, base_url: str, clock: Callable[[], float]) -> None:
        self._base_url = base_url
        self._clock = clock

    async def send(self, notice: Notice, id_: str) -> None:
        """Show it.

        Raises:
            UntoldError: there is no desktop, or it does not take it.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                await self._notify(notice)
        except (OSError, EOFError, KeyError, ValueError, TimeoutError) as problem:
            raise UntoldError(f"no desktop took it ({type(problem).__name__})") from None

    async def _notify(self, notice: Notice) -> None:
        from jeepney import (  # type: ignore[import-untyped]  # it brings no types
            DBusAddress,
            MessageType,
            new_method_call,
        )
        from jeepney.io.asyncio import (  # type: ignore[import-untyped]  # likewise
            open_dbus_router,
        )

        body = f"{notice.text.replace('`', '')}\n{self._base_url}/approvals/{notice.id}"
        left = min(int(max(notice.expires - self._clock(), 0.0) * 1000), _LONGEST)
        hints = {"urgency": ("y", _CRITICAL)}
        address = DBusAddress(f"/{_NAME.replace('.', '/')}", bus_name=_NAME, interface=_NAME)
        message = new_method_call(
            address, "Notify", "susssasa{sv}i", ("bawn", 0, "", notice.title, body, [], hints, left)
        )
        async with open_dbus_router(bus="SESSION") as router:
            reply = await router.send_and_get_reply(message)
        if reply.header.message_type is MessageType.error:
            raise UntoldError("the desktop refused it")
