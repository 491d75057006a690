"""Runners of other languages, programs that run what their arguments say, and plain programs.

Sources: the launchers' own manual pages (java 24, dotnet 10, go 1.25, cargo 1.9x, ruby 3.4, php 8.4, perl 5.42).
"""

from __future__ import annotations

import re
from typing import Final

from bawn.launching.command import Command, Launching, is_stream, is_writable
from bawn.launching.options import Syntax, names, parse
from bawn.launching.package import Package
from bawn.launching.problem import Problem, problem
from bawn.launching.specifier import is_remote, remote

_INLINE: Final = "inline"
_SCRIPTED: Final[dict[str, Syntax]] = {
    "ruby": Syntax(
        frozenset(["-e", "-r", "-I", "-C", "-E", "-F", "--encoding", "--require"]),
        kinds={"-e": _INLINE, "-r": "preload", "--require": "preload", "-I": "override", "-s": "override"},
    ),
    "perl": Syntax(
        frozenset(["-e", "-E", "-M", "-m", "-I", "-F"]),
        kinds={"-e": _INLINE, "-E": _INLINE, "-M": "preload", "-m": "preload", "-d": "preload", "-I": "override"},
    ),
    "php": Syntax(
        frozenset(["-r", "-B", "-R", "-E", "-F", "-d", "-c", "-f", "-S", "-t", "-z", "--run", "--process-begin",
                   "--process-code", "--process-end", "--define", "--php-ini", "--file", "--server", "--docroot"]),
        kinds={
            "-r": _INLINE, "--run": _INLINE, "-B": _INLINE, "-R": _INLINE, "-E": _INLINE, "-a": _INLINE,
            "--process-begin": _INLINE, "--process-code": _INLINE, "--process-end": _INLINE, "-z": "preload",
            "-c": "override", "--php-ini": "override",
        },
    ),
    "lua": Syntax(frozenset(["-e", "-l"]), kinds={"-e": _INLINE, "-l": "preload", "-i": _INLINE}),
    "rscript": Syntax(frozenset(["-e"]), kinds={"-e": _INLINE}),
    "julia": Syntax(
        frozenset(["-e", "--eval", "-E", "--print", "-L", "--load", "-J", "--sysimage", "-p", "-t"]),
        kinds={"-e": _INLINE, "--eval": _INLINE, "-E": _INLINE, "--print": _INLINE, "-L": "preload",
               "--load": "preload", "-J": "preload", "--sysimage": "preload"},
    ),
    "osascript": Syntax(frozenset(["-e", "-l", "-s"]), kinds={"-e": _INLINE, "-i": _INLINE}),
    "tclsh": Syntax(),
    "elixir": Syntax(
        frozenset(["-e", "--eval", "-r", "-pr", "-S", "-pa", "-pz", "--erl", "--cookie", "--sname", "--name"]),
        kinds={"-e": _INLINE, "--eval": _INLINE, "--rpc-eval": _INLINE, "-r": "preload", "--erl": "preload"},
        clusters=False,
    ),
    "groovy": Syntax(frozenset(["-e", "-cp", "--classpath"]), kinds={"-e": _INLINE}, clusters=False),
}  # fmt: skip
RUN_TEXT: Final = names(
    "awk gawk mawk nawk find xargs parallel vim vi nvim ex ed emacs gdb lldb expect script screen tmux watch at "
    "batch crontab rlwrap socat git tar curl wget eval source systemd-run mshta wscript cscript "
    "rundll32 regsvr32 certutil bitsadmin msiexec forfiles conhost start wt pcalua "
    "ld-linux.so ld-linux-x86-64.so ld-linux-aarch64.so ld-musl-x86_64.so ld-musl-aarch64.so"
)
"""Programs that start commands which their arguments name, or fetch files: none of them is a server."""

_JAVA: Final = Syntax(
    names("-jar -cp -classpath --class-path -p --module-path -m --module --add-modules --add-opens "
              "--add-exports --add-reads -d --describe-module --source"),
    final=frozenset(["-jar", "-m", "--module"]),
    clusters=False,
)  # fmt: skip
_JAVA_LOADS: Final = re.compile(
    r"-(?:javaagent|agentlib|agentpath|Xbootclasspath|Xrun|XX:On|XX:Flags|XX:VMOptionsFile"
    r"|Djava\.system\.class\.loader)"
)
_GO: Final = Syntax(
    names("-C -exec -toolexec -modfile -overlay -mod -p -tags -ldflags -gcflags -asmflags -gccgoflags -pgo "
              "-pkgdir -o -asan -covermode -coverpkg -compiler -buildmode"),
    kinds={"-exec": _INLINE, "-toolexec": _INLINE, "--exec": _INLINE, "--toolexec": _INLINE, "-overlay": "override",
           "-modfile": "override"},
    clusters=False,
)  # fmt: skip
_CARGO: Final = Syntax(
    names("--bin -p --package --example --features -F --manifest-path --target --target-dir --profile -j "
              "--jobs --config --color -C -Z --message-format"),
    kinds={"--config": "override"},
)  # fmt: skip
_DOTNET: Final = Syntax(
    names("--project -p --framework -f --configuration -c --runtime -r --launch-profile -lp --additionalprobingpath "
              "--additional-deps --fx-version --depsfile --runtimeconfig --roll-forward --source -s "
              "--add-source --configfile --version -v --verbosity -a --arch --os"),
    kinds={"--source": "index", "--add-source": "index", "--configfile": "index",
           "--additional-deps": "preload", "--additionalprobingpath": "preload", "-y": "consent", "--yes": "consent"},
    clusters=False,
)  # fmt: skip
_PHP_LOADS: Final = re.compile(
    r"\s*(?:auto_(?:pre|ap)pend_file|extension|zend_extension|ffi|open_basedir|disable_)",
    re.IGNORECASE,
)
_EXACT_GO: Final = re.compile(r".+@v\d+\.\d+\.\d+(?:[-+].+)?")
_HOSTED_GO: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+/.+")


def scripted(command: Command) -> Launching:
    """An interpreter of the table: a script, or what it is sent."""
    runner = (
        command.runner if command.runner in _SCRIPTED else command.runner.rstrip("0123456789.-")
    )
    syntax = _SCRIPTED[runner]
    parsed = parse(command.words, syntax)
    words = tuple(command.words[each] for each in parsed.others)
    found = list(parsed.problems(syntax, command.at))
    if runner == "php":
        settings = parsed.values("-d", "--define")
        loading = (each for each in settings if _PHP_LOADS.match(each.value or ""))
        found.extend(problem("preload", command.at + each.at, each.name) for each in loading)
    files = parsed.values("-f", "--file", "-S", "--server") if runner == "php" else ()
    program = words[0] if words else (files[0].value or "") if files else ""
    if not program or program == "-":
        inline = any(each.kind == "launch/inline" for each in found)
        found += (
            ()
            if inline
            else (problem(_INLINE, command.at, "code is read from the standard input"),)
        )
    found += _path(program, command.at + (parsed.others[0] if parsed.others else 0))
    return Launching(runner, None, program, words[1:], tuple(found))


def _path(path: str, at: int) -> tuple[Problem, ...]:
    if is_remote(path):
        return (remote(path, at),)
    if is_stream(path):
        return (problem(_INLINE, at, path),)
    return (problem("writable", at, path),) if is_writable(path) else ()


def java(command: Command) -> Launching:
    """java -jar, -m or a class; jbang also runs sources from addresses."""
    parsed = parse(command.words, _JAVA)
    found = [
        problem("preload", command.at + each.at, each.name.partition(":")[0])
        for each in parsed.options
        if _JAVA_LOADS.match(each.name)
    ]
    words = tuple(command.words[each] for each in parsed.others)
    main = parsed.values("-jar", "-m", "--module")
    program, rest = (
        (main[-1].value or "", words) if main else (words[0] if words else "", words[1:])
    )
    at = command.at + (main[-1].at if main else parsed.others[0] if parsed.others else 0)
    if program.startswith("@"):
        found.append(problem("preload", at, "a file of options"))
    if not program:
        found.append(problem("empty", command.at, command.runner))
    return Launching("java", None, program, rest, (*found, *_path(program, at)))


def go(command: Command) -> Launching:
    """go run: a directory, or a module, whose versions the checksum database fixes."""
    if command.words[1:2] != ("run",):
        return Launching("go", None, "", command.words[1:], (problem("unknown", command.at, "go"),))
    parsed = parse(command.words, _GO, 2)
    found = list(parsed.problems(_GO, command.at))
    words = tuple(command.words[each] for each in parsed.others)
    program = words[0] if words else ""
    at = command.at + (parsed.others[0] if parsed.others else 0)
    if _EXACT_GO.fullmatch(program):
        found.append(problem("commit", at, program))
    elif "@" in program or _HOSTED_GO.fullmatch(program):
        found.append(problem("remote", at, program))
    elif not program:
        found.append(problem("empty", command.at, "go run"))
    return Launching("go run", None, program, words[1:], (*found, *_path(program, at)))


def cargo(command: Command) -> Launching:
    """cargo run: the project in the directory; what it fetches is in the project's own lockfile."""
    words = command.words[1:]
    start = 2 if words[:1] and words[0].startswith("+") else 1
    if command.words[start : start + 1] not in {("run",), ("r",)}:
        kind = (
            "remote"
            if any(word == "--git" or word.startswith("--git=") for word in words)
            else "unknown"
        )
        return Launching("cargo", None, "", words, (problem(kind, command.at, "cargo"),))
    parsed = parse(command.words, _CARGO, start + 1)
    rest = tuple(command.words[each] for each in parsed.others)
    found = (*parsed.problems(_CARGO, command.at), problem("script", command.at, "cargo run"))
    return Launching("cargo run", None, "", rest, found)


def dotnet(command: Command) -> Launching:
    """dotnet: an assembly, `run`, `exec`, or a tool of a package (`dnx`, `dotnet tool exec`)."""
    parsed = parse(command.words, _DOTNET)
    words = tuple(command.words[each] for each in parsed.others)
    verb = words[0] if words else ""
    found = list(parsed.problems(_DOTNET, command.at))
    if (
        command.runner == "dnx"
        or verb == "dnx"
        or words[:2] in {("tool", "exec"), ("tool", "execute")}
    ):
        skip = 0 if command.runner == "dnx" else 1 if verb == "dnx" else 2
        parsed = parse(command.words, _DOTNET, (parsed.others[0] if parsed.others else 1) + skip)
        found += parsed.problems(_DOTNET, command.at) if skip else ()
        words = tuple(command.words[each] for each in parsed.others)
        name, _, version = (words[0] if words else "").partition("@")
        found += (
            ()
            if version or parsed.values("--version")
            else (problem("floating", command.at, name),)
        )
        return Launching("dnx", None, name, words[1:], tuple(found))
    start = 1 if verb in {"run", "exec"} else 0
    parsed = parse(command.words, _DOTNET, parsed.others[0] + 1) if start else parsed
    found += parsed.problems(_DOTNET, command.at) if start else ()
    words = tuple(command.words[each] for each in parsed.others)
    if verb == "run":
        found.append(problem("script", command.at, "dotnet run"))
        return Launching("dotnet", None, "", words, tuple(found))
    program = words[0] if words else ""
    found += _path(program, command.at + (parsed.others[0] if parsed.others else 0))
    return Launching("dotnet", None, program, words[1:], tuple(found))


def nix(command: Command) -> Launching:
    """nix run and nix-shell: a flake from wherever it is, or a command line."""
    words = command.words[1:]
    named = [
        at
        for at, word in enumerate(words, 1)
        if word in {"--command", "-c", "--run", "--expr", "-E", "--impure"}
    ]
    found = [problem(_INLINE, command.at + at, command.words[at]) for at in named]
    for at, word in enumerate(words, 1):
        if word == "--":
            break
        if re.match(r"(?:github|gitlab|sourcehut|git\+|https?:|tarball\+)", word):
            found.append(remote(word, command.at + at))
    return Launching(
        "nix", None, "", words, (*found, problem("script", command.at, command.runner))
    )


def runs_text(command: Command) -> Launching:
    """A program that runs what its arguments say."""
    return Launching(
        "",
        None,
        command.words[0],
        command.words[1:],
        (problem(_INLINE, command.at, command.runner),),
    )


def netcat(command: Command) -> Launching:
    """nc carries a connection; with `-e` or `-c` it starts a program for it."""
    syntax = Syntax(kinds=dict.fromkeys(("-e", "-c", "--exec", "--sh-exec", "--lua-exec"), _INLINE))
    parsed = parse(command.words, Syntax(kinds=syntax.kinds, anywhere=True))
    found = (*parsed.problems(syntax, command.at), problem("elsewhere", command.at, command.runner))
    return Launching("", None, command.words[0], command.words[1:], found)


def plain(command: Command) -> Launching:
    """A program without a grammar: what it does with its arguments is its own."""
    path = command.words[0]
    found = [problem("unknown", command.at, path)]
    if is_writable(path):
        found.append(problem("writable", command.at, path))
    if path.lower().endswith((".sh", ".bash", ".bat", ".cmd", ".ps1")):
        found.append(problem("script", command.at, path))
    package = Package("binary", path) if "/" in path else None
    return Launching("", package, path, command.words[1:], tuple(found))
