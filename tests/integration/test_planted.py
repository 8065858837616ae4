"""All twelve patterns of domain §7, ten ways each, among near-twins: all are found, and nothing else."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from settlement.services.checked_runs import begin_run
from settlement.services.deductions import work_run
from settlement.services.duplicates import check_duplicates
from settlement.services.pre_allocations import book_pre_allocations
from tests.benchmarks.duplicate_book import parts, write
from tests.integration.book import AT, import_folder, load_shipped, run
from tests.integration.found import expected, found

pytestmark = pytest.mark.django_db


def looking_run() -> dict[str, int]:
    begun = begin_run(actor="system", clock=lambda: AT)
    assert begun is not None and begun.why_not == ""
    return work_run(run_id=begun.run.run_id, owner="test", clock=lambda: AT)


@pytest.mark.parametrize(("seed", "looks_first"), [(7, True), (2026, True), (2026, False)])
def test_all_that_is_planted_is_found_and_nothing_else(
    seed: int, looks_first: bool, tmp_path: Path
) -> None:
    """Whether a run looked before it paid, so that some was blocked, or all was paid before anybody looked."""
    write(tmp_path, notes=1_400, seed=seed)
    load_shipped()
    for part in parts(tmp_path):
        import_folder(part)
    book_pre_allocations(actor="system-checker", at=AT)
    counts = looking_run() if looks_first else run()
    assert (counts["blocked"] > 20) is looks_first
    import_folder(tmp_path / "later")
    check_duplicates(at=AT)
    there, planted = found(), expected(tmp_path)
    assert sorted((there - planted).elements()) == []
    assert sorted((planted - there).elements()) == []
    assert min(Counter(rule for rule, _ in planted.elements()).values()) >= 10
    again = check_duplicates(at=AT + timedelta(hours=1))
    assert (again.opened, again.changed, again.reopened, again.gone) == (0, 0, 0, 0)
    assert found() == there
