"""What a tool does, and what its arguments are, by their names: where a path is written, and where only told.

The line runs so: what names a guarded file where a path is expected counts as a write, unless the tool
is one that only reads, or one that only talks; in free text it never counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from bawn.model import Item, Kind


class Effect(Enum):
    """What a tool does with what a path names."""

    WRITES = "writes"
    """It may change it, or nothing is known of it."""

    READS = "reads"
    TALKS = "talks"
    """It says something to somebody: an issue, a message, a comment."""


class Role(Enum):
    """What an argument is."""

    PATH = "path"
    """Names a file where a path is expected."""

    PERHAPS = "perhaps"
    """Names one, if it looks like one."""

    COMMAND = "command"
    CODE = "code"
    CONTENT = "content"
    """What is written: text that is not carried out, unless it is a patch."""

    FREE = "free"


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_READING: Final = _set("""
    read get list search find grep glob view show cat open fetch query lookup inspect describe stat info exists count
    tree ls diff log status blame check validate lint analyze analyse explain summarize summarise preview head tail load
    retrieve browse scan watch count compare parse extract
    """)
_WRITING: Final = _set("""
    write create edit update delete remove rename move copy save put set add append insert replace patch apply modify
    push upload commit link symlink mkdir touch make overwrite store sync install restore checkout revert reset merge
    unzip untar decompress unpack convert export import download generate run exec execute shell bash terminal eval
    change fix format refactor init clone stash truncate chmod post send trash erase duplicate compress pack
    scaffold migrate upsert transform rewrite str archive zip tar unarchive inflate
    """)
_TALKING: Final = _set("""
    comment comments review issue issues discussion message messages email mail chat notify notification tweet ticket
    reply dm sms slack
    """)
_FILES: Final = _set("""
    file files path paths dir directory folder document doc note notes gist tree blob attachment write edit patch
    commit push rename move link symlink copy archive zip extract repo repository git fs filesystem upload save workspace
    contents content
    """)
_SHELLING: Final = _set(
    "shell bash zsh terminal command commands cmd exec execute powershell process ssh console sh"
)
_CARRYING: Final = _set(
    "content contents data newtext newcontent newpath text body command cmd code script edits patch diff"
)
_UNPACKED: Final = _set("""
    archive archivepath zip zipfile zippath tar tarball tarfile destination destinationpath dest target targetdir
    targetdirectory output outputdir outputdirectory outputpath outputfolder extractto to
    """)
_PATHS: Final = _set("""
    path paths file files filename filenames filepath filepaths fname pathname pathnames dir directory directories folder
    folders target targets destination dest dst source src uri uris root output out outfile outputfile link linkname linkpath
    location locations from to cwd basename document documents oldpath newpath attachments entry entries archive
    member members workdir base textdocument item items uri0 filepattern outputpath savepath localpath remotepath
    """)
_COMMANDS: Final = _set(
    "command commands cmd cmds commandline shell bash argv shellcommand postcreatecommand script scripts"
)
_CODES: Final = _set("""
    code script scripts source sources snippet expression statement function javascript js python py sql query statements
    program cell cells javascriptcode pythoncode evaluate
    """)
_CONTENTS: Final = _set(
    "content contents data newtext newcontent oldtext newstring oldstring text value filetext newstr oldstr blob"
)
_FREE: Final = _set("""
    q search prompt message messages description title question comment comments body summary reason label labels subject
    keyword keywords term terms instruction instructions thought thoughts note explanation context details caption query
    observation observations tag tags topic task goal about commitmessage regex answer response html markdown
    """)
_PATTERNS: Final = _set(
    "pattern patterns glob globs include exclude excludepatterns filter filters"
)
_DIRECTORIES: Final = _set("""
    dir directory folder path root base basedir basepath cwd workdir workingdirectory parent parentpath repopath repo
    destination dest target to location workspace outputdir targetdir prefix
    """)
_NAMES: Final = _set(
    "name filename file basename path title newname entry key filepath relativepath linkname document"
)
_KINDS: Final[Mapping[str, Role]] = {
    "command": Role.COMMAND,
    "path": Role.PATH,
    "url": Role.PATH,
    "sql": Role.CODE,
    "code": Role.CODE,
    "template": Role.CODE,
    "identifier": Role.PERHAPS,
    "host": Role.FREE,
    "secret": Role.FREE,
}


@lru_cache(maxsize=4096)
def words(name: str) -> frozenset[str]:
    """The words of a name, in whatever case it joins them."""
    spaced = "".join(
        f" {character.lower()}"
        if character.isupper() and index and name[index - 1].islower()
        else character.lower()
        if character.isalnum()
        else " "
        for index, character in enumerate(name)
    )
    return frozenset(spaced.split())


def effect(item: Item) -> Effect:
    """What a tool does, by its name and what its approved definition says.

    A tool reads only if a verb of reading stands in its name, none of writing, and either its definition says
    `readOnlyHint` or it has no argument in which anything could be written.
    """
    if item.kind not in {Kind.TOOL, Kind.METHOD}:
        return Effect.READS
    told = words(item.name)
    if told & _TALKING and not told & (_FILES - {"content", "contents", "note", "notes"}):
        return Effect.TALKS
    schema = item.definition.get("inputSchema")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    names = {flat(str(name)) for name in properties} if isinstance(properties, dict) else set()
    if "extract" in told and names & _UNPACKED:
        return Effect.WRITES
    annotations = item.definition.get("annotations")
    hints: Mapping[str, Any] = annotations if isinstance(annotations, dict) else {}
    if told & _WRITING or not told & _READING or hints.get("readOnlyHint") is False:
        return Effect.WRITES
    if hints.get("readOnlyHint") is True:
        return Effect.READS
    return (
        Effect.WRITES if names & _CARRYING or hints.get("destructiveHint") is True else Effect.READS
    )


def runs_commands(item: Item) -> bool:
    """Whether a tool's texts are command lines, whatever its arguments are called."""
    return bool(words(item.name) & _SHELLING)


def handles_files(item: Item) -> bool:
    """Whether a tool is one for files."""
    return bool(words(item.name) & _FILES)


@lru_cache(maxsize=4096)
def flat(name: str) -> str:
    """A name without its joints: `new_path` and `newPath` are one."""
    return "".join(character for character in name.casefold() if character.isalnum())


def roles(key: str, kind: str | None) -> frozenset[Role]:
    """What an argument is, by its name, or by what the registry says of it."""
    if kind is not None and kind in _KINDS:
        return frozenset({_KINDS[kind]})
    if kind == "text":
        return frozenset({Role.CONTENT} if flat(key) in _CONTENTS else {Role.FREE})
    return _roles(flat(key), words(key))


@lru_cache(maxsize=4096)
def _roles(name: str, parts: frozenset[str]) -> frozenset[Role]:
    found: set[Role] = set()
    if name in _COMMANDS:
        found.add(Role.COMMAND)
    if name in _CODES or parts & {"code", "script", "javascript", "python", "sql"}:
        found.add(Role.CODE)
    if name in _PATHS or parts & {
        "path",
        "paths",
        "file",
        "filename",
        "dir",
        "directory",
        "folder",
        "uri",
    }:
        found.add(Role.PATH)
    if name in _CONTENTS or parts & {"content", "diff", "patch"}:
        found.add(Role.CONTENT)
    if not found and (name in _FREE or parts & {"message", "prompt", "description", "search"}):
        found.add(Role.FREE)
    return frozenset(found or {Role.PERHAPS})


def is_pattern(key: str) -> bool:
    """Whether an argument says which files are meant."""
    return flat(key) in _PATTERNS


def is_directory(key: str) -> bool:
    """Whether an argument may say in which directory."""
    return flat(key) in _DIRECTORIES or "dir" in flat(key) or "folder" in flat(key)


def is_name(key: str) -> bool:
    """Whether an argument may be a name within a directory."""
    return flat(key) in _NAMES or "name" in flat(key)


def is_patch(key: str) -> bool:
    """Whether an argument is there to be applied."""
    return bool(words(key) & {"patch", "diff", "edit", "edits", "changes", "input", "hunks"})
