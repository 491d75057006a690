"""JavaScript runtimes: node, deno, bun, tsx, ts-node.

Sources: the command-line pages of Node.js 24, Deno 2.5, Bun 1.2, tsx 4, ts-node 10.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bawn.launching.command import Command, Launching, is_stream, is_writable
from bawn.launching.loopback import is_loopback
from bawn.launching.npm import bunx
from bawn.launching.options import Option, Parsed, Syntax, names, parse
from bawn.launching.problem import Problem, problem
from bawn.launching.specifier import is_remote, npm, remote

NODE: Final = Syntax(
    valued=names(
        "-e --eval -pe --print -r --require --import --loader --experimental-loader -C --conditions --env-file "
        "--env-file-if-exists --title --input-type --icu-data-dir --openssl-config --redirect-warnings "
        "--report-dir --report-directory --report-filename --report-signal --trace-event-categories "
        "--trace-event-file-pattern --dns-result-order --disable-warning --unhandled-rejections --tls-cipher-list "
        "--tls-keylog --max-http-header-size --watch-path --cpu-prof-dir --diagnostic-dir --localstorage-file "
        "--snapshot-blob --inspect-port --debug-port --heapsnapshot-signal --run --experimental-config-file "
        "--allow-fs-read --allow-fs-write --secure-heap --secure-heap-min --stack-trace-limit --tsconfig "
        "--disable-proto --build-snapshot-config --experimental-sea-config --experimental-policy --policy-integrity "
        "--cpu-prof-interval --cpu-prof-name --heap-prof-dir --heap-prof-interval --heap-prof-name "
        "--heapsnapshot-near-heap-limit --inspect-publish-uid --network-family-autoselection-attempt-timeout "
        "--use-largepages --v8-pool-size --watch-kill-signal --test-concurrency --test-name-pattern "
        "--test-skip-pattern --test-isolation --test-reporter --test-reporter-destination --test-shard "
        "--test-timeout --test-global-setup --test-coverage-include --test-coverage-exclude"),
    flags=names(
        "-c --check -h --help -v --version --abort-on-uncaught-exception --allow-addons --allow-child-process "
        "--allow-wasi --allow-worker --allow-net --build-snapshot --cpu-prof --heap-prof --prof --jitless "
        "--disallow-code-generation-from-strings --enable-fips --force-fips --enable-source-maps "
        "--enable-network-family-autoselection --entry-url --permission --expose-gc --expose-internals "
        "--frozen-intrinsics --insecure-http-parser --openssl-legacy-provider --openssl-shared-config "
        "--pending-deprecation --preserve-symlinks --preserve-symlinks-main --report-compact "
        "--report-exclude-network --report-on-fatalerror --report-on-signal --report-uncaught-exception --test "
        "--test-only --test-force-exit --test-update-snapshots --throw-deprecation --tls-max-v1.2 --tls-max-v1.3 "
        "--tls-min-v1.0 --tls-min-v1.1 --tls-min-v1.2 --tls-min-v1.3 --trace-deprecation --trace-env --trace-exit "
        "--trace-promises --trace-sigint --trace-sync-io --trace-tls --trace-uncaught --trace-warnings "
        "--track-heap-objects --use-bundled-ca --use-openssl-ca --use-system-ca --use-env-proxy --v8-options --watch "
        "--watch-preserve-output --zero-fill-buffers --experimental-strip-types --experimental-transform-types "
        "--experimental-modules --experimental-json-modules --experimental-wasm-modules --experimental-vm-modules "
        "--experimental-specifier-resolution --experimental-permission --experimental-sqlite "
        "--experimental-websocket --experimental-eventsource --experimental-import-meta-resolve "
        "--experimental-network-imports --experimental-network-inspection --experimental-detect-module "
        "--experimental-require-module --experimental-default-type --experimental-webstorage "
        "--experimental-test-coverage --experimental-test-module-mocks --experimental-print-required-tla "
        "--experimental-shadow-realm --experimental-worker --experimental-fetch --harmony --es-module-specifier-resolution"),
    kinds={
        "-e": "inline", "--eval": "inline", "-p": "inline", "--print": "inline", "-pe": "inline",
        "-i": "inline", "--interactive": "inline", "-r": "preload", "--require": "preload",
        "--import": "preload", "--loader": "preload", "--experimental-loader": "preload",
        "--openssl-config": "preload", "--snapshot-blob": "preload", "--tls-keylog": "preload",
        "--env-file": "override", "--env-file-if-exists": "override", "--experimental-config-file": "override",
        "--experimental-default-config-file": "override",
        "--run": "script", "--inspect": "debugger", "--inspect-brk": "debugger", "--inspect-wait": "debugger",
        "--inspect-port": "debugger", "--debug-port": "debugger", "--debug": "debugger", "--debug-brk": "debugger",
    },
    clusters=False,
)  # fmt: skip
_DENO: Final = Syntax(
    valued=names(
        "-c --config --import-map --preload --require --import --cert --location --lock --seed -L --log-level --ext --port "
        "--host --v8-flags --minimum-dependency-age"),
    flags=names(
        "--allow-all --allow-read --allow-write --allow-net --allow-env --allow-run --allow-ffi --allow-sys "
        "--allow-import --allow-scripts --deny-read --deny-write --deny-net --deny-env --deny-run --deny-ffi --deny-sys "
        "--cached-only --check --check-js --frozen --quiet --reload --watch --watch-hmr --watch-exclude --vendor "
        "--node-modules-dir --node-modules-linker --env-file --env --parallel --tunnel --unstable --unstable-kv "
        "--unstable-net --unstable-ffi --unstable-cron --unstable-temporal --unstable-sloppy-imports "
        "--unstable-node-globals --unstable-byonm --unstable-bare-node-builtins --unstable-detect-cjs "
        "--unstable-broadcast-channel --unstable-http --unstable-worker-options --unstable-webgpu --unstable-raw-imports"),
    kinds={
        "--preload": "preload", "--import": "preload", "--require": "preload", "--inspect": "debugger",
        "--inspect-brk": "debugger", "--inspect-wait": "debugger",
        "--unsafely-ignore-certificate-errors": "unverified",
    },
)  # fmt: skip
_BUN: Final = Syntax(
    valued=names(
        "-e --eval -p --print -r --preload --require --import --cwd --port -d --define --drop -l --loader "
        "--tsconfig-override --conditions -c --config --env-file -F --filter --shell --install --elide-lines "
        "--title --main-fields --extension-order --jsx-factory --jsx-fragment --jsx-import-source --jsx-runtime "
        "--fetch-preconnect --max-http-header-size --dns-result-order --unhandled-rejections --console-depth "
        "--user-agent --cron-title"),
    flags=names(
        "--hot --watch --smol --bun -b --silent --if-present --prefer-offline --prefer-latest --expose-gc "
        "--throw-deprecation --zero-fill-buffers --ignore-dce-annotations --preserve-symlinks "
        "--preserve-symlinks-main --redis-preconnect --sql-preconnect --use-system-ca --use-openssl-ca "
        "--use-bundled-ca --workspaces --parallel --sequential --version --revision --help -v -h -i"),
    kinds={
        "-e": "inline", "--eval": "inline", "-p": "inline", "--print": "inline", "-r": "preload",
        "--preload": "preload", "--require": "preload", "--import": "preload", "--shell": "shell",
        "-c": "override", "--config": "override", "--env-file": "override", "--inspect": "debugger",
        "--inspect-brk": "debugger", "--inspect-wait": "debugger",
    },
)  # fmt: skip
_TS_NODE: Final = Syntax(
    valued=names(
        "-e --eval -p --print -r --require -P --project -O --compilerOptions --compiler-options -C --compiler "
        "-I --ignore -D --ignoreDiagnostics --ignore-diagnostics --cwd --scope-dir --moduleTypes"),
    flags=names(
        "--transpile-only --transpileOnly -T --files --esm --swc --type-check --typeCheck --script-mode -s --cwd-mode "
        "--compiler-host -H --pretty --prefer-ts-exts --preferTsExts --log-error --logError --emit --skip-project "
        "--skipProject --skip-ignore --skipIgnore --scope --experimental-specifier-resolution --help -h --version -v"),
    kinds={
        "-e": "inline", "--eval": "inline", "-p": "inline", "--print": "inline", "-pe": "inline",
        "-i": "inline", "--interactive": "inline", "-r": "preload", "--require": "preload",
    },
)  # fmt: skip
_COMPILERS: Final = names(
    "tsx tsx/esm tsx/cjs ts-node/register ts-node/esm dotenv/config source-map-support/register "
    "tsconfig-paths/register module-alias/register esbuild-register @swc-node/register"
)
"""What projects load of their own before their script, as their documentation tells them to."""

_STDIN: Final = "code is read from the standard input"


def node(command: Command) -> Launching:
    """node, and tsx, which takes node's options. Names of options may have `_` for `-`."""
    words = tuple(_hyphens(word) for word in command.words)
    start = 2 if command.runner == "tsx" and words[1:2] == ("watch",) else 1
    return _script(command, command.runner, parse(words, NODE, start), NODE)


def ts_node(command: Command) -> Launching:
    """ts-node and its variants."""
    return _script(command, "ts-node", parse(command.words, _TS_NODE), _TS_NODE)


def deno(command: Command) -> Launching:
    """deno: `run`, `serve`, or a script without either."""
    before = parse(command.words, _DENO)
    at = before.others[0] if before.others else len(command.words)
    verb = command.words[at] if at < len(command.words) else ""
    own = tuple(before.problems(_DENO, command.at))
    if verb in {"eval", "repl"} or not verb:
        found = problem(
            "inline", command.at + min(at, len(command.words) - 1), f"deno {verb}".strip()
        )
        return Launching("deno", None, "", command.words[at + 1 :], (*own, found))
    if verb in {"task", "install", "jupyter", "x"}:
        if verb == "x":
            return _module(command, parse(command.words, _DENO, at + 1), "deno x")
        found = problem("script", command.at + at, f"deno {verb}")
        return Launching("deno", None, verb, command.words[at + 1 :], (*own, found))
    parsed = parse(command.words, _DENO, at + 1) if verb in {"run", "serve", "test"} else before
    return _module(command, parsed, "deno").beside(own if parsed is not before else ())


def _module(command: Command, parsed: Parsed, runner: str) -> Launching:
    problems = list(_judged(parsed, _DENO, command.at))
    for each in parsed.values("--import-map", "-c", "--config", "--lock"):
        problems += (
            [remote(each.value or "", command.at + each.at)] if is_remote(each.value or "") else []
        )
    inner = _script(command, runner, Parsed((), parsed.others), _DENO)
    return inner.beside(problems)


def bun(command: Command) -> Launching:
    """bun: `x` fetches, `run` starts a script, `exec` is a shell."""
    parsed = parse(command.words, _BUN)
    own = tuple(_judged(parsed, _BUN, command.at))
    verb = command.words[parsed.others[0]] if parsed.others else ""
    if verb == "x":
        rest = command.words[parsed.others[0] :]
        return bunx(
            Command(rest, command.read, command.at + parsed.others[0], command.depth)
        ).beside(own)
    if verb in {"exec", "repl"}:
        return Launching("bun", problems=(*own, problem("shell", command.at, f"bun {verb}")))
    if verb != "run":
        return _script(command, "bun", parsed, _BUN)
    return _script(command, "bun", parse(command.words, _BUN, parsed.others[0] + 1), _BUN).beside(
        own
    )


def _script(command: Command, runner: str, parsed: Parsed, syntax: Syntax) -> Launching:
    """A script, with what the options before it load."""
    problems = list(_judged(parsed, syntax, command.at))
    words = tuple(command.words[each] for each in parsed.others)
    if not words or words[0] == "-":
        started = any(
            each.name in {"--run", "--test", "--version", "--help"} for each in parsed.options
        )
        if not started and not any(each.kind == "launch/inline" for each in problems):
            problems.append(problem("inline", command.at, _STDIN))
        return Launching(runner, None, "", words, tuple(problems))
    at = command.at + parsed.others[0]
    path = words[0]
    package = None
    if path.startswith("npm:"):
        package, found = npm(path.removeprefix("npm:").removeprefix("/"), at)
        problems += found
    elif path.startswith("jsr:"):
        problems += () if "@" in path.rpartition("/")[2] else (problem("floating", at, path),)
    elif is_remote(path) or path.startswith(("data:", "blob:")):
        problems.append(problem("inline", at) if "://" not in path else remote(path, at))
    elif is_stream(path):
        problems.append(problem("inline", at, path))
    elif is_writable(path):
        problems.append(problem("writable", at, path))
    return Launching(runner, package, path, words[1:], tuple(problems))


def _judged(parsed: Parsed, syntax: Syntax, at: int) -> Iterator[Problem]:
    """The problems of the options, less grave where a preloaded module is a project's own compiler."""
    plain = Parsed(tuple(each for each in parsed.options if not _is_special(each, syntax)), ())
    yield from plain.problems(syntax, at)
    for each in parsed.options:
        if _is_special(each, syntax):
            if syntax.kinds[each.name] == "debugger":
                loopback = is_loopback(each.value)
                yield problem(
                    "debugger", at + each.at, each.name, level="warning" if loopback else None
                )
            else:
                yield problem("override", at + each.at, each.name)


def _is_special(option: Option, syntax: Syntax) -> bool:
    kind = syntax.kinds.get(option.name)
    return kind == "debugger" or (kind == "preload" and option.value in _COMPILERS)


def _hyphens(word: str) -> str:
    """An option's name as node reads it; its value is left alone."""
    name, equals, value = word.partition("=")
    return f"{name.replace('_', '-')}{equals}{value}" if word.startswith("--") else word
