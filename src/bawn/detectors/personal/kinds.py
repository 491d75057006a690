"""What is read where a rule of personal data matched: check digits, ranges, and what stands around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from bawn.detectors.personal import digits as check

Judge: TypeAlias = Callable[[str, str], float]
"""How sure a match is, from what was matched and what stands before it; 0 for nothing."""

_NOT_PEOPLE: Final = re.compile(
    r"^(?:no-?reply|donotreply|git|user|username|name|you|your|me|someone|somebody|foo|bar|test|example|email|mailer-daemon)@"
    r"|@(?:[\w-]+\.)*(?:example|test|invalid|localhost|local)(?:\.|$)|@(?:domain|email|company|mail|yourdomain)\.[a-z]+$"
    r"|\.(?:png|jpe?g|gif|svg|webp|js|ts|css|py|json|md|html?|txt|xml|ya?ml)$",
    re.I,
)


def _digits(matched: str) -> str:
    return "".join(each for each in matched if each.isdigit())


def _plain(matched: str) -> str:
    return "".join(each for each in matched.upper() if each.isalnum())


def _card(matched: str, before: str) -> float:
    number = _digits(matched)
    if len(set(number)) < 2 or not _issued(number) or not check.luhn(number):
        return 0.0
    spoken = re.search(
        r"card|visa|master|amex|credit|debit|\bpan\b|payment|kart|carte", before, re.I
    )
    return 0.95 if spoken or len(matched) > len(number) else 0.7


def _issued(number: str) -> bool:
    """Whether a card of this length begins as those that are issued do."""
    size, two, four = len(number), int(number[:2]), int(number[:4])
    return (
        (number[0] == "4" and size in (13, 16, 19))
        or ((51 <= two <= 55 or 2221 <= four <= 2720) and size == 16)
        or (two in (34, 37) and size == 15)
        or ((four == 6011 or two in (64, 65) or 3528 <= four <= 3589) and 16 <= size <= 19)
        or ((two in (36, 38, 39) or 300 <= int(number[:3]) <= 305) and 14 <= size <= 19)
        or (two in (62, 81) and 16 <= size <= 19)
        or ((two in (50, 60) or 56 <= two <= 69) and four != 6011 and size in (16, 19))
    )


def _iban(matched: str, before: str) -> float:
    return 1.0 if check.iban(_plain(matched)) else 0.0


def _email(matched: str, before: str) -> float:
    if _NOT_PEOPLE.search(matched) or not set(matched.lower()) - set("x0@._+-%"):
        return 0.0
    if before.endswith(("://", ":")) and "://" in before[-80:]:
        return 0.0
    return 0.9


def _phone(matched: str, before: str) -> float:
    number = _digits(matched)
    if not 7 <= len(number) <= 15 or len(set(number)) < 3:
        return 0.0
    spoken = re.search(
        r"(?:phone|\btel|mobile|\bcell|call|fax|whatsapp|contact|telefon|handy|número|\bsms)[^\n]{0,24}$",
        before,
        re.I,
    )
    if matched.startswith("+"):
        return 0.95 if spoken or len(number) >= 10 else 0.0
    return 0.8 if spoken or matched.startswith("(") else 0.0


def _us(matched: str, before: str) -> float:
    number = _digits(matched)
    area = number[:3]
    if area in ("000", "666") or area[0] == "9" or number[3:5] == "00" or number[5:] == "0000":
        return 0.0
    return 0.9 if number not in ("078051120", "219099999", "123456789") else 0.0


def _if(test: Callable[[str], bool]) -> Judge:
    def judge(matched: str, before: str) -> float:
        plain = _plain(matched)
        return 0.95 if len(set(plain) - {"X"}) > 1 and test(plain) else 0.0

    return judge


def _finnish(matched: str, before: str) -> float:
    number = matched.upper()  # with the sign of its century
    return 0.95 if len(set(number)) > 4 and check.finnish(number) else 0.0


def _nino(matched: str, before: str) -> float:
    return 0.0 if _plain(matched)[:2] in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ") else 0.85


JUDGES: Final[Mapping[str, Judge]] = {
    "personal/card": _card,
    "personal/iban": _iban,
    "personal/email": _email,
    "personal/phone": _phone,
    "personal/national-id-us": _us,
    "personal/national-id-gb": _nino,
    "personal/national-id-de": _if(check.steuer_id),
    "personal/national-id-fr": _if(check.nir),
    "personal/national-id-es": _if(check.dni),
    "personal/national-id-it": _if(check.codice_fiscale),
    "personal/national-id-nl": _if(check.bsn),
    "personal/national-id-pl": _if(check.pesel),
    "personal/national-id-br": _if(check.cpf),
    "personal/national-id-in": _if(check.verhoeff),
    "personal/national-id-be": _if(check.belgian),
    "personal/national-id-ch": _if(check.swiss),
    "personal/national-id-se": _if(lambda number: check.luhn(number[-10:])),
    "personal/national-id-fi": _finnish,
    "personal/national-id-cn": _if(check.chinese),
    "personal/national-id-tr": _if(check.turkish),
    "personal/national-id-au": _if(check.tax_file_number),
    "personal/national-id-ca": _if(check.luhn),
    "personal/national-id-za": _if(check.luhn),
}
"""Who says of a rule's matches how sure they are."""

SPOKEN_OF: Final[Mapping[str, re.Pattern[str]]] = {
    f"personal/national-id-{country}": re.compile(words, re.I)
    for country, words in {
        "us": r"\bssn\b|social.{0,3}security|\bss#|\bitin\b|taxpayer",
        "gb": r"national.{0,3}insurance|\bnino\b|\bni\s?(?:number|no)",
        "de": r"steuer|tax.{0,3}id|\bid.?nr|\btin\b",
        "es": r"\bdni\b|\bnie\b|\bnif\b|documento|identidad",
        "nl": r"\bbsn\b|burgerservice|sofi",
        "pl": r"pesel",
        "in": r"aadha?ar|\buid(?:ai)?\b",
        "se": r"person.?n(?:umme)?r|\bpnr\b|swedish",
        "tr": r"kimlik|\btc(?:kn)?\b|turkish",
        "au": r"\btfn\b|tax.{0,3}file",
        "ca": r"\bsin\b|social.{0,3}insurance",
        "za": r"south.{0,3}african?|\bid.{0,3}(?:number|no)|\brsa\b",
    }.items()
}
"""What has to be said of a number before it, where check digits alone would call too many numbers one."""

AROUND: Final = 80
"""Characters before a match in which it is spoken of."""
