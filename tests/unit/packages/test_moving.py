"""A command that does not name its package is not changed."""

from __future__ import annotations

import pytest

from bawn.config import Server
from bawn.errors import Misconfigured
from bawn.launching.command import Launching
from bawn.launching.package import Package
from bawn.packages.moving import moved


def test_a_command_that_does_not_name_it_is_left_to_its_owner() -> None:
    server = Server(command=("npx", "other@1.0.0"))
    package = Package("npm", "server", "1.0.0")
    with pytest.raises(Misconfigured, match="change it by hand"):
        moved(server, Launching("npx", package), package, Package("npm", "server", "2.0.0"))
