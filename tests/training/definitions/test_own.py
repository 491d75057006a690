"""Honest definitions of our own: small tools, titles and instructions, the same from the same seed."""

from __future__ import annotations

from training.definitions.own import GROUPS, Own, instructions, small_tools


def test_the_same_seed_writes_the_same() -> None:
    first, second = Own(4), Own(4)
    for _ in range(30):
        assert first.tool() == second.tool()
        assert first.instructions() == second.instructions()


def test_every_small_tool_has_a_name_and_a_description() -> None:
    tools = small_tools()
    assert len({name for name, *_ in tools}) == len(tools) > 100
    assert all(name and description for name, _, description, _ in tools)


def test_a_small_tool_has_its_parameters() -> None:
    own = Own(4)
    for _ in range(50):
        tool, group = own.tool()
        assert list(tool["inputSchema"]["properties"]) == tool["inputSchema"]["required"]
        assert group.startswith("own ")


def test_there_are_instructions_of_many_servers() -> None:
    assert len(instructions()) >= 60
    assert len(set(instructions())) == len(instructions())


def test_instructions_that_are_mixed_are_of_one_group() -> None:
    own = Own(4)
    for _ in range(100):
        text, group = own.instructions()
        some = "\n".join(instructions()[int(group.split()[1]) :: GROUPS])
        for line in text.split("\n"):
            assert line.strip("# -")[:12] in some


def test_a_title_has_the_words_of_the_name() -> None:
    said = {Own(seed).title({"name": "list_pullRequests"})[0] for seed in range(80)}
    assert {"List Pull Requests", "List Pull Requests Tool", "List pull requests"} <= said
