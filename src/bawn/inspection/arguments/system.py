"""Files that hold accounts, keys and credentials, or show the kernel's and other processes' insides."""

from __future__ import annotations

import re
from typing import Final

from bawn.detectors.engine import Gate

_LONGEST: Final = 4096

_CREDENTIALS: Final = re.compile(
    r"^/?(?:private/)?etc/(?:(?:passwd|shadow|gshadow|group|sudoers)(?![a-z])|master\.passwd|security/|krb5\.keytab|ssh/ssh_host|ssl/private|kubernetes/|opasswd|issue$|hosts$|mysql/debian)"
    r"|(?:^|/)\.(?:ssh(?:/(?:id_(?:rsa|dsa|ecdsa|ed25519)|identity|authorized_keys2?|config|\*)?)?|aws(?:/(?:credentials|config))?|gnupg|kube(?:/config)?|azure|docker/config\.json"
    r"|config/gcloud(?:/.*)?|netrc|pgpass|my\.cnf|git-credentials|npmrc|pypirc|htpasswd|htaccess|bash_history|zsh_history|mysql_history|psql_history|vault-token|terraformrc|boto)/?$"
    r"|(?:^|/)id_(?:rsa|dsa|ecdsa|ed25519)$|^/?proc/(?:self|thread-self|\d+|sys|kcore|kmsg|version|cmdline|environ|net)(?:/|$)|^/?dev/(?:k?mem|kmsg|port)$|^/?var/run/secrets/|^/?run/secrets/|^/?root/\.\w"
    r"|(?:^|/)(?:docker|containerd|podman)\.sock$|^/?var/log/(?:auth|secure|wtmp|btmp)|^/?var/lib/(?:mlocate|docker/volumes)|^/?boot/grub|^/?sys/(?:kernel|firmware)/"
    r"|(?:^|/)(?:boot|win|system)\.ini$|(?:^|/)autoexec\.bat$|(?:^|/)(?:windows|winnt|%systemroot%|%windir%|system32)/(?:repair|system32/(?:config|drivers/etc)|win\.ini|system\.ini|php\.ini|ntds|debug)"
    r"|(?:^|/)(?:system32/)?config/(?:sam|system|security)$|(?:^|/)ntds\.dit$|(?:^|/)(?:winnt|windows)/system32/cmd\.exe|(?:^|/)inetpub/|(?:^|/)repair/(?:sam|system|security)$|(?:^|/)login data$|(?:^|/)logins\.json$|(?:^|/)key[34]\.db$|(?:^|/)unattend\.xml$|(?:^|/)web-inf/",
    re.IGNORECASE,
)
_HINTS: Final = Gate(
    (
        r"etc|proc|secrets|\.sock|\.ini|win(dows|nt)|%(system|win)|system32|repair|inetpub|login|unattend|web-inf|autoexec|ntds",
        r"id_(rsa|dsa|ecdsa|ed25519)|key[34]\.db|dev[/\\]|root[/\\]|var[/\\]+(\.[/\\]+)*(log|lib|run)|boot[/\\]|sys[/\\]|config[/\\]",
        r"\.(ssh|aws|gnupg|kube|azure|docker|config|netrc|pgpass|my\.cnf|git-cred|npmrc|pypirc|ht|bash_|zsh_|mysql_|psql_|vault|terraformrc|boto)",
    )
)
"""One of these stands in every path that is meant: most paths are done with in half a microsecond."""
_SLASHES: Final = re.compile(r"[/\\]+(?:\.[/\\]+)*")


def is_credential(path: str) -> bool:
    """Whether a path, as it reads after its dots are gone, is such a file."""
    if len(path) > _LONGEST:
        return False
    if not _HINTS.opens(path.encode("utf-8", "replace")) and ".." not in path:
        return False
    return _CREDENTIALS.search(plain(path)) is not None


def plain(path: str) -> str:
    """A path with single forward slashes, no drive, and neither `.` nor `..` where they can be resolved."""
    text = _SLASHES.sub("/", path.strip().strip("'\""))
    text = text.removeprefix("./")
    if len(text) > 1 and text[1] == ":" and text[0].isalpha():
        text = text[2:]
    if "/.." not in text and not text.startswith(".."):
        return text
    kept: list[str] = []
    for part in text.split("/"):
        if part == "..":
            if kept and kept != [""]:
                kept.pop()
        else:
            kept.append(part)
    return "/".join(kept)
