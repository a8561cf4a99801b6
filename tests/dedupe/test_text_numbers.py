"""Texts as numbers: equal ones one, others another, however they lie in memory."""

import random

import pyarrow as pa

from dedupe import text_numbers


def _drawn(count: int) -> list[str]:
    rng = random.Random(7)
    letters = "ab\x1f张é"
    return ["".join(rng.choices(letters, k=rng.randrange(20))) for _ in range(count)]


def test_texts_have_one_number_exactly_if_they_are_equal() -> None:
    texts = _drawn(20_000)
    numbers = text_numbers.of(pa.array(texts)).tolist()
    assert len(set(zip(texts, numbers, strict=True))) == len(set(texts)) == len(set(numbers))


def test_a_number_hangs_on_the_text_alone() -> None:
    texts = _drawn(500)
    column = pa.array(["other", *texts, "another"])
    alone = [text_numbers.of(pa.array([text])).tolist() for text in texts]
    assert text_numbers.of(column.slice(1, 500)).tolist() == [one for [one] in alone]


def test_texts_of_eight_bytes_more_or_less_differ() -> None:
    texts = ["a" * size for size in range(40)] + ["a" * size + "\0" for size in range(40)]
    assert len(set(text_numbers.of(pa.array(texts)).tolist())) == 80


def test_words_that_change_places_give_another_number() -> None:
    first, second = text_numbers.of(pa.array(["abcdefgh12345678", "12345678abcdefgh"])).tolist()
    assert first != second


def test_numbers_are_those_of_a_plain_loop() -> None:
    texts = _drawn(500)
    assert text_numbers.of(pa.array(texts)).tolist() == [_number(text.encode()) for text in texts]


def _number(text: bytes) -> int:
    total = len(text)
    for place in range(len(text) // 8 + 1):
        word = int.from_bytes(text[place * 8 : place * 8 + 8], "little")
        total += _mixed(word + (place + 1) * 0x9E3779B97F4A7C15)
    number = _mixed(total)
    return number - (1 << 64 if number >> 63 else 0)


def _mixed(number: int) -> int:
    number &= (1 << 64) - 1
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
    number = (number ^ number >> 27) * 0x94D049BB133111EB & (1 << 64) - 1
    return number ^ number >> 31


def test_no_texts_have_no_numbers() -> None:
    assert text_numbers.of(pa.array([], pa.string())).tolist() == []
