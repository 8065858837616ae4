"""Lists and whole files that a worker takes in: kept, ordered, and told of by their job."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.db import ProgrammingError, connection
from django.utils import timezone

from config.kernel.models import Institution, Run
from config.kernel.services import store
from loans.api import imports
from loans.models import ExternalSubsidy, FileImport, ImportBatch, Repayment
from loans.services import import_work
from tests import database
from tests.api.machine import Machine, department
from tests.integration.samples import (
    BANK,
    BOOK,
    FIRM,
    NANJING,
    OTHER,
    SME,
    SUZHOU,
    csv_bytes,
    load_book,
    state,
    write_xlsx,
)

pytestmark = pytest.mark.django_db

KEY = "import-2026-03-31-0001"
CSV = "text/csv"
REPAID = {"kind": "repayments", "corrected": 0}


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> None:
    settings.REPORTS_DIR = tmp_path / "store"


@pytest.fixture
def banks(tmp_path: Path) -> dict[str, Institution]:
    load_book(tmp_path, upto="notes")
    return {one.code: one for one in Institution.objects.all()}


@pytest.fixture
def core(banks: dict[str, Institution]) -> Machine:
    return Machine("core", banks[NANJING])


@pytest.fixture
def treasury(banks: dict[str, Institution]) -> Machine:
    """Finance, to which two banks answer."""
    return Machine("treasury", department("F1", banks[BANK], banks[OTHER], schemes=(SME,)))


def facts() -> dict[str, Any]:
    """Everything but the file itself and its job."""
    own = ("loans_fileimport", "kernel_run", "kernel_chunk")
    return {table: rows for table, rows in state().items() if table not in own}


def work() -> None:
    import_work.work_open_imports(owner="test", clock=timezone.localtime)


def asked(machine: Machine, method: str, *args: Any, **more: Any) -> Any:
    """Ask as the web's role."""
    with database.as_role("app"):
        return getattr(machine, method)(*args, **more)


def repayments(count: int) -> list[dict[str, str]]:
    """So many of a yuan each."""
    row = BOOK["repayments"][0]
    return [{**row, "amount": "1.00", "reference": f"U-{n}"} for n in range(count)]


def upload(core: Machine, rows: list[dict[str, str]], query: str, **more: Any) -> Any:
    return asked(core, "upload", f"imports/?{query}", csv_bytes(rows), CSV, **more)


def job(machine: Machine, answer: Any) -> dict[str, Any]:
    """What is told of the job that was ordered."""
    assert answer.status_code == 202, answer.content
    number = answer.json()["job"]
    assert answer.headers["Location"] == f"/api/v1/jobs/{number}/"
    found = asked(machine, "get", f"jobs/{number}/")
    assert found.status_code == 200, found.content
    return dict(found.json())


def external(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "source": "市工信局", "reference": f"X-{number}", "uscc": FIRM, "kind": "loan_interest",
        "scheme_name": "设备补贴", "institution_code": NANJING, "note_number": "JJ-1",
        "year": 2026, "amount": "1.20", **changes,
    }  # fmt: skip
    return {name: value for name, value in row.items() if value is not None}


def fault(answer: Any) -> tuple[int, str, list[tuple[str, str]]]:
    body = answer.json()
    return (
        answer.status_code,
        body["code"],
        [(e["pointer"], e["code"]) for e in body.get("errors", [])],
    )


def test_a_file_is_kept_taken_in_by_a_worker_and_told_of(core: Machine) -> None:
    rows = repayments(3)
    answer = upload(core, rows, "kind=repayments&rows=3&amount=3.00")
    told = job(core, answer)
    waiting = (told["state"], told["result"], told["finished_at"], told["error"])
    assert waiting == ("open", None, None, None)
    assert told["progress"] == {"chunks_done": 0, "chunks_total": 1, "rows_done": 0}
    row = FileImport.objects.get()
    assert (row.state, row.made_by, row.file_name) == ("importing", "api:core", "repayments.csv")
    with store.opened(row.sha256) as kept:
        assert kept.read() == csv_bytes(rows)
    assert Repayment.objects.count() == 0

    work()
    told = job(core, answer)
    batch = ImportBatch.objects.latest("pk")
    assert (told["state"], told["problems"], told["error"]) == ("done", [], None)
    counts = {"received": 3, "stored": 3, "unchanged": 0, "batch": batch.pk}
    assert told["result"] == {**REPAID, **counts}
    assert (batch.actor, batch.institution.code, Repayment.objects.count()) == (
        "api:core",
        NANJING,
        3,
    )
    again = upload(core, rows, "kind=repayments&rows=3&amount=3.00")
    work()
    counts = {"received": 3, "stored": 0, "unchanged": 3, "batch": None}
    assert job(core, again)["result"] == {**REPAID, **counts}


def test_a_workbook_does_as_well(core: Machine, tmp_path: Path) -> None:
    rows = repayments(2)
    path = write_xlsx(tmp_path / "r.xlsx", [list(rows[0]), *(list(row.values()) for row in rows)])
    query = "imports/?kind=repayments&rows=2&amount=2"
    answer = asked(core, "upload", query, path.read_bytes(), imports.XLSX)
    work()
    told = job(core, answer)
    assert (told["state"], told["result"]["stored"]) == ("done", 2), told


def test_one_bad_row_of_three_thousand_refuses_the_file_and_is_named(core: Machine) -> None:
    rows = repayments(3_000)
    rows[1_500]["amount"] = "1.005"
    answer = upload(core, rows, "kind=repayments&rows=3000&amount=3000.00")
    before = facts()
    work()
    told = job(core, answer)
    (problem,) = told["problems"]
    assert (told["state"], told["problems_total"]) == ("failed", 1)
    assert (problem["row"], problem["column"], problem["value"]) == (1_502, "amount", "1.005")
    assert (problem["code"], " / " in problem["detail"]) == ("invalid", True)
    assert told["error"].startswith("文件有 1 处错误，未保存任何数据 / ")
    counts = {"received": 3_000, "stored": 0, "unchanged": 0, "batch": None}
    assert told["result"] == {**REPAID, **counts}
    assert facts() == before
    assert FileImport.objects.get().state == "refused"
    work()
    assert job(core, answer) == told


def test_control_totals_are_held_against_the_file(core: Machine) -> None:
    answer = upload(core, repayments(2), "kind=repayments&rows=3&amount=5.00")
    work()
    told = job(core, answer)
    assert (told["state"], told["problems_total"], Repayment.objects.count()) == ("failed", 2, 0)
    assert "控制总数不符" in told["problems"][0]["detail"]


@pytest.mark.parametrize(
    ("query", "status", "code", "errors"),
    [
        ("kind=repayments&rows=1", 422, "refused_content", [("amount", "required")]),
        ("kind=enterprises&rows=1&amount=1", 422, "refused_content", [("amount", "invalid")]),
        ("kind=repayments&rows=1&amount=1e3", 400, "invalid", [("amount", "invalid")]),
        ("kind=repayments&rows=-1&amount=1", 400, "invalid", [("rows", "invalid")]),
        ("kind=lpr&rows=1", 400, "invalid", [("kind", "invalid_choice")]),
        ("kind=pre-allocations&rows=1&amount=1", 400, "invalid", [("kind", "invalid_choice")]),
        ("rows=1&amount=1", 400, "invalid", [("kind", "required")]),
        (
            "kind=repayments&rows=1&amount=1&x=1",
            400,
            "unknown_parameter",
            [("x", "unknown_parameter")],
        ),
        (
            f"kind=repayments&rows=1&amount=1&institution_code={SUZHOU}",
            422,
            "refused_content",
            [("institution_code", "unknown_reference")],
        ),
    ],
)
def test_what_is_said_of_a_file_is_checked_at_once(
    core: Machine, query: str, status: int, code: str, errors: list[tuple[str, str]]
) -> None:
    assert fault(upload(core, repayments(1), query)) == (status, code, errors)
    assert (FileImport.objects.count(), Run.objects.count()) == (0, 0)


def test_other_bodies_and_larger_ones_are_refused_and_leave_nothing(
    core: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    query = "imports/?kind=repayments&rows=1&amount=1"
    body = csv_bytes(repayments(1))
    assert fault(asked(core, "upload", query, body, "application/json"))[:2] == (
        415,
        "unsupported_media_type",
    )
    assert fault(asked(core, "upload", query, b"", CSV)) == (400, "invalid", [("", "required")])
    assert fault(asked(core, "upload", query, body, CSV, **{"Content-Encoding": "gzip"}))[:2] == (
        415,
        "unsupported_media_type",
    )
    monkeypatch.setattr(imports.Imports, "max_bytes", len(body) - 1)
    assert fault(asked(core, "upload", query, body, CSV))[:2] == (413, "body_too_large")
    monkeypatch.setattr(imports.Imports, "max_bytes", len(body))
    assert asked(core, "upload", query, body, CSV).status_code == 202
    assert [*(tmp_path / "uploads").iterdir()] == []
    assert FileImport.objects.count() == 1


def test_a_file_that_lies_about_its_length_is_stopped_at_the_limit(
    core: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from config.kernel.api import uploads

    monkeypatch.setattr(uploads, "BLOCK", 4)
    target = uploads.Received(Path(uploads.tempfile.mkdtemp()).joinpath("body"), CSV, "", 0)
    with pytest.raises(uploads.Problem, match="body_too_large"):
        uploads._written(io.BytesIO(b"0123456789"), target, 9)
    target.discard()
    assert not target.path.parent.exists()


def test_the_same_key_brings_the_same_file_once(core: Machine) -> None:
    query = "kind=repayments&rows=1&amount=1"
    first = upload(core, repayments(1), query, key=KEY)
    again = upload(core, repayments(1), query, key=KEY)
    other = upload(core, repayments(2), query, key=KEY)
    assert (first.status_code, again.status_code) == (202, 202)
    assert (again.json(), again.headers["Location"]) == (first.json(), first.headers["Location"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert fault(other)[:2] == (422, "idempotency_key_reused")
    kept = asked(core, "get", f"imports/by-key/{KEY}/").json()
    assert (kept["status"], kept["body"]) == (202, first.json())
    assert (FileImport.objects.count(), Run.objects.count()) == (1, 1)


def test_a_file_is_no_way_round_a_scope(banks: dict[str, Institution]) -> None:
    only = Machine("only", banks[NANJING], scopes=["imports:write", "jobs:read"])
    none = Machine("none", banks[NANJING], scopes=["repayments:write", "jobs:read"])
    query = "kind=repayments&rows=1&amount=1"
    for machine in (only, none):
        assert fault(upload(machine, repayments(1), query))[:2] == (403, "not_permitted")
    assert FileImport.objects.count() == 0


def test_rows_of_another_branch_are_refused_by_the_worker(banks: dict[str, Institution]) -> None:
    suzhou = Machine("suzhou", banks[SUZHOU])
    answer = upload(suzhou, repayments(1), "kind=repayments&rows=1&amount=1")
    work()
    told = job(suzhou, answer)
    assert (told["state"], told["problems"][0]["column"]) == ("failed", "institution_code")
    assert told["problems"][0]["code"] == "unknown_reference"
    assert Repayment.objects.count() == 0


def test_jobs_are_their_banks_and_finances_are_its_own(
    core: Machine, banks: dict[str, Institution], treasury: Machine
) -> None:
    number = upload(core, repayments(1), "kind=repayments&rows=1&amount=1").json()["job"]
    theirs = asked(treasury, "post", "external-subsidies/", external(1)).json()["job"]
    head = Machine("head", banks[BANK])
    suzhou, other = Machine("suzhou", banks[SUZHOU]), Machine("other", banks[OTHER])
    whole = Run.objects.create(kind="deductions", actor="system", created_at=timezone.localtime())
    seen = {
        machine.client.name: [
            asked(machine, "get", f"jobs/{one}/").status_code for one in (number, theirs, whole.pk)
        ]
        for machine in (core, head, suzhou, other, treasury)
    }
    assert seen == {
        "core": [200, 404, 404],
        "head": [200, 200, 404],
        "suzhou": [404, 404, 404],
        "other": [404, 404, 404],
        "treasury": [404, 200, 404],
    }
    blind = Machine("blind", banks[NANJING], scopes=["repayments:write"])
    assert fault(asked(blind, "get", f"jobs/{number}/"))[:2] == (403, "not_permitted")
    for strange in ("0", "x", "9" * 30, "-1"):
        assert asked(core, "get", f"jobs/{strange}/").status_code == 404
    assert fault(asked(core, "get", f"jobs/{number}/", "?a=1"))[0] == 400


def test_a_fault_of_ours_is_told_without_its_traces(
    core: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = upload(core, repayments(1), "kind=repayments&rows=1&amount=1")

    def broken(**_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("loans.services.file_imports.look", broken)
    work()
    told = job(core, answer)
    assert (told["state"], told["error"]) == (
        "failed",
        "系统内部错误，已记录 / an error of ours; it is recorded",
    )
    assert FileImport.objects.get().state == "failed"


def test_a_list_of_subsidies_is_taken_in_whole(treasury: Machine) -> None:
    body = [external(n) for n in range(10_000)]
    answer = asked(treasury, "post", "external-subsidies/", body)
    assert ExternalSubsidy.objects.count() == 0
    work()
    told = job(treasury, answer)
    assert (told["state"], told["result"]["received"], told["result"]["stored"]) == (
        "done",
        10_000,
        10_000,
    )
    rows = ExternalSubsidy.objects.all()
    assert rows.count() == 10_000
    assert {(r.institution.code, r.note_number, r.amount_fen) for r in rows[:5]} == {
        (NANJING, "JJ-1", 120)
    }
    row = FileImport.objects.get()
    assert (row.control_rows, row.control_fen, row.institution.code) == (10_000, 1_200_000, BANK)


def test_one_bad_item_refuses_ten_thousand_at_once(treasury: Machine) -> None:
    body = [external(n) for n in range(10_000)]
    body[7_000]["amount"] = "1.205"
    body[7_001]["uscc"] = 5
    body[7_002] |= {"extra": "1"}
    found = fault(asked(treasury, "post", "external-subsidies/", {"items": body}))
    assert (found[0], found[1], sorted(found[2])) == (
        400,
        "invalid",
        [
            ("/items/7000/amount", "invalid"),
            ("/items/7001/uscc", "invalid"),
            ("/items/7002/extra", "unknown_field"),
        ],
    )
    assert (FileImport.objects.count(), Run.objects.count()) == (0, 0)


def test_what_is_of_no_bank_is_finances_to_bring(
    treasury: Machine, core: Machine, banks: dict[str, Institution]
) -> None:
    nobodys = external(1, institution_code=None, note_number=None)
    answer = asked(treasury, "post", "external-subsidies/", nobodys)
    work()
    told = job(treasury, answer)
    assert (told["state"], told["result"]["stored"]) == ("done", 1), told
    stored = ExternalSubsidy.objects.get()
    assert (stored.institution_id, stored.origin_id, stored.amount_fen) == (None, None, 120)
    assert (stored.batch.actor, stored.batch.institution_id) == ("api:treasury", None)
    number = answer.json()["job"]
    head = Machine("head", banks[BANK])
    assert asked(head, "get", f"jobs/{number}/").json()["result"] == {}
    with database.as_role("app", banks[BANK]):
        assert (FileImport.objects.count(), ExternalSubsidy.objects.count()) == (0, 0)

    told_of = ("/institution_code", "unknown_reference")
    assert fault(asked(core, "post", "external-subsidies/", nobodys)) == (
        422,
        "refused_content",
        [told_of],
    )
    assert ExternalSubsidy.objects.count() == 1


@pytest.mark.parametrize(
    ("second", "code"),
    [(None, "several_banks"), (OTHER, "several_banks"), ("B0000000000099", "unknown_reference")],
)
def test_a_list_is_about_one_bank_or_none(treasury: Machine, second: str | None, code: str) -> None:
    body = [external(1), external(2, institution_code=second, note_number=None)]
    assert fault(asked(treasury, "post", "external-subsidies/", body)) == (
        422,
        "refused_content",
        [("/1/institution_code", code)],
    )
    assert (FileImport.objects.count(), Run.objects.count()) == (0, 0)


def test_finance_uploads_subsidies_alone_and_names_the_bank(treasury: Machine) -> None:
    rows = [{**row, "institution_code": NANJING} for row in BOOK["external-subsidies"][:1]]
    query = "kind=external-subsidies&rows=1&amount=1200.00"
    assert fault(upload(treasury, rows, query))[2] == [("institution_code", "required")]
    reviews = upload(treasury, BOOK["review-results"], "kind=review-results&rows=1&amount=12.30")
    assert fault(reviews)[:2] == (403, "not_permitted")
    answer = upload(treasury, rows, f"{query}&institution_code={BANK}")
    work()
    assert job(treasury, answer)["result"]["stored"] == 1


def test_nobodys_files_are_only_such_clients_to_write(
    banks: dict[str, Institution], treasury: Machine
) -> None:
    """Whatever the web does, the database lets no other client bring what belongs to no institution."""
    core = Machine("core", banks[NANJING])
    columns = "kind, file_name, sha256, size, encoding, control_rows, state, made_by, made_at"
    values = "'%s', 'x', '', 0, '', 0, 'checking', '%s', now()"
    insert = f"INSERT INTO loans_fileimport ({columns}, by_worker, problem_count, difference_count,"
    insert += " shown_problems, shown_differences, failing_usccs, problems_sha256,"
    insert += " differences_sha256, fingerprint, told) VALUES"
    rest = "true, 0, 0, '[]', '[]', '[]', '', '', '', ''"
    allowed = []
    for machine, actor, kind in (
        (treasury, "api:treasury", "external-subsidies"),
        (treasury, "api:treasury", "notes"),
        (treasury, "api:core", "external-subsidies"),
        (core, "api:core", "external-subsidies"),
    ):
        try:
            with database.as_role("app", banks[NANJING]), connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('app.client', %s, true)", [str(machine.client.pk)]
                )
                cursor.execute(f"{insert} ({values % (kind, actor)}, {rest})")
            allowed.append((machine.client.name, actor, kind))
        except ProgrammingError as error:
            assert "row-level security" in str(error)  # noqa: PT017
    assert allowed == [("treasury", "api:treasury", "external-subsidies")]
