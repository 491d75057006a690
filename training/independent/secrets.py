"""Made-up secrets of many makers in their surroundings, and what only looks like them.

They are put together when they are asked for, so that the repository holds no text that a scanner of it
would stop: `python -m training.independent.secrets DIR` writes `secrets.jsonl` into DIR, always the same.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import sys
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

_ALNUM: Final = string.ascii_letters + string.digits
_UPPER: Final = string.ascii_uppercase + string.digits
_LOWER: Final = string.ascii_lowercase + string.digits
_HEX: Final = "0123456789abcdef"
_BASE32: Final = string.ascii_uppercase + "234567"
_URL: Final = _ALNUM + "-_"

# kind, what stands in front, alphabet, length, what stands behind
_TOKENS: Final[tuple[tuple[str, str, str, int, str], ...]] = (
    ("aws-id", "AK" + "IA", _BASE32, 16, ""),
    ("aws-session-id", "AS" + "IA", _BASE32, 16, ""),
    ("github-fine", "github" + "_pat_", _ALNUM, 82, ""),
    ("gitlab-pat", "gl" + "pat-", _URL, 20, ""),
    ("gitlab-deploy", "gl" + "dt-", _URL, 20, ""),
    ("gitlab-runner", "gl" + "rt-", _URL, 20, ""),
    ("slack-bot", "xo" + "xb-2048612345678-2048698765432-", _ALNUM, 24, ""),
    ("slack-user", "xo" + "xp-204861234567-204861234568-204861234569-", _HEX, 32, ""),
    ("slack-app", "xa" + "pp-1-A02FJ7KQ9LM-3049586712345-", _HEX, 64, ""),
    ("stripe-live", "sk" + "_live_", _ALNUM, 24, ""),
    ("stripe-restricted", "rk" + "_live_", _ALNUM, 24, ""),
    ("stripe-webhook", "wh" + "sec_", _ALNUM, 32, ""),
    ("openai-project", "sk" + "-proj-", _ALNUM, 20, "T3Blbk" + "FJ"),
    ("anthropic", "sk" + "-ant-api03-", _URL, 93, "AA"),
    ("google-api", "AI" + "za", _URL, 35, ""),
    ("google-oauth-secret", "GOC" + "SPX-", _URL, 28, ""),
    ("google-refresh", "1/" + "/0", _URL, 100, ""),
    ("npm", "np" + "m_", _ALNUM, 36, ""),
    ("pypi", "py" + "pi-AgEIcHlwaS5vcmc", _URL, 80, ""),
    ("sendgrid", "S" + "G.", _URL, 22, ""),
    ("twilio-key", "S" + "K", _HEX, 32, ""),
    ("mailgun", "ke" + "y-", _HEX, 32, ""),
    ("mailchimp", "", _HEX, 32, "-us" + "14"),
    ("digitalocean", "do" + "p_v1_", _HEX, 64, ""),
    ("huggingface", "h" + "f_", string.ascii_letters, 34, ""),
    ("databricks", "da" + "pi", _HEX, 32, ""),
    ("shopify", "shp" + "at_", _HEX, 32, ""),
    ("linear", "lin" + "_api_", _ALNUM, 40, ""),
    ("notion", "nt" + "n_", _ALNUM, 46, ""),
    ("doppler", "dp." + "pt.", _ALNUM, 43, ""),
    ("vault", "hv" + "s.", _URL, 95, ""),
    ("terraform", "", _ALNUM, 14, ".atlas" + "v1."),
    ("grafana-service", "gl" + "sa_", _ALNUM, 32, "_a1b2" + "c3d4"),
    ("newrelic", "NR" + "AK-", _UPPER, 27, ""),
    ("sentry", "sn" + "trys_", _URL, 120, ""),
    ("atlassian", "ATA" + "TT3xFfGF0", _URL, 160, "=4A3B" + "2C1D"),
    ("telegram", "68492" + "01735:AA", _URL, 33, ""),
    ("age", "AGE-SECRET-" + "KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58, ""),
    ("figma", "fig" + "d_", _URL, 40, ""),
    ("dockerhub", "dck" + "r_pat_", _URL, 27, ""),
    ("planetscale", "psc" + "ale_tkn_", _URL, 43, ""),
    ("postman", "PM" + "AK-", _HEX, 24, "-"),
    ("square", "EA" + "AA", _URL, 60, ""),
    ("rubygems", "rub" + "ygems_", _HEX, 48, ""),
    ("supabase", "sb" + "p_", _HEX, 40, ""),
    ("tailscale", "tskey" + "-auth-k", _ALNUM, 11, "CNTRL-8f3Kd02" + "LqPzXn7Vb4tYw"),
)
# A word that says what it is, and a value without a structure of its own.
_NAMED: Final[tuple[tuple[str, str, str, int], ...]] = (
    ("aws-secret", "aws_secret_access_key", _ALNUM + "/+", 40),
    ("password", "DB_PASSWORD", _ALNUM + "!#%", 18),
    ("password", "password", _ALNUM, 16),
    ("client-secret", "client_secret", _URL, 40),
    ("azure-key", "AccountKey", _ALNUM + "+/", 86),
    ("datadog", "DD_API_KEY", _HEX, 32),
    ("cloudflare", "CLOUDFLARE_API_TOKEN", _URL, 40),
    ("heroku", "HEROKU_API_KEY", _HEX, 36),
    ("jwt-key", "JWT_SECRET", _ALNUM, 48),
    ("django", "SECRET_KEY", _LOWER + "!@#$%^&*(-_=+)", 50),
    ("generic", "api_key", _ALNUM, 32),
    ("generic", "auth_token", _HEX, 40),
    ("algolia", "ALGOLIA_ADMIN_KEY", _HEX, 32),
    ("okta", "OKTA_API_TOKEN", _URL, 42),
    ("circleci", "CIRCLE_TOKEN", _HEX, 40),
)
_SURROUNDINGS: Final = (
    "export {name}={value}",
    '{{"{name}": "{value}"}}',
    "{name}: '{value}'  # rotate before May",
    "Hi Ana, here is the {name} for staging: {value} - please move it to the vault.",
    '2025-03-04T10:11:12Z DEBUG loaded {name}="{value}" from the environment',
    "{name} = {value}\ntimeout = 30\nregion = eu-west-1",
)


def _word(dice: random.Random, alphabet: str, length: int) -> str:
    return "".join(dice.choice(alphabet) for _ in range(length))


def _base64(data: bytes, *, url: bool = False) -> str:
    return (base64.urlsafe_b64encode(data).rstrip(b"=") if url else base64.b64encode(data)).decode()


def _tokens(dice: random.Random) -> Iterator[tuple[str, str]]:
    for turn, (kind, before, alphabet, length, after) in enumerate(_TOKENS):
        value = before + _word(dice, alphabet, length) + after
        if kind in {"openai-project", "terraform"}:
            value += _word(dice, _ALNUM, 20 if kind == "openai-project" else 67)
        if kind == "postman":
            value += _word(dice, _HEX, 34)
        if kind == "sendgrid":
            value += "." + _word(dice, _URL, 43)
        name = kind.split("-", maxsplit=1)[0] + "_token"
        yield kind, _SURROUNDINGS[turn % len(_SURROUNDINGS)].format(name=name, value=value)
    for turn, (kind, name, alphabet, length) in enumerate(_NAMED * 2):
        value = _word(dice, alphabet, length)
        yield kind, _SURROUNDINGS[(turn * 5 + turn // 15) % 6].format(name=name, value=value)


def _github(dice: random.Random, before: str) -> str:
    """A classic GitHub token, which ends in a CRC-32 of its body in base 62."""
    body = _word(dice, _ALNUM, 30)
    check, digits = (
        zlib.crc32(body.encode()),
        string.digits + string.ascii_uppercase + string.ascii_lowercase,
    )
    end = ""
    while check:
        check, rest = divmod(check, 62)
        end = digits[rest] + end
    return before + body + end.rjust(6, "0")


def _pem(dice: random.Random, kind: str, size: int) -> str:
    body = _base64(dice.randbytes(size))
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    name = f"{kind} PRIVATE" + " KEY"
    return f"-----BEGIN {name}-----\n{lines}\n-----END {name}-----".replace("BEGIN  ", "BEGIN ")


def _jwt(dice: random.Random) -> str:
    head = _base64(b'{"alg":"HS256","typ":"JWT"}', url=True)
    body = _base64(
        json.dumps({"sub": "user-" + _word(dice, _HEX, 6), "exp": 1772600000}).encode(), url=True
    )
    return f"{head}.{body}.{_word(dice, _URL, 43)}"


def _shapes(dice: random.Random) -> Iterator[tuple[str, str]]:
    """Secrets known by the text around them."""
    word: Callable[[int], str] = lambda length: _word(dice, _ALNUM, length)  # noqa: E731
    for kind in ("gh" + "p_", "gh" + "o_", "gh" + "s_"):
        yield (
            "github",
            f"remote: https://x-access-token:{_github(dice, kind)}@github.com/team/app.git",
        )
    for kind, size in (("RSA", 600), ("EC", 120), ("OPENSSH", 380), ("DSA", 440)):
        yield "pem", _pem(dice, kind, size)
    yield "pem-json", json.dumps({"type": "service_account", "private_key": _pem(dice, "", 900)})
    yield "jwt", f"Authorization: Bearer {_jwt(dice)}"
    yield "jwt", json.dumps({"access_token": _jwt(dice), "token_type": "bearer"})
    for scheme, port in (
        ("postgresql", 5432),
        ("mysql", 3306),
        ("mongodb+srv", 0),
        ("redis", 6379),
        ("amqps", 5671),
    ):
        where = "db.internal" + (f":{port}" if port else "")
        yield "connection", f"DATABASE_URL={scheme}://app:{word(18)}@{where}/main"
    yield (
        "connection",
        f"Server=tcp:sql.example.net;Database=crm;User Id=app;Password={word(20)};Encrypt=true",
    )
    yield (
        "azure-storage",
        (
            "DefaultEndpointsProtocol=https;AccountName=files;Account"
            f"Key={_base64(dice.randbytes(64))};EndpointSuffix=core.windows.net"
        ),
    )
    yield "npmrc", "//registry.example.org/:_auth" + f"Token={uuid.UUID(bytes=dice.randbytes(16))}"
    yield "netrc", "machine git.example.org login ana pass" + f"word {word(22)}"
    yield "basic-auth", "Authorization: Basic " + _base64(f"ana:{word(16)}".encode())
    yield (
        "docker-auth",
        json.dumps({"auths": {"hub.example.org": {"auth": _base64(f"bot:{word(24)}".encode())}}}),
    )
    yield (
        "kubeconfig",
        f"users:\n- name: admin\n  user:\n    client-key-data: {_base64(_pem(dice, 'RSA', 300).encode())}",
    )
    yield "kubeconfig", f"users:\n- name: ci\n  user:\n    token: {word(40)}"
    yield (
        "slack-webhook",
        (
            "https://hooks."
            f"slack.com/services/T{_word(dice, _UPPER, 8)}/B{_word(dice, _UPPER, 8)}/{word(24)}"
        ),
    )
    yield (
        "discord-webhook",
        "https://discord.com/api/" + f"webhooks/1187654321098765432/{_word(dice, _URL, 68)}",
    )
    yield "url-password", f"git clone https://deploy:{word(20)}@git.example.org/team/app.git"


_MISSES: Final = (
    "password: ********",
    "api_key = YOUR_API_KEY",
    "token: <paste your token here>",
    "SECRET_KEY=changeme",
    "export GITHUB_TOKEN=${GITHUB_TOKEN}",
    "password = os.environ['DB_PASSWORD']",
    "api_key: xxxxxxxxxxxxxxxxxxxxxxxx",
    "client_secret: {{ vault.client_secret }}",
    "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
    "Bearer <token>",
    "postgresql://user:password@localhost/db",
    "mysql://root:${MYSQL_PASSWORD}@db/main",
    "redis://localhost:6379/0",
    "secretName: web-tls",
    "The password must have at least 12 characters.",
    "passwordResetTokenExpiry: 3600",
    "tokenizer = AutoTokenizer()",
    "max_tokens: 4096",
    "csrf_token_name = 'x-csrf'",
    "-----BEGIN CERTIFICATE-----",
    "https://hooks.example.org/services/build",
    "jwt.decode(token, key, algorithms=['ES256'])",
    "sk-...",
    "ghp_xxxxxxxxxxxx",
    "Authorization: Basic <base64 of user:password>",
    "private_key_path: ~/.ssh/id_ed25519",
    "key: value",
    "API_KEY=null",
    "password_hash = bcrypt(password)",
    "secret: projects/p/secrets/db/versions/latest",
    "keyboard_layout=us-intl-with-dead-keys",
    "arn:aws:iam::123456789012:role/deploy",
    "--token-file /run/secrets/token",
    "auth_token: !Ref TokenParameter",
    "user:pass are placeholders in the manual",
    "PGPASSWORD is read from the environment",
    "secret_santa_list=2024",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=",
    "password: correct horse? no, use a manager",
    "token=$(cat /run/token)",
    "SECRET=$(openssl rand -hex 32)",
)


def _near(dice: random.Random) -> Iterator[tuple[str, str]]:
    """What looks like a secret and is none: digests, ids, public keys, placeholders."""
    for text in _MISSES:
        yield "placeholder", text
    for turn in range(22):
        raw = dice.randbytes(20)
        yield (
            "hash",
            (
                f"commit {raw.hex()}",
                f"sha256:{hashlib.sha256(raw).hexdigest()}  app.tar.gz",
                f'ETag: "{hashlib.md5(raw, usedforsecurity=False).hexdigest()}"',
                f'"integrity": "sha512-{_base64(hashlib.sha512(raw).digest())}"',
            )[turn % 4],
        )
    for turn in range(20):
        known = uuid.UUID(bytes=dice.randbytes(16), version=4)
        yield (
            "uuid",
            (
                f"request id {known}",
                f'{{"id":"{known}"}}',
                f"/orders/{known}/items",
                f"trace_id={known.hex}",
            )[turn % 4],
        )
    for turn in range(12):
        key = _base64(dice.randbytes(32 if turn % 2 else 270))
        yield (
            "public-key",
            (
                f"ssh-rsa AAAAB3NzaC1yc2E{key} ana@laptop",
                f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{key[:43]} ci",
                "-----BEGIN PUBLIC" + f" KEY-----\n{key}\n-----END PUBLIC" + " KEY-----",
                f"public_key: {key}",
            )[turn % 4],
        )
    for turn in range(30):
        made = _word(dice, _ALNUM, 22)
        yield (
            "id",
            (
                f"https://docs.example.org/d/{made}/edit",
                f"session started for device {made[:12]}",
                "pk_live" + f"_{made}AB",
                f"class {made[:8].title()}Handler(Base):",
                f"cus_{made[:14]} paid 12.00 EUR",
                f"?page={made}&sort=asc",
            )[turn % 6],
        )
    for turn in range(15):
        made = _word(dice, _HEX, 24)
        yield (
            "id",
            (
                f"ObjectId('{made}')",
                f"image: web@sha256:{made}{made}{made[:16]}",
                f"traceparent: 00-{made}{made[:8]}-{made[:16]}-01",
            )[turn % 3],
        )
    for turn in range(10):
        yield (
            "prose",
            (
                "The API key page lists keys by name only.",
                "Ask the vault for the password of the staging database.",
                "I changed my password yesterday, thanks!",
                "Tokens expire after one hour; refresh them in time.",
                "Never commit private keys to git.",
            )[turn % 5]
            + f" (note {turn})",
        )


def rows() -> Iterator[dict[str, str]]:
    """Each row of `secrets.jsonl`; the same at every call."""
    dice = random.Random(20260311)  # noqa: S311 - made up, and the same every time
    for made, label, mark in (
        ((*_tokens(dice), *_shapes(dice)), "attack", "a"),
        (tuple(_near(dice)), "benign", "b"),
    ):
        for turn, (kind, text) in enumerate(made):
            yield {"id": f"ind-sec-{mark}{turn:03}", "label": label, "kind": kind, "text": text}


def write(directory: Path) -> Path:
    """Writes `secrets.jsonl` into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "secrets.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows()), encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{write(Path(sys.argv[1]))}\n")
