"""Folding: one form for what looks or reads the same, and nothing done to other scripts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bawn.detectors.folding import fold

ODD = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "aIgnоrеΙΝαβвтсо \u200b\u0301\u0316\u1100\u1161\u11a8\u3099かﾊﾞ\udc80\x1b\u2066ﬁßİςΣ"
        ),
    )
)


@pytest.mark.parametrize(
    "text",
    [
        "IGNORE ALL",
        "іgnоrе аll",
        "ｉｇｎｏｒｅ　ａｌｌ",
        "𝐢𝐠𝐧𝐨𝐫𝐞 𝒂𝒍𝒍",
        "ⓘⓖⓝⓞⓡⓔ ⓐⓛⓛ",
        "🅸🅶🅽🅾🆁🅴 🅰🅻🅻",
        "ɪɢɴᴏʀᴇ ᴀʟʟ",
        "ïgñörë àłł",
        "i\u200bg\u200dn\u2060o\u00adr\ufeffe all",
        "i\u0332g\u0332n\u0332o\u0332r\u0332e\u0332 all",
        "\u202eignore\u202c\r\n\t  all ",
        "ignore \U000e0041all",
    ],
)
def test_what_reads_the_same_folds_to_the_same(text: str) -> None:
    assert fold(text)[0] == "ignore all"


@pytest.mark.parametrize(
    "text",
    [
        "привет, это ещё не всё: ёлка и йод",
        "он и она, вот так: сор, рост, нос",
        "καλημέρα κόσμε, το νερό",
        "漢字とかな、ガラス",
        "مرحبا بالعالم",
        "שלום עולם",
        "किसी भी भाषा में",
        "한국어 문장",
        "it-специалист из github",
    ],
)
def test_other_scripts_stay_what_they_are(text: str) -> None:
    assert fold(text)[0] == text


def test_a_word_of_look_alikes_alone_is_latin_only_among_latin_words() -> None:
    assert fold("say а сосоа now")[0] == "say a cocoa now"
    assert fold("вот сосоа нам")[0] == "вот сосоа нам"


@given(ODD)
@example("Αι")
@example("\u1100\u200b\u1161")
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold(text)[0]
    assert fold(once)[0] == once


@given(ODD, st.data())
def test_a_span_leads_back_to_text_that_folds_to_what_it_was_of(
    text: str, data: st.DataObject
) -> None:
    made, back = fold(text)
    start = data.draw(st.integers(0, len(made)))
    end = data.draw(st.integers(start, len(made)))
    first, last = back(start, end) if back else (start, end)
    assert 0 <= first <= last <= len(text)
    if start < end and back is not None and text.isascii():
        assert fold(text[first:last])[0] == made[start:end].strip()


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1))
def test_the_whole_leads_back_to_all_that_is_seen(text: str) -> None:
    made, back = fold(text)
    if made and back is not None:
        first, last = back(0, len(made))
        assert fold(text[first:last])[0] == made


def test_marks_without_end_cost_linear_work(monkeypatch: pytest.MonkeyPatch) -> None:
    work: list[int] = []
    real = unicodedata.normalize

    def counted(form: str, text: str) -> str:
        work.append(len(text) ** 2)
        return real(form, text)  # type: ignore[arg-type]  # the stub knows the four forms alone

    monkeypatch.setattr("bawn.detectors.folding.unicodedata.normalize", counted)
    fold("e" + "\u0301\u0316" * 2000)
    first = sum(work)
    work.clear()
    fold("e" + "\u0301\u0316" * 4000)
    assert sum(work) <= 2.1 * first
