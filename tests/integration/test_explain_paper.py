"""`explain --pdf`: a paper that says what the text page says, a page per collection and scheme."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from config.kernel.models import SCOPE_ALL
from settlement.engine.codes import ELIGIBLE
from settlement.management.explanation_form import write_form
from settlement.management.explanation_text import page
from settlement.management.tables import yuan
from settlement.models import Deduction, Enrolment
from settlement.services.explained import Explanation
from settlement.services.explanations import explain, find_notes
from tests.integration.book import PORTFOLIO, import_folder, load_shipped, run

pytestmark = pytest.mark.django_db

NOTE, REFERENCE = "JJ72300000072", "S723-00001017"
PDFTOTEXT = shutil.which("pdftotext")


@pytest.fixture
def portfolio() -> None:
    load_shipped()
    import_folder(PORTFOLIO)
    run()


def explained(number: str, collection: str | None = None) -> Explanation:
    (note,) = find_notes(note_number=number, scope=SCOPE_ALL, asked=None)
    return explain(note=note, scope=SCOPE_ALL, collection=collection)


def pages(path: Path) -> list[str]:
    """Each page's text without spaces; what holds without the tool that reads it: none."""
    if PDFTOTEXT is None:
        return []
    text = subprocess.run(
        [PDFTOTEXT, "-layout", str(path), "-"], check=True, capture_output=True, text=True
    ).stdout
    return ["".join(one.split()) for one in text.split("\f")[:-1]]


def counted(path: Path) -> int:
    """How many pages a paper has."""
    return len(re.findall(rb"/Type ?/Page\b", path.read_bytes()))


def test_one_collection_is_one_page_with_every_line_of_the_text(
    portfolio: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "paper.pdf"
    call_command("explain", NOTE, "--collection", REFERENCE, "--pdf", str(path))
    assert capsys.readouterr().out == f"{NOTE}: 1 份说明 forms → {path}\n"
    assert counted(path) == 1
    if not (found := pages(path)):
        return
    (paper,) = found
    whole = explained(NOTE, REFERENCE)
    (work,) = whole.deductions
    text = page(whole)
    start = text.index(f"── (1) 收息 {REFERENCE}")
    end = text.index("三、假定")
    steps = [line for line in text[start:end].splitlines()[1:] if line.strip("═ ")]
    assert len(steps) > 15
    for line in steps:
        assert "".join(line.split()) in paper, line
    assert "D1:人民币利息按360天计" in paper
    for fact in (
        "贴息计算说明", NOTE, whole.note.enterprise_name, whole.note.uscc, "财金〔2026〕2号",
        f"实际付息天数{work.days}", f"应收利息{yuan(work.collection.due_fen)}", "结论status:符合",
        f"合计{yuan(work.raw_fen)}{yuan(work.granted_fen)}", "经办：", "复核：", "第1页/共1页",
    ):  # fmt: skip
        assert fact in paper, fact


def test_a_whole_note_begins_with_its_judgement_and_adds_up(
    portfolio: None, tmp_path: Path
) -> None:
    whole = explained(NOTE)
    path = tmp_path / "paper.pdf"
    forms = write_form(whole, path, one_collection=False)
    assert forms == 1 + len(whole.deductions) == counted(path) == 11
    if not (found := pages(path)):
        return
    raw = sum(work.raw_fen for work in whole.deductions)
    granted = sum(work.granted_fen for work in whole.deductions)
    assert f"合计{yuan(raw)}{yuan(granted)}" in found[0]
    assert "×not_private" in found[0]
    for work, paper in zip(whole.deductions, found[1:], strict=True):
        assert f"收息流水号{work.collection.reference}" in paper
        said = f"合计{yuan(work.raw_fen)}{yuan(work.granted_fen)}"
        assert (said if work.tiers else "没有积数，不产生贴息") in paper


def test_the_longest_explanations_still_fit_on_their_page(portfolio: None, tmp_path: Path) -> None:
    """Caps, part payments, repayments, two tiers: the type is set smaller before a page is added."""
    most = Deduction.objects.exclude(cut_reasons=0).order_by("-sequence", "pk")[:40]
    numbers = dict.fromkeys(most.values_list("note__note_number", flat=True))
    assert len(numbers) > 5
    for place, number in enumerate(list(numbers)[:6]):
        whole = explained(number)
        path = tmp_path / f"{place}.pdf"
        assert write_form(whole, path, one_collection=False) == counted(path), number


def test_a_note_without_deductions_has_its_judgement_alone(portfolio: None, tmp_path: Path) -> None:
    eligible = Enrolment.objects.filter(status=ELIGIBLE).values("note_id")
    refused = Enrolment.objects.exclude(note_id__in=eligible).order_by("pk")
    number = refused.values_list("note__note_number", flat=True)[0]
    path = tmp_path / "paper.pdf"
    assert write_form(explained(number), path, one_collection=False) == counted(path) == 1
    for paper in pages(path):
        assert "贴息资格认定说明" in paper
        assert "不符合ineligible" in paper


def test_the_same_explanation_gives_the_same_bytes(portfolio: None, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.pdf", "b.pdf")]
    for file in files:
        write_form(explained(NOTE, REFERENCE), file, one_collection=True)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_place_that_cannot_be_written_is_said_so(portfolio: None, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(CommandError, match="cannot write there") as error:
        call_command("explain", NOTE, "--pdf", str(tmp_path / "file" / "paper.pdf"))
    assert error.value.returncode == 1
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [("file", "kept")]
