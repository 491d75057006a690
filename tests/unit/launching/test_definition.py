"""The definition of a launch names what is started, and no value of a variable."""

from __future__ import annotations

from bawn.config import Config
from bawn.launching.definition import launch_of
from bawn.launching.package import Package, Resolution


def test_it_has_command_directory_names_of_variables_and_package() -> None:
    server = {"command": ("x", "-y"), "cwd": "sub", "env": {"B": "2", "A": "1"}}
    found = Config.model_validate({"servers": {"a": server}}).servers["a"]
    package = Package("npm", "x", "1.0.0")
    assert launch_of(found, None) == {"command": ["x", "-y"], "cwd": "sub", "env": ["A", "B"]}
    assert launch_of(found, Resolution(package, package, (), "ab"))["package"] == {
        "name": "npm:x@1.0.0",
        "digest": "ab",
    }
