"""django-hordak's side of `ledger.py`, under the interpreter of requirements-bench.lock; as JSON.

`hordak: transfer_to` is its documented way to move money between accounts; `hordak: legs in bulk` makes
the same transaction with one INSERT for both legs, the least it can do.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import django
import psycopg
from django.conf import settings
from django.core.management import call_command

from config import embedded
from config.settings.connections import database

NAME = "hordak"
OWNER = database(embedded.urls(Path(os.environ["DATA_DIR"])).owner, "-c synchronous_commit=on")


def make_database() -> None:
    """A database of its own in the same server, if there is none yet."""
    with psycopg.connect(
        host=OWNER["HOST"], user=OWNER["USER"], dbname=OWNER["NAME"], autocommit=True
    ) as connection:
        query = "SELECT FROM pg_database WHERE datname = %s"
        if connection.execute(query, [NAME]).fetchone() is None:
            connection.execute(f"CREATE DATABASE {NAME}")


make_database()
settings.configure(
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "mptt", "djmoney", "hordak",
    ],
    DATABASES={"default": {**OWNER, "NAME": NAME}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DEFAULT_CURRENCY="CNY",
    CURRENCIES=("CNY",),
    SECRET_KEY="benchmark",
    USE_TZ=True,
)  # fmt: skip
django.setup()
call_command("migrate", verbosity=0)

from django.db import transaction  # noqa: E402
from hordak.models import Account, AccountType, Leg, Transaction  # noqa: E402
from moneyed import Money  # noqa: E402

AMOUNT = Money(1, "CNY")


def milliseconds(work: Callable[[], None]) -> int:
    """How long it takes."""
    started = time.monotonic()
    work()
    return int((time.monotonic() - started) * 1000)


def account(name: str, code: str, type_: AccountType) -> Account:
    """An account of that name."""
    values = {"code": code, "type": type_, "currencies": ["CNY"]}
    return Account.objects.get_or_create(name=name, defaults=values)[0]


def transfers(bank: Account, advance: Account, count: int) -> None:
    """Its documented way."""
    for number in range(count):
        advance.transfer_to(bank, AMOUNT, description=f"文号 {number}")


def in_bulk(bank: Account, advance: Account, count: int) -> None:
    """The least it can do."""
    for number in range(count):
        with transaction.atomic():
            made = Transaction.objects.create(description=f"文号 {number}")
            Leg.objects.bulk_create([
                Leg(transaction=made, account=bank, debit=AMOUNT),
                Leg(transaction=made, account=advance, credit=AMOUNT),
            ])  # fmt: skip


def main(count: int) -> None:
    """Measure each way."""
    bank = account("special account", "1", AccountType.asset)
    advance = account("treasury advance", "2", AccountType.liability)
    before = Leg.objects.count()
    found = {
        "hordak: transfer_to": milliseconds(lambda: transfers(bank, advance, count)),
        "hordak: legs in bulk": milliseconds(lambda: in_bulk(bank, advance, count)),
    }
    assert Leg.objects.count() == before + 4 * count
    sys.stdout.write(json.dumps(found))


main(int(sys.argv[1]))
