"""The smallest rows that say something: two banks, and a note with one row in every table of notes."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.db import connection

from config.kernel.models import Institution, Run, User
from config.kernel.services.institutions import InstitutionRow, register_institutions
from loans import models as loans
from settlement import models as settlement
from settlement.services import funds
from settlement.services.funds import FundKey, Posting
from tests.integration import (
    check_rows,
    exchange_rows,
    import_rows,
    judged_rows,
    notice_rows,
    paper_rows,
    province_rows,
    report_rows,
    told_rows,
)

AT = datetime(2026, 3, 31, 9, 0, tzinfo=UTC)
TERMS = Path(__file__).parents[2] / "settlement" / "schemes" / "central-sme-2026.toml"
TREE = (
    InstitutionRow("B0000000000001", "甲银行", "headquarters", "", "320000"),
    InstitutionRow("B0000000000011", "甲银行南京分行", "provincial", "B0000000000001", "320100"),
    InstitutionRow("B0000000000012", "甲银行苏州分行", "provincial", "B0000000000001", "320500"),
    InstitutionRow("B0000000000002", "乙银行", "headquarters", "", "310000"),
)
BANK, NANJING, SUZHOU, OTHER = (row.code for row in TREE)


def institutions() -> dict[str, Institution]:
    """A bank with two branches, and another bank."""
    register_institutions(rows=TREE)
    return {institution.code: institution for institution in Institution.objects.all()}


def enterprise(uscc: str = "91320000000000001X") -> loans.Enterprise:
    """An enterprise that is private, small and in Jiangsu."""
    found, is_new = loans.Enterprise.objects.get_or_create(uscc=uscc)
    if is_new:
        loans.EnterpriseRecord.objects.create(
            enterprise=found,
            name="甲公司",
            region_code="320100",
            industry_code="C3512",
            size="small",
            ownership="private",
        )
    return found


def note(institution: Institution, number: str = "N1", **fields: Any) -> loans.Note:
    """A drawdown of 1,000,000 yuan on 2026-01-15 under a contract of its own."""
    contract = loans.Contract.objects.create(
        institution=institution,
        contract_number=f"C-{number}",
        enterprise=enterprise(),
        signed_on=date(2026, 1, 5),
        loan_type="fixed_asset",
        amount_fen=100_000_000,
        purpose_field="工业母机",
    )
    defaults: dict[str, Any] = {
        "drawn_on": date(2026, 1, 15),
        "matures_on": date(2029, 1, 15),
        "principal_fen": 100_000_000,
        "rate_ppm": 30_000,
        "scheme_codes": ["central-sme-2026"],
    }
    return loans.Note.objects.create(
        institution=institution,
        origin=institution,
        note_number=number,
        contract=contract,
        **defaults | fields,
    )


def collection_id(collected_on: date) -> int:
    """A new collection's id."""
    return _value("SELECT loans_collection_id(%s)", collected_on)


def deduction_id(of_collection: int) -> int:
    """A new deduction's id."""
    return _value("SELECT settlement_deduction_id(%s)", of_collection)


def _value(query: str, argument: object) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, [argument])
        return int(cursor.fetchone()[0])


def collection(
    of_note: loans.Note, collected_on: date = date(2026, 3, 21), **fields: Any
) -> loans.InterestCollection:
    """Interest of 5,000 yuan, due and paid, for the quarter before 21 March 2026."""
    defaults: dict[str, Any] = {
        "id": collection_id(collected_on),
        "period_start": date(2026, 1, 15),
        "period_end": date(2026, 3, 21),
        "interest_due_fen": 500_000,
        "interest_paid_fen": 500_000,
        "reference": f"R-{of_note.note_number}-{collected_on}",
    }
    return loans.InterestCollection.objects.create(
        institution_id=of_note.institution_id,
        origin_id=of_note.origin_id,
        note=of_note,
        collected_on=collected_on,
        **defaults | fields,
    )


def deduction(of: loans.InterestCollection, **fields: Any) -> settlement.Deduction:
    """The original deduction of a collection: 1,234.56 yuan of central money."""
    version = scheme_version()
    run, _ = Run.objects.get_or_create(
        kind="deductions", defaults={"actor": "system", "created_at": AT}
    )
    defaults: dict[str, Any] = {
        "id": deduction_id(of.pk),
        "run": run,
        "version": version,
        "scheme": version.scheme,
        "sequence": 0,
        "collected_on": of.collected_on,
        "posted_on": date(2026, 3, 31),
        "days": 65,
        "product": 6_500_000_000,
        "raw_central_fen": 123_456,
        "central_fen": 123_456,
    }
    money = dict.fromkeys(
        ("raw_provincial_fen", "raw_municipal_fen", "provincial_fen", "municipal_fen"), 0
    )
    return settlement.Deduction.objects.create(
        institution_id=of.institution_id,
        note_id=of.note_id,
        collection=of,
        cut_reasons=0,
        **money | defaults | fields,
    )


def scheme_version() -> settlement.SchemeVersion:
    """A checked version of the central SME scheme, as shipped."""
    scheme, _ = settlement.Scheme.objects.get_or_create(
        code="central-sme-2026", defaults={"name": "中小微企业贷款贴息"}
    )
    version, _ = settlement.SchemeVersion.objects.get_or_create(
        scheme=scheme,
        version=1,
        defaults={
            "text": TERMS.read_text(encoding="utf-8"),
            "sha256": "0" * 64,
            "made_by": "system",
            "checked_by": "system-checker",
            "loaded_at": AT,
        },
    )
    return version


def _confirmed_code(of: Institution) -> None:
    """A failing code that somebody there says is real, and its history."""
    loans.UsccConfirmation.objects.get_or_create(
        institution=of,
        uscc=f"9132{of.pk % 10**14:014d}",
        defaults={"reason": "已核对", "made_by": "maker", "at": AT},
    )
    loans.UsccConfirmation.objects.filter(institution=of).update(checked_by="second")


def whole_book(of: Institution, number: str = "N1") -> loans.Note:
    """A note with one row in every table that belongs to notes or to its institution, history too."""
    made = note(of, number)
    _belongings(made)
    paper_rows.withdrawn(made, AT)
    _evidence(made)
    judged_rows.judged(made, scheme_version(), AT)
    notice_rows.told(deduction(collection(made)), AT)
    taking_part = {"scheme_code": "central-sme-2026", "valid_from": date(2026, 1, 1)}
    loans.Participation.objects.create(institution=of, **taking_part)
    loans.SyndicateShare.objects.create(
        institution=of, contract=made.contract, participant=of, share_ppm=1_000_000
    )
    _ledger(made)
    _payout(made)
    _difference(made)
    _taken_over(made)
    _lapse(made)
    _plan(made)
    report_rows.filed(made.institution_id, AT)
    _finding(made)
    _confirmed_code(of)
    told_rows.told(of, AT)
    province_rows.answered(of, AT)
    exchange_rows.told(made, of, AT)
    _make_history(of)
    return made


def _ledger(made: loans.Note) -> None:
    key = FundKey(made.institution_id, scheme_version().scheme_id, "central")
    posting = Posting(settlement.Event.PRE_ALLOCATION, date(2026, 2, 2), "文号", 1, "system")
    funds.receive(key=key, amount_fen=1, posting=posting, year=2026)
    of = {"institution_id": made.institution_id, "note": made}
    by = {"made_by": "maker", "made_at": AT, "checked_by": "checker", "checked_at": AT}
    owed = settlement.Clawback.objects.create(
        **of, **by,
        enterprise_id=made.contract.enterprise_id,
        fund_id=funds.open_funds(keys=[key])[key],
        origin="staff",
        origin_id=0,
        year=2026,
        amount_fen=2, state="decided", why="试验",
    )  # fmt: skip
    figures = [f.name for f in settlement.SettlementItem._meta.fields if f.name.endswith("_fen")]
    settlement.Settlement.objects.create(
        institution_id=made.institution_id,
        scheme_id=key.scheme_id,
        kind="annual",
        year=2026,
        part=1,
        state="draft",
        made_by="maker",
        made_at=AT,
    ).items.create(
        institution_id=made.institution_id,
        fund_id=owed.fund_id,
        through_number=1,
        **dict.fromkeys(figures, 0) | {"approved_fen": None, "disallowed_fen": None},
    )
    received = loans.PreAllocation.objects.filter(institution_id=made.institution_id).first()
    check_rows.answered(received, by)
    settlement.MadeGood.objects.create(
        institution_id=made.institution_id, fund_id=owed.fund_id, moved_on=date(2026, 4, 1),
        amount_fen=1, reference="补1", **by,
    )  # fmt: skip
    settlement.GuaranteePosting.objects.create(
        **of, guarantee=made.guarantees.get(), scheme_id=key.scheme_id, fund_id=owed.fund_id,
        sequence=0, amount_fen=50_000, month=date(2026, 1, 1), posted_on=date(2026, 3, 31),
        actor="system",
    )  # fmt: skip
    owed.movements.create(**of, **by, kind="received", moved_on=date(2026, 4, 1), amount_fen=1)


def _payout(made: loans.Note) -> None:
    payout = settlement.Payout.objects.create(
        institution_id=made.institution_id,
        note=made,
        collection_id=made.collections.get().pk,
        scheme=scheme_version().scheme,
        sequence=0,
        agreement=made.payout_agreements.get(),
        due_on=date(2026, 3, 21),
        central_fen=1,
        provincial_fen=0,
        municipal_fen=0,
        offset_fen=0,
    )
    _payout_sent(payout)


def _lapse(made: loans.Note) -> None:
    settlement.ClawbackLapse.objects.create(
        institution_id=made.institution_id, note=made, fund=settlement.Clawback.objects.get(note=made).fund,
        origin_id=1, year=2026, amount_fen=1, settled_fen=0, posted_on=date(2026, 3, 31), actor="system",
    )  # fmt: skip


def _finding(made: loans.Note) -> None:
    of = {"institution_id": made.institution_id, "note": made}
    found = settlement.Finding.objects.create(
        **of, rule="P1", severity="violation", article="一(三)", identity=f"{made.pk:064d}",
        evidence_digest="0" * 64, central_fen=123_456, found_at=AT, changed_at=AT,
    )  # fmt: skip
    found.sides.create(**of, position=1, facts={"days": 65})
    found.decisions.create(
        **of, outcome="confirmed", why="属实", evidence_digest="0" * 64, made_by="maker", made_at=AT
    )


def _taken_over(made: loans.Note) -> None:
    settlement.TakenOver.objects.create(
        institution_id=made.institution_id, fund=settlement.Fund.objects.filter(institution_id=made.institution_id).earliest("pk"), year=2026, sequence=0, amount_fen=1, posted_on=date(2026, 3, 21), actor="maker",
    )  # fmt: skip


def _difference(made: loans.Note) -> None:
    of = {"institution_id": made.institution_id}
    settlement.ReconciliationDifference.objects.create(
        **of, scheme=scheme_version().scheme, tier="central", reason="not_in_ledger",
        moved_on=date(2026, 3, 21), key="S1", amount_fen=1, found_at=AT,
    ).explanations.create(
        **of, why="试验", made_by="maker", made_at=AT, checked_by="checker", checked_at=AT
    )  # fmt: skip


def _payout_sent(payout: settlement.Payout) -> None:
    at = datetime(2026, 3, 21, tzinfo=UTC)
    of = {"institution_id": payout.institution_id}
    batch = settlement.PayoutBatch.objects.create(
        **of, day=payout.due_on, count=1, amount_fen=1, made_by="maker", made_at=at,
        state="sent", checked_by="checker", checked_at=at,
    )  # fmt: skip
    attempt = settlement.PayoutAttempt.objects.create(
        **of, note_id=payout.note_id, batch=batch, payout=payout, attempt=1, amount_fen=1,
        account_name="甲公司", account_number="0032010001", bank_name="甲银行",
        enterprise_name="甲公司", uscc="91320300MANNX8B87A", state="paid",
    )  # fmt: skip
    settlement.PayoutResult.objects.create(
        **of, note_id=payout.note_id, attempt=attempt, result="succeeded", paid_on=payout.due_on,
        reference="P1", amount_fen=1, actor="maker", at=at,
    )  # fmt: skip


def _plan(made: loans.Note) -> None:
    of = {"institution_id": made.institution_id}
    plan = settlement.Plan.objects.create(
        **of, collected_on=date(2026, 6, 21), planned_fen=1, made_by="maker", made_at=AT
    )
    row = {**of, "plan": plan, "note": made, "collection_id": made.collections.first().pk}
    plan.deductions.create(
        **row,
        scheme=scheme_version().scheme,
        fund_institution_id=made.institution_id,
        place=1,
        interest_fen=2,
        central_fen=1,
        provincial_fen=0,
        municipal_fen=0,
    )
    plan.exceptions.create(**row, scheme_code="central-sme-2026", reason="nothing")


def _belongings(made: loans.Note) -> None:
    keys = {"institution_id": made.institution_id, "note": made}
    loans.NoteStatus.objects.create(**keys, status="overdue", starts_on=date(2026, 5, 1))
    loans.EquipmentInvoice.objects.create(
        **keys, invoice_number=f"F-{made.note_number}", issued_on=date(2026, 1, 20), amount_fen=1
    )
    loans.Guarantee.objects.create(
        **keys,
        origin_id=made.origin_id,
        guarantee_number=f"G-{made.note_number}",
        guarantor="省信用再担保集团",
        principal_fen=100_000_000,
        starts_on=date(2026, 1, 15),
        ends_on=date(2027, 1, 15),
        fee_rate_ppm=9_000,
    )
    loans.PayoutAgreement.objects.create(
        **keys,
        valid_from=date(2026, 1, 15),
        account_name="甲公司",
        account_number="0032010001",
        bank_name="甲银行",
        reason="不能直接抵减",
    )
    loans.NoteTransfer.objects.create(
        **keys, moved_on=date(2026, 2, 1), new_institution_id=made.institution_id
    )
    loans.OpeningPosition.objects.create(
        **keys,
        scheme_code="central-sme-2026",
        tier="central",
        year=2025,
        amount_fen=1,
        interest_paid_fen=2,
        paid_through=date(2026, 1, 1),
    )


def _evidence(made: loans.Note) -> None:
    of = {"institution_id": made.institution_id}
    fund = {**of, "scheme_code": "central-sme-2026", "tier": "central"}
    import_rows.brought(made.institution_id, AT)
    loans.Repayment.objects.create(
        **of,
        origin_id=made.origin_id,
        note=made,
        repaid_on=date(2026, 2, 1),
        amount_fen=1_000,
        reference=f"P-{made.note_number}",
    )
    loans.ExternalSubsidy.objects.create(
        **of,
        origin_id=made.origin_id,
        source="市工信局",
        reference=f"X-{made.origin_id}-{made.note_number}",
        uscc=made.contract.enterprise.uscc,
        kind="loan_interest",
        scheme_name="设备补贴",
        note_number=made.note_number,
        year=2026,
        amount_fen=5,
    )
    loans.Compensation.objects.create(
        **of,
        origin_id=made.origin_id,
        note=made,
        guarantee=made.guarantees.get(),
        paid_on=date(2026, 6, 30),
        unpaid_principal_fen=1,
        reference=f"D-{made.note_number}",
    )
    loans.PreAllocation.objects.create(
        **fund, received_on=date(2026, 1, 10), amount_fen=1, document_number="财金1号"
    )
    loans.ReviewResult.objects.create(
        **of,
        scheme_code="central-sme-2026",
        note=made,
        month=date(2026, 3, 1),
        result="approved",
        document_number="财审1号",
    )
    loans.BankStatement.objects.create(
        **fund, moved_on=date(2026, 1, 10), amount_fen=1, balance_fen=1, reference="S1"
    )


def _make_history(of: Institution) -> None:
    """Change every kind of row that keeps a history, once."""
    mine: dict[str, Any] = {"institution": of}
    User.objects.get_or_create(username=f"clerk-{of.code}", defaults={"role": "maker", **mine})
    User.objects.filter(username=f"clerk-{of.code}").update(last_name="王")
    loans.Participation.objects.filter(**mine).update(valid_to=date(2026, 12, 31))
    loans.Contract.objects.filter(**mine).update(purpose_field="服务器")
    loans.SyndicateShare.objects.filter(**mine).update(share_ppm=999_999)
    loans.Note.objects.filter(**mine).update(equipment_fen=1)
    loans.NoteStatus.objects.filter(**mine).update(ends_on=date(2026, 6, 1))
    loans.EquipmentInvoice.objects.filter(**mine).update(amount_fen=2)
    loans.Guarantee.objects.filter(**mine).update(guarantor="甲担保")
    loans.EnterpriseContact.objects.filter(**mine).update(name="李四")
    loans.PayoutAgreement.objects.filter(**mine).update(account_number="0032010002")
    loans.NoteTransfer.objects.filter(**mine).update(moved_on=date(2026, 2, 2))
    loans.OpeningPosition.objects.filter(**mine).update(amount_fen=3)
