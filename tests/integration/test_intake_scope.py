"""Whose rows a file may bring and an export shows, where the actor works for one institution."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from config.kernel.models import Institution, User
from loans.files.kinds import KINDS
from loans.models import EnterpriseRecord, ImportBatch, Note
from tests.integration.book import read_csv
from tests.integration.samples import (
    BANK,
    BOOK,
    FIRM_2,
    FIRM_3,
    NANJING,
    OTHER,
    SUZHOU,
    Row,
    changed,
    csv_bytes,
    load_book,
    refused,
    scope_of,
    stored,
    take,
)

pytestmark = pytest.mark.django_db

OUTSIDE = (
    "row {0}, column institution_code (机构编码): 未登记的机构编码，或不在您的机构范围内"
    " / unknown institution, or outside your scope, {1}"
)
ADMINISTRATORS = "只有管理员可以导入{0} / only administrators import {1}"
ADMINISTRATORS_KINDS = ("participations", "lpr", "scheme-funds", "enterprise-titles")
NAMES_A_BANK = [
    kind
    for kind, spec in KINDS.items()
    if kind not in ("institutions", *ADMINISTRATORS_KINDS)
    and "institution_code" in (column.key for column in spec.columns)
]


def test_rows_of_another_bank_are_refused_as_unknown(tmp_path: Path) -> None:
    """Whether the contract or note they name exists there is not said."""
    load_book(tmp_path)
    for kind in NAMES_A_BANK:
        at = BOOK[kind][0]["institution_code"]
        known = BOOK[kind][0]
        rows = [known, changed(known, institution_code="B9999999999999"), at_other(kind)]
        if "source" in known:  # its key names no institution
            rows = [changed(row, reference=f"X-{n}") for n, row in enumerate(rows)]
        assert refused(kind, rows, tmp_path, scope=scope_of(OTHER)) == [
            OUTSIDE.format(2, at),
            OUTSIDE.format(3, "B9999999999999"),
            *([] if kind in ("contracts", *OF_THE_BANK) else [names_nothing(kind)]),
        ], kind


OF_THE_BANK = ("external-subsidies", "pre-allocations", "bank-statements", "enterprise-contacts")


def at_other(kind: str) -> Row:
    """A row of the actor's own bank, which holds no such contract or note."""
    own = {name: OTHER for name in BOOK[kind][0] if name.endswith("institution_code")}
    return changed(BOOK[kind][0], **own)


def names_nothing(kind: str) -> str:
    if "contract_number" in BOOK[kind][0]:
        return (
            "row 4, column contract_number (合同号): 该机构没有此合同号，请先导入合同"
            " / unknown contract of this institution: import contracts first, HT-1"
        )
    if "note_number" not in BOOK[kind][0]:
        return (
            "row 4, column guarantee_number (担保合同号): 该机构没有此担保合同号，请先导入担保"
            " / unknown guarantee of this institution: import guarantees first, G-1"
        )
    number = BOOK[kind][0]["note_number"]
    return (
        "row 4, column note_number (借据号): 该机构没有此借据号，请先导入借据"
        f" / unknown note of this institution: import notes first, {number}"
    )


def test_a_bank_brings_its_own_rows_and_sees_its_batches(tmp_path: Path) -> None:
    load_book(tmp_path, upto="projects")
    bank = Institution.objects.get(code=BANK)
    for kind in ("contracts", "syndicate-shares", "notes", "repayments", "interest-collections"):
        take(kind, BOOK[kind], tmp_path, scope=bank.scope)
        assert stored(kind, tmp_path) == BOOK[kind]
    own = ImportBatch.objects.filter(institution=bank).order_by("id")
    assert [batch.kind for batch in own][:2] == ["contracts", "syndicate-shares"]
    assert own.count() == 5


def test_only_administrators_bring_what_holds_for_all_banks(tmp_path: Path) -> None:
    load_book(tmp_path)
    scope = scope_of(BANK)
    for kind in ADMINISTRATORS_KINDS:
        assert refused(kind, BOOK[kind], tmp_path, scope=scope) == [
            f"row 1: {ADMINISTRATORS.format('此类文件', 'this kind')}"
        ], kind
    assert refused("institutions", BOOK["institutions"], tmp_path, scope=scope) == [
        f"row 1: {ADMINISTRATORS.format('机构', 'institutions')}"
    ]
    nobodys = changed(BOOK["external-subsidies"][1], reference="X-9")
    assert refused("external-subsidies", [nobodys], tmp_path, scope=scope) == [
        OUTSIDE.format(2, "").removesuffix(", ") + ", "
    ]


def test_a_bank_does_not_change_the_shared_registry(tmp_path: Path) -> None:
    load_book(tmp_path)
    scope = scope_of(BANK)
    for kind, cells, fields in (
        ("enterprises", {"size": "large", "tax_rating": "B"}, "size、tax_rating"),
        ("projects", {"name": "别的项目"}, "name"),
    ):
        assert take(kind, BOOK[kind], tmp_path, scope=scope).unchanged == len(BOOK[kind])
        (problem,) = refused(kind, [changed(BOOK[kind][0], **cells)], tmp_path, scope=scope)
        assert f"的 {fields} 不同；共用登记信息只能由管理员更正" in problem, kind
        assert problem.startswith(f"row 2, column {KINDS[kind].key[0]} ")
        assert take(kind, [changed(BOOK[kind][0], **cells)], tmp_path).corrected == 1


def test_a_bank_adds_an_enterprise_but_no_dated_change_to_a_known_one(tmp_path: Path) -> None:
    """What a bank says of a known firm is compared with the record in force on that day."""
    load_book(tmp_path, upto="enterprises")
    scope = scope_of(BANK)
    new = changed(BOOK["enterprises"][0], uscc=FIRM_3)
    later = changed(new, valid_from="2026-05-01", size="medium")
    assert take("enterprises", [new, later], tmp_path, scope=scope).inserted == 2
    before, after = BOOK["enterprises"][1:]
    for row, day in ((before, ""), (before, "2026-05-31"), (after, "2026-06-02")):
        same = changed(row, valid_from=day)
        assert take("enterprises", [same], tmp_path, scope=scope).unchanged == 1
        (problem,) = refused(
            "enterprises", [changed(same, industry_code="C3421")], tmp_path, scope=scope
        )
        assert "的 industry_code 不同；" in problem
    assert EnterpriseRecord.objects.filter(enterprise__uscc=FIRM_2).count() == 2


def test_whoever_holds_a_moved_note_brings_its_rows_under_the_old_key(tmp_path: Path) -> None:
    load_book(tmp_path)
    old, new = scope_of(NANJING), scope_of(SUZHOU)
    repayment = changed(BOOK["repayments"][0], note_number="JJ-2", reference="R-2")
    correction = changed(BOOK["notes"][1], annual_rate="4.3000")
    for kind, row in (("repayments", repayment), ("notes", correction)):
        assert refused(kind, [row], tmp_path, scope=old) == [OUTSIDE.format(2, NANJING)]
        take(kind, [row], tmp_path, scope=new)
        assert row in stored(kind, tmp_path)
    assert Note.objects.get(note_number="JJ-2").institution.code == SUZHOU


def test_a_bank_moves_its_notes_within_itself_only(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    move = changed(BOOK["note-transfers"][0], new_institution_code=OTHER)
    assert refused("note-transfers", [move], tmp_path, scope=scope_of(BANK)) == [
        "row 2, column new_institution_code (转入机构编码): 未登记的转入机构编码"
        f" / unknown receiving institution, {OTHER}"
    ]
    assert (
        take("note-transfers", BOOK["note-transfers"], tmp_path, scope=scope_of(BANK)).inserted == 1
    )


# Commands and exports


def show(kind: str, folder: Path, *arguments: str) -> list[Row]:
    out = folder / "shown.csv"
    call_command("export", kind, "--out", str(out), *arguments, verbosity=0)
    return read_csv(out)


def test_exports_show_the_own_subtree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load_book(tmp_path)
    firm_3 = changed(BOOK["enterprises"][0], uscc=FIRM_3)
    take("enterprises", [firm_3], tmp_path)
    contract = changed(BOOK["contracts"][0], institution_code=OTHER, uscc=FIRM_3, project_code="")
    take("contracts", [contract], tmp_path)
    common = {kind: BOOK[kind] for kind in ("lpr", "scheme-funds")}
    everything = {
        **BOOK,
        "enterprises": sorted([*BOOK["enterprises"], firm_3], key=lambda r: r["uscc"]),
        "contracts": [contract, *BOOK["contracts"]],
    }
    assert {kind: show(kind, tmp_path) for kind in KINDS} == everything
    bank = {
        **BOOK,
        "institutions": BOOK["institutions"][:3],
        "external-subsidies": BOOK["external-subsidies"][:1],
    }
    assert {kind: show(kind, tmp_path, "--institution", BANK) for kind in KINDS} == bank
    nothing: dict[str, list[Row]] = {kind: [] for kind in KINDS}
    assert {kind: show(kind, tmp_path, "--institution", OTHER) for kind in KINDS} == {
        **nothing,
        **common,
        "institutions": BOOK["institutions"][3:],
        "enterprises": [firm_3],
        "contracts": [contract],
    }
    assert {kind: show(kind, tmp_path, "--institution", SUZHOU) for kind in KINDS} == {
        **nothing,
        **common,
        "institutions": BOOK["institutions"][2:3],
        "enterprises": BOOK["enterprises"][1:],
        "contracts": BOOK["contracts"][1:],
        "notes": BOOK["notes"][1:],
        "note-statuses": BOOK["note-statuses"],
        "note-transfers": BOOK["note-transfers"],
        "payout-agreements": BOOK["payout-agreements"],
    }


def test_commands_act_within_the_scope_of_their_actor(tmp_path: Path) -> None:
    load_book(tmp_path, upto="repayments")
    User.objects.create(
        username="wang", role="maker", institution=Institution.objects.get(code=NANJING)
    )
    path = tmp_path / "repayments.csv"
    path.write_bytes(csv_bytes([changed(BOOK["repayments"][0], reference="R-2")]))
    for arguments, message in (
        (["--actor", "wang", "--institution", SUZHOU], "outside the user's scope"),
        (["--actor", "wang", "--institution", BANK], "outside the user's scope"),
        (["--actor", "nobody"], "unknown or inactive user"),
        (["--institution", "B9999999999999"], "unknown institution"),
        (["--institution", SUZHOU], "1 处错误"),
    ):
        with pytest.raises(CommandError, match=message):
            call_command("import_data", "repayments", str(path), *arguments)
    call_command("import_data", "repayments", str(path), "--actor", "wang")
    assert ImportBatch.objects.latest("id").actor == "wang"
    assert [row["reference"] for row in show("repayments", tmp_path, "--actor", "wang")] == [
        "R-1", "R-2",
    ]  # fmt: skip
