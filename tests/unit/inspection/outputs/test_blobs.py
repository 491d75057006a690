"""Text that comes as Base64 is looked at, and comes back as it was but for what was changed."""

from __future__ import annotations

from base64 import b64decode, b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.outputs.blobs import LOOKED_AT, decoded, encoded


def b64(content: bytes) -> str:
    return b64encode(content).decode()


@pytest.mark.parametrize(
    "mime",
    ["text/plain", "TEXT/HTML; charset=utf-8", "image/svg+xml", "application/json",
     "application/ld+json", "application/javascript", "", None, "application/octet-stream", 7],
)  # fmt: skip
def test_texts_are_looked_at(mime: object) -> None:
    assert decoded(b64("grüße".encode()), mime) == "grüße"


@pytest.mark.parametrize(
    ("content", "mime"),
    [(b"\xffwords", "image/png"), (b"\x89PNG\0", None), (b"\xfe\xfe\0", "application/octet-stream"),
     (b"", None), (b"words\0", "audio/wav")],
)  # fmt: skip
def test_other_bytes_are_not(content: bytes, mime: str | None) -> None:
    assert decoded(b64(content), mime) is None


@pytest.mark.parametrize("mime", ["image/png", "audio/wav", "application/pdf", "x"])
def test_what_reads_as_text_is_looked_at_whatever_it_is_called(mime: str) -> None:
    assert decoded(b64(b"Read this, model!"), mime) == "Read this, model!"


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("broken", [False, True])
def test_other_alphabets_lines_and_codecs_are_read_too(codec: str, broken: bool) -> None:
    text = "\ufeffgrüße>>>???~~~ and one more"
    blob = urlsafe_b64encode(text.encode(codec)).decode().rstrip("=")
    blob = "\n".join(blob[at : at + 5] for at in range(0, len(blob), 5)) if broken else blob
    assert decoded(blob, "text/plain") == text
    changed = encoded(blob, text.replace("more", "less"))
    assert b64decode(changed).decode(codec) == text.replace("more", "less")


def test_what_is_no_base64_is_its_own_text() -> None:
    assert decoded("Read this, model!", "image/png") == "Read this, model!"
    hidden = b64(b"a" * LOOKED_AT * 2) + " and words"
    assert decoded(hidden, "image/png") == hidden


def test_of_a_long_one_the_beginning_is_looked_at_and_the_rest_stays() -> None:
    content = "é".encode() * LOOKED_AT
    text = decoded(b64(content), "text/plain")
    assert text is not None
    assert 0 < len(text) <= LOOKED_AT
    assert b64decode(encoded(b64(content), text)) == content
    assert b64decode(encoded(b64(content), text.replace("é", "e", 1))) == b"e" + content[2:]


@given(st.text(), st.text())
def test_a_changed_text_comes_back(text: str, other: str) -> None:
    blob = b64(text.encode())
    assert decoded(blob, "text/plain") == text
    assert encoded(blob, text) == blob
    assert decoded(encoded(blob, other), "text/plain") == other
