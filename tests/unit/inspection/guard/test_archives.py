"""Archives, by the names of what is in them."""

from __future__ import annotations

import base64
import io
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.guard.archives import is_archive, members


def zipped(*names: str) -> str:
    """A zip file in base64."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "x")
    return base64.b64encode(buffer.getvalue()).decode()


def tarred(form: str, *names: str, link: str = "") -> str:
    """A tar file in base64, whose members may be links."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{form}") as archive:  # type: ignore[call-overload] # the form varies
        for name in names:
            member = tarfile.TarInfo(name)
            if link:
                member.type, member.linkname = tarfile.SYMTYPE, link
            archive.addfile(member)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize("form", ["", "gz", "bz2", "xz"])
def test_the_members_of_a_tar_file_are_named(form: str) -> None:
    text = tarred(form, "a", "x.y")
    assert is_archive(text)
    assert "x.y" in set(members(text))


def test_the_members_of_a_zip_file_are_named() -> None:
    text = zipped("a", "x.y")
    assert is_archive(text)
    assert "x.y" in set(members(text))
    assert "x.y" in set(members(f"data:application/zip;base64,{text}"))


def test_a_name_in_one_of_the_headers_alone_is_seen() -> None:
    raw = base64.b64decode(zipped("aaa"))
    local = raw.replace(b"aaa", b"x.y", 1)
    central = raw[::-1].replace(b"aaa", b"y.x", 1)[::-1]
    for changed in (local, central):
        assert "x.y" in set(members(base64.b64encode(changed).decode()))


def test_where_a_link_leads_is_told() -> None:
    assert "x.y" in set(members(tarred("", "a", link="x.y")))


@given(st.binary(max_size=300))
def test_damaged_archives_do_no_harm(raw: bytes) -> None:
    for head in (b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b""):
        list(members(base64.b64encode(head + raw).decode()))
