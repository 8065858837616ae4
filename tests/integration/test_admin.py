"""The admin as its users meet it, on the web's database role: what is shown, and that nothing changes."""

from contextlib import ExitStack
from datetime import date
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.kernel.models import Chunk, Institution, Role, Run, User
from loans import models as loans
from settlement import models as settlement
from tests.integration import rows

PAGES = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)
LABELS = [model._meta.label_lower for model in PAGES]
HISTORIES = [label for label in LABELS if label.endswith("event")]
TABLES = [label for label in LABELS if label not in HISTORIES]
ADMINISTRATORS_ONLY = {"kernel.user", "kernel.chunk", "settlement.assessment"}
FREE_OF_INSTITUTIONS = {
    "kernel.user", "kernel.run", "kernel.chunk", "settlement.assessment", "settlement.scheme",
    "settlement.schemeversion", "loans.lpr", "loans.lprevent", "loans.schemefund",
    "loans.schemefundevent", "loans.schemelabel", "loans.usccconfirmation",
}  # fmt: skip
CODE, OTHER_CODE = "91320000000000001X", "91310000000000002Y"

pytestmark = pytest.mark.django_db


def url(label, page="changelist", *args, **query):
    address = reverse(f"admin:{label.replace('.', '_')}_{page}", args=args)
    return f"{address}?{urlencode(query)}" if query else address


def person(role, institution=None, name=None):
    return User.objects.create_user(
        name or f"{role}-{institution.pk if institution else 'all'}",
        role=role,
        institution=institution,
        is_staff=True,
    )


def complete_book(tree):
    """A row in every table, of a Nanjing branch; and a book of another bank with its own borrower."""
    note = rows.whole_book(tree[rows.NANJING])
    borrower = note.contract.enterprise
    stranger = rows.enterprise(OTHER_CODE)
    other = rows.whole_book(tree[rows.OTHER], "N9")
    loans.Contract.objects.filter(pk=other.contract_id).update(enterprise=stranger)
    for enterprise in (borrower, stranger):
        _registry(enterprise)
    loans.SchemeLabel.objects.get_or_create(
        code="central-sme-2026", defaults={"name": "中小微企业贷款贴息"}
    )
    loans.Lpr.objects.create(
        published_on=date(2026, 1, 20), one_year_ppm=30_000, five_year_ppm=35_000
    )
    loans.Lpr.objects.update(one_year_ppm=31_000)
    loans.SchemeFund.objects.create(scheme_code="central-sme-2026", year=2026, amount_fen=1)
    loans.SchemeFund.objects.update(amount_fen=2)
    loans.UsccConfirmation.objects.create(uscc=CODE, reason="已核对", made_by="maker", at=rows.AT)
    Chunk.objects.create(run=Run.objects.get(), ordinal=0)
    settlement.Assessment.objects.create(
        facts_position=1, terms_key="1", engine=1, labels=2, changed=2, at=rows.AT
    )
    Institution.objects.filter(code=rows.NANJING).update(name="甲银行南京市分行")
    return note


def _registry(enterprise):
    loans.EnterpriseTitle.objects.create(
        enterprise=enterprise,
        title="specialized",
        valid_from=date(2025, 1, 1),
        valid_to=date(2027, 12, 31),
    )
    loans.Project.objects.create(
        project_code=f"P-{enterprise.uscc}",
        enterprise=enterprise,
        name="项目",
        region_code="320100",
    )
    settlement.EnterprisePosting.objects.create(
        enterprise=enterprise, facts_version=1, through=date(2026, 3, 31), terms_key="1"
    )
    loans.EnterpriseRecord.objects.filter(enterprise=enterprise).update(name="甲公司（更名）")
    loans.EnterpriseTitle.objects.filter(enterprise=enterprise).update(valid_to=date(2026, 12, 31))
    loans.Project.objects.filter(enterprise=enterprise).update(name="技改项目")


@pytest.fixture
def tree():
    return rows.institutions()


@pytest.fixture
def note(tree):
    return complete_book(tree)


@pytest.fixture
def web(as_role):
    """Sign somebody in and answer their requests as the database role `app`."""
    with ExitStack() as stack:

        def sign_in(user):
            client = Client(raise_request_exception=True)
            client.force_login(user)
            stack.enter_context(as_role("app"))
            return client

        yield sign_in


def first_pk(client, label):
    """A row of the list that this person sees, by its link; None if the list is empty."""
    shown = client.get(url(label)).context["cl"].result_list
    return shown[0].pk if shown else None


def test_every_model_of_ours_has_a_page():
    from django.apps import apps

    ours = {
        model
        for app in ("kernel", "loans", "settlement")
        for model in apps.get_app_config(app).get_models()
    }

    assert ours == set(PAGES)


@pytest.mark.parametrize("role", [role for role in Role.values if role != Role.ADMINISTRATOR])
def test_staff_see_every_list_and_page_of_their_institution(role, tree, note, web):
    client = web(person(role, tree[rows.BANK]))

    for label in LABELS if role == Role.AUDITOR else TABLES:
        if label in ADMINISTRATORS_ONLY:
            assert client.get(url(label)).status_code == 403, label
            continue
        response = client.get(url(label))
        assert response.status_code == 200, label
        shown = response.context["cl"].result_list
        assert len(shown) > 0, label
        assert client.get(url(label, "change", shown[0].pk)).status_code == 200, label


def test_administrators_see_every_list_page_search_and_filter(note, web):
    client = web(person(Role.ADMINISTRATOR))

    for label in LABELS:
        response = client.get(url(label))
        assert response.status_code == 200, label
        changelist = response.context["cl"]
        assert len(changelist.result_list) > 0, label
        pk = changelist.result_list[0].pk
        assert client.get(url(label, "change", pk)).status_code == 200, label
        if label in HISTORIES[1:]:
            continue
        for term in ("N1", CODE):
            assert client.get(url(label, q=term)).status_code == 200, (label, term)
        for spec in changelist.filter_specs:
            for choice in list(spec.choices(changelist))[1:3]:
                answer = client.get(url(label) + choice["query_string"])
                assert answer.status_code == 200, (label, choice)


def test_people_without_a_role_for_the_admin_are_sent_to_sign_in(tree, note, web):
    user = User.objects.create_user("guest", role=Role.MAKER, institution=tree[rows.BANK])
    client = web(user)

    response = client.get(url("loans.note"))

    assert response.status_code == 302
    assert response.url.startswith(reverse("admin:login"))


def test_a_person_without_an_institution_sees_nobodys_rows(note, web):
    client = web(person(Role.MAKER))

    for label in LABELS:
        if label not in FREE_OF_INSTITUTIONS:
            assert first_pk(client, label) is None, label


def test_another_institutions_rows_are_invisible(tree, note, web):
    client = web(person(Role.MANAGER, tree[rows.SUZHOU]))

    for label in LABELS:
        if label in FREE_OF_INSTITUTIONS or label == "kernel.institution":
            continue
        assert first_pk(client, label) is None, label
    assert client.get(url("loans.note", q="N1")).context["cl"].result_count == 0
    for label, pk in (("loans.note", note.pk), ("loans.contract", note.contract_id)):
        response = client.get(url(label, "change", pk))
        assert (response.status_code, response.url) == (302, reverse("admin:index")), label
    assert [
        row.code for row in client.get(url("kernel.institution")).context["cl"].result_list
    ] == [rows.SUZHOU]


def test_each_bank_sees_its_own_rows_only(tree, note, web):
    client = web(person(Role.AUDITOR, tree[rows.OTHER]))

    for label in LABELS:
        if label in FREE_OF_INSTITUTIONS:
            continue
        shown = client.get(url(label)).context["cl"].result_list
        assert {getattr(row, "institution_id", tree[rows.OTHER].pk) for row in shown} <= {
            tree[rows.OTHER].pk
        }, label
    page = client.get(url("loans.note")).content.decode()
    assert "N9" in page
    assert "N1<" not in page


def test_the_registry_shows_own_borrowers_or_an_exact_code(tree, note, web):
    client = web(person(Role.MAKER, tree[rows.OTHER]))

    def codes(**query):
        shown = client.get(url("loans.enterprise", **query)).context["cl"].result_list
        return [row.uscc for row in shown]

    assert codes() == [OTHER_CODE]
    assert codes(q="甲公司") == [OTHER_CODE]
    assert codes(q=CODE) == [CODE]
    borrower = note.contract.enterprise_id
    hidden = client.get(url("loans.enterprise", "change", borrower))
    assert hidden.status_code == 302
    found = client.get(url("loans.enterprise", "change", borrower, _changelist_filters=f"q={CODE}"))
    assert found.status_code == 200
    contracts = next(s for s in found.context["sections"] if str(s.title) == "合同")
    assert contracts.rows == []


def test_another_banks_institutions_cannot_be_searched_or_completed(tree, note, web):
    client = web(person(Role.MAKER, tree[rows.OTHER]))

    response = client.get(
        reverse("admin:autocomplete"),
        {"app_label": "kernel", "model_name": "user", "field_name": "institution", "term": "甲"},
    )

    assert response.status_code == 200
    assert response.json()["results"] == []


@pytest.mark.parametrize("role", [Role.MAKER, Role.MANAGER, Role.ADMINISTRATOR])
def test_nothing_can_be_added_changed_or_deleted(role, tree, note, as_role):
    client = Client()
    client.force_login(person(role, None if role == Role.ADMINISTRATOR else tree[rows.BANK]))
    before = {model: list(model.objects.order_by("pk").values()) for model in PAGES}
    pks = {
        model._meta.label_lower: model.objects.filter(**_own(model, tree)).first().pk
        for model in PAGES
        if model is not User
    }

    with as_role("app"):
        for label, pk in pks.items():
            assert client.get(url(label, "add")).status_code == 403, label
            assert client.post(url(label, "add"), {"name": "x"}).status_code == 403, label
            assert client.post(url(label, "change", pk), {"name": "x"}).status_code == 403, label
            assert client.post(url(label, "delete", pk), {"post": "yes"}).status_code == 403, label
            action = {"action": "delete_selected", "_selected_action": pk, "post": "yes"}
            refused = {403} if label in ADMINISTRATORS_ONLY else {200, 302}
            if role == Role.ADMINISTRATOR:
                refused = {200, 302}
            assert client.post(url(label), action).status_code in refused, label

    assert {model: list(model.objects.order_by("pk").values()) for model in PAGES} == before


def _own(model, tree):
    """Which rows of this table belong to the Nanjing branch and its borrower?"""
    names = {field.name for field in model._meta.fields}
    if "institution" in names:
        return {"institution": tree[rows.NANJING]}
    if "enterprise" in names:
        return {"enterprise__uscc": CODE}
    if model is loans.Enterprise:
        return {"uscc": CODE}
    return {"pk": tree[rows.NANJING].pk} if model is Institution else {}


BAD = (
    "q=%00", "q=%F0%9F%98", "p=100000000000000000000", "p=-1", "p=abc", "o=999.x", "o=-1.-1",
    "id__in=abc", "id=1000000000000000000000", "id__in=1000000000000000000000", "pk=%00",
    "reference=%00", "%00=1", "month=%00", "month=9999-99", "scheme=%00", "level=%ED%A0%80",
    "note__note_number__regex=(", "note_number__regex=(", "uscc__iregex=%5B",
    "collection__secret__startswith=a", "institution__id__exact=abc", "drawn_on__year=99999",
    "collected_on__gte=nonsense", "all=", "e=1", "_facets=True", "_popup=1", "_to_field=secret",
    "pgh_obj_id=abc", "cut=zzz", "tier=zzz", "status__exact=zzz",
)  # fmt: skip


@pytest.mark.parametrize("label", ["loans.note", "settlement.deduction", "loans.externalsubsidy"])
def test_no_question_is_an_error(label, note, web):
    client = web(person(Role.ADMINISTRATOR))

    for question in BAD:
        response = client.get(f"{url(label)}?{question}")
        assert response.status_code in {200, 302, 400}, question
        if response.status_code == 302:
            assert client.get(response.url).status_code == 200, question


def test_no_list_fails_on_the_worst_questions(note, web):
    client = web(person(Role.ADMINISTRATOR))

    for label in TABLES:
        for question in ("q=%00", "id__in=abc", "p=100000000000000000000&o=999.x"):
            assert client.get(f"{url(label)}?{question}").status_code in {200, 302}, label


def test_a_bad_question_leads_to_the_whole_list_with_a_message(note, web):
    client = web(person(Role.ADMINISTRATOR))

    response = client.get(url("loans.note") + "?reference=%00", follow=True)

    assert response.redirect_chain == [(url("loans.note"), 302)]
    assert [str(message) for message in response.context["messages"]] == [
        "筛选条件含有无法识别的字符"
    ]


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
    client = Client()
    client.force_login(user)
    client.get(url(label))
    few = count_queries(client, url(label))
    for number in range(2, 8):
        rows.whole_book(tree[rows.SUZHOU], f"N{number}") if number == 2 else _more(tree, number)

    assert count_queries(client, url(label)) == few
    assert few <= 16


def _more(tree, number):
    """Another note with what a note has."""
    made = rows.note(tree[rows.SUZHOU], f"N{number}")
    rows._belongings(made)
    rows._judgements(made)
    rows.deduction(rows.collection(made))


def test_the_notes_page_takes_a_bounded_number_of_queries(note, web):
    client = Client()
    client.force_login(person(Role.ADMINISTRATOR))
    address = url("loans.note", "change", note.pk)
    client.get(address)
    few = count_queries(client, address)
    for month in (6, 9, 12):
        rows.deduction(rows.collection(note, date(2026, month, 21)))

    assert count_queries(client, address) == few
    assert few <= 26


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

    for text in ("1,234.56", "65,000,000.00", "-34.56", "本金上限、利息上限", "事实变更后重算"):
        assert text in listed, text
    for text in (
        "本年各级贴息合计不得超过企业当年实付利息", "1,234.56", "1,200.00", "事实变更后重算",
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
    code = loans.UsccConfirmation.objects.get()
    client = web(person(Role.CHECKER, tree[rows.BANK], "checker"))

    client.post(url("loans.usccconfirmation"), select(code.pk))
    code.refresh_from_db()
    assert code.checked_by == "checker"

    client.post(url("loans.usccconfirmation"), select(code.pk))
    code.refresh_from_db()
    assert code.checked_by == "checker"


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
    code = loans.UsccConfirmation.objects.get()
    client = web(person(role, tree[rows.BANK], name))

    page = client.get(url("loans.usccconfirmation", "change", code.pk)).content.decode()

    assert ("check-form" in page) == offered


@pytest.mark.parametrize(("role", "name"), [(Role.CHECKER, "maker"), (Role.MAKER, "somebody")])
def test_nobody_checks_their_own_or_without_the_role(role, name, tree, note, web):
    code = loans.UsccConfirmation.objects.get()
    client = web(person(role, tree[rows.BANK], name))

    client.post(url("loans.usccconfirmation"), select(code.pk))

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
    maker.post(url("settlement.schemeversion"), select(version.pk))
    version.refresh_from_db()
    assert (version.checked_by, version.checked_at) == (None, None)

    checker = web(person(Role.CHECKER, tree[rows.BANK], "second"))
    checker.post(url("settlement.schemeversion"), select(version.pk))
    version.refresh_from_db()
    assert version.checked_by == "second"
    assert version.checked_at is not None


@pytest.mark.parametrize("pk", ["abc", "\0", "9" * 30])
def test_an_action_on_impossible_rows_changes_nothing(pk, note, web):
    client = web(person(Role.ADMINISTRATOR))

    response = client.post(url("loans.usccconfirmation"), select(pk))

    assert response.status_code in {200, 302}
    assert loans.UsccConfirmation.objects.get().checked_by is None


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
