from __future__ import annotations

from bawn.review.past.grants import Grant, Grantee
from bawn.review.past.suggested_cases import CASES, case_files
from bawn.review.trials import cases
from tests.unit.review.rulesets import item

DEV = Grantee("dev")


def test_each_use_is_expected_and_something_unused_and_somebody_without_roles_is_not() -> None:
    tools = {"files": {"read": item("read"), "write": item("write")}}
    files = case_files({"": {DEV: {"files": Grant({"read"})}}}, tools, "new")
    (found,) = (cases.read(text.encode(), path) for path, text in files.items())
    assert [(c.entry.caller.roles, c.item.name, c.entry.expect) for c in found.cases] == [
        (("dev",), "read", "allow"), (("dev",), "write", "deny"), ((), "read", "deny"),
    ]  # fmt: skip


def test_hints_of_tools_are_kept_and_nothing_else_of_them() -> None:
    said = item("read", annotations={"readOnlyHint": True, "title": "secret"}, description="secret")
    files = case_files({"": {DEV: {"files": Grant({"read"})}}}, {"files": {"read": said}}, "new")
    (text,) = files.values()
    assert '{"name": "read", "annotations": {"readOnlyHint": true}}' in text
    assert "secret" not in text


def test_names_of_any_characters_come_back_as_they_were() -> None:
    names = {"a\u202eb", "\U0001f600", "# no: comment", 'quo"te', "new\nline", "null"}
    files = case_files({"acme": {DEV: {"files": Grant(set(names))}}}, {}, "new")
    (found,) = (cases.read(text.encode(), path) for path, text in files.items())
    assert {case.item.name for case in found.cases if case.entry.expect == "allow"} == names
    assert found.tenants == {"files": "acme"}


def test_no_file_has_more_cases_than_can_be_read() -> None:
    names = {f"tool{number}" for number in range(CASES + 1)}
    files = case_files({"": {DEV: {"files": Grant(names)}}}, {}, "new")
    assert list(files) == ["tests/new-files.yaml", "tests/new-files-2.yaml"]
    counts = [len(cases.read(text.encode(), path).cases) for path, text in files.items()]
    assert counts == [CASES, 2]
