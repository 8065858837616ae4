"""The admin under odd questions, its second persons, and who may see and change people."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.kernel.models import Role, User
from loans import models as loans
from settlement import models as settlement
from tests.integration import judged_rows, rows
from tests.integration.signed_in import client_of
from tests.integration.steps import confirm, faults, send, taken
from tests.integration.test_admin import CODE, PAGES, note, person, tree, url, web  # noqa: F401

VERSION = "settlement.schemeversion"

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("pk", ["abc", "%00", "10" * 11, "-1", "1.5", "_3F", "%ED%A0%80", "٣"])
def test_pages_of_impossible_rows_say_not_found(pk, note, web):
    client = web(person(Role.ADMINISTRATOR))

    for label in ("loans.note", "settlement.deduction", "kernel.institution", "loans.noteevent"):
        address = url(label, "change", "PK").replace("PK", pk)
        for page in (address, address.replace("/change/", "/delete/")):
            assert client.get(page).status_code in {200, 302, 403}, page
        assert client.get(address.replace("/change/", "/history/")).status_code == 302


def count_queries(client, address):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    "label",
    [
        "loans.note", "loans.contract", "loans.interestcollection", "loans.repayment",
        "loans.enterprise", "loans.externalsubsidy", "loans.notestatus", "loans.guarantee",
        "settlement.deduction", "settlement.enrolment", "settlement.guaranteesubsidy",
        "loans.noteevent", "loans.reviewresult", "loans.syndicateshare",
    ],
)  # fmt: skip
def test_a_longer_list_takes_no_more_queries(label, tree, note, web):
    user = person(Role.ADMINISTRATOR)
    client = client_of(user)
    client.get(url(label))
    few = count_queries(client, url(label))
    for number in range(2, 8):
        rows.whole_book(tree[rows.SUZHOU], f"N{number}") if number == 2 else _more(tree, number)

    assert count_queries(client, url(label)) == few
    assert few <= 17


def _more(tree, number):
    """Another note with what a note has."""
    made = rows.note(tree[rows.SUZHOU], f"N{number}")
    rows._belongings(made)
    judged_rows.judged(made, rows.scheme_version(), rows.AT)
    rows.deduction(rows.collection(made))


def test_the_notes_page_takes_a_bounded_number_of_queries(note, web):
    client = client_of(person(Role.ADMINISTRATOR))
    address = url("loans.note", "change", note.pk)
    client.get(address)
    few = count_queries(client, address)
    for month in (6, 9, 12):
        rows.deduction(rows.collection(note, date(2026, month, 21)))

    assert count_queries(client, address) == few
    assert few <= 40


def test_a_deduction_is_shown_in_yuan_with_its_reasons_in_words(note, web):
    posted = settlement.Deduction.objects.get(note=note)
    settlement.Deduction.objects.create(
        id=rows.deduction_id(posted.collection_id),
        sequence=1,
        central_fen=-3_456,
        cut_reasons=0b11,
        why="事实变更后重算 / recomputed after changed facts",
        **{
            name: getattr(posted, name)
            for name in (
                "run", "version", "scheme", "institution_id", "note_id", "collection", "collected_on",
                "posted_on", "days", "product", "raw_central_fen", "raw_provincial_fen",
                "raw_municipal_fen", "provincial_fen", "municipal_fen",
            )
        },
    )  # fmt: skip
    difference = settlement.Deduction.objects.get(note=note, sequence=1)
    client = web(person(Role.ADMINISTRATOR))

    listed = client.get(url("settlement.deduction", q="N1")).content.decode()
    page = client.get(url("settlement.deduction", "change", difference.pk)).content.decode()

    for text in ("1,234.56", "-34.56", "本金上限、利息上限"):
        assert text in listed, text
    for text in (
        "本年各级贴息合计不得超过企业当年实付利息", "1,234.56", "1,200.00", "事实变更后重算",
        "65,000,000.00",
        url("loans.note", "change", note.pk),
        url("loans.interestcollection", "change", posted.collection_id),
        url("kernel.run", "change", posted.run_id),
        url("settlement.schemeversion", "change", posted.version_id),
    ):  # fmt: skip
        assert text in page, text
    assert "recomputed" not in page


def test_a_refusal_is_told_in_the_readers_language(note, web):
    settlement.Enrolment.objects.filter(note=note).update(
        status="ineligible", reasons=["not_private", "overdue"], eligible_fen=0
    )
    client = web(person(Role.ADMINISTRATOR))
    address = url("loans.note", "change", note.pk)

    chinese = client.get(address, headers={"accept-language": "en"}).content.decode()
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    english = client.get(address).content.decode()

    assert "企业不是民营企业" in chinese
    assert "放款当日企业在任一银行有逾期贷款" in chinese
    assert "The enterprise is not private" in english
    assert "had an overdue loan at some bank" in english
    assert "企业不是民营企业" not in english
    assert "1,000,000.00" in chinese


def test_every_label_has_english(note, web):
    """What is ours and shown is translated: no Chinese is left but names that are data."""
    from django.utils import translation

    texts = {str(model._meta.verbose_name) for model in PAGES if "Event" not in model.__name__}
    texts |= {
        str(field.verbose_name)
        for model in PAGES
        if "Event" not in model.__name__ and model is not User  # Django's own words
        for field in model._meta.concrete_fields
    }
    with translation.override("en"):
        left = {text for text in texts if _is_chinese(text) and translation.gettext(text) == text}

    assert left == set()


def _is_chinese(text):
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def test_every_code_of_the_engine_has_words():
    from settlement.admin import wording
    from settlement.engine import codes

    assert set(wording.REASONS) == {*codes.REASONS, codes.WAITING_REASON}
    assert set(wording.CUTS) == set(wording.CUTS_SHORT) == set(codes.CUT_REASONS)
    assert set(wording.TIER_NAMES) == set(codes.TIERS)


def select(pk, action="pass_check"):
    return {"action": action, "_selected_action": pk}


def test_a_second_person_checks_a_confirmed_code(tree, note, web):
    code = loans.UsccConfirmation.objects.get(uscc=CODE)
    client = web(person(Role.CHECKER, tree[rows.BANK], "checker"))

    page = client.post(url("loans.usccconfirmation"), select(code.pk)).content.decode()
    for text in (code.uscc, "已核对", "校验位不符，整个文件拒收", "按真实代码接收"):
        assert text in page, text
    code.refresh_from_db()
    assert code.checked_by is None

    assert confirm(client, "loans.usccconfirmation", "pass_check", code.pk) == ["已复核 1 条"]
    code.refresh_from_db()
    assert code.checked_by == "checker"

    again = confirm(client, "loans.usccconfirmation", "pass_check", code.pk)
    assert [text.partition("：")[0] for text in again] == [f"#{code.pk}: 未复核"]


@pytest.mark.parametrize(
    ("role", "name", "offered"),
    [
        (Role.CHECKER, "second", True),
        (Role.ADMINISTRATOR, "second", True),
        (Role.CHECKER, "maker", False),
        (Role.MAKER, "second", False),
    ],
)
def test_the_rows_page_offers_the_check_to_who_may_do_it(role, name, offered, tree, note, web):
    code = loans.UsccConfirmation.objects.get(uscc=CODE)
    place = None if role == Role.ADMINISTRATOR else tree[rows.BANK]
    client = web(person(role, place, name))

    page = client.get(url("loans.usccconfirmation", "change", code.pk)).content.decode()

    assert ("check-form" in page) == offered


@pytest.mark.parametrize(("role", "name"), [(Role.CHECKER, "maker"), (Role.MAKER, "somebody")])
def test_nobody_checks_their_own_or_without_the_role(role, name, tree, note, web):
    code = loans.UsccConfirmation.objects.get(uscc=CODE)
    client = web(person(role, tree[rows.BANK], name))

    told = confirm(client, "loans.usccconfirmation", "pass_check", code.pk)

    assert not any("已复核 1 条" in text for text in told)
    code.refresh_from_db()
    assert code.checked_by is None


def test_a_checker_puts_a_loaded_version_in_force_never_its_maker(tree, note, web):
    version = settlement.SchemeVersion.objects.create(
        scheme=settlement.Scheme.objects.get(),
        version=2,
        sha256="1" * 64,
        made_by="loader",
        loaded_at=rows.AT,
    )
    maker = web(person(Role.CHECKER, tree[rows.BANK], "loader"))
    assert "须由另一人复核" in faults(send(maker, VERSION, "check", version.pk))[""]
    version.refresh_from_db()
    assert (version.checked_by, version.checked_at) == (None, None)

    checker = web(person(Role.CHECKER, tree[rows.BANK], "second"))
    assert taken(send(checker, VERSION, "check", version.pk))
    version.refresh_from_db()
    assert version.checked_by == "second"
    assert version.checked_at is not None


@pytest.mark.parametrize("pk", ["abc", "\0", "9" * 30])
def test_an_action_on_impossible_rows_changes_nothing(pk, note, web):
    client = web(person(Role.ADMINISTRATOR))

    response = client.post(url("loans.usccconfirmation"), select(pk))

    assert response.status_code in {200, 302}
    assert loans.UsccConfirmation.objects.get(uscc=CODE).checked_by is None


def test_administrators_add_and_change_people(tree, web):
    client = web(person(Role.ADMINISTRATOR))
    new = {
        "username": "wang", "password1": "long-enough-9", "password2": "long-enough-9",
        "usable_password": "true", "role": "maker", "institution": tree[rows.NANJING].pk,
        "is_staff": "on",
    }  # fmt: skip

    response = client.post(url("kernel.user", "add"), new)
    made = User.objects.get(username="wang")
    assert response.status_code == 302
    assert (made.role, made.institution_id, made.is_staff, made.is_superuser) == (
        "maker", tree[rows.NANJING].pk, True, False,
    )  # fmt: skip

    change = {"username": "wang", "role": "checker", "institution": tree[rows.SUZHOU].pk}
    client.post(url("kernel.user", "change", made.pk), change)
    made.refresh_from_db()
    assert (made.role, made.institution_id, made.is_active) == (
        "checker", tree[rows.SUZHOU].pk, False,
    )  # fmt: skip
    assert client.post(url("kernel.user", "delete", made.pk), {"post": "yes"}).status_code == 403
    assert User.objects.filter(username="wang").exists()


def test_a_person_who_is_no_administrator_needs_an_institution(tree, web):
    client = web(person(Role.ADMINISTRATOR))
    new = {
        "username": "li", "password1": "long-enough-9", "password2": "long-enough-9",
        "usable_password": "true", "role": "auditor",
    }  # fmt: skip

    response = client.post(url("kernel.user", "add"), new)

    assert response.status_code == 200
    assert response.context["adminform"].form.errors == {
        "institution": ["除系统管理员外，须指定所属机构"]
    }
    assert not User.objects.filter(username="li").exists()


def test_an_administrator_of_one_bank_reaches_nobody_else(tree, web):
    outsider = person(Role.MAKER, tree[rows.OTHER])
    boss = person(Role.ADMINISTRATOR)
    client = web(person(Role.ADMINISTRATOR, tree[rows.BANK], "bank-administrator"))
    new = {
        "username": "zhao", "password1": "long-enough-9", "password2": "long-enough-9",
        "usable_password": "true", "role": "administrator",
    }  # fmt: skip

    for other in (outsider, boss):
        assert client.get(url("kernel.user", "change", other.pk)).status_code == 302
        password = reverse("admin:auth_user_password_change", args=[other.pk])
        assert client.get(password).status_code in {302, 404}
    assert client.post(url("kernel.user", "add"), new).status_code == 200
    away = {**new, "institution": tree[rows.OTHER].pk}
    assert client.post(url("kernel.user", "add"), away).status_code == 200
    assert not User.objects.filter(username="zhao").exists()


def test_the_systems_own_actors_stay_as_they_are(web):
    client = web(person(Role.ADMINISTRATOR))
    system = User.objects.get(username="system")
    before = User.objects.filter(pk=system.pk).values().get()

    response = client.post(url("kernel.user", "change", system.pk), {"username": "mine"})
    password = reverse("admin:auth_user_password_change", args=[system.pk])
    secret = {"password1": "long-enough-9", "password2": "long-enough-9"}

    assert response.status_code == 403
    assert client.post(password, secret).status_code == 403
    assert User.objects.filter(pk=system.pk).values().get() == before


@pytest.mark.parametrize("role", [Role.MAKER, Role.CHECKER, Role.MANAGER, Role.AUDITOR])
def test_only_administrators_see_people(role, tree, web):
    client = web(person(role, tree[rows.BANK]))

    assert client.get(url("kernel.user")).status_code == 403
    assert client.get(url("kernel.user", "add")).status_code == 403
    home = client.get(reverse("admin:index")).content.decode()
    assert url("kernel.user") not in home
    assert url("loans.note") in home
