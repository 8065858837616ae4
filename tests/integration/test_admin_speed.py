"""Every list of the admin, whole, filtered and searched: as many queries for many rows as for few.

None of them counts a table or looks for text inside text: row-level security lets no index serve that.
"""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

import re
from datetime import date, timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.admin.paging import COUNT_MAX
from config.kernel.models import Chunk, Institution, Role, Run, SignIn, User
from config.kernel.services.institutions import InstitutionRow, register_institutions
from loans import models as loans
from settlement import models as settlement
from tests.integration import rows, test_admin
from tests.integration.signed_in import client_of
from tests.integration.test_admin import WEBHOOKS, note, person, tree, url, web  # noqa: F401

pytestmark = pytest.mark.django_db

FEW, MANY = 10, 60
QUERIES_MAX = 20
UNCHANGED = {
    "loans.schemelabelevent", "reports.workingdayexception",
    "reports.workingdayexceptionevent", "settlement.paperrule", "settlement.scheme",
    "settlement.schemeevent", "settlement.schemeversion", "settlement.schemeversionevent",
    # machines and departments: some dozens at most
    *(WEBHOOKS - {"settlement.provincesystem", "settlement.provincesystemevent",
                  "settlement.provincecursor"}),
}  # fmt: skip
COUNTED = re.compile(
    rf"SELECT COUNT\(\*\) FROM \(SELECT .* LIMIT {COUNT_MAX}\) subquery", re.DOTALL
)

BY_KEYS_ALWAYS = {"settlement.papergap"}


def grow(first, last):
    """A branch with a book and a borrower of its own for every number, and a row of each shared table."""
    codes = {number: f"B1{number:012d}" for number in range(first, last)}
    register_institutions(
        rows=[
            InstitutionRow(code, f"第{number}支行", "branch", rows.BANK, "320100")
            for number, code in codes.items()
        ]
    )
    branches = {one.code: one for one in Institution.objects.filter(code__in=codes.values())}
    for number, code in codes.items():
        made = rows.whole_book(branches[code], f"G{number}")
        borrower = rows.enterprise(f"9132{number:014d}")
        loans.Contract.objects.filter(pk=made.contract_id).update(enterprise=borrower)
        test_admin._registry(borrower)
        _shared(number, branches[code])
    Institution.objects.filter(code__in=codes.values()).update(region_code="320200")


def _shared(number, branch):
    day = date(2020, 1, 1) + timedelta(days=number)
    loans.Lpr.objects.create(published_on=day, one_year_ppm=30_000, five_year_ppm=35_000)
    loans.Lpr.objects.filter(published_on=day).update(one_year_ppm=31_000)
    loans.SchemeFund.objects.create(scheme_code=f"s-{number}", year=2026, amount_fen=1)
    loans.SchemeFund.objects.filter(scheme_code=f"s-{number}").update(amount_fen=2)
    loans.SchemeLabel.objects.create(code=f"s-{number}", name=f"政策{number}")
    loans.UsccConfirmation.objects.create(
        institution=branch, uscc=f"9132{number:014d}", reason="已核对", made_by="maker", at=rows.AT
    )
    run = Run.objects.create(
        kind="export", params={"register": "deductions", "format": "csv", "filters": {}},
        actor="maker", created_at=rows.AT, scope_lo=branch.id, scope_hi=branch.last_id,
    )  # fmt: skip
    Chunk.objects.create(run=run, ordinal=0)
    Run.objects.create(
        kind="plan", actor="maker", created_at=rows.AT, scope_lo=branch.id, scope_hi=branch.last_id,
    )  # fmt: skip
    SignIn.objects.create(at=rows.AT, event="signed_in", username=f"person-{number}")
    settlement.Assessment.objects.create(
        facts_position=1, terms_key="1", engine=1, labels=2, changed=2, at=rows.AT
    )
    User.objects.create_user(f"person-{number}", role=Role.MAKER, is_staff=True)


def label(shown):
    return shown.model._meta.label_lower


def statements(client, address):
    with CaptureQueriesContext(connection) as captured:
        # as a page that looks again: a minute later, the session would be written for being seen
        response = client.get(address, headers={"X-Watching": "1"})
        assert response.status_code == 200, address
    return [query["sql"] for query in captured], response.context["cl"]


def questions(shown, address):
    """The first choice of every filter, and a search that finds rows."""
    for spec in shown.filter_specs:
        for choice in list(spec.choices(shown))[1:2]:
            yield address + choice["query_string"]
    if shown.model_admin.search_by:
        yield f"{address}?q=G"


def check(address, sent):
    assert len(sent) <= QUERIES_MAX, (address, len(sent))
    for sql in sent:
        assert " LIKE " not in sql.upper(), (address, sql)
        assert "COUNT(*)" not in sql or COUNTED.fullmatch(sql), (address, sql)


def test_no_list_takes_more_queries_for_more_rows(note, as_role):
    client = client_of(person(Role.ADMINISTRATOR))
    lists = [url(model._meta.label_lower) for model in admin.site._registry]
    grow(1, FEW)
    with as_role("app"):
        before = {address: statements(client, address) for address in lists}
    grow(FEW, MANY)

    asked, unchanged = 0, set()
    with as_role("app"):
        for address, (few, shown_before) in before.items():
            many, shown = statements(client, address)
            # a list of several pages asks for keys
            keys = (
                0 if label(shown) in BY_KEYS_ALWAYS else shown.multi_page - shown_before.multi_page
            )
            assert len(many) == len(few) + keys, (address, many)
            check(address, many)
            if shown.result_count < shown_before.result_count + MANY - FEW:
                unchanged.add(label(shown))
            for question in questions(shown, address):
                check(question, statements(client, question)[0])
                asked += 1
    assert unchanged == UNCHANGED
    assert asked > 200


def test_no_list_sorts_by_what_no_index_sorts(note, web):
    client = web(person(Role.ADMINISTRATOR))

    def sortable(label):
        shown = client.get(url(label)).context["cl"]
        return {
            name
            for name in shown.list_display
            if name != "action_checkbox"
            and name in (shown.sortable_by if shown.sortable_by is not None else shown.list_display)
            and shown.get_ordering_field(name)
        }

    assert sortable("loans.note") == {"note_number", "institution_name", "drawn_on"}
    assert sortable("loans.contract") == {"contract_number", "institution_name"}
    assert sortable("settlement.deduction") == set()
    assert sortable("settlement.ledgerentry") == {
        "institution_name", "posted_on", "source",
    }  # fmt: skip
    assert sortable("settlement.scheme") == {"code", "name"}
    page = client.get(url("loans.note"), {"o": "6"})
    assert page.status_code == 200
