"""Here-documents are data, unless a shell reads them or they are expanded."""

from __future__ import annotations

from bawn.inspection.arguments.documents import split


def test_text_of_a_document_is_taken_out() -> None:
    assert list(split("cat <<'E' > f\nrm x\nE\nls")) == ["cat <<'E' > f\nE\nls"]
    assert list(split("cat <<E\nplain\nE")) == ["cat <<E\nE"]


def test_a_document_with_substitutions_stays() -> None:
    assert list(split("cat <<E\n$(id)\nE")) == ["cat <<E\n$(id)\nE"]


def test_a_document_for_a_shell_is_a_script() -> None:
    assert list(split("bash <<'E'\nid\nE"))[1:] == ["id"]


def test_a_document_without_end_stays() -> None:
    assert list(split("cat <<'E'\nid")) == ["cat <<'E'\nid"]
