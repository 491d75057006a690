"""`bawn reload`: the owner asks the running gate to take in the changed configuration."""

from __future__ import annotations

import os

from bawn.cli.options import ConfigOption, fail, find_config


def reload(config: ConfigOption = None) -> None:
    """Take in the changed configuration, with consent for new commands. (stable)"""
    from bawn.app.control import NotRunningError, ask
    from bawn.cli.trust import consent
    from bawn.config.load import load
    from bawn.errors import Misconfigured

    path = find_config(config)
    try:
        loaded = load(path, os.environ)
        consent(loaded)
        answer = ask(loaded.state, "reload")
    except Misconfigured as error:
        fail(str(error), "The running gate goes on with its old configuration.", code=2)
    except NotRunningError as error:
        fail(str(error), f"Start one with `bawn up --config {path}`.")
    if "error" in answer:
        fail(str(answer["error"]), "The running gate goes on with its old configuration.", code=2)
    print(answer["done"])
