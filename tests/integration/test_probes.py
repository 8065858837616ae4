"""Asking within one database: what a bank bound to its own rows learns of another's, and on which terms."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.kernel.models import Institution
from settlement.services.exchange import refresh_entries
from tests import database
from tests.integration.planted import A1, B1, HEAD_A, HEAD_B, Planted
from tests.integration.test_exchange import FIRST, KEY_ID, LAST, SECRET, hashed

pytestmark = pytest.mark.django_db(transaction=True)

TOLD = "SELECT settlement_probe_answer(%s)"
ASK = """
INSERT INTO settlement_probe (institution_id, actor, key_id, hashes, first_days, last_days, asked,
    request_id, at)
VALUES (%s, 'client:a', %s, %s, %s, %s, %s, 'request-1', '2000-01-01') RETURNING id
"""


@pytest.fixture
def uscc(tmp_path: Path, settings: Any) -> str:
    """Both banks have a note of one borrower; their numbers are the same."""
    settings.EXCHANGE_KEY_ID, settings.EXCHANGE_KEY = KEY_ID, SECRET
    book = Planted(tmp_path)
    code = book.enterprise()
    book.note(code, "JK-1", contract="HT-A")
    book.note(code, "JK-1", contract="HT-B", at=B1)
    book.note(code, "JK-OWN", contract="HT-OWN", drawn="2026-02-03")
    book.post()
    refresh_entries()
    return code


class Bank:
    """The web's own connection, bound to one institution."""

    def __init__(self, code: str) -> None:
        self.place = Institution.objects.get(code=code)
        self.at = database.connect("app")
        for name, value in (("lo", self.place.id), ("hi", self.place.last_id)):
            self.at.execute(f"SELECT set_config('app.{name}', %s, false)", [str(value)])

    def ask(self, hashes: Any, first: str = FIRST, last: str = LAST, **more: Any) -> int:
        count = more.get("asked", len(hashes))
        days = len(hashes) if "days" not in more else more["days"]
        found = self.at.execute(
            ASK,
            [
                more.get("place", self.place.id), KEY_ID, hashes,
                [date.fromisoformat(first)] * days, [date.fromisoformat(last)] * days, count,
            ],
        ).fetchone()  # fmt: skip
        assert found is not None
        return int(found[0])

    def told(self, probe: int) -> Any:
        found = self.at.execute(TOLD, [probe]).fetchone()
        assert found is not None
        return found[0]

    def count(self, table: str, where: str = "true") -> int:
        found = self.at.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()
        assert found is not None
        return int(found[0])


@pytest.fixture
def bank(uscc: str) -> Any:
    made = Bank(A1)
    yield made
    made.at.close()


def test_it_is_told_the_scheme_and_whom_to_ask(bank: Bank, uscc: str) -> None:
    probe = bank.ask(
        [
            hashed("note", "JK1", uscc), hashed("note", "JKOWN", uscc), "0" * 64,
            hashed("contract", "HTB", uscc), hashed("uscc", uscc), hashed("contract", "HTA", uscc),
        ]
    )  # fmt: skip
    conflict = {"scheme": "central", "ask": HEAD_B}
    told = [{"question": number} | conflict for number in (1, 4, 5)]
    assert bank.told(probe) == told
    answer = bank.at.execute("SELECT hits, conflicts FROM settlement_probeanswer").fetchall()
    assert answer == [(3, told)]


def test_only_days_that_overlap_conflict(bank: Bank, uscc: str) -> None:
    number = [hashed("note", "JK1", uscc)]
    assert bank.told(bank.ask(number, "2025-01-01", "2026-02-01")) == []
    assert len(bank.told(bank.ask(number, "2025-01-01", FIRST))) == 1
    assert len(bank.told(bank.ask(number, LAST, "2030-01-01"))) == 1
    assert bank.told(bank.ask(number, "2028-02-02", "2030-01-01")) == []


def test_another_banks_rows_stay_out_of_sight(bank: Bank, uscc: str) -> None:
    bank.told(bank.ask([hashed("note", "JK1", uscc)]))
    assert bank.count("loans_note") == 2
    theirs = f"institution_id NOT BETWEEN {bank.place.id} AND {bank.place.last_id}"
    for table in ("loans_note", "loans_contract", "settlement_exchangeentry", "settlement_probe"):
        assert bank.count(table, theirs) == 0, table
    assert bank.count("settlement_exchangeentry") == 6  # three of each own note
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        bank.count("settlement_exchangerow")
    other = Bank(B1)
    assert [other.count("settlement_probe"), other.count("settlement_probeanswer")] == [0, 0]
    other.at.close()


def _in_a_savepoint(bank: Bank, number: list[str]) -> int:
    with bank.at.transaction():  # inside another one, so that its end is no commit
        return bank.ask(number)


def test_it_is_on_record_before_it_is_answered(bank: Bank, uscc: str) -> None:
    number = [hashed("note", "JK1", uscc)]
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="once it is committed"),
        bank.at.transaction(),
    ):
        bank.told(bank.ask(number))
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="once it is committed"),
        bank.at.transaction(),
    ):
        bank.told(_in_a_savepoint(bank, number))
    assert bank.count("settlement_probe") == 0
    probe = bank.ask(number)
    bank.at.execute("BEGIN")
    assert len(bank.told(probe)) == 1
    bank.at.execute("ROLLBACK")
    kept = bank.at.execute(
        "SELECT actor, asked, request_id, at > '2026-01-01' FROM settlement_probe"
    )
    assert kept.fetchall() == [("client:a", 1, "request-1", True)]


def test_what_was_told_once_is_told_again(bank: Bank, uscc: str, owner_connection: Any) -> None:
    probe = bank.ask([hashed("note", "JK1", uscc)])
    first = bank.told(probe)
    owner_connection.execute("DELETE FROM settlement_exchangeentry")
    assert bank.told(probe) == first != []


def test_no_more_than_a_hundred_at_once_however_they_are_packed(bank: Bank) -> None:
    none = "0" * 64
    assert bank.told(bank.ask([none] * 100)) == []
    for hashes, more in (
        ([none] * 101, {}),
        ([none] * 101, {"asked": 100}),
        (f"{{{','.join(['{' + ','.join([none] * 50) + '}'] * 100)}}}", {"asked": 100, "days": 100}),
        ([none], {"days": 2}),
        ([], {}),
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            bank.ask(hashes, **more)
    assert bank.count("settlement_probe") == 1


def test_thirty_a_minute_for_a_bank_and_not_for_others(bank: Bank) -> None:
    for _ in range(30):
        bank.ask(["0" * 64])
    head = Bank(HEAD_A)
    for one in (bank, head):  # its head office is the same bank
        with pytest.raises(psycopg.Error) as refused:
            one.ask(["0" * 64])
        assert refused.value.sqlstate == "PT429"
    other = Bank(B1)
    assert other.told(other.ask(["0" * 64])) == []
    assert bank.count("settlement_probe") == 30
    for one in (head, other):
        one.at.close()


def test_it_asks_for_itself_only_and_reads_its_own_answers(bank: Bank, uscc: str) -> None:
    other = Bank(B1)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        bank.ask(["0" * 64], place=other.place.id)
    theirs = other.ask([hashed("note", "JK1", uscc)])
    for probe in (theirs, theirs + 1_000):  # there is one, and there is none: the same words
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="no such probe"):
            bank.told(probe)
    bank.at.execute("SELECT set_config('app.lo', '', false)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        bank.ask(["0" * 64])
    other.at.close()


def test_nobody_writes_an_answer_or_changes_a_probe(bank: Bank) -> None:
    probe = bank.ask(["0" * 64])
    for statement in (
        f"INSERT INTO settlement_probeanswer (institution_id, probe_id, hits, conflicts, at)"
        f" VALUES ({bank.place.id}, {probe}, 0, '[]', now())",
        "UPDATE settlement_probe SET asked = 0",
        "DELETE FROM settlement_probe",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            bank.at.execute(statement)
    worker = database.connect("worker")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        worker.execute(TOLD, [probe])
    worker.close()
