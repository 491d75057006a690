"""Variables that make a program run other code than its own, or take it from elsewhere.

Sources: ld.so(8), dyld(1), and the environment sections of the runtimes' own manuals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from bawn.launching.command import is_writable
from bawn.launching.options import names
from bawn.launching.problem import Problem, problem

_ALWAYS: Final = names(
    # the loader
    "LD_PRELOAD LD_AUDIT LD_LIBRARY_PATH LD_PROFILE LD_ORIGIN_PATH LD_DEBUG_OUTPUT GCONV_PATH GLIBC_TUNABLES "
    # shells
    "BASH_ENV PROMPT_COMMAND PS4 SHELLOPTS BASHOPTS IFS ZDOTDIR CDPATH "
    # runtimes
    "PYTHONSTARTUP PYTHONHOME PYTHONUSERBASE PYTHONINSPECT PYTHONEXECUTABLE PYTHONPLATLIBDIR "
    "PYTHON_PRESITE YARN_YARN_PATH YARN_PLUGINS YARN_RC_FILENAME DOTNET_GCNAME DOTNET_GCPATH COMPLUS_GCNAME PERL5DB NODE_REPL_EXTERNAL_MODULE BUN_INSPECT_PRELOAD LUA_INIT DOTNET_STARTUP_HOOKS DOTNET_ADDITIONALDEPS "
    "COR_PROFILER COR_PROFILER_PATH CORECLR_PROFILER CORECLR_PROFILER_PATH PHPRC PHP_INI_SCAN_DIR "
    "OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES JAVA_OPTIONS_FILE "
    # tools that servers call
    "GIT_EXEC_PATH GIT_TEMPLATE_DIR GIT_PROXY_COMMAND GIT_EXTERNAL_DIFF GIT_CONFIG_PARAMETERS "
    "RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER CARGO_BUILD_RUSTC_WRAPPER "
    "NPM_CONFIG_CALL NPM_CONFIG_SCRIPT_SHELL NPM_CONFIG_SHELL NPM_CONFIG_NODE_OPTIONS NPM_CONFIG_GIT NPM_CONFIG_NODE_ARG "
    "NPM_CONFIG_PACKAGE NPM_CONFIG_NODE_GYP"
)
_ALSO: Final = re.compile(
    r"DYLD_|COR(?:ECLR)?_PROFILER_PATH_|CARGO_TARGET_\w+_(?:RUNNER|LINKER)$", re.ASCII
)
_INDEXES: Final = names(
    "UV_INDEX UV_OVERRIDE UV_DEFAULT_INDEX UV_INDEX_URL UV_EXTRA_INDEX_URL UV_FIND_LINKS UV_CONFIG_FILE PIP_INDEX_URL "
    "PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_CONFIG_FILE PIPX_DEFAULT_BACKEND_ARGS NPM_CONFIG_REGISTRY "
    "NPM_CONFIG_USERCONFIG NPM_CONFIG_GLOBALCONFIG COREPACK_NPM_REGISTRY YARN_REGISTRY YARN_NPM_REGISTRY_SERVER "
    "BUN_CONFIG_REGISTRY GOPROXY GOPRIVATE GONOSUMDB GONOSUMCHECK GOINSECURE DENO_REGISTRY_URL "
    "JSR_URL CARGO_REGISTRIES_CRATES_IO_INDEX"
)
_PATHS: Final = names(
    "PYTHONPATH NODE_PATH PERL5LIB PERLLIB RUBYLIB CLASSPATH GEM_PATH GEM_HOME LUA_PATH LUA_CPATH"
)
_CACHES: Final = names(
    "UV_CACHE_DIR UV_TOOL_DIR NPM_CONFIG_CACHE NPM_CONFIG_PREFIX DENO_DIR BUN_INSTALL_CACHE_DIR"
)
"""Where code that was fetched before is taken from, unlooked at."""
_COMPILED: Final = frozenset(["PYTHONPYCACHEPREFIX", "NODE_COMPILE_CACHE"])
_ELSEWHERE: Final = frozenset(["DOCKER_HOST", "CONTAINER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"])
_UNVERIFIED: Final = {
    "NODE_TLS_REJECT_UNAUTHORIZED": "0", "GIT_SSL_NO_VERIFY": "", "PYTHONHTTPSVERIFY": "0",
    "NPM_CONFIG_STRICT_SSL": "false", "UV_INSECURE_HOST": "", "PIP_TRUSTED_HOST": "", "SSLKEYLOGFILE": "",
    "GOSUMDB": "off",
}  # fmt: skip
_NODE_LOADS: Final = re.compile(
    r"(?:^|[\s\"'])(?:-r|-e|-p|--(?:require|import|loader|experimental[-_]loader|eval|print|openssl[-_]config"
    r"|snapshot[-_]blob|env[-_]file\S*|experimental[-_](?:default[-_])?config[-_]file|inspect\S*|debug\S*))(?=[=\s\"']|$|\S*=)"
)
_JAVA_LOADS: Final = re.compile(
    r"-(?:javaagent|agentlib|agentpath|Xbootclasspath|Xrun|XX:OnError|XX:OnOutOfMemoryError|XX:Flags"
    r"|XX:VMOptionsFile|Djava\.security\.manager|Djava\.system\.class\.loader|cp\b|classpath\b)|(?:^|\s)@"
)
_RUBY_PLAIN: Final = re.compile(
    r"(?:\s|-W\S*|-w|--y?jit\S*|--(?:en|dis)able[=-]\S+|-E\s?\S+|-K\w)*"
)
_SSH: Final = re.compile(r"ssh(?:\s[\w\s./~=:@+-]*)?")
_COMMANDS: Final = re.compile(r"ProxyCommand|LocalCommand|KnownHostsCommand|-F\b", re.IGNORECASE)
_PHRASES: Final[dict[str, Callable[[str], bool]]] = {
    "NODE_OPTIONS": lambda text: _NODE_LOADS.search(text) is not None,
    "BUN_OPTIONS": lambda text: (
        re.search(r"(?:^|\s)-(?:r|e|p|-preload|-require|-import|-eval)", text) is not None
    ),
    "JAVA_TOOL_OPTIONS": lambda text: _JAVA_LOADS.search(text) is not None,
    "_JAVA_OPTIONS": lambda text: _JAVA_LOADS.search(text) is not None,
    "JDK_JAVA_OPTIONS": lambda text: _JAVA_LOADS.search(text) is not None,
    "RUBYOPT": lambda text: _RUBY_PLAIN.fullmatch(text) is None,
    "PERL5OPT": lambda text: re.fullmatch(r"(?:\s|-[CTUtWw]\d*)*", text) is None,
    "PYTHONBREAKPOINT": lambda text: text != "0",
    "PYTHONWARNINGS": lambda text: re.search(r":[^:,]*:[^:,]*\.", text) is not None,
    "GOFLAGS": lambda text: (
        re.search(r"-(?:toolexec|exec|modfile|overlay|insecure)", text) is not None
    ),
    "GIT_SSH_COMMAND": lambda text: (
        _SSH.fullmatch(text) is None or _COMMANDS.search(text) is not None
    ),
    "RUSTFLAGS": lambda text: "linker" in text,
}
"""Variables that hold options: whether these options load code."""

_GIT_PROGRAMS: Final = names(
    "GIT_SSH GIT_ASKPASS GIT_EDITOR GIT_PAGER GIT_SEQUENCE_EDITOR SSH_ASKPASS GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM"
)
_REFERENCE: Final = re.compile(r"\$\{?\w")
_NAME: Final = re.compile(r"[^\x00-\x20=\x7f]+")


def assigned(name: str, value: str, at: int | str) -> Iterator[Problem]:
    """What is wrong with a variable that a program is given; an empty one says nothing."""
    known = name.upper()
    if known.startswith("NPM_CONFIG_"):
        known = known.replace("-", "_")
    if not _NAME.fullmatch(name):
        yield problem("characters", at, "the name of a variable")
    elif known.startswith("BASH_FUNC_"):
        yield problem("preload", at, name)
    elif value:
        kind = _kind(known, value)
        if kind:
            yield problem(kind, at, name)


def _kind(name: str, value: str) -> str:
    """The kind of problem that a variable is, or nothing."""
    if name in _ALWAYS or _ALSO.match(name):
        return "preload"
    if name in _INDEXES or (name.startswith("UV_INDEX_") and name.endswith("_URL")):
        return "index"
    if name.startswith("NPM_CONFIG_") and name.endswith(":REGISTRY"):
        return "index"
    if name in _PHRASES:
        # A reference is only known when the server starts: it may hold anything.
        unquoted = re.sub(r"[\"'\\]", "", value)
        found = any(_PHRASES[name](each) for each in (value, unquoted))
        return "preload" if _REFERENCE.search(value) or found else ""
    if name in _GIT_PROGRAMS or (name.startswith("GIT_CONFIG_KEY_") and _is_git_program(value)):
        return "preload" if name.startswith("GIT_CONFIG_KEY_") or is_writable(value) else "override"
    return _milder(name, value)


def _is_git_program(key: str) -> bool:
    return (
        re.search(
            r"(?:command|editor|pager|helper|path|program|proxy|driver|textconv|^alias\.)",
            key.lower(),
        )
        is not None
    )


def _milder(name: str, value: str) -> str:
    if name in _CACHES | _COMPILED and is_writable(value):
        return "preload" if name in _COMPILED else "writable"
    if name == "UV_ENV_FILE" or (name == "UV_PYTHON" and "/" in value):
        return "override"
    if name in _PATHS or name == "PATH":
        entries = value.split(":")
        if any(is_writable(entry) for entry in entries):
            return "preload"
        return "override" if name != "PATH" or any(entry in {"", "."} for entry in entries) else ""
    if name == "ENV" and "/" in value:
        return "override"
    if name in _ELSEWHERE:
        return "elsewhere"
    if name in _UNVERIFIED and _UNVERIFIED[name] in {"", value.strip().lower()}:
        return "unverified"
    return ""
