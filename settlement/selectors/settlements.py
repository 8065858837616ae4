"""Funds as settlements see them: their entries, what is settled already, what enterprises still owe."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from config.kernel.services.bulk import rows
from settlement.engine.settling import Covered, Entry
from settlement.models import Clawback, Settlement, SettlementItem


class OpenClawback(NamedTuple):
    """What an enterprise still owes for a note, in fen."""

    note_number: str
    uscc: str
    amount_fen: int
    open_fen: int


def fund_ids(*, institution_id: int, scheme_id: int) -> list[int]:
    """The funds of a scheme at one institution, in the order in which they are locked."""
    found = rows(
        "SELECT id FROM settlement_fund WHERE institution_id = %s AND scheme_id = %s ORDER BY id",
        [institution_id, scheme_id],
    )
    return [int(fund) for (fund,) in found]


def institutions_with_funds(*, scheme_id: int, scope: tuple[int, int]) -> list[int]:
    """Which institutions of this range hold money of the scheme?"""
    found = rows(
        "SELECT DISTINCT institution_id FROM settlement_fund"
        " WHERE scheme_id = %s AND institution_id BETWEEN %s AND %s ORDER BY 1",
        [scheme_id, *scope],
    )
    return [int(institution) for (institution,) in found]


def entries(*, ids: Collection[int]) -> dict[int, list[Entry]]:
    """Every entry of these funds with what it moved in each account, in order."""
    found: dict[int, list[Entry]] = {fund: [] for fund in ids}
    accounts = ", ".join(
        f"coalesce(sum(l.debit_fen - l.credit_fen) FILTER (WHERE l.account = '{name}'), 0)::bigint"
        for name in (
            "special_account", "treasury_advance", "subsidy_applied", "bank_advance",
            "clawback_receivable", "disallowed",
        )
    )  # fmt: skip
    for fund, *values in rows(
        f"SELECT e.fund_id, e.number, e.event, e.year, {accounts} FROM settlement_ledgerentry e"
        " JOIN settlement_ledgerline l ON l.entry_id = e.id WHERE e.fund_id = ANY(%s)"
        " GROUP BY e.id ORDER BY e.fund_id, e.number",
        [list(ids)],
    ):
        found[fund].append(Entry(*values))
    return found


def last_number_posted(*, ids: Collection[int], through: date) -> dict[int, int]:
    """Up to which number has each fund only entries posted by that day? Those not limited are left out."""
    found = rows(
        "SELECT fund_id, min(number) - 1 FROM settlement_ledgerentry"
        " WHERE fund_id = ANY(%s) AND posted_on > %s GROUP BY fund_id",
        [list(ids), through],
    )
    return {int(fund): int(number) for fund, number in found}


def covered(*, ids: Collection[int]) -> dict[int, Covered]:
    """Up to where is each fund settled by what is booked?"""
    found = dict.fromkeys(ids, Covered())
    booked = SettlementItem.objects.filter(fund_id__in=ids, settlement__state="booked")
    for fund, year, through in booked.values_list("fund_id", "settlement__year", "through_number"):
        found[fund] = found[fund].and_(year=year, through=through)
    return found


def items(*, settlement_ids: Collection[int]) -> list[SettlementItem]:
    """The items of these settlements, by institution and tier."""
    found = SettlementItem.objects.filter(settlement_id__in=settlement_ids)
    order = ("institution_id", "settlement_id", "fund__purpose", "fund__tier")
    return list(found.select_related("settlement", "fund", "institution").order_by(*order))


def open_settlement(*, institution_id: int, scheme_id: int) -> Settlement | None:
    """The settlement under way there, if any."""
    under_way = Settlement.objects.filter(institution_id=institution_id, scheme_id=scheme_id)
    return under_way.filter(state__in=["draft", "submitted", "decided"]).first()


def open_clawbacks(*, ids: Collection[int]) -> list[OpenClawback]:
    """Which clawbacks of these funds are decided and not recovered yet?"""
    decided = Clawback.objects.filter(fund_id__in=ids, state="decided").order_by("pk")
    return [
        OpenClawback(
            one.note.note_number, one.enterprise.uscc, int(one.amount_fen), int(one.open_fen)
        )
        for one in decided.select_related("note", "enterprise")
        if one.open_fen > 0
    ]


def eligible_enterprises(
    *, scheme_codes: Collection[str], scope: tuple[int, int]
) -> dict[int, int]:
    """Which enterprises have notes of these institutions eligible under any of the schemes? → labels."""
    found = rows(
        "SELECT c.enterprise_id, count(*) FROM settlement_enrolment e"
        " JOIN loans_note n ON n.id = e.note_id JOIN loans_contract c ON c.id = n.contract_id"
        " WHERE e.scheme_code = ANY(%s) AND e.status = 'eligible'"
        " AND n.institution_id BETWEEN %s AND %s GROUP BY 1 ORDER BY 1",
        [list(scheme_codes), *scope],
    )
    return {int(enterprise): int(notes) for enterprise, notes in found}
