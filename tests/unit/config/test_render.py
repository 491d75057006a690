"""Settings become YAML that reads as the same settings, and shows no secret."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bawn.config.document import read
from bawn.config.model import Config
from bawn.config.render import effective, rendered
from bawn.config.server import Server

TEXT = st.text()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(TEXT, VALUES, max_size=4), st.integers(1, 6))
def test_what_is_rendered_reads_the_same(tree: dict[str, Any], step: int) -> None:
    text = "\n".join(rendered(tree, step)) or "{}"

    assert read(text.encode(), "f").tree == tree


def test_it_is_written_the_way_people_write_it() -> None:
    tree = {
        "files": {
            "command": ["npx", "-y", "@scope/server@1.0", "./docs"],
            "env": {"TOKEN": "${keyring:files}", "MODE": "yes", "COUNT": "1"},
            "url": "https://example.com/mcp",
            "prefix": "",
            "required": True,
        }
    }

    assert "\n".join(rendered(tree)) == (
        "files:\n"
        '  command: [npx, "-y", "@scope/server@1.0", ./docs]\n'
        "  env:\n"
        '    TOKEN: "${keyring:files}"\n'
        '    MODE: "yes"\n'
        '    COUNT: "1"\n'
        "  url: https://example.com/mcp\n"
        '  prefix: ""\n'
        "  required: true"
    )


def test_the_effective_configuration_shows_references_and_hides_what_may_be_a_secret() -> None:
    url = "https://hooks.example.com/mcp/3q2u7wAAAAsVdyFj9kLmPzQxN4tRb8"
    config = Config(
        servers={
            "a": Server(url=url),
            "b": Server(command=("x",), env={"T": "${file:./t}"}),
        }
    )

    servers = effective(config)["servers"]

    assert servers["a"]["url"] == "https://hooks.example.com/mcp/***"
    assert servers["b"]["env"] == {"T": "${file:./t}"}
    assert effective(config)["listen"] == "127.0.0.1:8811"
