from __future__ import annotations

from bawn.discovery.taking.containers import inherited

SECRET = "ghp_exampleexampleexampleexampleexampl"


def test_secrets_given_to_a_container_become_inherited_variables() -> None:
    command = [
        "docker",
        "run",
        "-e",
        f"TOKEN={SECRET}",
        f"--env=KEY={SECRET}",
        "-e",
        "LEVEL=x",
        "image",
    ]
    assert inherited(command) == (
        ("docker", "run", "-e", "TOKEN", "--env=KEY", "-e", "LEVEL=x", "image"),
        {"TOKEN": SECRET, "KEY": SECRET},
    )


def test_other_programs_are_left_alone() -> None:
    assert inherited(["node", "-e", f"TOKEN={SECRET}"]) == (("node", "-e", f"TOKEN={SECRET}"), {})
    assert inherited([]) == ((), {})
