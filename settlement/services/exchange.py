"""Keyed hashes of our subsidised notes, kept equal to the facts, and what another bank is told of them.

The key is shared by the banks of one circle. It comes from the environment, is named by its id and
never stored or shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import DatabaseError, transaction

from config.kernel.services import bulk, tracing
from loans.values.errors import DomainError, bilingual
from settlement.engine import exchange
from settlement.models import Probe
from settlement.selectors import duplicates as selectors
from settlement.selectors import exchange as selected
from settlement.services.schemes import terms_in_force

KEY_BYTES = 32
REFRESHING_LOCK = 0x6578_6861
TOO_OFTEN = "PT429"  # the database's word for a bank that asks more often than it may
_KEY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Key:
    """The circle's secret and its name; the secret is left out wherever this is printed."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.id})"


@dataclass(frozen=True)
class Question:
    """One hash somebody asks about, and its first and last subsidised day."""

    hash: str
    first_day: date
    last_day: date


def is_set() -> bool:
    """Whether this installation is of a circle at all."""
    return bool(settings.EXCHANGE_KEY_ID or settings.EXCHANGE_KEY)


def current_key() -> Key:
    """The key of the circle; DomainError `exchange_key_missing`, `exchange_key_invalid`."""
    if not is_set():
        raise DomainError(
            "exchange_key_missing",
            bilingual(
                "未设置 EXCHANGE_KEY_ID 和 EXCHANGE_KEY，不参加跨行核查",
                "EXCHANGE_KEY_ID and EXCHANGE_KEY are not set: this bank is in no circle",
            ),
        )
    try:
        secret = bytes.fromhex(settings.EXCHANGE_KEY)
    except ValueError:
        secret = b""
    if len(secret) < KEY_BYTES or not _KEY_ID.fullmatch(settings.EXCHANGE_KEY_ID):
        raise DomainError(
            "exchange_key_invalid",
            bilingual(
                "EXCHANGE_KEY 须为至少 32 字节的十六进制数，EXCHANGE_KEY_ID 为小写字母、数字、连字符",
                "EXCHANGE_KEY is at least 32 bytes in hexadecimal, EXCHANGE_KEY_ID lower-case letters,"
                " digits and hyphens",
            ),
        ) from None
    return Key(settings.EXCHANGE_KEY_ID, secret)


@transaction.atomic
def refresh_entries(*, enterprise_ids: Sequence[int] | None = None) -> int:
    """Bring what may be told of our notes in line with the facts; gives how many hashes there are of them.

    `enterprise_ids`: of these enterprises' notes only.

    Raises DomainError as `current_key`.
    """
    key = current_key()
    bulk.rows("SELECT pg_advisory_xact_lock(%s)", [REFRESHING_LOCK])
    slices = exchange.entries(
        key=key.secret,
        notes=selectors.notes(enterprise_ids=enterprise_ids),
        enrolments=selectors.enrolments(enterprise_ids=enterprise_ids),
        invoices=selectors.invoices(enterprise_ids=enterprise_ids),
        terms=terms_in_force().terms,
    )
    bulk.create_stage("told", selected.SQL_COLUMNS)
    count = 0
    for part in slices:
        bulk.fill_stage("told", part)
        count += part.height
    bulk.execute(selected.OTHER_KEYS, [key.id])
    if enterprise_ids is None:
        bulk.execute(selected.GONE)
    else:
        bulk.execute(f"{selected.GONE} AND {selected.OF_ENTERPRISES}", [list(enterprise_ids)])
    bulk.execute(selected.NEW, [key.id])
    bulk.analyze("settlement_exchangeentry", written=count)
    return count


def require_key(key_id: str) -> None:
    """Refuse hashes of another key than ours (`exchange_key_unknown`); the secret is not needed for it."""
    if not settings.EXCHANGE_KEY_ID or key_id != settings.EXCHANGE_KEY_ID:
        raise DomainError(
            "exchange_key_unknown",
            bilingual(
                "密钥编号与本行不同，无法比对",
                "the key is another than ours: nothing can be compared",
            ),
        )


def ask(
    *, institution_id: int, key_id: str, questions: Sequence[Question], actor: str, at: datetime
) -> Probe:
    """Put a probe on record; it is answered once this is committed.

    Raises DomainError `exchange_key_unknown`, `too_many_probes`.
    """
    require_key(key_id)
    try:
        with transaction.atomic():
            return Probe.objects.create(
                institution_id=institution_id,
                actor=actor,
                key_id=key_id,
                hashes=[one.hash for one in questions],
                first_days=[one.first_day for one in questions],
                last_days=[one.last_day for one in questions],
                asked=len(questions),
                request_id=tracing.request_id(),
                at=at,
            )
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") != TOO_OFTEN:
            raise
        raise DomainError(
            "too_many_probes",
            bilingual("查询过于频繁：每家银行每分钟 30 次", "a bank may ask 30 times a minute"),
        ) from error
