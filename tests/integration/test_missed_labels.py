"""Labels: notes that miss one are found by the judgement itself, labelled by hand, and taken off again."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from kombu.exceptions import OperationalError as BrokerError

from config.kernel.models import SCOPE_ALL, Institution, Role, Run, User
from loans.models import ImportBatch, Note
from loans.selectors.notes import note_card
from loans.services.labels import label_notes, unlabel_notes
from loans.services.locks import INTAKE_LOCK
from loans.services.outcomes import Source
from loans.values.errors import DomainError
from settlement.models import Deduction, Enrolment, MissedLabel
from settlement.services.assessments import assess_notes
from settlement.services.explanations import explain
from settlement.services.missed_labels import ask_for_search, find_missed_labels, work_searches
from settlement.services.own_explanations import explain_posted
from settlement.tasks import find_missed_labels as find_missed_labels_task
from tests.integration.book import AT, PORTFOLIO, import_folder, load_shipped, run
from tests.integration.signed_in import client_of
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, THIRD, SmallBook
from tests.integration.steps import faults, send
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_note_page import staff_of, table, whole, words

pytestmark = pytest.mark.django_db

PAGE = "settlement.missedlabel"
BY = Source(actor="system", at=AT, scope=SCOPE_ALL)


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """Two notes without the label of their scheme, one at either bank, and one with it."""
    made = SmallBook(tmp_path)
    made.scheme()
    made.lend("A", FIRST, schemes="")
    made.lend("B", SECOND, schemes="", at=SOUTH)
    made.lend("C", THIRD)
    made.collect("A", 2)
    with connection.cursor() as cursor:  # the web makes its own, on a connection of its own
        cursor.execute("DROP TABLE stage, resolved")
    return made


def missing() -> list[tuple[str, str, int, str, str]]:
    found = MissedLabel.objects.order_by("note__note_number", "scheme_code")
    return [
        (m.note.note_number, m.scheme_code, m.eligible_fen, str(m.subsidised_from), str(m.subsidised_until))
        for m in found.select_related("note")
    ]  # fmt: skip


def key(number: str) -> int:
    return int(whole(lambda: Note.objects.get(note_number=number).pk))


def labels(number: str) -> list[str]:
    found: list[str] = whole(lambda: Note.objects.get(note_number=number).scheme_codes)
    return found


def state() -> Any:
    notes = lambda: list(Note.objects.order_by("pk").values_list("pk", "scheme_codes"))  # noqa: E731
    return whole(notes), whole(ImportBatch.objects.count)


def test_notes_that_would_be_eligible_are_found_and_no_others(book: SmallBook) -> None:
    assert find_missed_labels(at=AT).by_scheme == {"test": 2}
    assert missing() == [
        ("A", "test", 360_000_000, "2026-01-05", "2029-01-05"),
        ("B", "test", 360_000_000, "2026-01-05", "2029-01-05"),
    ]
    book.note("A", schemes="test")
    assert find_missed_labels(at=AT).by_scheme == {"test": 1}
    assert [row[0] for row in missing()] == ["B"]


def test_a_label_that_would_be_refused_is_not_missing(book: SmallBook) -> None:
    load_shipped()
    book.participation("central-sme-2026")
    book.participation("central-equipment-2026")
    book.enterprise(SECOND, ownership="state")
    assert find_missed_labels(at=AT).by_scheme == {"central-sme-2026": 2, "test": 2}
    assert [row[:2] for row in missing()] == [
        ("A", "central-sme-2026"),
        ("A", "test"),
        ("B", "test"),
        ("C", "central-sme-2026"),
    ]


def test_every_label_found_in_the_portfolio_is_eligible_once_it_is_put_on() -> None:
    load_shipped()
    import_folder(PORTFOLIO)
    run()
    _explained_alike(step=60)
    found = find_missed_labels(at=AT)
    assert found.by_scheme == {
        "central-equipment-2026": 10,
        "central-sme-2026": 6,
        "jiangsu-manufacturing-2026": 65,
    }
    told = {(m.note_id, m.scheme_code, m.eligible_fen) for m in MissedLabel.objects.all()}
    before = Enrolment.objects.filter(status="eligible").count()
    for code in ("central-sme-2026", "central-equipment-2026", "jiangsu-manufacturing-2026"):
        notes = [note for note, scheme, _fen in told if scheme == code]
        assert label_notes(note_ids=notes, scheme_code=code, source=BY).corrected == len(notes)
    assess_notes(at=AT)
    judged = Enrolment.objects.filter(status="eligible")
    kept = set(judged.values_list("note_id", "scheme_code", "eligible_fen"))
    assert told <= kept
    assert len(kept) == before + 81
    assert find_missed_labels(at=AT).by_scheme == {}


def _explained_alike(*, step: int) -> None:
    """What a note alone and totals explain is what the whole group's facts explain."""
    keys = Deduction.objects.order_by("pk").values_list("note_id", "collection_id", "scheme__code")
    for note_id, collection_id, code in list(keys)[::step]:
        note = note_card(note_id=note_id)
        assert note is not None
        own = explain_posted(note=note, collection_id=collection_id, scheme_code=code)
        assert (own.agrees, own.is_current) == (True, True)
        (full,) = (
            d
            for d in explain(note=note, scope=SCOPE_ALL).deductions
            if (d.collection.collection_id, d.scheme.code) == (collection_id, code)
        )
        mine = own.working
        assert (mine.segments, mine.tiers, mine.taken_back) == (
            full.segments,
            full.tiers,
            full.taken_back,
        )
        assert (mine.granted_fen, mine.cut_reasons) == (full.granted_fen, full.cut_reasons)
        steps = [
            [(c.reason, c.limit_fen, c.used_fen, c.before_fen, c.after_fen) for c in one.caps]
            for one in (mine, full)
        ]
        assert steps[0] == steps[1]


def test_a_search_is_ordered_once_and_done_by_the_worker(book: SmallBook) -> None:
    first = ask_for_search(actor="zhang", at=AT)
    assert ask_for_search(actor="li", at=AT) == first
    work_searches(owner="test", clock=lambda: AT)
    done = Run.objects.get(pk=first)
    assert (done.state, done.stats, done.actor) == ("done", {"test": 2}, "zhang")
    work_searches(owner="test", clock=lambda: AT, actor="system")
    assert Run.objects.filter(kind="missed-labels").count() == 2


def test_from_the_list_to_the_label_to_the_subsidy(book: SmallBook, web: Any) -> None:
    find_missed_labels(at=AT)
    maker = staff_of(NORTH, web, Role.MAKER)
    listed = maker.get(url(PAGE))
    assert [row.note.note_number for row in listed.context["cl"].result_list] == ["A"]
    first = whole(_first_missing)
    chosen = {"action": "label_chosen", "_selected_action": [first]}
    answer = maker.post(url(PAGE), chosen)
    address = f"{url(PAGE, 'label')}?chosen={first}"
    assert answer.headers["Location"] == address
    form = maker.get(address)
    assert table(form, "将加的标签") == [
        ["试验", "A", "甲银行支行", "甲公司", "2026-01-05", "", "3,600,000.00"]
    ]
    done = maker.post(url(PAGE, "label"), {"chosen": first}, follow=True)
    assert done.redirect_chain == [(url(PAGE), 302)]
    assert [str(one) for one in done.context["messages"]] == ["已加标签，待认定：试验 1 笔"]
    assert labels("A") == ["test"]
    batch = whole(lambda: ImportBatch.objects.latest("pk"))
    assert (batch.actor, batch.corrected, batch.file_name) == (
        f"maker-{Institution.objects.get(code=NORTH).pk}",
        1,
        "后台加标签 / labelled by hand",
    )
    assert list(maker.get(url(PAGE)).context["cl"].result_list) == []


def _first_missing() -> int:
    return int(MissedLabel.objects.get(note__note_number="A").pk)


def test_rows_of_several_schemes_keep_each_its_own(book: SmallBook, web: Any) -> None:
    book.scheme(code="other")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE stage, resolved")
    find_missed_labels(at=AT)
    maker = staff_of(NORTH, web, Role.MAKER)
    rows = whole(
        lambda: {
            (one.note.note_number, one.scheme_code): one.pk
            for one in MissedLabel.objects.select_related("note")
        }
    )
    asked = [rows["A", "test"], rows["A", "other"], rows["C", "other"]]
    form = maker.get(f"{url(PAGE, 'label')}?chosen={','.join(map(str, asked))}")
    assert [(row[0], row[1]) for row in table(form, "将加的标签")] == [
        ("试验", "A"), ("试验", "C"), ("试验", "A"),
    ]  # fmt: skip
    before = (labels("A"), labels("B"), labels("C"))
    other_bank = send(maker, PAGE, "label", chosen=f"{asked[0]},{rows['B', 'test']}")
    assert "1 条已不在名单上" in faults(other_bank)["chosen"]
    assert "1 条已不在名单上" in other_bank.content.decode()
    assert (labels("A"), labels("B"), labels("C")) == before
    done = maker.post(url(PAGE, "label"), {"chosen": ",".join(map(str, asked))}, follow=True)
    assert [str(one) for one in done.context["messages"]] == [
        "已加标签，待认定：试验 2 笔；试验 1 笔"
    ]
    assert (labels("A"), labels("B"), labels("C")) == (["other", "test"], [], ["test", "other"])
    again = send(maker, PAGE, "label", chosen=str(asked[0]))
    assert "1 条已不在名单上" in faults(again)["chosen"]


def test_a_label_put_on_pays_and_taken_off_takes_back(book: SmallBook) -> None:
    label_notes(note_ids=[key("A")], scheme_code="test", source=BY)
    run()
    assert book.net() == {"A-2": 1000}
    unlabel_notes(note_ids=[key("A")], scheme_code="test", source=BY)
    run()
    assert book.posted() == [("A-2", 0, 1000), ("A-2", 1, -1000)]
    assert labels("A") == []


def test_what_cannot_be_labelled_is_refused_and_nothing_changes(book: SmallBook, web: Any) -> None:
    maker = staff_of(NORTH, web, Role.MAKER)
    before = state()
    a, b, c = (str(key(number)) for number in "ABC")
    for notes, scheme, field, words_ in (
        ("", "test", "notes", "请先选择借据"),
        ("x", "test", "notes", "请先选择借据"),
        (f"{a},{b}", "test", "", "请选择您机构范围内的借据"),
        (b, "test", "", "请选择您机构范围内的借据"),
        (c, "test", "scheme_code", "所选借据的标签没有变化"),
        (a, "none", "scheme_code", "none"),
    ):
        answer = send(maker, "loans.note", "label", notes=notes, scheme_code=scheme)
        assert words_ in faults(answer)[field], (notes, scheme)
    answer = send(maker, "loans.note", "unlabel", notes=a, scheme_code="test")
    assert faults(answer) == {"scheme_code": "所选借据的标签没有变化"}
    assert state() == before


@pytest.mark.parametrize("role", [Role.CHECKER, Role.AUDITOR, Role.FINANCE_VIEWER])
def test_only_makers_label_and_search(book: SmallBook, web: Any, role: str) -> None:
    other = staff_of(NORTH, web, role)
    before = state()
    sent = {"notes": str(key("A")), "scheme_code": "test"}
    assert send(other, "loans.note", "label", **sent).status_code == 403
    assert send(other, "loans.note", "unlabel", **sent).status_code == 403
    assert send(other, PAGE, "label", chosen="1").status_code == 403
    assert other.post(url(PAGE, "search")).status_code == 403
    assert state() == before
    assert Run.objects.filter(kind="missed-labels").count() == 0


def test_too_many_at_once_are_refused_with_the_other_way(
    book: SmallBook, web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loans.admin.labelling.CHOSEN_MAX", 1)
    maker = staff_of(NORTH, web, Role.MAKER)
    chosen = {"action": "label_chosen", "_selected_action": [key("A"), key("C")]}
    answer = maker.post(url("loans.note"), chosen, follow=True)
    told = [str(message) for message in answer.context["messages"]]
    assert told == ["一次最多选择 1 笔；更多的请导入借据文件"]


def test_the_note_says_which_label_it_misses(book: SmallBook, web: Any) -> None:
    find_missed_labels(at=AT)
    maker = staff_of(NORTH, web, Role.MAKER)
    shown = maker.get(url("loans.note", "change", key("A")))
    assert table(shown, "贴息认定") == [
        [
            "试验",
            "应享未享",
            "符合条件而未加标签， 加标签",
            "2026-01-05 ~ 2029-01-05",
            "3,600,000.00",
        ]
    ]
    assert "没有记录" in words(shown.content.decode())


def test_the_list_takes_the_same_number_of_queries_however_long(book: SmallBook) -> None:
    find_missed_labels(at=AT)
    client = client_of(person(Role.ADMINISTRATOR))
    client.get(url(PAGE))
    with CaptureQueriesContext(connection) as few:
        client.get(url(PAGE))
    _more()
    with CaptureQueriesContext(connection) as many:
        listed = client.get(url(PAGE))
    assert len(listed.context["cl"].result_list) == 5
    assert len(many) == len(few)


def _more() -> None:
    first = MissedLabel.objects.get(note__note_number="A")
    for code in ("x1", "x2", "x3"):
        MissedLabel.objects.create(
            institution_id=first.institution_id,
            note_id=first.note_id,
            scheme_code=code,
            eligible_fen=1,
            subsidised_from=first.subsidised_from,
            subsidised_until=first.subsidised_until,
            found_at=AT,
        )


def test_a_label_of_an_unknown_note_is_refused(book: SmallBook) -> None:
    before = state()
    with pytest.raises(DomainError, match="choose notes"):
        label_notes(note_ids=[10**12], scheme_code="test", source=BY)
    with pytest.raises(DomainError, match="choose notes"):
        label_notes(note_ids=[], scheme_code="test", source=BY)
    assert state() == before


@pytest.mark.django_db(transaction=True)
def test_while_a_file_comes_in_a_label_waits_only_so_long(
    transactional_db: None, tmp_path: Path, owner_connection: Any
) -> None:
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST, schemes="")
    before = state()
    owner_connection.execute("SELECT pg_advisory_lock(%s)", [INTAKE_LOCK])
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    with pytest.raises(DomainError) as refusal:
        label_notes(note_ids=[key("A")], scheme_code="test", source=BY)
    assert refusal.value.code == "intake_busy"
    assert state() == before
    owner_connection.execute("SELECT pg_advisory_unlock(%s)", [INTAKE_LOCK])
    assert label_notes(note_ids=[key("A")], scheme_code="test", source=BY).corrected == 1


def test_the_command_tells_what_is_missing_by_scheme(
    book: SmallBook, capsys: pytest.CaptureFixture[str]
) -> None:
    User.objects.get_or_create(username="system", defaults={"role": Role.ADMINISTRATOR})
    call_command("missed_labels")
    assert capsys.readouterr().out == "  test: 2\n应享未享 missing labels: 2\n"
    assert Run.objects.get(kind="missed-labels").state == "done"


def test_a_maker_rings_for_a_search(
    book: SmallBook, web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = staff_of(NORTH, web, Role.MAKER)
    assert "还没有查找过" in maker.get(url(PAGE)).content.decode()
    rung: list[dict[str, str]] = []
    monkeypatch.setattr(find_missed_labels_task, "delay", lambda **asked: rung.append(asked))
    assert maker.get(url(PAGE, "search")).headers["Location"] == url(PAGE)
    assert rung == []
    told = maker.post(url(PAGE, "search"), follow=True)
    assert rung == [{"actor": f"maker-{Institution.objects.get(code=NORTH).pk}"}]
    assert [str(one) for one in told.context["messages"]] == ["已安排查找，完成后刷新本页"]

    def is_down(**_asked: str) -> None:
        raise BrokerError

    monkeypatch.setattr(find_missed_labels_task, "delay", is_down)
    told = maker.post(url(PAGE, "search"), follow=True)
    assert [str(one) for one in told.context["messages"]] == ["任务队列暂不可用，请稍后再试"]


def test_the_list_says_when_it_was_looked_for(book: SmallBook, web: Any) -> None:
    work_searches(owner="test", clock=lambda: AT, actor="zhang")
    shown = words(staff_of(NORTH, web).get(url(PAGE)).content.decode())
    assert "上次查找：2026-11-23 16:00。" in shown
    assert "重新查找" not in shown


def test_notes_without_any_label_are_listed(book: SmallBook, web: Any) -> None:
    maker = staff_of(NORTH, web, Role.MAKER)
    listed = maker.get(url("loans.note", scheme="-")).context["cl"].result_list
    assert [note.note_number for note in listed] == ["A"]
    listed = maker.get(url("loans.note", scheme="test")).context["cl"].result_list
    assert [note.note_number for note in listed] == ["C"]
