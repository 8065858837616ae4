"""The file kinds are the contract's, and their row checks refuse what is impossible."""

from pathlib import Path

import pytest

from loans.files.columns import parse
from loans.files.kinds import KINDS
from loans.files.reader import read_table
from tests.unit.loans.builders import COLLECTION, ENTERPRISE, NOTE, lines, parse_rows

PORTFOLIO = Path(__file__).parents[2] / "data" / "portfolio"
USCC = ENTERPRISE["uscc"]
BRANCH = "C0001320100000"

CONTRACT = {
    "institutions": "institution_code* name* level* parent_code region_code*",
    "participations": "scheme_code* institution_code* valid_from* valid_to",
    "lpr": "published_on* one_year* five_year*",
    "enterprises": "uscc* name* region_code* industry_code* size* ownership* environment_rating "
    "tax_rating dishonest valid_from",
    "enterprise-titles": "uscc* title* valid_from* valid_to*",
    "projects": "project_code* uscc* name* region_code*",
    "contracts": "institution_code* contract_number* uscc* signed_on* loan_type* amount* currency "
    "purpose_field* project_code",
    "syndicate-shares": "institution_code* contract_number* participant_code* share*",
    "notes": "institution_code* note_number* contract_number* drawn_on* matures_on* principal* "
    "equipment_amount annual_rate* exchange_rate scheme_codes",
    "equipment-invoices": "institution_code* note_number* invoice_number* issued_on* amount* "
    "serial_number supplier",
    "repayments": "institution_code* note_number* repaid_on* amount* reference*",
    "note-statuses": "institution_code* note_number* status* starts_on* ends_on",
    "guarantees": "institution_code* note_number* guarantee_number* guarantor* principal* "
    "starts_on* ends_on* fee_rate*",
    "payout-agreements": "institution_code* note_number* scheme_code valid_from* valid_to "
    "account_name* account_number* bank_name* reason*",
    "interest-collections": "institution_code* note_number* period_start* period_end* "
    "interest_due* interest_paid collected_on* reference*",
    "external-subsidies": "source* reference* uscc* kind* scheme_name* institution_code "
    "note_number project_code invoice_number year* amount*",
    "scheme-funds": "scheme_code* year* amount*",
    "pre-allocations": "scheme_code* institution_code* tier* received_on* amount* document_number* "
    "purpose",
    "review-results": "scheme_code* institution_code* note_number* month* result* amount reason "
    "document_number*",
    "bank-statements": "institution_code* scheme_code* tier* moved_on* amount* balance* reference* "
    "summary",
    "note-transfers": "institution_code* note_number* moved_on* new_institution_code*",
    "opening-positions": "scheme_code* institution_code* note_number* tier* year* amount* "
    "interest_paid* paid_through*",
    "compensations": "institution_code* guarantee_number* paid_on* unpaid_principal* reference*",
    "papers": "institution_code* note_number scheme_code kind* archive_number* dated_on sha256",
    "enterprise-contacts": "institution_code* uscc* channel* address* name in_use",
}
KEYS = {
    "institutions": "institution_code",
    "participations": "scheme_code institution_code valid_from",
    "lpr": "published_on",
    "enterprises": "uscc valid_from",
    "enterprise-titles": "uscc title valid_from",
    "projects": "project_code",
    "contracts": "institution_code contract_number",
    "syndicate-shares": "institution_code contract_number participant_code",
    "notes": "institution_code note_number",
    "equipment-invoices": "institution_code note_number invoice_number serial_number",
    "repayments": "institution_code reference",
    "note-statuses": "institution_code note_number status starts_on",
    "guarantees": "institution_code guarantee_number",
    "payout-agreements": "institution_code note_number scheme_code valid_from",
    "interest-collections": "institution_code reference",
    "external-subsidies": "source reference",
    "scheme-funds": "scheme_code year",
    "pre-allocations": "scheme_code document_number institution_code tier purpose",
    "review-results": "scheme_code institution_code note_number month document_number",
    "bank-statements": "institution_code scheme_code tier reference",
    "note-transfers": "institution_code note_number moved_on",
    "opening-positions": "scheme_code institution_code note_number tier year",
    "compensations": "institution_code reference",
    "papers": "institution_code note_number scheme_code kind archive_number",
    "enterprise-contacts": "institution_code uscc channel",
}
EVIDENCE = {
    "repayments",
    "interest-collections",
    "external-subsidies",
    "pre-allocations",
    "review-results",
    "bank-statements",
    "compensations",
    "papers",
}
LOANS = {"contracts", "notes", "note-statuses", "equipment-invoices"}


def test_kinds_are_the_contract_s_in_import_order() -> None:
    shown = {
        kind.name: " ".join(c.key + ("*" if c.required else "") for c in kind.columns)
        for kind in KINDS.values()
    }
    assert list(shown) == list(CONTRACT)
    assert shown == CONTRACT


def test_natural_keys_and_classes() -> None:
    assert {name: " ".join(kind.key) for name, kind in KINDS.items()} == KEYS
    assert {name for name, kind in KINDS.items() if kind.klass == "evidence"} == EVIDENCE
    assert {name for name, kind in KINDS.items() if kind.klass == "loans"} == LOANS


def test_headers_are_unambiguous_and_key_columns_never_null() -> None:
    for kind in KINDS.values():
        words = [w for c in kind.columns for w in {c.key, c.header_zh}]
        assert len(set(words)) == len(words), kind.name
        assert kind.title_zh
        for column in (kind.column(key) for key in kind.key):
            assert column.required or column.default is not None
        for check in kind.checks:
            assert check.column in {c.key for c in kind.columns}
        assert set(kind.content) == {c.key for c in kind.columns} - set(kind.key)


@pytest.mark.parametrize("path", sorted(PORTFOLIO.glob("*.csv")), ids=lambda path: path.stem)
def test_the_shipped_portfolio_has_no_problems(path: Path) -> None:
    kind = KINDS[path.stem]
    parsed = parse(kind, read_table(path, kind=kind))
    assert lines(parsed) == []
    assert parsed.frame.height == len(path.read_text("utf-8").splitlines()) - 1


REVIEW = {
    "scheme_code": "central-sme-2026",
    "institution_code": BRANCH,
    "note_number": "JJ001",
    "month": "2026-03",
    "result": "disallowed",
    "amount": "10.00",
    "document_number": "D1",
}
GUARANTEE = {
    "institution_code": BRANCH,
    "note_number": "JJ001",
    "guarantee_number": "DB1",
    "guarantor": "担保公司",
    "principal": "100",
    "starts_on": "2026-01-01",
    "ends_on": "2027-01-01",
    "fee_rate": "0.5",
}
STATUS = {
    "institution_code": BRANCH,
    "note_number": "JJ001",
    "status": "overdue",
    "starts_on": "2026-01-01",
    "ends_on": "",
}
TITLE = {
    "uscc": USCC,
    "title": "specialized",
    "valid_from": "2026-01-01",
    "valid_to": "2026-01-01",
}
PARTICIPATION = {
    "scheme_code": "central-sme-2026",
    "institution_code": BRANCH,
    "valid_from": "2026-01-01",
    "valid_to": "",
}
INSTITUTION = {
    "institution_code": BRANCH,
    "name": "支行",
    "level": "分支机构",
    "parent_code": "C0001320000001",
    "region_code": "320100",
}


@pytest.mark.parametrize(
    ("kind", "row", "changes", "problem"),
    [
        (
            "notes",
            NOTE,
            {"equipment_amount": "60000000.01"},
            "column equipment_amount (设备购置金额): 设备购置金额大于放款金额"
            " / the equipment amount is above the principal, 60000000.01",
        ),
        (
            "notes",
            NOTE,
            {"matures_on": "2026-03-05"},
            "column matures_on (到期日期): 到期日期不晚于放款日期"
            " / maturity is not after the drawdown (drawn_on), 2026-03-05",
        ),
        (
            "interest-collections",
            COLLECTION,
            {"period_end": "2026-03-05"},
            "column period_end (计息止日): 计息止日不晚于计息起日"
            " / the period's end is not after its start (period_start), 2026-03-05",
        ),
        (
            "interest-collections",
            COLLECTION,
            {"interest_paid": "-80000.01"},
            "column interest_paid (实收利息): 实收利息大于应收利息"
            " / the interest paid is above the interest due, -80000.01",
        ),
        (
            "interest-collections",
            COLLECTION,
            {"interest_due": "-1.00", "interest_paid": ""},
            "column interest_due (应收利息): 金额不能为负 / the amount cannot be negative, -1.00",
        ),
        (
            "guarantees",
            GUARANTEE,
            {"ends_on": "2026-01-01"},
            "column ends_on (结束日): 结束日不晚于起始日"
            " / the end is not after the start, 2026-01-01",
        ),
        (
            "note-statuses",
            STATUS,
            {"ends_on": "2025-12-31"},
            "column ends_on (结束日): 结束日不晚于起始日"
            " / the end is not after the start, 2025-12-31",
        ),
        (
            "enterprise-titles",
            TITLE,
            {"valid_to": "2025-12-31"},
            "column valid_to (有效期止): 终止日早于起始日"
            " / the last day is before the first, 2025-12-31",
        ),
        (
            "participations",
            PARTICIPATION,
            {"valid_to": "2025-12-31"},
            "column valid_to (合作终止日): 终止日早于起始日"
            " / the last day is before the first, 2025-12-31",
        ),
        (
            "institutions",
            INSTITUTION,
            {"parent_code": BRANCH},
            "column parent_code (上级机构编码): 机构不能是自己的上级"
            f" / an institution cannot be its own parent, {BRANCH}",
        ),
        (
            "review-results",
            REVIEW,
            {"amount": ""},
            "column amount (核减金额): 核减必须填写核减金额 / a disallowance needs its amount",
        ),
        (
            "review-results",
            REVIEW,
            {"result": "approved"},
            "column amount (核减金额): 只有核减才填写核减金额"
            " / only a disallowance (disallowed) has an amount, 10.00",
        ),
        (
            "review-results",
            REVIEW,
            {"amount": "ten"},
            "column amount (核减金额): 不是数字 / not a number, ten",
        ),
    ],
)
def test_row_checks(
    tmp_path: Path, kind: str, row: dict[str, str], changes: dict[str, str], problem: str
) -> None:
    assert lines(parse_rows(tmp_path, kind, [row])) == []
    assert lines(parse_rows(tmp_path, kind, [row | changes])) == [f"row 2, {problem}"]


def test_collections_that_pass(tmp_path: Path) -> None:
    rows = [
        COLLECTION | {"reference": "plan", "interest_paid": ""},
        COLLECTION | {"reference": "reversal", "interest_paid": "-80000.00"},
        COLLECTION | {"reference": "nothing", "interest_paid": "0"},
        COLLECTION | {"reference": "free", "interest_due": "0", "interest_paid": "0"},
    ]
    parsed = parse_rows(tmp_path, "interest-collections", rows)
    assert lines(parsed) == []
    assert parsed.frame["interest_paid"].to_list() == [None, -8_000_000, 0, 0]


def test_a_check_over_a_missing_column_says_nothing_more(tmp_path: Path) -> None:
    row = {key: value for key, value in NOTE.items() if key != "matures_on"}
    assert lines(parse_rows(tmp_path, "notes", [row])) == [
        "row 1, column matures_on (到期日期): 缺少必填的列 / this required column is missing"
    ]
