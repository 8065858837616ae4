"""The treasury's script of the README, run as it stands there over real HTTP."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from loans.models import PreAllocation
from reports.models import Report
from reports.services import asking, generation, steps
from settlement.models import Settlement
from settlement.services.settlements import Ask
from tests import database
from tests.api.treasury import HEAD, Treasury
from tests.integration.book import AT

pytestmark = pytest.mark.django_db(transaction=True)
README = Path(__file__).resolve().parents[2] / "README.md"


def script() -> str:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (found,) = (block for block in blocks if "treasury = Client(" in block)
    return str(found)


def test_the_treasurys_script_does_what_it_says(
    tmp_path: Path, live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REPORTS_DIR = tmp_path / "store"
    treasury = Treasury(tmp_path)
    treasury.lent()
    claim = treasury.claimed(Ask(year=2026))
    asked = asking.read(
        code="monthly-execution", period_code="2026-02", institution_code=HEAD, scheme_code="test"
    )
    report = generation.generate(
        code="monthly-execution", asked=asked, actor="maker", at=AT
    ).report_id
    steps.check(report_id=report, actor="checker", at=AT)
    steps.submit(report_id=report, actor="maker", at=AT)
    told = {
        "URL": live_server.url, "CLIENT": treasury.finance.client.application.client_id,
        "SECRET": treasury.finance.secret, "SCHEME": "test", "BANK": HEAD, "TIER": "municipal",
    }  # fmt: skip
    for name, value in told.items():
        monkeypatch.setenv(f"TIEXI_{name}", value)
    said = io.StringIO()
    with database.web_connections(), contextlib.redirect_stdout(said):
        exec(compile(script(), "README.md", "exec"), {})
        exec(compile(script(), "README.md", "exec"), {})  # the same keys: nothing twice
    files = [one.name for one in Report.objects.get(pk=report).files.order_by("pk")]
    once = [
        "pre-allocation booked",
        *(f"{name} True" for name in files),
        f"settlement {claim} booked",
    ]
    assert said.getvalue().splitlines() == [*once, *once[:-1]]
    assert PreAllocation.objects.filter(document_number="财金〔2026〕1号").count() == 1
    assert Settlement.objects.get(pk=claim).document_number == "财金〔2026〕98号"
