"""Check digits of cards, accounts and national ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

IBAN_LENGTHS: Final[Mapping[str, int]] = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22,
    "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
"""Characters of an account number by country (ISO 13616 registry)."""

_ODD: Final = (
    dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True))
    | dict(
        zip(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
            strict=True,
        )
    )
)  # fmt: skip
_DIHEDRAL: Final = tuple(
    tuple((a + b) % 5 if a < 5 and b < 5 else
          (a + b) % 5 + 5 if a < 5 else
          (a - b) % 5 + 5 if b < 5 else (a - b) % 5
          for b in range(10))
    for a in range(10)
)  # fmt: skip
_TURN: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) << (place & 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def luhn_digit(digits: str) -> str:
    """The digit that makes these pass, put behind them."""
    return next(each for each in "0123456789" if luhn(digits + each))


def iban(number: str) -> bool:
    """ISO 13616: a country, its length, and the remainder 1 by 97."""
    if len(number) != IBAN_LENGTHS.get(number[:2]):
        return False
    return int("".join(str(int(each, 36)) for each in number[4:] + number[:4])) % 97 == 1


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of digits, each times its weight."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def verhoeff(digits: str) -> bool:
    """Verhoeff's check over the dihedral group of ten."""
    turns = [tuple(range(10))]
    for _ in range(7):
        turns.append(tuple(_TURN[each] for each in turns[-1]))
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _DIHEDRAL[check][turns[place % 8][int(digit)]]
    return check == 0


def steuer_id(digits: str) -> bool:
    """Germany: one digit of the first ten repeats, and ISO 7064 MOD 11,10."""
    if digits[0] == "0" or len(set(digits[:10])) not in (8, 9):
        return False
    product = 10
    for digit in digits[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def nir(number: str) -> bool:
    """France: 97 less the remainder by 97; Corsica's 2A and 2B count as 19 and 18."""
    plain = number.replace("2A", "19", 1).replace("2B", "18", 1)
    return plain.isdigit() and 97 - int(plain[:13]) % 97 == int(plain[13:])


def dni(number: str) -> bool:
    """Spain: a letter by the remainder by 23; X, Y and Z of foreigners count as 0, 1 and 2."""
    digits = str("XYZ".find(number[0])) + number[1:-1] if number[0] in "XYZ" else number[:-1]
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == number[-1]


def codice_fiscale(number: str) -> bool:
    """Italy: odd and even places count differently, the last letter is the sum by 26."""
    total = sum(_ODD[each] for each in number[0:15:2])
    total += sum(int(each, 36) - (0 if each.isdigit() else 10) for each in number[1:15:2])
    return chr(ord("A") + total % 26) == number[15]


def bsn(digits: str) -> bool:
    """Netherlands: the eleven test."""
    return digits != "000000000" and weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def pesel(digits: str) -> bool:
    """Poland: weights 1 3 7 9, and a month that exists."""
    return (
        weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0
        and 1 <= int(digits[2:4]) % 20 <= 12
    )


def cpf(digits: str) -> bool:
    """Brazil: two digits by 11."""
    first = weighted(digits, range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(digits, range(11, 1, -1)) * 10 % 11 % 10
    return len(set(digits)) > 1 and digits[9:] == f"{first}{second}"


def belgian(digits: str) -> bool:
    """Belgium: 97 less the remainder by 97; of who is born in this century with a 2 before it."""
    check = int(digits[9:])
    return any(97 - int(before + digits[:9]) % 97 == check for before in ("", "2"))


def swiss(digits: str) -> bool:
    """Switzerland: EAN-13."""
    return (10 - weighted(digits, (1, 3) * 6) % 10) % 10 == int(digits[12])


def finnish(number: str) -> bool:
    """Finland: a character by the remainder by 31."""
    digits = number[:6] + number[7:10]
    return digits.isdigit() and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31] == number[10]


def chinese(number: str) -> bool:
    """China: ISO 7064 MOD 11-2 over eighteen, and a month that exists."""
    total = weighted(number[:17], (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))
    return "10X98765432"[total % 11] == number[17] and 1 <= int(number[10:12]) <= 12


def turkish(digits: str) -> bool:
    """Türkiye: the tenth by odd and even places, the eleventh by the sum."""
    odd, even = sum(map(int, digits[0:9:2])), sum(map(int, digits[1:8:2]))
    return (odd * 7 - even) % 10 == int(digits[9]) and sum(map(int, digits[:10])) % 10 == int(
        digits[10]
    )


def tax_file_number(digits: str) -> bool:
    """Australia: weights by 11."""
    return weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0
