"""What programs do with the paths they are given: the facts, from their manual pages.

A program that is not named here may do anything with any of its words.
"""

from __future__ import annotations

from typing import Final


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


READERS: Final = _set("""
    [ [[ ag ack awk b2sum base64 basename bat batcat break cat cd cksum cmp code-search column comm continue
    cspell cut dir diff dirname du echo egrep emacs-nox-view eza exa exit export false fd fgrep file find findstr
    fold gc gci get-childitem get-content get-filehash get-item glow grep gawk head help hexdump history jq less ls
    local lsof man markdownlint mawk md5sum mdcat mdl more nl od paste printf pushd pwd read readlink realpath
    resolve-path return rev rg ripgrep sed select-string set sha1sum sha256sum sha512sum shasum shellcheck shift
    sleep stat strings sum tac tail test test-path tokei tree tr true type typeset uniq unset vale view wc
    whereis which xmllint xxd yamllint zcat zgrep sort seq date whoami id uname env-print gh glab jira kill pgrep ps alias
    """)
"""They write nothing where they are told to read, but for their options (see `WRITING_OPTIONS`)."""

WRITING_OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "sed": ("-i", "--in-place", "-n -i", "-ni", "-ei", "-ri", "-Ei"),
    "gawk": ("-i",),
    "sort": ("-o", "--output"),
    "tree": ("-o",),
    "find": ("-delete", "-fprint", "-fprint0", "-fprintf", "-fls"),
    "fd": ("-x", "-X", "--exec", "--exec-batch"),
    "xxd": ("-r",),
    "base64": ("-o",),
    "xmllint": ("-o", "--output"),
    "uniq": (),
    "shellcheck": (),
    "markdownlint": ("-f", "--fix", "-o", "--output"),
    "view": ("-c", "+w", "-s"),
    "diff": ("--output",),
    "yamllint": (),
    "cspell": (),
    "sdiff": ("-o",),
}
"""Options with which a program that reads writes after all."""

COPIERS: Final = _set(
    "cp copy copy-item cpi scp rsync install ditto gcp ginstall xcopy robocopy pscp"
)
"""Read what comes first, write what comes last."""

MOVERS: Final = _set("mv move move-item mi ln link mklink rename ren rename-item symlink gmv")
"""Write at both ends: what is moved is gone, and what is linked can be written through the link."""

WRAPPERS: Final = _set("""
    sudo doas env nohup time nice ionice timeout command builtin exec stdbuf setsid unbuffer busybox toybox winpty
    wsl chroot strace ltrace xargs parallel watch caffeinate firejail chronic then do else if while until !
    """)
"""Run the program that comes after their own options."""

SHELLS: Final = _set(
    "sh bash zsh dash ksh ash fish mksh rbash powershell pwsh cmd eval source . ssh su nu xonsh tcsh csh"
)
"""Run a text, or what they are fed, as commands."""

INTERPRETERS: Final = _set("""
    python python2 python3 pypy pypy3 node nodejs deno bun perl ruby php lua luajit osascript tclsh awk gawk mawk
    Rscript julia groovy ipython jshell irb sqlite3 duckdb psql mysql
    """)
"""Run a text, or what they are fed, as a program of their language."""

CODE_OPTIONS: Final = _set(
    "-c -e -E -r -p --eval --print --execute -pe -ne -lne -lpe -i -pi -le --command exec eval"
)

PATCHERS: Final = frozenset({"patch", "gpatch", "apply_patch", "applypatch", "git", "ed", "ex"})
"""Do what the text says that they are fed."""

ARCHIVERS: Final = _set(
    "tar gtar bsdtar unzip 7z 7za 7zz unrar cpio pax jar ar ouch expand-archive"
)
"""Unpack into a directory."""

PACKERS: Final = _set("zip compress-archive")
"""Write their first word alone."""

GIT_READERS: Final = _set("""
    add archive-list blame branch cat-file check-ignore commit count-objects describe diff diff-tree fetch for-each-ref
    fsck gc grep hash-object help log ls-files ls-remote ls-tree merge-base name-rev notes pull push range-diff reflog
    remote rev-list rev-parse shortlog show show-ref stage status tag version whatchanged var verify-commit
    """)
"""Subcommands that write no file of the working tree by the paths they are given."""

AGENTS: Final = _set("""
    claude codex gemini cursor cursor-agent copilot opencode q qwen goose amp kiro kiro-cli auggie droid crush code
    code-insiders codium windsurf antigravity agy trae zed junie cline roo continue cn openclaw hermes vibe kimi acli
    """)
"""Agents' own programs, which write their configuration for whoever asks."""

AGENT_PARTS: Final = _set(
    "mcp plugin plugins extension extensions skill skills hook hooks config agents settings permissions"
)

AGENT_CHANGES: Final = _set("""
    add add-json add-from-claude-desktop install link set enable disable remove rm uninstall update import new create
    unset marketplace reset-project-choices
    """)
