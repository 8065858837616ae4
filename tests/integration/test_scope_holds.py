"""The scope of whoever asks holds from the view to the last byte, and no further: in templates, after
errors, on the next request of the same connection, in exports and in jobs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import Client
from django.urls import include, path

from config.kernel.models import Institution, Role, Run, User
from config.kernel.services import store
from loans.models import Note
from reports.models import Report
from reports.services import jobs
from settlement.resources import REGISTERS
from tests import database
from tests.integration import rows
from tests.integration.test_admin import complete_book, person

AT = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)
TEXT = "{% for note in notes %}{{ note.note_number }};{% endfor %}"
# Neither an institution nor a scope: what everybody may read by SQL, and why nothing of a bank is in it.
SHARED = {
    "auth_group": "unused", "auth_group_permissions": "unused", "auth_permission": "Django's names",
    "django_content_type": "names of tables", "django_migrations": "names of migrations",
    "django_admin_log": "who changed which person", "django_session": "signing in",
    "kernel_institution": "the tree that scopes are made of", "kernel_institutionevent": "its history",
    "kernel_user": "signing in", "kernel_user_groups": "unused",
    "kernel_user_user_permissions": "unused", "pghistory_context": "who asked, of histories",
    "loans_enterprise": "shared registry (contract §3)", "loans_enterpriserecord": "shared registry",
    "loans_enterpriserecordevent": "shared registry", "loans_enterprisetitle": "shared registry",
    "loans_enterprisetitleevent": "shared registry", "loans_project": "shared registry",
    "loans_projectevent": "shared registry",
    "loans_lpr": "published rates", "loans_lprevent": "published rates",
    "loans_schemefund": "funds of schemes", "loans_schemefundevent": "funds of schemes",
    "loans_schemelabel": "names of schemes", "reports_workingdayexception": "published days",
    "settlement_assessment": "counts of runs",
    "settlement_enterpriseposting": "days, of the registry",
    "settlement_scheme": "terms", "settlement_schemeversion": "terms",
    "settlement_schemeevent": "terms", "settlement_schemeversionevent": "terms",
    "settlement_paperrule": "terms", "settlement_papergap": "a view with its reader's rights",
    "loans_schemelabelevent": "names of schemes",
    "reports_workingdayexceptionevent": "published days", "kernel_signin": "signing in",
    "kernel_formerpassword": "signing in", "axes_accessattempt": "signing in",
    "axes_accessattemptexpiration": "signing in", "otp_totp_totpdevice": "signing in",
    "otp_static_staticdevice": "signing in", "otp_static_statictoken": "signing in",
    **dict.fromkeys(
        (
            "kernel_financedepartment", "kernel_financedepartmentevent", "kernel_answeringinstitution",
            "kernel_answeringinstitutionevent", "kernel_apiclient", "kernel_apiclientevent",
            "kernel_clientsecret", "kernel_clientsecretevent", "kernel_signingkey",
            "kernel_signingkeyevent", "kernel_usednonce", "oauth2_provider_accesstoken",
            "oauth2_provider_application", "oauth2_provider_devicegrant", "oauth2_provider_grant",
            "oauth2_provider_idtoken", "oauth2_provider_refreshtoken",
        ),
        "machines that sign in; digests and sealed keys",
    ),
    "kernel_webhookendpoint": "where machines are told; no row of a bank",
    "kernel_webhookendpointevent": "its history",
    "kernel_webhooksecret": "sealed", "kernel_webhooksecretevent": "when keys were made and ended",
    "settlement_provincesystem": "which systems are told; no row of a bank, the secret is sealed",
    "settlement_provincesystemevent": "its history",
    "settlement_provincecursor": "how far systems have been asked",
    "kernel_outboxpause": "which receiver cannot be reached",
}  # fmt: skip

pytestmark = pytest.mark.django_db


def listed(request: HttpRequest) -> HttpResponse:
    """A page whose rows are read while it is drawn, long after the view has ended."""
    return TemplateResponse(
        request, engines["django"].from_string(TEXT), {"notes": Note.objects.order_by("pk")}
    )


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    """A body that is read when the middleware is through."""
    return StreamingHttpResponse(note.note_number for note in Note.objects.iterator())


def _written(name: str) -> None:
    place = Institution.objects.get(code=rows.NANJING)
    User.objects.create(username=name, role=Role.MAKER, institution=place)


def fails(request: HttpRequest) -> HttpResponse:
    """A view that writes and fails."""
    _written("by the view")
    message = f"{Note.objects.count()} seen"
    raise ValueError(message)


def fails_drawing(request: HttpRequest) -> HttpResponse:
    """A page that writes and fails while it is drawn."""

    def late() -> str:
        _written("by the page")
        message = "broken"
        raise ValueError(message)

    return TemplateResponse(request, engines["django"].from_string("{{ late }}"), {"late": late})


urlpatterns = [
    path("listed/", listed), path("streamed/", streamed), path("fails/", fails),
    path("fails-drawing/", fails_drawing), path("", include("config.urls")),
]  # fmt: skip


@pytest.fixture
def clients(transactional_db: None) -> Iterator[dict[str, Client]]:
    """A branch's maker, another bank's, and somebody who is not signed in, on the web's own connection."""
    tree = rows.institutions()
    rows.note(tree[rows.NANJING], "N1")
    rows.note(tree[rows.OTHER], "N9")
    places = {"own": tree[rows.NANJING], "other": tree[rows.OTHER]}
    people = {name: person(Role.MAKER, place, name) for name, place in places.items()}
    with database.web_connections():
        found = {name: Client(raise_request_exception=False) for name in (*people, "nobody")}
        for name, user in people.items():
            found[name].force_login(user)
        yield found


def left_behind() -> tuple[Any, ...]:
    """What the connection remembers once a request is answered: process, role, scope, rows in sight."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_backend_pid(), current_user::text,"
            " coalesce(current_setting('app.lo', true), ''),"
            " coalesce(current_setting('app.hi', true), ''), (SELECT count(*) FROM loans_note)"
        )
        return tuple(cursor.fetchone())


@pytest.mark.urls(__name__)
def test_rows_read_while_a_page_is_drawn_are_the_askers(clients: dict[str, Client]) -> None:
    assert clients["own"].get("/listed/").content == b"N1;"
    assert clients["other"].get("/listed/").content == b"N9;"
    assert clients["nobody"].get("/listed/").content == b""


@pytest.mark.urls(__name__)
def test_no_scope_is_left_to_the_next_request_of_the_connection(clients: dict[str, Client]) -> None:
    process = left_behind()[0]
    for name, address in (
        ("own", "/listed/"), ("own", "/fails/"), ("own", "/fails-drawing/"), ("own", "/streamed/"),
        ("other", "/listed/"), ("own", "/admin/loans/note/999/change/"), ("own", "/nowhere/"),
    ):  # fmt: skip
        clients[name].get(address)
        assert left_behind() == (process, "app", "", "", 0), address
        assert clients["nobody"].get("/listed/").content == b"", address


@pytest.mark.urls(__name__)
def test_a_streamed_body_sees_nobodys_rows(clients: dict[str, Client]) -> None:
    answer = clients["own"].get("/streamed/")
    assert b"".join(answer.streaming_content) == b""  # type: ignore[attr-defined]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("address", ["/fails/", "/fails-drawing/"])
def test_what_fails_writes_nothing_wherever_it_fails(
    address: str, clients: dict[str, Client]
) -> None:
    before = list(User.objects.order_by("pk").values())
    assert clients["own"].get(address).status_code == 500
    assert list(User.objects.order_by("pk").values()) == before


def test_a_table_without_an_institution_says_why() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm')"
            " AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition"
            " AND NOT c.relrowsecurity AND has_table_privilege('app', c.oid, 'SELECT')"
        )
        assert " ".join(sorted({name for (name,) in cursor.fetchall()} - set(SHARED))) == ""


@pytest.fixture
def tree() -> dict[str, Institution]:
    made = rows.institutions()
    complete_book(made)
    return made


def test_raw_sql_in_anothers_scope_returns_no_rows(
    tree: dict[str, Institution], as_role: Any
) -> None:
    """Every table under row-level security, found in the catalogue; Suzhou has no rows of its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relrowsecurity AND NOT relispartition ORDER BY 1"
        )
        tables = [name for (name,) in cursor.fetchall()]
        counted = " UNION ALL ".join(
            f"SELECT '{name}', count(*) FROM {name}"
            + (" WHERE scope_lo IS NOT NULL" if name == "kernel_run" else "")
            for name in tables
            if name != "kernel_chunk"  # as its run, tested there
        )
        cursor.execute(counted)
        assert {name for name, count in cursor.fetchall() if count == 0} == set()
        with as_role("app", tree[rows.SUZHOU]):
            cursor.execute(counted)
            assert {name for name, count in cursor.fetchall() if count > 0} == set()


@pytest.fixture
def kept(settings: Any, tmp_path: Path) -> None:
    settings.REPORTS_DIR = tmp_path / "store"


def exported(register: str, place: Institution) -> str:
    """What an export job of this institution writes."""
    run_id = jobs.order_export(
        register=register, file_format="csv", filters={}, scope=place.scope, actor="maker", at=AT
    )
    assert jobs.work_job(run_id=run_id, owner="test", clock=lambda: AT) == "done"
    run = Run.objects.get(pk=run_id)
    return store.place(run.result_sha256).read_text(encoding="utf-8")


def test_an_export_of_a_branch_holds_its_rows_alone(
    tree: dict[str, Institution], kept: None
) -> None:
    """Workers see everything, so it is the job that keeps to the scope it was ordered in."""
    wrong = []
    for register in sorted(REGISTERS):
        branch = exported(register, tree[rows.NANJING])
        other = exported(register, tree[rows.OTHER])
        nobody = exported(register, tree[rows.SUZHOU])
        wrong += [(register, text) for text in (rows.OTHER, "N9", "乙银行") if text in branch]
        wrong += [(register, text) for text in (rows.NANJING, "N1,") if text in other]
        wrong += [(register, text) for text in ("N1,", "N9", rows.OTHER) if text in nobody]
    assert wrong == []
    assert "N1," in exported("notes", tree[rows.NANJING])


def test_a_report_reaches_no_further_than_its_job(tree: dict[str, Institution], kept: None) -> None:
    """The order is refused, and so is an order that was changed on its way."""
    reports = list(Report.objects.order_by("pk").values())
    params = {"code": "new-loans", "period": "2026-03", "institution": rows.OTHER, "scheme": ""}
    run = Run.objects.create(
        kind="report", params=params, actor="maker", created_at=AT,
        scope_lo=tree[rows.NANJING].id, scope_hi=tree[rows.NANJING].last_id,
    )  # fmt: skip
    run.chunks.create(ordinal=0)
    assert jobs.work_job(run_id=run.pk, owner="test", clock=lambda: AT) == "failed"
    run.refresh_from_db()
    assert (run.error, run.result_sha256) == (
        "机构不在您的范围内 / the institution is outside your scope", "",
    )  # fmt: skip
    assert list(Report.objects.order_by("pk").values()) == reports
