"""How long does the duplicate check take beside a plain self-join on its exact keys?

Both run on one connection of the worker's, under one session's settings, by turns: once to warm up (in a
new book the first check writes all findings), then `--rounds` times; the least counts. Near matches, which no join
can find, and a check of what one enterprise changed are timed by themselves. The self-join reads the same
tables and counts pairs, key by key, numbers made comparable in SQL. What was planted must be found, and
nothing else.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from config import checks
from config.settings import connections

OWNER, WORKER = "owner", "worker"
role = OWNER if "--settle" in sys.argv else WORKER
connections.choose_role(role)
checks.prepare(role)

from django.db import connection  # noqa: E402

from config.kernel.services.bulk import rows  # noqa: E402
from settlement.models import Finding  # noqa: E402
from settlement.services.duplicates import (  # noqa: E402
    check_changed,
    check_duplicates,
    check_exact,
)
from tests.integration.book import AT  # noqa: E402
from tests.integration.found import expected, found  # noqa: E402

NOTES = (
    "SELECT n.id, c.enterprise_id, {columns} FROM loans_note n"
    " JOIN loans_contract c ON c.id = n.contract_id {joins}"
)
BILLS = (
    "SELECT v.note_id AS id, {column} AS key FROM loans_equipmentinvoice v"
    " WHERE v.amount_fen > 0 AND {column} <> ''"
)
SAME_BORROWER = "a.enterprise_id = b.enterprise_id AND "


def _normal(column: str) -> str:
    """A number as it is compared, the plain way."""
    return f"upper(regexp_replace(normalize({column}, NFKC), '[^[:alnum:]]', '', 'g'))"


def _pairs(one: str, also: str = "") -> str:
    """How many pairs of these rows have one key?"""
    return f"WITH k AS ({one}) SELECT count(*) FROM k a JOIN k b ON {also}a.key = b.key AND a.id < b.id"


def _outside(column: str, joins: str, own: str) -> str:
    """How many outside records name one of the borrower's notes, projects or invoices?"""
    return (
        f"WITH x AS (SELECT uscc, {_normal(f'x.{column}')} AS key FROM loans_externalsubsidy x"
        f" WHERE x.{column} <> ''), n AS (SELECT e.uscc, {_normal(own)} AS key FROM loans_note n"
        " JOIN loans_contract c ON c.id = n.contract_id"
        f" JOIN loans_enterprise e ON e.id = c.enterprise_id {joins})"
        " SELECT count(*) FROM x JOIN n ON x.uscc = n.uscc AND x.key = n.key"
    )


PROJECT = "JOIN loans_project p ON p.id = c.project_id"
INVOICE = "JOIN loans_equipmentinvoice v ON v.note_id = n.id"
JOINS = {
    "note number": _pairs(
        NOTES.format(columns=f"{_normal('n.note_number')} AS key", joins=""), SAME_BORROWER
    ),
    "contract number": _pairs(
        f"SELECT c.id, c.enterprise_id, {_normal('c.contract_number')} AS key FROM loans_contract c",
        SAME_BORROWER,
    ),
    "organisation number": _pairs("SELECT id, substr(uscc, 9, 9) AS key FROM loans_enterprise"),
    "enterprise name": _pairs(
        f"SELECT DISTINCT enterprise_id AS id, {_normal('name')} AS key FROM loans_enterpriserecord"
    ),
    "project code": _pairs(
        NOTES.format(columns=f"{_normal('p.project_code')} AS key", joins=PROJECT)
    ),
    "invoice number": _pairs(BILLS.format(column=_normal("v.invoice_number"))),
    "serial number": _pairs(BILLS.format(column=_normal("v.serial_number"))),
    "amount repaid and lent": (
        f"WITH k AS ({NOTES.format(columns='n.principal_fen, n.drawn_on', joins='')}), r AS ("
        "SELECT note_id, repaid_on, sum(amount_fen) AS fen FROM loans_repayment GROUP BY 1, 2)"
        " SELECT count(*) FROM r JOIN k a ON a.id = r.note_id JOIN k b ON b.enterprise_id = a.enterprise_id"
        " AND b.principal_fen = r.fen AND b.id <> a.id AND abs(b.drawn_on - r.repaid_on) <= 7"
    ),
    "outside: note": _outside("note_number", "", "n.note_number"),
    "outside: project": _outside("project_code", PROJECT, "p.project_code"),
    "outside: invoice": _outside("invoice_number", INVOICE, "v.invoice_number"),
}


def timed(work: Callable[[], object]) -> int:
    """Milliseconds on the clock."""
    started = time.monotonic()
    work()
    return int((time.monotonic() - started) * 1000)


def settle() -> None:
    """Statistics and visibility as autovacuum leaves them in a settled installation."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def measure(rounds: int) -> None:
    """Check and join by turns; print what each takes at least, and the peak memory."""
    by_key: dict[str, list[int]] = {name: [] for name in JOINS}
    took: dict[str, list[int]] = {"check": [], "join": []}
    for _ in range(rounds + 1):
        took["check"].append(timed(lambda: check_exact(at=AT)))
        spent = {name: timed(lambda query=query: rows(query)) for name, query in JOINS.items()}
        took["join"].append(sum(spent.values()))
        for name, milliseconds in spent.items():
            by_key[name].append(milliseconds)
    check, join = (min(took[name][1:]) for name in ("check", "join"))
    pairs = {name: rows(query)[0][0] for name, query in JOINS.items()}
    for name, times in by_key.items():
        say(f"  self-join on {name:<24}{min(times[1:]):>8,} ms{pairs[name]:>12,} pairs")
    peak_mib = _peak_mib()
    whole = timed(lambda: check_duplicates(at=AT))
    touch()
    changed = timed(lambda: check_changed(at=AT))
    say(
        f"first check, to warm up                 {took['check'][0]:>8,} ms",
        f"full exact check, least of {rounds}        {check:>8,} ms, peak {peak_mib:,} MiB",
        f"plain self-join, least of {rounds}         {join:>8,} ms",
        f"exact check ÷ self-join {check * 100 // join / 100:.2f}",
        f"full check with near matches      {whole:>8,} ms, peak {_peak_mib():,} MiB",
        f"check of one changed enterprise   {changed:>8,} ms",
        f"near matches proposed             {Finding.objects.filter(severity='proposal').count():>8,}",
    )


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def touch() -> None:
    """Let one enterprise's facts count as changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE loans_enterprise SET facts_version = facts_version + 1"
            " WHERE id = (SELECT max(enterprise_id) FROM loans_contract)"
        )


def judge(book: Path) -> bool:
    """Is what was planted found, and nothing else? Per rule."""
    there, planted = found(), expected(book)
    missed, wrong = planted - there, there - planted
    counts = {
        name: Counter(rule for rule, _ in some.elements())
        for name, some in (("planted", planted), ("found", there & planted), ("false", wrong))
    }
    say(f"{'rule':<6}" + "".join(f"{name:>10}" for name in counts))
    for number in range(1, 13):
        rule = f"P{number}"
        say(f"{rule:<6}" + "".join(f"{count[rule]:>10,}" for count in counts.values()))
    for name, some in (("missed", missed), ("false", wrong)):
        say(*(f"{name}: {matter}" for matter in sorted(some)[:10]))
    return not missed and not wrong


def say(*lines: str) -> None:
    """Print at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def main() -> None:
    """Settle, or measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("book", type=Path, nargs="?")
    parser.add_argument("--settle", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if asked.settle:
        settle()
        return
    notes = rows("SELECT count(*) FROM loans_note")[0][0]
    say(
        f"{notes:,} notes, {rows('SELECT count(*) FROM loans_interestcollection')[0][0]:,} collections"
    )
    measure(asked.rounds)
    if not judge(asked.book):
        sys.exit("what was found is not what was planted")


if __name__ == "__main__":
    main()
