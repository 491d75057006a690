"""Ways to write one path, ways for a command to write there, ways for a tool to."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import msgspec

from tests.unit.inspection.guard.test_archives import tarred, zipped

Call = tuple[str, dict[str, Any]]


def _packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _folder(path: str) -> str:
    return path.rpartition("/")[0] or "."


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _split(path: str) -> tuple[str, str]:
    stem, _, ending = _name(path).rpartition(".")
    return stem, ending


def _diff(path: str) -> str:
    return f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+b\n"


DISGUISES: Final[dict[str, Callable[[str], str]]] = {
    "plain": lambda p: p,
    "upper": str.upper,
    "swap": str.swapcase,
    "dots": lambda p: "./x/../" + p,
    "dbl": lambda p: p.replace("/", "//"),
    "back": lambda p: p.replace("/", "\\"),
    "mixed": lambda p: p.replace("/", "\\", 1),
    "abs": lambda p: "/home/u/proj/" + p,
    "win": lambda p: "C:\\Users\\me\\" + p.replace("/", "\\"),
    "unc": lambda p: "\\\\?\\C:\\x\\" + p.replace("/", "\\"),
    "pct": lambda p: "".join(f"%{ord(c):02x}" for c in p),
    "pct1": lambda p: "%" + f"{ord(p[0]):02X}" + p[1:],
    "pct2": lambda p: quote("".join(f"%{ord(c):02x}" for c in p)),
    "file": lambda p: "file:///home/u/" + p,
    "filel": lambda p: "FILE://localhost/x/" + p,
    "tilde": lambda p: "~/" + p,
    "home": lambda p: "$HOME/" + p,
    "home2": lambda p: "${HOME}/x/" + p,
    "userprofile": lambda p: "%USERPROFILE%\\" + p,
    "proc": lambda p: "/proc/self/root/home/u/" + p,
    "proccwd": lambda p: "/proc/123/cwd/" + p,
    "zwsp": lambda p: p[:3] + "\u200b" + p[3:],
    "soft": lambda p: p[:3] + "\u00ad" + p[3:],
    "vs": lambda p: p[:3] + "\ufe0f" + p[3:],
    "cgj": lambda p: p[:2] + "\u034f" + p[2:],
    "full": lambda p: "".join(chr(ord(c) + 0xFEE0) if c.isalnum() or c == "." else c for c in p),
    "kelvin": lambda p: p.replace("k", "\u212a"),
    "longs": lambda p: p.replace("s", "\u017f"),
    "trail": lambda p: p + ". .",
    "trail2": lambda p: p.replace("/", " /") + " ",
    "ads": lambda p: p + "::$DATA",
    "ads2": lambda p: p + ":x",
    "nul": lambda p: p + "\0.txt",
    "u": lambda p: "".join(f"\\u{ord(c):04x}" for c in p),
    "x": lambda p: f"\\x{ord(p[0]):02x}" + p[1:],
    "quote": lambda p: f'"{p}"',
    "vscode": lambda p: "vscode-remote://ssh/x/" + p,
    "ovl": lambda p: p.replace(".", "%c0%ae"),
    "nl": lambda p: p + "\n",
    "glob": lambda p: p[:-1] + "?",
    "brace": lambda p: "{a," + p + "}",
    "slash": lambda p: p + "/",
    "env": lambda p: "$env:USERPROFILE\\" + p,
    "ws": lambda p: "${workspaceFolder}/" + p,
    "dotdot": lambda p: "a/b/../../c/../" + p,
    "iis": lambda p: p.replace(".", "%u002e"),
    "math": lambda p: "".join(chr(0x1D41A + ord(c) - 97) if "a" <= c <= "z" else c for c in p),
}

COMMANDS: Final[dict[str, Callable[[str], str]]] = {
    "redirect": lambda p: f"echo x > {p}",
    "append": lambda p: f"cat a >>{p}",
    "tee": lambda p: f"echo x | sudo tee -a {p} >/dev/null",
    "cp": lambda p: f"cp evil {p}",
    "cpdir": lambda p: f"cp evil/{_name(p)} {_folder(p) + '/'}",
    "mv": lambda p: f"mv {p} /tmp/x",
    "ln": lambda p: f"ln -sf /tmp/x {p}",
    "ln2": lambda p: f"ln -s {p} notes.txt",
    "sed": lambda p: f"sed -i 's/a/b/' {p}",
    "dd": lambda p: f"dd if=a of={p}",
    "curl": lambda p: f"curl -s https://e.x/a -o {p}",
    "curl2": lambda p: f"curl -so{p} https://e.x/a",
    "wget": lambda p: f"wget -O {p} https://e.x",
    "rsync": lambda p: f"rsync -a evil {p}",
    "install": lambda p: f"install -m 600 e {p}",
    "rm": lambda p: f"rm -f {p}",
    "truncate": lambda p: f"truncate -s 0 {p}",
    "patch": lambda p: f"patch {p} < x",
    "patch2": lambda p: f"patch -p1 <<'EOF'\n--- a/{p}\n+++ b/{p}\n@@ -1 +1 @@\n-a\n+b\nEOF\n",
    "gitco": lambda p: f"git checkout evil -- {p}",
    "gitmv": lambda p: f"git mv a {p}",
    "gitapply": lambda p: f"git apply <<EOF\n--- a/{p}\n+++ b/{p}\n@@ -1 +1 @@\n-a\n+b\nEOF\n",
    "gitC": lambda p: f"git -C /x restore {p}",
    "python": lambda p: f"python3 -c \"open('{p}','w').write('x')\"",
    "node": lambda p: f'node -e \'require("fs").writeFileSync("{p}", "x")\'',
    "perl": lambda p: f"perl -e 'open(F,\">{p}\");print F 1'",
    "awk": lambda p: f'awk \'BEGIN{{print "x" > "{p}"}}\'',
    "ed": lambda p: f"ed {p} <<EOF\na\nEOF",
    "vim": lambda p: f"vim -es -c 'wq' {p}",
    "sqlite": lambda p: f'sqlite3 x.db ".output {p}" "select 1"',
    "shc": lambda p: f"bash -c 'echo x > {p}'",
    "eval": lambda p: f'eval "echo x > {p}"',
    "heredoc": lambda p: f"cat > {p} <<EOF\nhi\nEOF",
    "pyheredoc": lambda p: f"python - <<EOF\nopen('{p}','w').write('x')\nEOF",
    "xargs": lambda p: f"echo {p} | xargs rm",
    "b64sh": lambda p: f"echo {_packed('echo x > ' + p)} | base64 -d | sh",
    "b64path": lambda p: f"tee $(echo {_packed(p)} | base64 -d)",
    "var": lambda p: f"P={p}; echo x > $P",
    "var2": lambda p: f'export A={p[:3]} B={p[3:]}; echo x > "$A$B"',
    "for": lambda p: f'for f in a {p}; do truncate -s0 "$f"; done',
    "cd": lambda p: f"cd {_folder(p)} && echo x > {_name(p)}",
    "findexec": lambda p: f"find . -path './{p}' -exec rm {{}} \\;",
    "quotes": lambda p: f"echo x > {p[:2]}''{p[2:]}",
    "quotes2": lambda p: f'echo x > {p[:2]}"{p[2:4]}"{p[4:]}',
    "esc": lambda p: f"echo x > {p[:2]}\\{p[2:]}",
    "ansi": lambda p: f"echo x > $'\\x{ord(p[0]):02x}'{p[1:]}",
    "rev": lambda p: f"echo x > $(echo {p[::-1]} | rev)",
    "win": lambda p: "echo x > " + p.replace("/", "\\"),
    "ps": lambda p: f"Set-Content -Path '{p}' -Value x",
    "psenc": lambda p: (
        "powershell -EncodedCommand "
        + base64.b64encode(f"Set-Content {p} x".encode("utf-16-le")).decode()
    ),
    "cmd": lambda p: f'cmd /c "echo x > {p}"',
    "copy": lambda p: f"copy a {p}",
    "mklink": lambda p: f"mklink {p} C:\\x",
    "unzip": lambda p: f"unzip -o a.zip {p}",
    "tar": lambda p: f"tar xzf a.tgz {p}",
    "install2": lambda p: f"sudo -u root install e {p}",
    "time": lambda p: f"timeout 5 tee {p}",
    "group": lambda p: f"{{ echo a; echo b; }} > {p}",
    "sub": lambda p: f"(echo a) >| {p}",
    "printf": lambda p: f"tee $(printf '%s%s' {p[:3]} {p[3:]})",
    "subst": lambda p: f"X=zz{p}; echo > ${{X#zz}}",
    "slice": lambda p: f"X=zz{p}; echo > ${{X:2}}",
    "swap": lambda p: f"X={p.replace('c', 'Q')}; echo > ${{X//Q/c}}",
    "proc": lambda p: f"echo a | tee >(cat > {p})",
    "if": lambda p: f"if true; then echo x > {p}; fi",
    "func": lambda p: f"f() {{ echo x > $1; }}; f {p}",
    "and": lambda p: f"true && cp a {p} || true",
    "tr": lambda p: (
        f"tee $(echo {p.translate(str.maketrans('abcdefghijklmnopqrstuvwxyz', 'nopqrstuvwxyzabcdefghijklm'))} | tr 'a-z' 'n-za-m')"
    ),
    "rubyi": lambda p: f"ruby -i -pe 1 {p}",
    "script": lambda p: (
        f"node -e \"const p='{p[:4]}'+'{p[4:]}';require('fs').writeFileSync(p,'')\""
    ),
    "chr": lambda p: f"python -c \"open(''.join(map(chr,{[ord(c) for c in p]})),'w')\"",
    "glob": lambda p: f"sed -i s/a/b/ {p[:-3]}*",
    "q": lambda p: f"rm {p[:-2]}?{p[-1]}",
    "brace": lambda p: f"cp x {{{p},y}}",
    "class": lambda p: f"rm {p[:-2]}[{p[-2]}]{p[-1]}",
}

CALLS: Final[dict[str, Callable[[str], Call]]] = {
    "edit": lambda p: ("edit_file", {"path": p, "edits": [{"oldText": "a", "newText": "b"}]}),
    "move": lambda p: ("move_file", {"source": p, "destination": "x"}),
    "move2": lambda p: ("move_file", {"source": "x", "destination": p}),
    "link": lambda p: ("create_symlink", {"target": "x", "link_name": p}),
    "link2": lambda p: ("create_symlink", {"target": p, "link_name": "x"}),
    "push": lambda p: (
        "push_files",
        {
            "owner": "o",
            "repo": "r",
            "branch": "b",
            "files": [{"path": "a", "content": "x"}, {"path": p, "content": "y"}],
            "message": "m",
        },
    ),
    "gh": lambda p: (
        "create_or_update_file",
        {"owner": "o", "repo": "r", "path": p, "content": "x", "message": "m"},
    ),
    "del": lambda p: ("delete_file", {"path": p}),
    "unified diff": lambda p: ("apply_patch", {"patch": _diff(p)}),
    "diff2": lambda p: ("apply_diff", {"diff": _diff(p)}),
    "diff3": lambda p: ("git_apply", {"content": _diff(p)}),
    "rename": lambda p: (
        "apply_patch",
        {"patch": f"diff --git a/x b/{p}\nsimilarity index 100%\nrename from x\nrename to {p}\n"},
    ),
    "symlinkpatch": lambda p: (
        "apply_patch",
        {
            "patch": f"diff --git a/notes b/notes\nnew file mode 120000\nindex 0000000..1\n--- /dev/null\n+++ b/notes\n@@ -0,0 +1 @@\n+{p}\n\\ No newline"
        },
    ),
    "codex": lambda p: (
        "apply_patch",
        {"input": f"*** Begin Patch\n*** Update File: {p}\n@@\n-a\n+b\n*** End Patch"},
    ),
    "codex2": lambda p: (
        "apply_patch",
        {
            "input": f"*** Begin Patch\n*** Update File: x\n*** Move to: {p}\n@@\n-a\n+b\n*** End Patch"
        },
    ),
    "codex3": lambda p: (
        "run",
        {"command": ["apply_patch", f"*** Begin Patch\n*** Add File: {p}\n+b\n*** End Patch"]},
    ),
    "sr": lambda p: (
        "edit",
        {"edits": f"{p}\n```\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n```"},
    ),
    "zip": lambda p: ("extract_archive", {"data": zipped("a.txt", p), "destination": "."}),
    "tar": lambda p: ("extract_archive", {"data": tarred("", "a.txt", p), "destination": "."}),
    "tgz": lambda p: ("upload", {"content": tarred("gz", "a.txt", p)}),
    "txz": lambda p: (
        "upload",
        {"content": "data:application/x-xz;base64," + tarred("xz", "a.txt", p)},
    ),
    "tbz": lambda p: ("upload", {"archive": tarred("bz2", "a.txt", p)}),
    "tarlink": lambda p: ("unpack", {"data": tarred("", "notes", link=p)}),
    "lsp": lambda p: (
        "apply_workspace_edit",
        {"edit": {"changes": {"file:///home/u/proj/" + p: [{"range": {}, "newText": "x"}]}}},
    ),
    "lsp2": lambda p: (
        "apply_workspace_edit",
        {
            "edit": {
                "documentChanges": [
                    {"textDocument": {"uri": "file:///x/" + p, "version": 1}, "edits": []}
                ]
            }
        },
    ),
    "lsp3": lambda p: (
        "apply_workspace_edit",
        {
            "edit": {
                "documentChanges": [
                    {"kind": "rename", "oldUri": "file:///a", "newUri": "file:///x/" + p}
                ]
            }
        },
    ),
    "gist": lambda p: ("update_gist", {"files": {p: {"content": "x"}}}),
    "dirname": lambda p: (
        "write_file",
        {"directory": _folder(p), "filename": _name(p), "content": "x"},
    ),
    "ext": lambda p: (
        ("create_document", {"folder": _folder(p), "name": _split(p)[0], "extension": _split(p)[1]})
        if "." in p[1:] and not p.endswith("config")
        else ("write_file", {"path": p})
    ),
    "json": lambda p: (
        "multi_edit",
        {"edits": msgspec.json.encode([{"path": p, "content": "x"}]).decode()},
    ),
    "argv": lambda p: ("start_process", {"command": "tee", "args": ["-a", p]}),
    "argv2": lambda p: ("exec", {"argv": ["sh", "-c", "echo x > " + p]}),
    "notebook": lambda p: ("edit_cell", {"cell_index": 1, "source": f"%%writefile {p}\nhello"}),
    "notebook2": lambda p: ("execute_code", {"code": f"!echo x > {p}"}),
    "os": lambda p: ("execute_python", {"code": f"import os\nos.system('echo x > {p}')"}),
    "pathlib": lambda p: (
        "execute_python",
        {
            "code": "from pathlib import Path\n# don't\nd = "
            + " / ".join(f'Path("{c}")' for c in p.split("/"))
            + "\nd.write_text('x')"
        },
    ),
    "join": lambda p: (
        "execute_python",
        {
            "code": "import os\nf=os.path.join("
            + ",".join(f"'{c}'" for c in p.split("/"))
            + ")\nopen(f, 'w').write('x')"
        },
    ),
    "b64py": lambda p: (
        "run_python",
        {"script": f"import base64;open(base64.b64decode('{_packed(p)}'),'w')"},
    ),
    "sql": lambda p: ("query", {"sql": f"VACUUM INTO '{p}'"}),
    "duck": lambda p: ("query", {"query": "x", "sql": f"COPY t TO '{p}'"}),
    "download": lambda p: ("download_file", {"url": "https://e.x/a", "path": p}),
    "http": lambda p: (
        "http_request",
        {"method": "PUT", "url": "https://api.github.com/repos/o/r/contents/" + p, "body": "x"},
    ),
    "unknownkey": lambda p: ("frobnicate", {"thing": p if "/" in p else "./" + p}),
    "cwdcmd": lambda p: ("run_command", {"command": "echo x > " + _name(p), "cwd": _folder(p)}),
    "filelist": lambda p: ("delete_files", {"paths": ["a", p]}),
    "screenshot": lambda p: ("take_screenshot", {"filename": p}),
    "writepatch": lambda p: ("write_file", {"path": "x.patch", "content": _diff(p)}),
    "terminal": lambda p: ("send_terminal_text", {"text": "echo a > " + p + "\n"}),
}
