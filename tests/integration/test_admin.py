"""The admin as its users meet it, on the web's database role: what is shown, and that nothing changes."""

from contextlib import ExitStack
from datetime import date
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from config.kernel.models import (
    AnsweringInstitution,
    Chunk,
    FormerPassword,
    IdempotencyKey,
    Institution,
    OutboxPause,
    OutboxPending,
    Role,
    Run,
    UsedNonce,
    User,
)
from config.kernel.services import signin, webhooks
from loans import models as loans
from settlement import models as settlement
from tests import database
from tests.integration import client_rows, paper_rows, province_rows, rows, webhook_rows
from tests.integration.signed_in import client_of

PAGES = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)
LABELS = [model._meta.label_lower for model in PAGES]
HISTORIES = [label for label in LABELS if label.endswith("event")]
TABLES = [label for label in LABELS if label not in HISTORIES]
BANKS_OWN = {  # work under way, which finance does not see; and what it was not told
    "kernel.run", "loans.enterprisecontact", "loans.fileimport", "loans.importbatch", "loans.importundo",
    "loans.usccconfirmation", "reports.job", "reports.reminder", "settlement.missedlabel",
    "settlement.moneyjob", "settlement.noticedelivery", "settlement.receiptrefusal", "settlement.recomputation",
    "settlement.enterpriseposting", "settlement.payoutattempt", "settlement.payoutbatch",
    "settlement.payoutresult", "settlement.plan", "settlement.planexception",
    "settlement.planneddeduction",
}  # fmt: skip
DRAFTS = {
    "reports.report",
    "reports.reportfile",
    "settlement.settlement",
    "settlement.settlementitem",
}
WEBHOOKS = {
    "kernel.apiclient", "kernel.apiclientevent", "kernel.clientsecret", "kernel.clientsecretevent",
    "kernel.signingkey", "kernel.signingkeyevent", "kernel.financedepartment",
    "kernel.financedepartmentevent", "kernel.answeringinstitutionevent",
    "kernel.webhookendpoint", "kernel.webhookendpointevent", "kernel.webhooksecret",
    "kernel.webhooksecretevent", "settlement.provincesystem", "settlement.provincesystemevent",
    "settlement.provincecursor",
}  # fmt: skip
ADMINISTRATORS_ONLY = {"kernel.user", "kernel.chunk", "settlement.assessment", *WEBHOOKS}
TOLD = {
    "kernel.deliverystep", "kernel.outboxdelivery", "kernel.outboxevent", "settlement.exchangefile",
    "settlement.probe", "settlement.provinceanswer",
}  # fmt: skip
INSPECTORS_ONLY = {"kernel.signin", "kernel.userevent", *TOLD}  # administrators and auditors
FREE_OF_INSTITUTIONS = {
    "kernel.user", "kernel.run", "kernel.chunk", "settlement.assessment", "settlement.scheme",
    "settlement.schemeversion", "settlement.paperrule", "loans.lpr", "loans.lprevent", "loans.schemefund",
    "loans.schemefundevent", "loans.schemelabel", "loans.usccconfirmation", "reports.job",
    "reports.workingdayexception", "reports.workingdayexceptionevent", "loans.schemelabelevent",
    "loans.usccconfirmationevent", "settlement.schemeevent", "settlement.schemeversionevent",
    *INSPECTORS_ONLY, *WEBHOOKS,
    "settlement.moneyjob",
}  # fmt: skip
CODE, OTHER_CODE = "91320000000000001X", "91310000000000002Y"

pytestmark = pytest.mark.django_db


def url(label, page="changelist", *args, **query):
    address = reverse(f"admin:{label.replace('.', '_')}_{page}", args=args)
    return f"{address}?{urlencode(query)}" if query else address


def person(role, institution=None, name=None):
    with database.as_role(None):
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
    loans.UsccConfirmation.objects.create(
        institution=tree[rows.NANJING], uscc=CODE, reason="已核对", made_by="maker", at=rows.AT
    )
    loans.SchemeLabel.objects.update(name="中小微企业贷款贴息政策")
    loans.SchemeLabel.objects.update(name="中小微企业贷款贴息")
    settlement.Scheme.objects.update(name="中小微企业贷款贴息政策")
    settlement.Scheme.objects.update(name="中小微企业贷款贴息")
    checked = settlement.SchemeVersion.objects.values().get()
    unchecked = {**checked, "checked_by": None, "pgh_obj_id": checked["id"]}
    apps.get_model("settlement", "SchemeVersionEvent").objects.create(
        pgh_label="before_change", **unchecked
    )
    day = apps.get_model("reports", "WorkingDayException")
    day.objects.filter(day=date(2026, 1, 1)).update(document_number="国办发明电〔2025〕号")
    for clerk in User.objects.filter(username__startswith="clerk-"):
        signin.record(event="signed_in", at=rows.AT, caller=signin.Caller("10.0.0.1"), user=clerk)
    Chunk.objects.create(run=Run.objects.get(kind="deductions"), ordinal=0)
    branch = tree[rows.NANJING]
    params = {"register": "deductions", "format": "csv", "filters": {}}
    Run.objects.create(
        kind="export", params=params, actor="maker", created_at=rows.AT, scope_lo=branch.id,
        scope_hi=branch.last_id,
    )  # fmt: skip
    Run.objects.create(
        kind="plan", params={"through": "2026-06-21"}, actor="maker", created_at=rows.AT,
        scope_lo=branch.id, scope_hi=branch.last_id,
    )  # fmt: skip
    paper_rows.asked(rows.scheme_version())
    _told_there(tree[rows.BANK])
    settlement.Assessment.objects.create(
        facts_position=1, terms_key="1", engine=1, labels=2, changed=2, at=rows.AT
    )
    Institution.objects.filter(code=rows.NANJING).update(name="甲银行南京市分行")
    return note


def _told_there(bank):
    core = webhook_rows.client("core", at=rows.AT, bank=bank)
    made = webhook_rows.endpoint(core, "https://core.example/", at=rows.AT)
    webhooks.rotate_secret(endpoint_id=made.endpoint_id, actor="root", at=rows.AT)
    client_rows.known(bank)
    province_rows.changed(rows.AT)


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
            client = client_of(user, raise_request_exception=True)
            stack.enter_context(as_role("app"))
            return client

        yield sign_in


def first_pk(client, label):
    """A row of the list that this person sees, by its link; None if the list is empty."""
    shown = client.get(url(label)).context["cl"].result_list
    return shown[0].pk if shown else None


def test_every_model_of_ours_has_a_page():
    """But hashes of former passwords and of notes, which nobody needs to see, and marks of checks, which come and go."""
    ours = {
        model
        for app in ("kernel", "loans", "settlement", "reports")
        for model in apps.get_app_config(app).get_models()
    }

    hidden = {FormerPassword, OutboxPause, OutboxPending, IdempotencyKey, UsedNonce}
    hashes = {settlement.ExchangeEntry, settlement.ExchangeRow}
    shown_with_another = {AnsweringInstitution, settlement.ProbeAnswer}
    checks = {settlement.DuplicateCheck, settlement.DuplicateDue}
    assert ours == {*PAGES, *hidden, *hashes, *shown_with_another, *checks}


@pytest.mark.parametrize("role", [role for role in Role.values if role != Role.ADMINISTRATOR])
def test_staff_see_every_list_and_page_of_their_institution(role, tree, note, web):
    client = web(person(role, tree[rows.BANK]))

    for label in LABELS if role == Role.AUDITOR else TABLES:
        is_finance = role == Role.FINANCE_VIEWER
        if (
            label in ADMINISTRATORS_ONLY
            or (label in INSPECTORS_ONLY and role != Role.AUDITOR)
            or (is_finance and label in BANKS_OWN)
        ):
            assert client.get(url(label)).status_code == 403, label
            continue
        response = client.get(url(label))
        assert response.status_code == 200, label
        shown = response.context["cl"].result_list
        if is_finance and label in DRAFTS:
            assert list(shown) == [], label
            continue
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
    client = client_of(person(role, None if role == Role.ADMINISTRATOR else tree[rows.BANK]))
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
            refused = {403} if label in ADMINISTRATORS_ONLY | INSPECTORS_ONLY else {200, 302}
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
