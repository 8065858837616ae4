"""Near-duplicates planted into a clean book, each with its label: what mistyping and rewriting do at banks.

Every planted pair is one that the exact rules do not have: what they have needs no proposal.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import polars as pl
from opencc import OpenCC

from settlement.engine import overlap
from settlement.selectors.duplicates import NOTES
from tests.benchmarks.near_clean import BANKS, BRANCHES, SECOND, Book, clean

Truth = dict[tuple[str, int, int], str]
LOOKS = {"0": "O", "1": "I", "5": "S", "2": "Z", "8": "B"}
TRADITIONAL = OpenCC("s2t")


def _digits(text: str) -> list[int]:
    return [place for place, letter in enumerate(text) if letter.isascii() and letter.isdigit()]


def _counted(text: str) -> list[int]:
    """Digits but for leading zeros: with one more or less of those it is another number (domain §8)."""
    digits = _digits(text)
    return [
        place
        for place in digits
        if text[place] != "0" or any(text[p] != "0" for p in digits if _run(text, p, place))
    ] or digits


def _run(text: str, start: int, end: int) -> bool:
    return start < end and text[start:end].isdigit()


def look_alike(text: str, book: Book) -> str:
    """A letter for a digit that looks like it."""
    places = [place for place in _digits(text) if text[place] in LOOKS]
    if not places:
        return text
    at = book.chance.choice(places)
    return text[:at] + LOOKS[text[at]] + text[at + 1 :]


def transposed(text: str, book: Book) -> str:
    """Two neighbouring digits in each other's place."""
    digits = set(_digits(text))
    places = [p for p in digits if p + 1 in digits and text[p] != text[p + 1]]
    if not places:
        return text
    at = book.chance.choice(sorted(places))
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def dropped(text: str, book: Book) -> str:
    """A digit left out."""
    at = book.chance.choice(_counted(text))
    return text[:at] + text[at + 1 :]


def doubled(text: str, book: Book) -> str:
    """A digit typed twice."""
    at = book.chance.choice(_counted(text))
    return text[:at] + text[at] + text[at:]


def substituted(text: str, book: Book) -> str:
    """Another digit, anywhere."""
    at = book.chance.choice(_digits(text))
    other = book.chance.choice([d for d in "0123456789" if d != text[at]])
    return text[:at] + other + text[at + 1 :]


TYPED: dict[str, Callable[[str, Book], str]] = {
    "look_alike": look_alike, "transposed": transposed, "dropped": dropped, "doubled": doubled,
    "substituted": substituted,
}  # fmt: skip


def _same(one: str, other: str) -> bool:
    frame = pl.DataFrame({"x": [one, other]})
    return frame.select(overlap.normal("x"))["x"].n_unique() == 1


def _mistyped(text: str, book: Book, kind: str) -> str:
    """A number mistyped so that it is another one."""
    for _ in range(20):
        typed = TYPED[kind](text, book)
        if not _same(text, typed):
            return typed
    return transposed(text, book) if kind != "transposed" else dropped(text, book)


def _elsewhere(book: Book, note: dict[str, Any], *, number: str) -> dict[str, Any]:
    """The contract of a note as another bank enters it, under a number of its own writing."""
    bank = book.chance.choice([b for b in range(BANKS) if b != note["bank_id"] - 1])
    branch = book.chance.randrange(BRANCHES)
    book.contracts += 1
    keys = ("contract_fen", "signed_on", "loan_type", "project_code")
    return {key: note[key] for key in keys} | {
        "contract_id": book.contracts + 10_000_000,
        "contract_number": number,
        "bank_id": bank + 1,
        "bank_code": f"C{bank:03d}1000000000",
        "institution_id": bank * BRANCHES + branch + 100,
        "institution_code": f"C{bank:03d}13201{branch:05d}",
    }


_CONTRACT = (
    "contract_id", "contract_number", "contract_fen", "signed_on", "loan_type", "project_code", "bank_id",
    "bank_code", "institution_id", "institution_code",
)  # fmt: skip


def _swappable(day: date) -> bool:
    return day.day <= 12 and day.day != day.month


def plant_note(book: Book, note: dict[str, Any], kind: str) -> None:
    """One note entered once more, at its own bank or at another one."""
    one = book.enterprises[note["enterprise_id"] - 1]
    day, amount = note["drawn_on"], note["principal_fen"]
    typed = (
        kind
        if kind in TYPED
        else book.chance.choice(("look_alike", "transposed", "dropped", "doubled"))
    )
    number = _mistyped(note["note_number"], book, typed)
    contract = {key: note[key] for key in _CONTRACT}
    if kind in {"number_kept", "contract"} or book.chance.random() < 0.5:
        number_there = _mistyped(note["contract_number"], book, "transposed")
        contract = _elsewhere(book, note, number=number_there)
    match kind:
        case "day_off":
            day += timedelta(days=book.chance.choice((-3, -2, -1, 1, 2, 3, 5)))
        case "day_swapped" if _swappable(day):
            day = date(day.year, day.day, day.month)
        case "amount_off":
            amount += book.chance.choice((1, -1)) * book.chance.choice(
                (50, 100, 10_000, amount // 200)
            )
        case "number_kept":  # another day and amount: the exact rule asks for one of them
            number, day, amount = note["note_number"], day + timedelta(days=2), amount + 5_000
        case "contract":
            number = book.number(contract["bank_id"] - 1, 0, day, contract["contract_number"], 1)
    copy = book.note(one, contract, number, day, amount)
    book.planted.append(("N2", kind, note["note_id"], copy["note_id"]))


def _renamed(book: Book, one: dict[str, Any], kind: str) -> dict[str, Any]:
    """An enterprise's name written otherwise."""
    place, word, trade, form = (one[key] for key in ("place", "word", "trade", "form"))
    match kind:
        case "traditional" if TRADITIONAL.convert(one["name"]) != one["name"]:
            return one | {"name": TRADITIONAL.convert(one["name"])}
        case "form_written":
            other = {"有限公司": "有限责任公司", "有限责任公司": "有限公司"}.get(form, form)
            name = (
                f"{place}{word}{trade}{other}"
                if other != form
                else TRADITIONAL.convert(one["name"])
            )
            return one | {"name": name}
        case "form_changed":
            other = "股份有限公司" if form.endswith("有限公司") else "有限公司"
            other = "集团股份有限公司" if form == "集团有限公司" else other
            return one | {"name": f"{place}{word}{trade}{'有限公司' if other == form else other}"}
        case "brackets" | "traditional":
            inside = f"{word}{trade}（{place}）{form}"
            return one | {
                "name": inside if inside != one["name"] else f"{place}{word}{trade}{form}"
            }
        case "region_unit":
            other = place.removesuffix("省").removesuffix("市")
            return one | {"name": f"{other if other != place else place + '市'}{word}{trade}{form}"}
        case "region_lost":
            return one | {"name": f"{word}{trade}{form}"}
        case "former":
            new = one | {"word": word[0] + book.chance.choice(SECOND)}
            book.register(new)
            return one | {"name": f"{place}{new['word']}{trade}{form}（原{one['name']}）"}
        case _:  # a character mistyped
            wrong = book.chance.choice([c for c in SECOND if c != word[1]])
            return one | {"name": f"{place}{word[0]}{wrong}{word[2:]}{trade}{form}"}


BESIDE = {
    "region_lost",
    "character",
    "former",
}  # kinds that say too little without a loan entered twice


def plant_enterprise(book: Book, one: dict[str, Any], kind: str) -> None:
    """An enterprise once more, under another credit code and a name written otherwise, with a loan."""
    again = book.enterprise(_renamed(book, one, kind), book.chance.randrange(9_999_999))
    mine = [n for n in book.notes_of(one["enterprise_id"]) if n["principal_fen"] > 0]
    if kind in BESIDE and mine:
        note = book.chance.choice(mine)
        number = (
            note["contract_number"]
            if kind == "character"
            else _mistyped(note["contract_number"], book, "doubled")
        )
        contract = _elsewhere(book, note, number=number)
        typed = _mistyped(note["note_number"], book, "look_alike")
        day = note["drawn_on"] + timedelta(days=book.chance.choice((0, 0, 1)))
        copy = book.note(again, contract, typed, day, note["principal_fen"])
        book.planted.append(("N2", "other_code", note["note_id"], copy["note_id"]))
    else:
        day = date(2026, 3, 1) + timedelta(days=book.chance.randrange(200))
        book.lend(again, book.chance.randrange(BANKS), day, book.amount(), 1, 0)
    book.planted.append(("N3", kind, one["enterprise_id"], again["enterprise_id"]))


def plant_invoice(book: Book, invoice: dict[str, Any], kind: str) -> None:
    """An invoice listed once more with another note: of its borrower, or of a stranger.

    A stranger's number with another digit in it, one more or less, or two swapped may be another invoice of
    the seller's: nobody could label it.
    """
    others = book.notes_of(book.notes[invoice["note_id"] - 1]["enterprise_id"])
    others = [n["note_id"] for n in others if n["note_id"] != invoice["note_id"]]
    if kind == "look_alike" and (not others or book.chance.random() < 0.5):
        others = [n for n in (book.chance.randrange(book.genuine) + 1,) if n != invoice["note_id"]]
    if not others:
        return
    again = invoice | {"note_id": book.chance.choice(others)}
    typed = kind if kind in TYPED else book.chance.choice(("transposed", "dropped", "doubled"))
    if kind == "serial" and invoice["serial_number"]:
        # The seller's invoice is another one: the machine is the same.
        again["serial_number"] = _mistyped(invoice["serial_number"], book, typed)
        again["invoice_number"] = f"26322000{book.chance.randrange(10**12):012d}"
    else:
        again["invoice_number"] = _mistyped(invoice["invoice_number"], book, typed)
        again["serial_number"] = ""
    if kind == "day_off":
        again["issued_on"] += timedelta(days=book.chance.choice((-2, -1, 1, 2)))
    if kind == "supplier":
        again["supplier"] = TRADITIONAL.convert(again["supplier"]).replace(
            "有限公司", "有限責任公司"
        )
    book.invoices.append(again)
    book.planted.append(("N5", kind, invoice["note_id"], again["note_id"]))


NOTE_KINDS = (*TYPED, "day_off", "day_swapped", "amount_off", "number_kept", "contract")
ENTERPRISE_KINDS = (
    "traditional", "form_written", "form_changed", "brackets", "region_unit", "region_lost", "former",
    "character",
)  # fmt: skip
INVOICE_KINDS = (*TYPED, "day_off", "supplier", "serial")


def book_with_near_duplicates(notes: int, seed: int) -> Book:
    """A clean book of so many notes, and one near-duplicate of each sort to about a hundred notes."""
    book = clean(notes, seed)
    book.close()
    count = max(notes // 100, 40)
    for place, note in enumerate(book.chance.sample(book.notes[: book.genuine], count)):
        kind = NOTE_KINDS[place % len(NOTE_KINDS)]
        # A renumbered note of several on one day could be any of them: nobody could label it.
        if kind != "contract" or book.alone(note):
            plant_note(book, note, kind)
    owners = sorted({n["enterprise_id"] for n in book.notes[: book.genuine]})
    for place, owner in enumerate(
        book.chance.sample(owners, min(len(owners), max(count // 4, 32)))
    ):
        plant_enterprise(
            book, book.enterprises[owner - 1], ENTERPRISE_KINDS[place % len(ENTERPRISE_KINDS)]
        )
    for place, invoice in enumerate(
        book.chance.sample(book.invoices, min(len(book.invoices), count))
    ):
        plant_invoice(book, invoice, INVOICE_KINDS[place % len(INVOICE_KINDS)])
    return book


def frames(book: Book) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Notes, names and invoices as `settlement.selectors.duplicates` gives them."""
    return (
        pl.DataFrame(book.notes, schema=NOTES),
        pl.DataFrame(
            {
                "enterprise_id": [one["enterprise_id"] for one in book.enterprises],
                "name": [one["name"] for one in book.enterprises],
            }
        ),
        pl.DataFrame(
            book.invoices,
            schema={
                "note_id": pl.Int64, "invoice_number": pl.String, "serial_number": pl.String,
                "supplier": pl.String, "issued_on": pl.Date, "amount_fen": pl.Int64,
            },
        ),
    )  # fmt: skip


def truth(book: Book) -> Truth:
    """Planted pairs, smaller id first, by rule → kind."""
    return {(rule, min(a, b), max(a, b)): kind for rule, kind, a, b in book.planted}
