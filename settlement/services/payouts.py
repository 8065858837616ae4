"""Pay-outs of subsidies that cannot be netted: made with their deduction, re-derived by `verify` (MF-25)."""

from __future__ import annotations

from collections.abc import Collection

from django.db import IntegrityError

from config.kernel.services import bulk
from settlement.selectors.payouts import COLUMNS, DERIVED, agreed_enterprises


def make_payouts(*, run_id: int, enterprise_ids: Collection[int]) -> int:
    """Make the pay-outs of what a chunk has just posted, in its transaction; returns how many.

    An enterprise may have been in an earlier chunk of the run: what was made then stays, and must be
    what the run as a whole gives, or the chunk is refused (IntegrityError) and the next run posts it.
    """
    agreed = agreed_enterprises(among=enterprise_ids)
    if not agreed:
        return 0
    columns = ", ".join(("institution_id", *COLUMNS))
    made, same = (", ".join(f"{of}.{name}" for name in COLUMNS) for of in ("p", "owed"))
    ((count, late),) = bulk.rows(
        f"WITH made AS (INSERT INTO settlement_payout ({columns}) SELECT {columns} FROM ({DERIVED}) owed"
        f" WHERE NOT EXISTS (SELECT FROM settlement_payout p WHERE ({made}) = ({same}))"
        " ORDER BY collection_id, scheme_id, sequence RETURNING collection_id, scheme_id, sequence)"
        " SELECT count(*), count(*) FILTER (WHERE d.collection_id IS NULL)"
        " FROM made LEFT JOIN due d USING (collection_id, scheme_id, sequence)",
        {"run": run_id, "enterprises": agreed},
    )
    # What was set off as a whole by an earlier chunk was told as such, and would be paid out now.
    if late:
        message = f"{late} pay-outs of what an earlier chunk of the run has posted"
        raise IntegrityError(message)
    return int(count)


def verify_payouts() -> list[str]:
    """What differs between the pay-outs and what deductions, agreements and offsets give; fen."""
    columns = ", ".join(COLUMNS)
    made = f"SELECT {columns} FROM settlement_payout"
    due = f"SELECT {columns} FROM ({DERIVED}) due"
    found = []
    for wrong, one, other in (
        ("少拨付 / pay-out missing", due, made),
        ("拨付与重算不符 / pay-out differs or is not due", made, due),
    ):
        places = bulk.rows(
            f"SELECT s.code, n.note_number, x.collection_id, x.sequence, x.central_fen, x.provincial_fen,"
            f" x.municipal_fen FROM (({one}) EXCEPT ({other})) x"
            " JOIN settlement_scheme s ON s.id = x.scheme_id JOIN loans_note n ON n.id = x.note_id"
            " ORDER BY x.collection_id, x.scheme_id, x.sequence",
            {"run": None, "enterprises": agreed_enterprises()},
        )
        found += [
            f"{wrong}: {scheme} {note} {collection}/{sequence}: 中央/省/市 {central}/{province}/{city} 分 fen"
            for scheme, note, collection, sequence, central, province, city in places
        ]
    return found
