from __future__ import annotations

import re

from training.outputs.writing import Writer


def test_the_same_seed_writes_the_same_texts() -> None:
    assert list(Writer(7).attacks(1)) == list(Writer(7).attacks(1))
    assert list(Writer(7).attacks(1)) != list(Writer(8).attacks(1))


def test_an_attack_holds_its_payload_and_an_honest_text_has_none() -> None:
    writer = Writer(1)
    assert all(each.payload in each.text and each.label for each in writer.attacks(1))
    assert not any(each.payload or each.label for each in writer.benign(1))


def test_no_slot_stays_empty_but_those_that_are_meant_to_be_seen() -> None:
    texts = [each.text for each in (*Writer(2).attacks(1), *Writer(2).benign(1))]
    assert not [text for text in texts if re.search(r"\{(?:g|goal|x|s|mail|url|name)\}", text)]


def test_there_are_attacks_in_many_languages_and_kinds() -> None:
    families = {each.family for each in Writer(1).attacks(1)}
    assert {
        "own/de",
        "own/fr",
        "own/es",
        "own/pt",
        "own/it",
        "own/ru",
        "own/zh",
        "own/ja",
    } <= families
    assert len(families) > 40
