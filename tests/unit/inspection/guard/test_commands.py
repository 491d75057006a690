"""What command lines write."""

from __future__ import annotations

import pytest

from bawn.inspection.guard.commands import writes


def _written(text: str, use: str = "path") -> set[str]:
    return {found.text for found in writes(text) if found.use == use}


@pytest.mark.parametrize(
    "text",
    [
        "tee -a x.y",
        "cp a x.y",
        "mv x.y b",
        "ln -s a x.y",
        "ln -s x.y a",
        "sed -i s/a/b/ x.y",
        "dd of=x.y",
        "curl -o x.y u",
        "curl -sox.y u",
        "curl --output=x.y u",
        "wget https://e.example/x.y",
        "git checkout HEAD -- x.y",
        "git mv a x.y",
        "sudo -u root tee x.y",
        "env A=1 timeout 5 tee x.y",
        "echo x.y | xargs rm",
        "find . -name x.y -delete",
        "find . -name x.y -exec rm {} +",
        "unzip a.zip x.y",
        "unheard-of --out=x.y",
        "perl -pi -e 1 x.y",
        "sort -o x.y a",
        "rsync --remove-source-files x.y b",
    ],
)
def test_what_is_written_is_named(text: str) -> None:
    assert "x.y" in _written(text)


@pytest.mark.parametrize(
    "text",
    [
        "cat x.y",
        "cp x.y b.z",
        "git add x.y",
        "git log -- x.y",
        "grep a x.y",
        "sed s/a/b/ x.y",
        "find . -name x.y",
        "find . -name x.y -exec cat {} +",
        "tar czf a.tgz x.y",
        "echo x.y",
        "curl https://e.example/x.y",
    ],
)
def test_what_is_read_is_not(text: str) -> None:
    assert "x.y" not in _written(text)


def test_a_copy_keeps_its_name_in_a_directory() -> None:
    assert "d/x.y" in _written("cp a/x.y d")
    assert "d/x.y" in _written("cp -t d a/x.y")


def test_scripts_within_words_are_named() -> None:
    assert "rm x.y" in _written("bash -c 'rm x.y'", "shell")
    assert "rm x.y" in _written("eval rm x.y", "shell")
    assert any("open" in text for text in _written("python3 -c \"open('x','w')\"", "code"))


def test_unpacking_goes_into_a_directory() -> None:
    assert "d" in _written("tar xf a.tar -C d", "directory")
    assert "d" in _written("unzip a.zip -d d", "directory")


@pytest.mark.parametrize(
    "text",
    [
        "git config core.hooksPath h",
        "git config --global --add alias.x '!sh'",
        "git clone -c core.fsmonitor=x u d",
    ],
)
def test_settings_of_git_are_named(text: str) -> None:
    assert _written(text, "git")


def test_asking_for_a_setting_changes_none() -> None:
    assert not _written("git config --get core.hooksPath", "git")
    assert not _written("git config core.hooksPath", "git")


@pytest.mark.parametrize(
    "text",
    [
        "claude mcp add x -- npx y",
        "code --add-mcp '{}'",
        "codex mcp remove x",
        "npx -y add-mcp x",
        "npx skills add o/r",
        "gemini extensions install u",
        "npx @anthropic-ai/claude-code mcp add x",
    ],
)
def test_agents_own_programs_are_known(text: str) -> None:
    assert _written(text, "agent")


def test_asking_an_agent_is_no_change() -> None:
    assert not _written("claude mcp list; codex --help", "agent")
