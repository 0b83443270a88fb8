"""Values in seven languages, as people say them: known readings, and that every value says only words there are."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.ivr.speech import LANGUAGES, Languages, SpeakAs, Spoken, say

NUMBERS = {
    "en": {
        0: "zero",
        21: "twenty one",
        100: "one hundred",
        115: "one hundred fifteen",
        1001: "one thousand one",
        21_042: "twenty one thousand forty two",
        1_000_000: "one million",
    },
    "es": {
        0: "cero",
        1: "uno",
        16: "dieciséis",
        21: "veintiuno",
        22: "veintidós",
        31: "treinta y uno",
        100: "cien",
        101: "ciento uno",
        500: "quinientos",
        715: "setecientos quince",
        999: "novecientos noventa y nueve",
        1000: "mil",
        1100: "mil cien",
        21_000: "veintiún mil",
        31_001: "treinta y un mil uno",
        100_000: "cien mil",
        200_021: "doscientos mil veintiuno",
        1_000_000: "un millón",
        2_000_100: "dos millones cien",
        21_000_000: "veintiún millones",
    },
    "fr": {
        0: "zéro",
        1: "un",
        17: "dix-sept",
        21: "vingt et un",
        22: "vingt-deux",
        60: "soixante",
        61: "soixante et un",
        70: "soixante-dix",
        71: "soixante et onze",
        77: "soixante-dix-sept",
        80: "quatre-vingts",
        81: "quatre-vingt-un",
        90: "quatre-vingt-dix",
        91: "quatre-vingt-onze",
        99: "quatre-vingt-dix-neuf",
        100: "cent",
        101: "cent un",
        200: "deux cents",
        201: "deux cent un",
        1000: "mille",
        1200: "mille deux cents",
        2000: "deux mille",
        80_000: "quatre-vingt mille",
        200_000: "deux cent mille",
        1_000_000: "un million",
        80_000_000: "quatre-vingts millions",
        200_000_000: "deux cents millions",
    },
    "zh": {
        0: "零",
        2: "二",
        10: "十",
        12: "十二",
        20: "二十",
        22: "二十二",
        101: "一百零一",
        110: "一百一十",
        112: "一百一十二",
        200: "两百",
        222: "两百二十二",
        1001: "一千零一",
        1010: "一千零一十",
        1100: "一千一百",
        2002: "两千零二",
        10_000: "一万",
        10_001: "一万零一",
        10_010: "一万零一十",
        12_000: "一万二千",
        20_000: "两万",
        100_000: "十万",
        100_500: "十万零五百",
        101_000: "十万一千",
        120_000: "十二万",
        200_000: "二十万",
        1_000_000: "一百万",
        10_000_000: "一千万",
        100_001_000: "一亿零一千",
        200_000_000: "两亿",
    },
    "vi": {
        0: "không",
        1: "một",
        5: "năm",
        10: "mười",
        11: "mười một",
        14: "mười bốn",
        15: "mười lăm",
        20: "hai mươi",
        21: "hai mươi mốt",
        24: "hai mươi tư",
        25: "hai mươi lăm",
        101: "một trăm linh một",
        105: "một trăm linh năm",
        110: "một trăm mười",
        115: "một trăm mười lăm",
        121: "một trăm hai mươi mốt",
        1000: "một nghìn",
        1001: "một nghìn không trăm linh một",
        1010: "một nghìn không trăm mười",
        2026: "hai nghìn không trăm hai mươi sáu",
        100_000: "một trăm nghìn",
        1_000_000: "một triệu",
        1_000_005: "một triệu không trăm linh năm",
    },
    "th": {
        0: "ศูนย์",
        1: "หนึ่ง",
        10: "สิบ",
        11: "สิบเอ็ด",
        20: "ยี่สิบ",
        21: "ยี่สิบเอ็ด",
        22: "ยี่สิบสอง",
        31: "สามสิบเอ็ด",
        100: "หนึ่งร้อย",
        101: "หนึ่งร้อยเอ็ด",
        111: "หนึ่งร้อยสิบเอ็ด",
        1000: "หนึ่งพัน",
        10_000: "หนึ่งหมื่น",
        100_000: "หนึ่งแสน",
        121_000: "หนึ่งแสนสองหมื่นหนึ่งพัน",
        1_000_000: "หนึ่งล้าน",
        21_000_000: "ยี่สิบเอ็ดล้าน",
    },
    "fil": {
        0: "sero",
        1: "isa",
        10: "sampu",
        11: "labing-isa",
        14: "labing-apat",
        20: "dalawampu",
        21: "dalawampu't isa",
        44: "apatnapu't apat",
        100: "isang daan",
        105: "isang daan at lima",
        121: "isang daan at dalawampu't isa",
        400: "apat na raan",
        900: "siyam na raan",
        1000: "isang libo",
        1200: "isang libo at dalawang daan",
        1221: "isang libo dalawang daan at dalawampu't isa",
        10_000: "sampung libo",
        16_000: "labing-anim na libo",
        100_000: "isang daang libo",
        600_000: "anim na raang libo",
        1_000_000: "isang milyon",
    },
}
JOINED = {"zh", "th"}
"""Written without blanks."""


def read(language: str, sounds: tuple[str, ...]) -> str:
    words = LANGUAGES[language].words
    return ("" if language in JOINED else " ").join(words[sound] for sound in sounds)


@pytest.mark.parametrize(("language", "value"), [(language, value) for language, readings in NUMBERS.items() for value in readings])
def test_a_number_is_said_as_people_say_it(language: str, value: int) -> None:
    assert read(language, LANGUAGES[language].number(value)) == NUMBERS[language][value]


@pytest.mark.parametrize(
    ("language", "amount", "currency", "reading"),
    [
        ("en", "1", "USD", "one dollar"),
        ("en", "1.01", "USD", "one dollar and one cent"),
        ("en", "0.50", "USD", "fifty cents"),
        ("en", "0", "USD", "zero dollars"),
        ("en", "-12.5", "GBP", "minus twelve pounds and fifty pence"),
        ("en", "1234567.00", "EUR", "one million two hundred thirty four thousand five hundred sixty seven euros"),
        ("en", "7.6", "JPY", "eight yen"),
        ("es", "1", "USD", "un dólar"),
        ("es", "21", "MXN", "veintiún pesos"),
        ("es", "21.31", "EUR", "veintiún euros con treinta y un céntimos"),
        ("es", "1", "GBP", "una libra"),
        ("es", "221", "GBP", "doscientas veintiuna libras"),
        ("es", "200000", "GBP", "doscientas mil libras"),
        ("es", "1000000", "MXN", "un millón de pesos"),
        ("es", "1000001", "MXN", "un millón un pesos"),
        ("fr", "1", "EUR", "un euro"),
        ("fr", "0", "EUR", "zéro euro"),
        ("fr", "80.80", "EUR", "quatre-vingts euros et quatre-vingts centimes"),
        ("fr", "21", "GBP", "vingt et une livres"),
        ("fr", "2000000", "USD", "deux millions de dollars"),
        ("fr", "1000000", "EUR", "un million d'euros"),
        ("zh", "2", "CNY", "两元"),
        ("zh", "12.50", "CNY", "十二元五角"),
        ("zh", "12.05", "CNY", "十二元零五分"),
        ("zh", "12.55", "CNY", "十二元五角五分"),
        ("zh", "22", "USD", "二十二美元"),
        ("vi", "500000", "VND", "năm trăm nghìn đồng"),
        ("vi", "12.50", "USD", "mười hai đô la và năm mươi xu"),
        ("th", "21.25", "THB", "ยี่สิบเอ็ดบาทยี่สิบห้าสตางค์"),
        ("fil", "100", "PHP", "isang daang piso"),
        ("fil", "4", "PHP", "apat na piso"),
        ("fil", "20.50", "PHP", "dalawampung piso at limampung sentimo"),
        ("fil", "1000000", "PHP", "isang milyong piso"),
    ],
)
def test_money_has_its_units_and_they_agree(language: str, amount: str, currency: str, reading: str) -> None:
    assert read(language, LANGUAGES[language].money(Decimal(amount), currency)) == reading


@pytest.mark.parametrize(
    ("language", "day", "reading"),
    [
        ("en", "2026-11-22", "November twenty second twenty twenty six"),
        ("en", "2005-01-03", "January third two thousand five"),
        ("en", "1905-04-30", "April thirtieth nineteen oh five"),
        ("en", "1900-12-31", "December thirty first nineteen hundred"),
        ("es", "2026-11-22", "veintidós de noviembre de dos mil veintiséis"),
        ("es", "1999-01-01", "primero de enero de mil novecientos noventa y nueve"),
        ("fr", "2026-11-22", "vingt-deux novembre deux mille vingt-six"),
        ("fr", "2026-05-01", "premier mai deux mille vingt-six"),
        ("zh", "2026-11-22", "二零二六年十一月二十二日"),
        ("vi", "2026-04-01", "ngày mùng một tháng tư năm hai nghìn không trăm hai mươi sáu"),
        ("vi", "2026-11-22", "ngày hai mươi hai tháng mười một năm hai nghìn không trăm hai mươi sáu"),
        ("th", "2026-11-22", "วันที่ยี่สิบสองพฤศจิกายนพุทธศักราชสองพันห้าร้อยหกสิบเก้า"),
        ("fil", "2026-11-22", "ika dalawampu't dalawa ng Nobyembre dalawang libo at dalawampu't anim"),
        ("fil", "2026-01-03", "ikatlo ng Enero dalawang libo at dalawampu't anim"),
    ],
)
def test_a_date(language: str, day: str, reading: str) -> None:
    assert read(language, LANGUAGES[language].date(date.fromisoformat(day))) == reading


@pytest.mark.parametrize(
    ("language", "at", "reading"),
    [
        ("en", "14:05", "two oh five P M"),
        ("en", "09:00", "nine oclock A M"),
        ("en", "00:00", "midnight"),
        ("en", "00:15", "twelve fifteen A M"),
        ("en", "12:00", "noon"),
        ("es", "13:15", "la una y quince de la tarde"),
        ("es", "02:00", "las dos de la madrugada"),
        ("es", "12:00", "mediodía"),
        ("es", "21:01", "las nueve y uno de la noche"),
        ("fr", "21:21", "vingt et une heures vingt et une"),
        ("fr", "01:00", "une heure"),
        ("fr", "12:30", "midi trente"),
        ("zh", "14:05", "下午两点零五分"),
        ("zh", "09:00", "上午九点整"),
        ("vi", "14:30", "mười bốn giờ ba mươi phút"),
        ("th", "14:30", "สิบสี่นาฬิกาสามสิบนาที"),
        ("fil", "14:30", "alas-dos at tatlumpung minuto ng hapon"),
        ("fil", "01:00", "ala-una ng madaling araw"),
    ],
)
def test_a_time_of_day(language: str, at: str, reading: str) -> None:
    assert read(language, LANGUAGES[language].time(time.fromisoformat(at))) == reading.replace("oclock", "o'clock")


@pytest.mark.parametrize(
    ("language", "seconds", "reading"),
    [
        ("en", 0, "zero seconds"),
        ("en", 3661, "one hour one minute and one second"),
        ("es", 75_660, "veintiuna horas y un minuto"),
        ("es", 61, "un minuto y un segundo"),
        ("fr", 7265, "deux heures une minute et cinq secondes"),
        ("fr", 0, "zéro seconde"),
        ("zh", 7320, "两小时两分钟"),
        ("vi", 300, "năm phút"),
        ("th", 1260, "ยี่สิบเอ็ดนาที"),
        ("fil", 240, "apat na minuto"),
        ("fil", 1260, "dalawampu't isang minuto"),
    ],
)
def test_a_duration(language: str, seconds: int, reading: str) -> None:
    assert read(language, LANGUAGES[language].duration(timedelta(seconds=seconds))) == reading


@pytest.mark.parametrize(
    ("language", "place", "reading"),
    [
        ("en", 4, "four"),
        ("es", 4, "cuatro"),
        ("fr", 4, "quatre"),
        ("zh", 2, "第二位"),
        ("vi", 1, "thứ nhất"),
        ("vi", 4, "thứ tư"),
        ("th", 3, "ที่สาม"),
        ("fil", 1, "una"),
        ("fil", 2, "ikalawa"),
        ("fil", 4, "ika apat"),
    ],
)
def test_a_place_in_line(language: str, place: int, reading: str) -> None:
    assert read(language, LANGUAGES[language].position(place)) == reading


VALUES = st.one_of(
    st.integers(0, 1_000_000).map(str),
    st.integers(-(10**15) + 1, 10**15 - 1).map(str),
    st.decimals(-(10**9), 10**9, places=2).map(str),
    st.dates(date(1, 1, 1)).map(str),
    st.times().map(lambda value: value.isoformat()),
    st.datetimes().map(str),
    st.text(max_size=20),
)


@given(
    st.sampled_from(sorted(LANGUAGES)), st.sampled_from(SpeakAs), VALUES, st.sampled_from(["", "USD", "EUR", "GBP", "CNY", "VND", "XXX"])
)
def test_whatever_the_value_only_words_there_are_are_said(language: str, how: SpeakAs, value: str, currency: str) -> None:
    center = Languages(language, {language: LANGUAGES[language]})
    said = say((Spoken(how, "it", currency),), {"it": value}, center)
    assert set(said) <= LANGUAGES[language].sounds()


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_numbers_are_never_said_alike(language: str) -> None:
    sampled = [*range(2_100), *range(2_100, 1_000_001, 997), 1_000_000, 999_999_999]
    said = {read(language, LANGUAGES[language].number(value)) for value in sampled}
    assert len(said) == len(set(sampled))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_a_sound_that_can_be_a_prompt(language: str) -> None:
    grammar = LANGUAGES[language]
    assert grammar.sounds() == set(grammar.words)
    for sound, text in grammar.words.items():
        assert sound.startswith(f"{language}-")
        assert set(sound) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert text.strip() == text != ""
