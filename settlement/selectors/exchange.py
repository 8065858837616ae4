"""Hashes of subsidised notes: kept, exported, matched with other banks' files, asked about."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from config.kernel.services.bulk import read_frame, rows
from config.kernel.services.export import TODAY, Field, Register
from settlement.engine.exchange import CONFLICTS

SQL_COLUMNS = {
    "note_id": "bigint",
    "institution_id": "bigint",
    "kind": "text",
    "hash": "text",
    "duty": "text",
    "first_day": "date",
    "last_day": "date",
}
_SAME = ", ".join(f"t.{name}" for name in SQL_COLUMNS)
_STORED = ", ".join(f"e.{name}" for name in SQL_COLUMNS)
OTHER_KEYS = "DELETE FROM settlement_exchangeentry WHERE key_id <> %s"
GONE = f"""
DELETE FROM settlement_exchangeentry e
WHERE NOT EXISTS (SELECT FROM told t WHERE ({_SAME}) = ({_STORED}))
"""
OF_ENTERPRISES = """
e.note_id IN (SELECT n.id FROM loans_note n JOIN loans_contract c ON c.id = n.contract_id
    WHERE c.enterprise_id = ANY(%s))
"""
NEW = f"""
INSERT INTO settlement_exchangeentry (key_id, {", ".join(SQL_COLUMNS)})
SELECT %s, {_SAME} FROM told t
WHERE NOT EXISTS (SELECT FROM settlement_exchangeentry e WHERE ({_SAME}) = ({_STORED}))
"""

_BANK = (
    "JOIN kernel_institution {0} ON {0}.parent_id IS NULL AND {1} BETWEEN {0}.id AND {0}.last_id"
)

EXCHANGE = Register(
    name="exchange",
    title_zh="跨行核查交换",
    fields=(
        Field("bank_code", "来源银行", "text", "t.bank_code"),
        Field("key_id", "密钥编号", "text", "t.key_id"),
        Field("made_on", "导出日", "date", TODAY),
        Field("kind", "类别", "text", "t.kind"),
        Field("hash", "哈希值", "text", "t.hash"),
        Field("duty", "互斥组", "text", "t.duty"),
        Field("first_day", "贴息首日", "date", "t.first_day"),
        Field("last_day", "贴息末日", "date", "t.last_day"),
    ),
    source=(
        "(SELECT DISTINCT b.id AS bank_id, b.code AS bank_code, e.key_id, e.kind, e.hash, e.duty,"
        " e.first_day, e.last_day"
        f" FROM settlement_exchangeentry e {_BANK.format('b', 'e.institution_id')}) t"
    ),
    order="t.bank_code, t.hash, t.kind, t.duty, t.first_day, t.last_day",
    scope="t.bank_id",
)


def received_conflicts(*, key_id: str) -> pl.DataFrame:
    """What other banks' latest files tell of our own notes, for the same days and duty (CONFLICTS)."""
    return read_frame(
        f"""
        SELECT DISTINCT e.note_id, e.kind, e.duty, f.bank_code
        FROM settlement_exchangerow r
        JOIN settlement_exchangefile f ON f.id = r.file_id AND f.key_id = %(key)s
        JOIN settlement_exchangeentry e ON e.hash = r.hash AND e.kind = r.kind AND e.duty = r.duty
            AND e.key_id = f.key_id AND e.first_day <= r.last_day AND e.last_day >= r.first_day
        {_BANK.format("b", "e.institution_id")}
        WHERE b.code <> f.bank_code ORDER BY 1, 2, 3, 4
        """,
        {"key": key_id},
        schema=CONFLICTS,
    )


def banks_within(*, scope: tuple[int, int]) -> list[str]:
    """Codes of the banks that lie in a scope, in part or whole; those in part begin with `-`."""
    found = rows(
        "SELECT CASE WHEN id >= %(lo)s AND last_id <= %(hi)s THEN code ELSE '-' || code END"
        " FROM kernel_institution WHERE parent_id IS NULL AND id <= %(hi)s AND last_id >= %(lo)s"
        " ORDER BY id",
        {"lo": scope[0], "hi": scope[1]},
    )
    return [code for (code,) in found]


def answer_of(*, probe_id: int) -> list[dict[str, Any]]:
    """What a probe on record is told: question (from 1), scheme, ask. The database's one function."""
    ((told,),) = rows("SELECT settlement_probe_answer(%s)", [probe_id])
    found: list[dict[str, Any]] = json.loads(told) if isinstance(told, str) else told
    return found
