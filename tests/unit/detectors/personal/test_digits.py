from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.detectors.personal import digits


@given(st.text("0123456789", min_size=8, max_size=18))
def test_one_wrong_digit_fails_luhn(body: str) -> None:
    number = body + digits.luhn_digit(body)
    assert digits.luhn(number)
    wrong = str((int(number[0]) + 1) % 10) + number[1:]
    assert not digits.luhn(wrong)


@pytest.mark.parametrize(
    "number", ["DE89370400440532013000", "GB82WEST12345698765432", "NO9386011117947"]
)
def test_an_iban_has_its_country_s_length_and_check(number: str) -> None:
    assert digits.iban(number)
    assert not digits.iban(number + "0")
    assert not digits.iban(number[:-1] + str((int(number[-1]) + 1) % 10))


@given(st.integers(0, 10), st.integers(0, 9))
def test_one_wrong_digit_fails_verhoeff(place: int, digit: int) -> None:
    number = "234123412346"
    wrong = number[:place] + str(digit) + number[place + 1 :]
    assert digits.verhoeff(wrong) is (wrong == number)
