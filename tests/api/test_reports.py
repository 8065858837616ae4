"""Reports over REST: a bank's own with drafts, finance's as it was sent them, files proved on the way out."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config.kernel.models import Institution
from config.kernel.services import store
from reports.models import Report
from reports.services import asking, generation, steps
from reports.services.verification import verify_reports
from settlement.services.schemes import Book
from tests import database
from tests.api.machine import Machine, department
from tests.integration import rows
from tests.integration.rows import BANK, NANJING, OTHER, SUZHOU
from tests.integration.small_report import CODE, Small, small

AT = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)
STEM = f"{CODE}_{NANJING}_2026-03"
SME = "central-sme-2026"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REPORTS_DIR = tmp_path / "store"
    monkeypatch.setattr(
        "reports.services.building.terms_in_force", lambda: Book((), {}, {}, "terms")
    )


@pytest.fixture
def report() -> Iterator[Small]:
    with small() as one:
        one.schemes = (SME,)
        yield one


@pytest.fixture
def banks(report: Small) -> dict[str, Institution]:
    found = rows.institutions()
    rows.scheme_version()
    return found


def made(period: str = "2026-03", at: str = NANJING) -> int:
    """A report that waits to be checked."""
    asked = asking.read(code=CODE, period_code=period, institution_code=at, scheme_code=None)
    return generation.generate(code=CODE, asked=asked, actor="maker", at=AT).report_id


def sent(period: str = "2026-03", *, at: str = NANJING) -> int:
    """A report that finance has."""
    number = made(period, at)
    steps.check(report_id=number, actor="checker", at=AT)
    steps.submit(report_id=number, actor="maker", at=AT)
    return number


def get(machine: Machine, path: str, query: str = "", **more: str) -> Any:
    with database.as_role("app"):
        return machine.get(path, query, **more)


def listed(machine: Machine, query: str = "") -> list[int]:
    answer = get(machine, "reports/", query)
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["results"]]


def status(machine: Machine, path: str) -> int:
    """How it is answered; a file is read."""
    answer = get(machine, path)
    if answer.streaming:
        whole(answer)
    return int(answer.status_code)


def whole(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_report_is_read_with_its_sums_and_files(banks: dict[str, Institution]) -> None:
    number = sent()
    core = Machine("core", banks[NANJING])
    answer = get(core, f"reports/{number}/")
    row = Report.objects.get(pk=number)
    body = answer.json()
    files = body.pop("files")
    assert body == {
        "id": number, "code": CODE, "institution_code": NANJING, "scheme_code": "",
        "schemes": [SME], "period": "2026-03", "version": 1, "state": "submitted",
        "corrects": None, "content_sha256": row.content_sha256, "made_by": "maker",
        "made_at": "2026-04-02T17:00:00+08:00", "checked_by": "checker",
        "submitted_at": "2026-04-02T17:00:00+08:00", "document_number": "",
        "totals": [{"file": f"{STEM}.csv", "column": "amount", "value": "3500.50"}],
        "ties": [{"name": "放款合计 = 借据", "amount": "3500.50"}],
    }  # fmt: skip
    assert [(one["name"], one["role"], one["format"]) for one in files] == [
        (f"{STEM}.csv", "report", "csv"),
        (f"{STEM}.pdf", "report", "pdf"),
    ]
    for one in files:
        path, _, query = one["href"].removeprefix("/api/v1/").partition("?")
        content = whole(get(core, path, f"?{query}"))
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (one["sha256"], one["bytes"])


def test_a_file_goes_out_whole_with_its_digest(banks: dict[str, Institution]) -> None:
    number = sent()
    core = Machine("core", banks[NANJING])
    answer = get(core, f"reports/{number}/files/csv/", Accept="text/csv")
    content = whole(answer)
    assert content == (b"number,note_number,amount\n1,JJ1,1000.00\n2,JJ2,2500.50\n")
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    wanted = {
        "Content-Type": "text/csv",
        "Content-Length": str(len(content)),
        "Content-Disposition": f'attachment; filename="{STEM}.csv"',
        "Content-Digest": f"sha-256=:{digest}:",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    assert {name: answer.headers[name] for name in wanted} == wanted
    for path, query in (("xlsx", ""), ("exe", ""), ("csv", "?name=other.csv")):
        missing = get(core, f"reports/{number}/files/{path}/", query, Accept="application/pdf")
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
        assert missing.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_spoilt_file_does_not_go_out(banks: dict[str, Institution], how: str) -> None:
    number = sent()
    file = Report.objects.get(pk=number).files.get(format="csv")
    path = store.place(file.sha256)
    path.chmod(0o640)
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes().replace(b"1000.00", b"9000.00"))
    answer = get(Machine("core", banks[NANJING]), f"reports/{number}/files/csv/")
    code = {"changed": "file_tampered", "gone": "file_missing"}[how]
    assert (answer.status_code, answer.json()["code"]) == (500, code)
    assert b"9000" not in answer.content
    assert any("csv" in problem for problem in verify_reports().problems)


def test_a_bank_sees_its_own_and_drafts_too(banks: dict[str, Institution]) -> None:
    draft, told, theirs = made(), sent("2026-02"), sent("2026-02", at=OTHER)
    below = sent("2026-01", at=SUZHOU)
    core, head, other = (
        Machine(f"m{n}", banks[code]) for n, code in enumerate([NANJING, BANK, OTHER])
    )
    assert [listed(one) for one in (core, head, other)] == [
        [told, draft],
        [below, told, draft],
        [theirs],
    ]
    assert status(core, f"reports/{theirs}/") == 404
    assert status(core, f"reports/{theirs}/files/csv/") == 404
    assert status(core, f"reports/{draft}/files/csv/") == 200


def test_finance_sees_what_it_was_sent_of_its_schemes_and_banks(
    banks: dict[str, Institution], report: Small
) -> None:
    draft, told = made(), sent("2026-02")
    theirs = sent("2026-02", at=OTHER)
    report.schemes = (SME, "jiangsu-sports-2026")
    mixed = sent("2026-01")
    report.schemes = ()
    unsaid = sent("2025-12")
    near = Machine("near", department("F1", banks[BANK], schemes=(SME,)))
    both = Machine("both", department("F2", banks[BANK], banks[OTHER], schemes=(SME,)))
    sports = Machine("sports", department("F3", banks[BANK], schemes=("jiangsu-sports-2026",)))
    assert [listed(one) for one in (near, both, sports)] == [[told], [theirs, told], []]
    for hidden in (draft, mixed, unsaid, theirs):
        assert status(near, f"reports/{hidden}/") == 404
        assert status(near, f"reports/{hidden}/files/csv/") == 404
    assert status(both, f"reports/{theirs}/files/csv/") == 200


def test_reports_are_chosen_and_paged(banks: dict[str, Institution]) -> None:
    core = Machine("head", banks[BANK])
    all_of = [made(f"2026-0{month}") for month in (1, 2, 3)] + [sent("2026-03", at=SUZHOU)]
    assert listed(core, "?period=2026-03") == [all_of[3], all_of[2]]
    assert listed(core, f"?period=2026-03&institution_code={SUZHOU}") == [all_of[3]]
    assert listed(core, "?state=generated&code=new-loans") == all_of[2::-1]
    assert listed(core, "?code=liquidation") == listed(core, f"?scheme_code={SME}") == []
    seen, query = [], "?page_size=2"
    while query:
        body = get(core, "reports/", query).json()
        seen.append([one["id"] for one in body["results"]])
        query = "?" + body["next"].partition("?")[2] if body["next"] else ""
    assert seen == [all_of[:1:-1], all_of[1::-1]]
    for wrong, pointer in (
        ("?state=x", "state"),
        ("?code=x", "code"),
        ("?page_size=0", "page_size"),
        ("?cursor=%21", "cursor"),
        ("?what=1", "what"),
    ):
        answer = get(core, "reports/", wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


def test_reports_need_their_scope(banks: dict[str, Institution]) -> None:
    number = sent()
    blind = Machine("blind", banks[NANJING], scopes=["jobs:read"])
    for path in ("reports/", f"reports/{number}/", f"reports/{number}/files/csv/"):
        answer = get(blind, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
