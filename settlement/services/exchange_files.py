"""Files of other banks of the circle: taken in whole or refused whole, the latest of each bank counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from django.db import transaction

from config.kernel.services import bulk
from loans.services.outside_files import exchange_problem, read_exchange
from loans.values.errors import DomainError, bilingual
from settlement.models import ExchangeFile
from settlement.selectors.exchange import banks_within
from settlement.services.exchange import Key, current_key

TAKING_LOCK = 0x6578_6669
PROBLEMS_KEPT = 50
NAME_MAX = 255
TAKEN = ExchangeFile.Outcome.TAKEN
_REPLACE = """
DELETE FROM settlement_exchangerow r USING settlement_exchangefile f
WHERE f.id = r.file_id AND f.bank_code = %s AND f.id <> %s
"""
_STORE = """
INSERT INTO settlement_exchangerow (file_id, kind, hash, duty, first_day, last_day)
SELECT %s, kind, hash, duty, first_day, last_day FROM told_us
"""
_STAGE = {"kind": "text", "hash": "text", "duty": "text", "first_day": "date", "last_day": "date"}


class ExchangeRefused(DomainError):
    """A file was refused whole; `problems` lists every reason, by row and column."""

    def __init__(self, problems: Sequence[Any]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.row)
        super().__init__(
            "exchange_refused",
            bilingual(
                f"文件有 {len(problems)} 处错误，未保存任何数据",
                f"{len(problems)} problems: nothing of the file was saved",
            ),
        )


@dataclass(frozen=True)
class Taken:
    """What a file did: whose it is, its rows, and whether it was the one known already."""

    bank_code: str
    rows: int
    is_known: bool


@dataclass(frozen=True)
class _Given:
    path: Path
    sha256: str
    actor: str
    at: datetime


def take_file(
    *, path: Path, actor: str, at: datetime, encoding: str | None = None, bank_code: str = ""
) -> Taken:
    """Take a bank's file in place of its former one; the one that counts already changes nothing.

    `bank_code` says whose a file without rows is. Raises ExchangeRefused with every problem, which
    is kept with the file's digest; DomainError `exchange_key_missing`, `exchange_key_invalid`.
    """
    key = current_key()
    given = _Given(path, _digest(path), actor, at)
    read = read_exchange(path=path, encoding=encoding)
    with transaction.atomic():
        bulk.rows("SELECT pg_advisory_xact_lock(%s)", [TAKING_LOCK])
        problems = read.problems or list(_wrong(read.rows, key, at.date(), bank_code))
        if not problems:
            return _take(read.rows, given, key, bank_code)
        _refuse(problems, given)
    raise ExchangeRefused(problems)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wrong(rows: Sequence[dict[str, Any]], key: Key, today: date, bank_code: str) -> Iterator[Any]:
    """What keeps a readable file from being another bank's of this circle."""
    if not rows:
        if not bank_code:
            yield exchange_problem(row=1, column="bank_code", value="", message=bilingual(
                "文件没有数据行，须用 --bank 说明是哪家银行", "no rows: name the bank with --bank"))  # fmt: skip
        return
    first = rows[0]
    latest = _latest(first["bank_code"])
    told = {
        "bank_code": (first["bank_code"], bilingual("一份文件只能是一家银行", "a file is of one bank")),
        "key_id": (key.id, bilingual("密钥编号与本行不同，无法比对",
            "the key is another than ours: nothing can be compared")),
        "made_on": (first["made_on"], bilingual("一份文件只有一个导出日", "a file is of one day")),
    }  # fmt: skip
    for row in rows:
        for column, (wanted, message) in told.items():
            if row[column] != wanted:
                yield exchange_problem(
                    row=row["row"], column=column, value=str(row[column]), message=message
                )
    if bank_code and bank_code != first["bank_code"]:
        message = bilingual(
            f"不是 --bank 指明的银行 {bank_code}", f"not the bank named: {bank_code}"
        )
        yield exchange_problem(
            row=first["row"], column="bank_code", value=first["bank_code"], message=message
        )
    if first["made_on"] > today:
        message = bilingual("导出日在今天之后", "made after today")
        yield exchange_problem(
            row=first["row"], column="made_on", value=str(first["made_on"]), message=message
        )
    if latest is not None and latest.made_on is not None and first["made_on"] < latest.made_on:
        message = bilingual(
            f"早于已接收的文件（{latest.made_on}），请对方重新导出",
            f"older than the file taken in ({latest.made_on}): ask for a new one",
        )
        yield exchange_problem(
            row=first["row"], column="made_on", value=str(first["made_on"]), message=message
        )


def _latest(bank_code: str) -> ExchangeFile | None:
    """The file of a bank that counts."""
    return ExchangeFile.objects.filter(bank_code=bank_code, outcome=TAKEN).order_by("-pk").first()


def _take(rows: Sequence[dict[str, Any]], given: _Given, key: Key, bank_code: str) -> Taken:
    bank = rows[0]["bank_code"] if rows else bank_code
    latest = _latest(bank)
    if latest is not None and latest.sha256 == given.sha256 and latest.key_id == key.id:
        return Taken(bank, len(rows), is_known=True)
    made = ExchangeFile.objects.create(
        bank_code=bank,
        key_id=key.id,
        made_on=rows[0]["made_on"] if rows else given.at.date(),
        source=given.path.name[:NAME_MAX],
        sha256=given.sha256,
        outcome=TAKEN,
        rows=len(rows),
        actor=given.actor,
        at=given.at,
    )
    bulk.execute(_REPLACE, [bank, made.pk])
    bulk.create_stage("told_us", _STAGE)
    bulk.fill_stage("told_us", pl.DataFrame(rows).select(*_STAGE) if rows else _nothing())
    bulk.execute(_STORE, [made.pk])
    bulk.analyze("settlement_exchangerow", written=len(rows))
    return Taken(bank, len(rows), is_known=False)


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(_STAGE, pl.String))


def _refuse(problems: Sequence[Any], given: _Given) -> None:
    """Keep that it came and why it was not taken, without its rows."""
    first = sorted(problems, key=lambda problem: problem.row)[:PROBLEMS_KEPT]
    ExchangeFile.objects.create(
        source=given.path.name[:NAME_MAX],
        sha256=given.sha256,
        outcome=ExchangeFile.Outcome.REFUSED,
        problem_count=len(problems),
        problems=[[one.row, one.column or "", one.value or "", one.message] for one in first],
        actor=given.actor,
        at=given.at,
    )


def bank_of(*, scope: tuple[int, int]) -> str:
    """The one whole bank of a scope: a file is one bank's. DomainError `exchange_one_bank`."""
    found = banks_within(scope=scope)
    if len(found) != 1 or found[0].startswith("-"):
        raise DomainError(
            "exchange_one_bank",
            bilingual(
                "交换文件须是一家银行的全部数据：用 --institution 指定该行总部",
                "an exchange file is of one whole bank: name its head office with --institution",
            ),
        )
    return found[0]
