"""The main job on a whole portfolio: files in, subsidies out, exact to the fen."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from config.kernel.models import Chunk, Run
from config.kernel.services import work
from loans.models import ImportBatch, InterestCollection
from settlement.models import Deduction, EnterprisePosting
from settlement.services import deductions, groups
from settlement.services.verification import verify
from tests.integration.book import (
    AT,
    PORTFOLIO,
    deduction_facts,
    enrolment_facts,
    exported,
    import_folder,
    import_rows,
    load_shipped,
    read_csv,
    run,
)

pytestmark = pytest.mark.django_db

EXPECTED = PORTFOLIO / "expected"


def results(folder: Path) -> tuple[dict, dict]:
    return (
        enrolment_facts(exported("enrolments", folder)),
        deduction_facts(exported("deductions", folder)),
    )


def expected() -> tuple[dict, dict]:
    return (
        enrolment_facts(read_csv(EXPECTED / "enrolments.csv")),
        deduction_facts(read_csv(EXPECTED / "deductions.csv")),
    )


@pytest.fixture
def portfolio() -> None:
    load_shipped()
    import_folder(PORTFOLIO)


def test_one_import_and_one_run_give_the_expected_result(portfolio: None, tmp_path: Path) -> None:
    counts = run()
    assert results(tmp_path) == expected()
    assert counts == {
        "collections": 3270,
        "targets": 1400,
        "originals": 1400,
        "differences": 0,
        "held": 0,
        "blocked": 0,
    }
    assert verify().problems == []


def test_the_same_files_and_run_again_change_nothing(portfolio: None, tmp_path: Path) -> None:
    run()
    batches, posted = ImportBatch.objects.count(), Deduction.objects.count()
    outcomes = import_folder(PORTFOLIO)
    assert [(o.inserted, o.corrected) for o in outcomes] == [(0, 0)] * len(outcomes)
    assert run() == {}
    assert (ImportBatch.objects.count(), Deduction.objects.count()) == (batches, posted)
    assert results(tmp_path) == expected()


def test_monthly_runs_give_what_one_run_gives(portfolio: None, tmp_path: Path) -> None:
    for month in range(36):
        run(through=date(2026 + (month + 1) // 12, (month + 1) % 12 + 1, 1))
    assert results(tmp_path) == expected()
    assert Deduction.objects.filter(sequence__gt=0).count() == 0


def test_small_chunks_give_what_one_chunk_gives(
    portfolio: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "CHUNK_NOTES", 10)
    run()
    assert Chunk.objects.count() > 10
    assert results(tmp_path) == expected()


def test_one_scheme_and_one_institution_at_a_time(portfolio: None, tmp_path: Path) -> None:
    run(scheme="jiangsu-manufacturing-2026")
    only = {key for key in expected()[1] if key[0] == "jiangsu-manufacturing-2026"}
    assert results(tmp_path)[1] == {key: expected()[1][key] for key in only}
    assert EnterprisePosting.objects.count() == 0
    run()
    assert results(tmp_path) == expected()
    assert Deduction.objects.filter(sequence__gt=0).count() == 0


def test_a_late_repayment_looks_only_at_its_group(portfolio: None, tmp_path: Path) -> None:
    run()
    first = Deduction.objects.count()
    import_rows(
        "repayments",
        [
            {
                "institution_code": "C0001320100000",
                "note_number": "JJ72300000020",
                "repaid_on": "2026-07-01",
                "amount": "1000.00",
                "reference": "LATE-1",
            }
        ],
        tmp_path,
    )
    counts = run()
    touched = InterestCollection.objects.filter(
        note__contract__enterprise__uscc="91321300MA0LLBKR9E"
    ).count()
    assert counts["collections"] == touched < 200
    assert counts["originals"] == 0
    assert Deduction.objects.count() == first + counts["differences"]
    incremental = results(tmp_path)
    EnterprisePosting.objects.update(facts_version=-1)  # forget: everything is stale
    assert run()["collections"] == 3270
    assert results(tmp_path) == incremental
    assert Deduction.objects.count() == first + counts["differences"]
    assert verify().problems == []


def test_a_reversed_late_repayment_brings_everything_back(portfolio: None, tmp_path: Path) -> None:
    run()
    row = {
        "institution_code": "C0001320100000",
        "note_number": "JJ72300000020",
        "repaid_on": "2026-07-01",
    }
    import_rows("repayments", [{**row, "amount": "1000.00", "reference": "L1"}], tmp_path)
    run()
    assert results(tmp_path) != expected()
    import_rows("repayments", [{**row, "amount": "-1000.00", "reference": "L2"}], tmp_path)
    run()
    assert results(tmp_path) == expected()
    assert Deduction.objects.filter(sequence=2).count() > 0


def test_a_run_that_died_is_finished_by_the_next(
    portfolio: None, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(groups, "CHUNK_NOTES", 60)
    started = deductions.start_run(actor="system", at=AT)
    assert started is not None
    assert started.chunks > 2
    chunk = work.claim_chunk(run_id=started.run_id, owner="dead", at=AT)
    assert chunk is not None
    deductions.work_chunk(chunk_id=chunk, at=AT)
    work.release_chunk(chunk_id=chunk)
    assert Run.objects.get(pk=started.run_id).state == Run.State.OPEN
    deductions.work_open_runs(owner="next", clock=lambda: AT)
    assert Run.objects.get(pk=started.run_id).state == Run.State.DONE
    assert results(tmp_path) == expected()
