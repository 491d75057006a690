from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.launching.grammar import read
from bawn.launching.package import Package

BENIGN = [
    *(f"{runner} {package}{version}{words}"
      for runner in ("npx", "npx -y", "npx --yes", "npx -q -y", "npx --prefer-offline", "npm exec --", "pnpm dlx", "yarn dlx -q", "bunx", "bun x", "pnpx")
      for package in ("acme-notes-mcp", "@acme/notes")
      for version, words in (("", ""), ("@2.4.1", " --root ${HOME}/notes"), ("@latest", " serve -c conf.json -e prod --eval"))),
    *(f"{runner} {package} {words}".strip()
      for runner in ("uvx", "uv tool run", "uvx -q --python 3.12", "uvx --refresh --from acme-tools", "pipx run")
      for package in ("acme-weather", "acme-weather==1.4.0")
      for words in ("", "--units metric -c /etc/w.toml", "-e staging --registry https://r.example.com")),
    *(f"{engine} run {options} {image} {words}".strip()
      for engine in ("docker", "podman", "nerdctl")
      for options in ("-i --rm", "-it --rm --init -e API_KEY", "--rm -i -v /srv/data:/data:ro --network none", "-i --pull=always --memory 1g --cpus=2 -u 1000:1000",
                      "-i --cap-drop ALL --security-opt no-new-privileges:true --read-only --tmpfs /tmp")
      for image in ("acme/notes:1.2", "ghcr.io/acme/notes@sha256:" + "a" * 64)
      for words in ("", "--privileged -v /:/x -c y")),
    *(f"{python} {words}" for python in ("python", "python3.12", "/opt/venv/bin/python3", "python -u -B", "python -X utf8")
      for words in ("server.py --verbose -c x", "-m acme_server -c conf", "-m acme.server --eval")),
    "uv run server.py", "uv run --directory /srv/acme server.py -c x", "uv --directory /srv/acme run acme-server", "uv run -m acme.server -c y",
    "uv run --with fastmcp fastmcp run server.py", "uv run --with mcp[cli] mcp run server.py", "uv --project . run --frozen python -m acme", "uv run --no-sync python server.py",
    "node dist/index.js", "node --max-old-space-size=512 dist/index.js -e production", "node --no-warnings --enable-source-maps ./s.mjs --require x",
    "node --import tsx src/index.ts", "node -r dotenv/config dist/index.js", "node --env-file=.env dist/index.js", "tsx src/index.ts", "tsx watch src/index.ts",
    "npx tsx src/index.ts", "npx -y ts-node src/index.ts", "ts-node --project tsconfig.json src/index.ts", "deno run --allow-net=api.example.com --allow-env main.ts",
    "deno run -A npm:@acme/notes@1.0.0", "deno run -A jsr:@acme/notes@1.0.0 -e x", "bun run src/index.ts", "bun src/index.ts", "bun --cwd /srv/acme run start",
    "java -jar server.jar -e x", "java -Xmx512m -Dspring.profiles.active=stdio -jar /opt/acme/server.jar", "java -cp lib/a.jar:lib/b.jar com.acme.Server", "dotnet run --project src/Acme",
    "dotnet /opt/acme/Acme.dll", "dnx Acme.Mcp@1.2.0", "go run ./cmd/server -c x", "go run example.com/acme/server@v1.2.3", "cargo run --release -- --config x", "ruby server.rb -e x",
    "php server.php -r x", "php artisan mcp:serve", "perl server.pl -e x", "julia --project=. server.jl", "/usr/local/bin/acme-server --stdio -c x", "acme-server", "./bin/acme --token-file t",
    "npm run --silent start", "npm start", "pnpm --dir /srv/acme start", "yarn start", "bash start.sh --fast", "./start.sh", "docker exec -i acme acme-server", "docker mcp gateway run",
    "docker compose run acme", "poetry run python -m acme", "pipenv run acme-server", "conda run -n acme python server.py", "hatch run acme", "mise exec -- node server.js",
    "npx acme-notes@1.0.0 'a;b|c&d $(e) `f`'", "npx acme-notes@1.0.0 --filter 'x > 3' ${TOKEN}", "npx mcp-remote@0.1.30 https://mcp.example.com/mcp --header 'Authorization: Bearer ${T}'",
    "uvx mcp-proxy https://mcp.example.com/sse", "npx -p @acme/cli@1.0.0 acme-mcp", "npx --package=@acme/cli@1.0.0 -- acme-mcp -c x", "nc localhost 7000",
    "uvx --from git+https://github.com/acme/notes@" + "a" * 40 + " notes", "npx -y github:acme/notes#" + "b" * 40,
]  # fmt: skip


def test_the_set_of_ordinary_commands_is_large() -> None:
    assert len(set(BENIGN)) >= 150


@pytest.mark.parametrize("command", BENIGN)
def test_an_ordinary_command_is_let_through(command: str) -> None:
    words = shlex.split(command)
    variables = {
        "API_KEY": "${keyring:acme}",
        "NODE_OPTIONS": "--max-old-space-size=256",
        "PATH": "/usr/local/bin:/usr/bin:${PATH}",
        "ENV": "production",
        "JAVA_TOOL_OPTIONS": "-Xmx1g -Dfile.encoding=UTF-8",
        "DESCRIPTION": "two\nlines",
        "RUBYOPT": "-W0",
        "GIT_SSH_COMMAND": "ssh -i /home/u/key -o IdentitiesOnly=yes",
    }
    wrappers = ((), ("env", "LOG=1"), ("nice", "-n", "5", "timeout", "--signal=KILL", "9"), ("op", "run", "--env-file=.env", "--"))  # fmt: skip
    for before in wrappers:
        found = read([*before, *words], variables, "/srv/acme")
        assert found.errors == ()
        assert not [
            each for each in found.problems if each.kind in {"launch/lookalike", "launch/impostor"}
        ]
    assert read(["env", "-S", command], {}).errors == ()


@pytest.mark.parametrize(
    ("command", "package", "program", "arguments"),
    [
        ("npx -y @acme/notes@1.2.3 -y ./docs", Package("npm", "@acme/notes", "1.2.3"), "", ["-y", "./docs"]),
        ("npx -p @acme/cli@1.0.0 notes x", Package("npm", "@acme/cli", "1.0.0"), "notes", ["x"]),
        ("npm exec --yes=true -- acme@1.0.0 -c x", Package("npm", "acme", "1.0.0"), "", ["-c", "x"]),
        ("npx x@npm:acme@1.0.0", Package("npm", "acme", "1.0.0"), "", []),
        ("uvx --from Acme_Tools[cli]==1.0 acme run", Package("pypi", "acme-tools", "1.0"), "acme", ["run"]),
        ("uvx acme@latest", Package("pypi", "acme", "latest"), "acme", []),
        ("uv --directory /x run server.py -v", None, "server.py", ["-v"]),
        ("uv run --with acme==1.0 acme-server", Package("pypi", "acme", "1.0"), "acme-server", []),
        ("docker run -i --rm -e A=b reg.example.com:5000/acme/x:1 -v", Package("oci", "reg.example.com:5000/acme/x", "1"), "", ["-v"]),
        ("python -m acme -c x", None, "acme", ["-c", "x"]),
        ("env A=1 nice npx acme@1.0.0", Package("npm", "acme", "1.0.0"), "", []),
        ("cmd /c npx -y acme@1.0.0", Package("npm", "acme", "1.0.0"), "", []),
        ("deno run -A npm:acme@1.0.0 x", Package("npm", "acme", "1.0.0"), "npm:acme@1.0.0", ["x"]),
        ("node --no-warnings s.js --require x", None, "s.js", ["--require", "x"]),
    ],
)  # fmt: skip
def test_what_will_run_is_known(
    command: str, package: Package | None, program: str, arguments: list[str]
) -> None:
    found = read(shlex.split(command), {})
    assert (found.package, found.program, list(found.arguments)) == (package, program, arguments)


_WORDS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["npx", "npm", "exec", "uvx", "uv", "run", "tool", "docker", "node", "deno", "bun", "env", "-S", "sudo", "sh", "-c", "-e", "--call", "--", "-", "-y", "--from", "=", "@", ":", "pkg@1", "--", "-m", "-v", "/", "-it", "python", "cmd", "/c", "git+https://x"]),
)  # fmt: skip


@given(
    st.lists(_WORDS, max_size=12),
    st.dictionaries(st.text(max_size=10), st.text(max_size=10), max_size=3),
)
def test_reading_is_total(words: list[str], env: dict[str, str]) -> None:
    found = read(words, env)
    assert all(each.message.isprintable() for each in found.problems)


_PLAIN = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12)


@given(
    st.sampled_from(["npx", "npx -q", "bunx", "pnpm dlx", "uvx", "uv tool run", "pipx run"]),
    st.lists(st.one_of(_PLAIN, st.sampled_from(["-c", "-e", "--call", "--registry", "-r", "--privileged", "--from"]))),
)  # fmt: skip
def test_arguments_of_the_server_are_never_options_of_the_runner(
    runner: str, arguments: list[str]
) -> None:
    version = (
        "==1.0.0" if (runner[0] != "n" and "uv" in runner) or runner == "pipx run" else "@1.0.0"
    )
    found = read([*runner.split(), f"acme-notes{version}", *arguments], {})
    assert found.problems == ()
    assert found.arguments == tuple(arguments)


@given(st.lists(_PLAIN))
def test_arguments_of_a_script_or_an_image_are_its_own(arguments: list[str]) -> None:
    for before in (
        "node s.js",
        "python s.py",
        "python -m acme",
        "java -jar s.jar",
        "ruby s.rb",
        "go run ./s",
    ):
        assert read([*before.split(), *arguments], {}).errors == ()
        assert read([*before.split(), *arguments], {}).arguments == tuple(arguments)


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("npx acme", "floating"), ("npx acme@^1", "floating"), ("npx acme@latest", "floating"), ("docker run acme:1", "floating"),
        ("npx -y acme@1.0.0", "consent"), ("docker run --network=host acme:1", "network"), ("bash start.sh", "script"),
        ("acme", "unknown"), ("/tmp/acme", "writable"), ("node /var/tmp/../tmp/x.js", "writable"), ("node --inspect s.js", "debugger"),
        ("docker run -v ~/.kube:/k acme:1", "mount"), ("npx mcp-remote https://x.example", "bridge"),
    ],
)  # fmt: skip
def test_what_is_only_worth_a_word_is_told_and_started(command: str, kind: str) -> None:
    found = read(command.split(), {})
    assert f"launch/{kind}" in {each.kind for each in found.problems}
    assert found.errors == ()
