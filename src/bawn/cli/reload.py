"""`bawn reload`: the owner asks the running gate to take in the changed configuration."""

from __future__ import annotations

from bawn.cli.options import ConfigOption, fail
from bawn.cli.reading import explained, loaded


def reload(config: ConfigOption = None) -> None:
    """Take in the changed configuration, with consent for new commands. (stable)"""
    from bawn.app.control import NotRunningError, ask
    from bawn.cli.trust import consent

    found = loaded(config)
    with explained():
        consent(found)
        try:
            answer = ask(found.state, "reload")
        except NotRunningError as error:
            fail(str(error), f"Start one with `bawn up --config {found.path}`.")
    if "error" in answer:
        fail(str(answer["error"]), "The running gate goes on with its old configuration.", code=2)
    print(answer["done"])
