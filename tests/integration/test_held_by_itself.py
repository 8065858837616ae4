"""What attackers of the door, of names and of raw tables get: nothing, said by the database where it can be."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from axes.models import AccessAttempt
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.urls import reverse

from config.kernel.models import FormerPassword, Role, SignIn, User
from config.kernel.services import store
from loans.models import (
    FileImport,
    ImportUndo,
    Note,
    Paper,
    PaperShelf,
    PaperWithdrawal,
    PreAllocation,
    UsccConfirmation,
)
from loans.services.confirmations import Confirming, confirm_usccs, confirmed_usccs
from loans.services.file_imports import rows_at_most
from loans.services.lists import keep
from settlement.models import Receipt
from settlement.services.pre_allocations import book_pre_allocations
from tests.integration import rows
from tests.integration.book import load_shipped
from tests.integration.door import LOGIN, PASSWORD, browser, factor, give_password, person, tree  # noqa: F401
from tests.integration.signed_in import client_of
from tests.integration.steps import address, confirm, faults, send, taken

pytestmark = pytest.mark.django_db

UNPROVED = "91320200MA1XC1LR12"


def multipart(client: Any, path: str, charset: str, **fields: str) -> Any:
    """A form in whatever encoding its sender names."""
    parts = (
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    kind = f"multipart/form-data; boundary=B; charset={charset}"
    return client.generic("POST", path, ("".join(parts) + "--B--\r\n").encode(), content_type=kind)


@pytest.mark.parametrize("charset", ["unicode_escape", "utf-7", "idna", "base64", "nonsense"])
def test_no_encoding_undoes_that_a_guess_is_counted(charset: str, person: Any) -> None:
    person("wang")
    client = browser()
    answer = multipart(client, LOGIN, charset, username="wang", password=PASSWORD, x="\\ud800")
    assert (answer.status_code, SignIn.objects.count()) == (400, 0)
    plain = multipart(client, LOGIN, "UTF-8", username="wang", password="wrong", x="\\ud800")
    assert (plain.status_code, SignIn.objects.get().event) == (200, "refused")
    assert AccessAttempt.objects.get().failures_since_start == 1


def test_a_key_is_shown_to_one_session_alone(person: Any) -> None:
    person("chk", Role.CHECKER)
    thief, owner = browser("10.0.0.1"), browser("10.0.0.2")
    enrol = "/admin/second-factor/enrol/"
    for one in (thief, owner):
        give_password(one, "chk")
    seen = thief.get(enrol).context["key"]
    own = owner.get(enrol).context["key"]
    assert own != seen
    assert owner.get(enrol).context["key"] == own
    assert thief.get(enrol).context["key"] != own


def test_a_name_and_ones_own_rights_are_not_changed(person: Any, tree: Any) -> None:
    root, zhang = person("root", Role.ADMINISTRATOR), person("zhang", Role.MAKER)
    client = client_of(root)
    sent = {
        "username": "other", "last_name": "", "first_name": "", "email": "", "is_active": "on",
        "is_staff": "on", "role": Role.CHECKER, "institution": tree[rows.BANK].pk,
    }  # fmt: skip
    for who in (root, zhang):
        answer = client.post(reverse("admin:kernel_user_change", args=[who.pk]), sent)
        assert answer.status_code == 302
    assert list(User.objects.filter(pk__in=[root.pk, zhang.pk]).values_list("username", "role")) == [
        ("root", Role.ADMINISTRATOR), ("zhang", Role.CHECKER),
    ]  # fmt: skip
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        User.objects.filter(pk=zhang.pk).update(username="zhang2")


def test_nonsense_in_the_admins_odd_addresses_is_not_found(person: Any) -> None:
    client = client_of(person("root", Role.ADMINISTRATOR))
    client.raise_request_exception = False
    for path in ("/admin/r/1/%00/", "/admin/r/1/9999999999999999999999/", "/admin/r/x/y/"):
        assert client.get(path).status_code == 404
    assert client.get("/admin/kernel/user/add/?institution=%00").status_code == 200


def test_whoever_brought_money_in_does_not_book_it_though_their_file_is_out_of_sight(
    tree: Any, as_role: Any
) -> None:
    load_shipped()
    bank = tree[rows.BANK]
    batch = rows.loans.ImportBatch.objects.create(
        institution=None, kind="pre-allocations", rows=1, inserted=1, corrected=0, unchanged=0,
        actor="adm", at=rows.AT,
    )  # fmt: skip
    PreAllocation.objects.create(
        institution=bank, scheme_code="central-sme-2026", tier="central", amount_fen=100,
        received_on=date(2026, 2, 10), document_number="文1", batch=batch,
    )  # fmt: skip
    with as_role("app", bank):
        assert book_pre_allocations(actor="adm", at=rows.AT).receipts == 0
        assert book_pre_allocations(actor="li", at=rows.AT).receipts == 1
    assert list(Receipt.objects.values_list("made_by", "checked_by")) == [("adm", "li")]


def test_an_undo_begins_as_a_request_and_answers_stay(tree: Any, as_role: Any) -> None:
    bank = tree[rows.BANK]
    batch = rows.loans.ImportBatch.objects.create(
        institution=bank, kind="repayments", rows=1, inserted=1, corrected=0, unchanged=0,
        actor="zhang", at=rows.AT,
    )  # fmt: skip
    of: dict[str, Any] = {
        "institution": bank, "batch": batch, "reason": "x", "made_by": "a", "made_at": rows.AT,
    }  # fmt: skip
    with as_role("app", bank):
        with pytest.raises(IntegrityError, match="begins with its request"), transaction.atomic():
            ImportUndo.objects.create(**of, state="working", checked_by="b", checked_at=rows.AT)
        asked = ImportUndo.objects.create(**of)
        ImportUndo.objects.filter(pk=asked.pk).update(
            state="declined", checked_by="b", checked_at=rows.AT
        )
        for change in ({"checked_by": "c"}, {"state": "asked"}):
            with pytest.raises(IntegrityError, match="stays"), transaction.atomic():
                ImportUndo.objects.filter(pk=asked.pk).update(**change)
        done = FileImport.objects.create(
            institution=bank, kind="repayments", file_name="a.csv", sha256="0" * 64, size=1,
            control_rows=1, state="done", confirmed_at=rows.AT, made_by="a", made_at=rows.AT,
        )  # fmt: skip
        with pytest.raises(IntegrityError, match="stays"), transaction.atomic():
            FileImport.objects.filter(pk=done.pk).update(state="ready")
    assert list(ImportUndo.objects.values_list("state", "checked_by")) == [("declined", "b")]


def test_papers_and_withdrawals_belong_where_their_note_does(tree: Any, as_role: Any) -> None:
    note = rows.note(tree[rows.NANJING])
    of = {"kind": "invoice", "archive_number": "D-1", "made_by": "a", "made_at": rows.AT}
    with (
        as_role("app", tree[rows.SUZHOU]),
        pytest.raises(IntegrityError, match="its note"),
        transaction.atomic(),
    ):
        Paper.objects.create(institution=tree[rows.SUZHOU], note_id=note.pk, **of)
    own = Paper.objects.create(institution=tree[rows.NANJING], note=note, **of)
    with (
        as_role("app", tree[rows.SUZHOU]),
        pytest.raises(IntegrityError, match="its paper"),
        transaction.atomic(),
    ):
        PaperWithdrawal.objects.create(
            institution=tree[rows.SUZHOU], note_id=note.pk, paper_id=own.pk, why="x", made_by="a",
            made_at=rows.AT,
        )  # fmt: skip
    shelf = PaperShelf.objects.values_list("note_id", "institution_id", "held")
    assert list(shelf) == [(note.pk, tree[rows.NANJING].pk, 4)]
    assert PaperWithdrawal.objects.count() == 0


def say_so(who: str, place: Any) -> None:
    """Somebody there says that the code is real."""
    confirm_usccs(
        usccs=[UNPROVED],
        institution_id=place.pk,
        actor=who,
        at=rows.AT,
        confirming=Confirming(None),
    )


def test_who_confirmed_a_code_is_seen_where_they_did_and_above(tree: Any, as_role: Any) -> None:
    say_so("zhang", tree[rows.NANJING])
    say_so("wang", tree[rows.OTHER])
    seen = {}
    for place in (rows.NANJING, rows.BANK, rows.SUZHOU, rows.OTHER):
        with as_role("app", tree[place]), connection.cursor() as cursor:
            cursor.execute("SELECT made_by FROM loans_usccconfirmation ORDER BY 1")
            seen[place] = [name for (name,) in cursor.fetchall()]
    assert seen == {
        rows.NANJING: ["zhang"], rows.BANK: ["zhang"], rows.SUZHOU: [], rows.OTHER: ["wang"],
    }  # fmt: skip
    assert confirmed_usccs() == frozenset()
    with as_role("app", tree[rows.BANK]):
        assert UsccConfirmation.objects.update(checked_by="li", checked_at=rows.AT) == 1
    with as_role("app", tree[rows.OTHER]), connection.cursor() as cursor:
        assert confirmed_usccs() == {UNPROVED}
        cursor.execute("SELECT count(*) FROM loans_usccconfirmationevent")
        assert cursor.fetchone() == (0,)
        with pytest.raises(ProgrammingError, match="row-level"), transaction.atomic():
            UsccConfirmation.objects.create(
                institution=tree[rows.BANK], uscc=UNPROVED, reason="x", made_by="x", at=rows.AT
            )


def test_a_code_is_refused_for_a_reason_and_may_be_confirmed_anew(tree: Any, person: Any) -> None:
    say_so("zhang", tree[rows.NANJING])
    row = UsccConfirmation.objects.get()
    page = "loans.usccconfirmation"
    client = client_of(person("li", Role.CHECKER))
    assert list(faults(send(client, page, "refuse", row.pk, why=""))) == ["why"]
    assert (
        address(page, "refuse", row.pk)
        in client.get(
            reverse("admin:loans_usccconfirmation_change", args=[row.pk])
        ).content.decode()
    )
    assert taken(send(client, page, "refuse", row.pk, why="查无此企业"))
    row.refresh_from_db()
    assert (row.refused_by, row.refused_why, row.checked_by) == ("li", "查无此企业", None)
    assert "已退回" in confirm(client, page, "pass_check", row.pk)[0]
    assert confirmed_usccs() == frozenset()
    say_so("wang", tree[rows.NANJING])
    row.refresh_from_db()
    assert (row.made_by, row.refused_by, row.refused_why) == ("wang", None, "")
    assert confirm(client, page, "pass_check", row.pk) == ["已复核 1 条"]
    assert confirmed_usccs() == {UNPROVED}
    row.refresh_from_db()
    assert row.checked_at is not None


def test_lists_of_problems_run_nothing(settings: Any, tmp_path: Path) -> None:
    settings.REPORTS_DIR = tmp_path / "store"
    told = ["-2+3+cmd|' /C calc'!A0", "－1+1", "=1", "-12.50", "-1,000", "x"]
    digest = keep(pl.DataFrame({"值": told}))
    with store.opened(digest) as source:
        kept = source.read().decode("utf-8-sig").splitlines()
    assert kept == [
        "值", "'-2+3+cmd|' /C calc'!A0", "'－1+1", "'=1", "-12.50", '"-1,000"', "x",
    ]  # fmt: skip


def test_a_broken_package_has_no_rows_and_a_table_with_an_odd_end_has_its_own(
    tmp_path: Path,
) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as out:
        out.writestr("xl/worksheets/sheet1.xml", "x" * 4_000)
    broken, table = tmp_path / "a.xlsx", tmp_path / "a.csv"
    broken.write_bytes(package.getvalue()[:20] + package.getvalue()[-60:])
    table.write_bytes(b"a\nb\nc\n" + package.getvalue()[-22:])
    assert (rows_at_most(path=broken), rows_at_most(path=table)) == (0, 3)


def test_the_history_of_notes_shows_changed_labels(tree: Any, person: Any) -> None:
    note = rows.note(tree[rows.NANJING])
    Note.objects.filter(pk=note.pk).update(scheme_codes=["central-sme-2026"])
    Note.objects.filter(pk=note.pk).update(scheme_codes=[])
    client = client_of(person("root", Role.ADMINISTRATOR))
    listed = client.get(reverse("admin:loans_noteevent_changelist"))
    assert listed.status_code == 200
    assert "central-sme-2026" in listed.content.decode()


def test_who_is_refused_is_told_what_to_do(person: Any) -> None:
    answer = client_of(person("zhang", Role.MAKER)).get(reverse("admin:kernel_user_changelist"))
    assert answer.status_code == 403
    assert "您的角色不能打开此页" in answer.content.decode()


def test_a_waiting_codes_maker_and_reason_stay(tree: Any, as_role: Any) -> None:
    """Refused ones begin anew; of others, whoever could write `made_by` would check their own."""
    say_so("zhang", tree[rows.NANJING])
    codes = UsccConfirmation.objects.all()
    with as_role("app", tree[rows.BANK]):
        for change in ({"made_by": "other"}, {"reason": "x"}, {"uscc": "91320200MA1XC1LR13"}):
            with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
                codes.update(**change)
        assert codes.update(checked_by="li") == 1
        with pytest.raises(IntegrityError, match="stays"), transaction.atomic():
            codes.update(made_by="li2")
    assert list(codes.values_list("uscc", "made_by", "checked_by")) == [(UNPROVED, "zhang", "li")]


def test_a_code_is_checked_after_it_is_said_and_never_at_once(tree: Any, as_role: Any) -> None:
    say_so("zhang", tree[rows.NANJING])
    UsccConfirmation.objects.update(refused_by="li", refused_at=rows.AT, refused_why="查无此码")
    checked = {"checked_by": "ally", "checked_at": rows.AT}
    anew = {"refused_by": None, "refused_at": None, "refused_why": "", "made_by": "x"}
    of = {"institution": tree[rows.NANJING], "uscc": "91320200MA1XC1LR13", "made_by": "x"}
    before = list(UsccConfirmation.objects.values())
    with as_role("app", tree[rows.BANK]):
        for act in (
            lambda: UsccConfirmation.objects.update(**anew, **checked),
            lambda: UsccConfirmation.objects.create(**of, **checked, reason="x", at=rows.AT),
        ):
            with pytest.raises(IntegrityError, match="afterwards"), transaction.atomic():
                act()
    assert list(UsccConfirmation.objects.values()) == before


def test_the_doors_book_is_of_now_and_of_that_person(tree: Any, person: Any, as_role: Any) -> None:
    """The web's role is the door; what it writes it can neither backdate nor sign for another."""
    wang, li = person("wang"), person("li")
    own = {"event": "signed_in", "user": wang}
    longer = str(wang.password) + "x"
    with as_role("app", tree[rows.BANK]):
        SignIn.objects.create(at=rows.AT, username="wang", **own)
        for act in (
            lambda: SignIn.objects.create(at=rows.AT, username="li", **own),
            lambda: FormerPassword.objects.create(user=wang, password=longer),
            lambda: FormerPassword.objects.create(user=wang, password=li.password),
            lambda: FormerPassword.objects.create(user=wang, password=wang.password),
        ):
            with pytest.raises(IntegrityError, match=r"/ (a line|only the)"), transaction.atomic():
                act()
    (line,) = SignIn.objects.all()
    with connection.cursor() as cursor:
        cursor.execute("SELECT now() - %s BETWEEN '-10 min' AND '10 min'", [line.at])
        assert cursor.fetchone() == (True,)
    assert FormerPassword.objects.count() == 2
