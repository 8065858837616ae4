"""Who changed what, when and from where: before → after in the admin; and which tables keep it."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from datetime import date

import pghistory.models
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel.models import Institution, Role, User
from config.kernel.services import provenance
from loans import models as loans
from tests.integration import rows
from tests.integration.door import client_of, person, tree  # noqa: F401

pytestmark = pytest.mark.django_db


def events(name):
    return apps.get_model(name).objects.order_by("pgh_id")


def listed(client, name, **query):
    """Rows of a list of events: who, from where, and what changed."""
    page = client.get(f"/admin/{name}/", query)
    assert page.status_code == 200
    found = page.context["cl"]
    shown = found.model_admin
    return [
        (
            str(shown.what(event)),
            shown.who(event),
            shown.from_where(event),
            [
                (str(shown.title_of(one.field)), *shown.both(event, one))
                for one in event.kernel_changes
            ],
        )
        for event in found.result_list
    ]


def test_a_person_changed_in_the_admin_is_told_column_by_column(person, tree):
    wang = person("wang", place=rows.NANJING)
    boss = client_of(person("boss", Role.ADMINISTRATOR), "10.7.7.7")
    page = f"/admin/kernel/user/{wang.pk}/change/"
    fields = {"username": "wang", "is_active": "on", "is_staff": "on"}
    suzhou = tree[rows.SUZHOU]

    boss.post(page, fields | {"role": "checker", "institution": wang.institution_id})
    boss.post(page, fields | {"role": "checker", "institution": suzhou.pk, "last_name": "王"})

    auditor = client_of(person("shen", Role.AUDITOR))
    told = listed(auditor, "kernel/userevent", pgh_obj_id=wang.pk)
    from_here = f"10.7.7.7 {page}"
    assert told == [
        ("更正前", "boss", from_here, [
            ("姓氏", "—", "王"),
            ("所属机构", str(tree[rows.NANJING]), str(suzhou)),
        ]),
        ("更正前", "boss", from_here, [("角色", "经办", "复核")]),
        ("新增", "未记录", None, []),
    ]  # fmt: skip
    listing = auditor.get("/admin/kernel/userevent/").content.decode()
    assert "角色：经办 → 复核" in listing
    latest = events("kernel.UserEvent").filter(pgh_obj_id=wang.pk).last()
    whole = auditor.get(f"/admin/kernel/userevent/{latest.pk}/change/")
    section = whole.context["sections"][0]
    assert section.rows == [("姓氏", "—", "王"), ("所属机构", str(tree[rows.NANJING]), str(suzhou))]
    assert "10.7.7.7" in whole.content.decode()


def test_another_banks_administrator_and_other_roles_do_not_see_it(person, tree):
    wang = person("wang")
    User.objects.filter(pk=wang.pk).update(last_name="王")
    other = person("zhou", Role.AUDITOR, rows.OTHER)

    seen = listed(client_of(other), "kernel/userevent")
    assert [row for row in seen if row[0] == "更正前"] == []
    for role in (Role.MAKER, Role.CHECKER, Role.MANAGER, Role.FINANCE_VIEWER):
        client = client_of(person(f"other-{role}", role))
        assert client.get("/admin/kernel/userevent/").status_code == 403


def test_amounts_are_in_yuan_rates_in_percent_and_policies_by_name(person):
    loans.SchemeLabel.objects.get_or_create(
        code="central-sme-2026", defaults={"name": "中小微企业贷款贴息"}
    )
    fund = loans.SchemeFund.objects.create(
        scheme_code="central-sme-2026", year=2026, amount_fen=123_456_789
    )
    lpr = loans.Lpr.objects.create(
        published_on=date(2026, 1, 20), one_year_ppm=30_000, five_year_ppm=35_000
    )
    with provenance.acting(user="zhang", command="import_data"):
        loans.SchemeFund.objects.filter(pk=fund.pk).update(amount_fen=200_000_000)
        loans.Lpr.objects.filter(pk=lpr.pk).update(five_year_ppm=36_500)
    client = client_of(person("boss", Role.ADMINISTRATOR))

    told = ("更正前", "zhang", "manage.py import_data")
    amounts = [("年度资金（元）", "1,234,567.89", "2,000,000.00")]
    assert listed(client, "loans/schemefundevent") == [(*told, amounts)]
    rates = [(str(lpr._meta.get_field("five_year_ppm").verbose_name), "3.50%", "3.65%")]
    assert listed(client, "loans/lprevent") == [(*told, rates)]


def test_each_state_is_followed_by_the_next_and_the_last_by_the_row_as_it_is(person, tree):
    note = rows.note(tree[rows.NANJING])
    for fen in (90_000_000, 80_000_000):
        loans.Note.objects.filter(pk=note.pk).update(principal_fen=fen)
    client = client_of(person("wang", place=rows.NANJING))

    changed = [row[3] for row in listed(client, "loans/noteevent")]
    title = "放款金额（元）"
    assert changed == [
        [(title, "900,000.00", "800,000.00")],
        [(title, "1,000,000.00", "900,000.00")],
    ]


def test_a_longer_history_takes_no_more_queries(person, tree):
    note = rows.note(tree[rows.NANJING])
    client = client_of(person("wang", place=rows.NANJING))

    def asked():
        with CaptureQueriesContext(connection) as captured:
            page = client.get("/admin/loans/noteevent/")
        return len(captured), len(page.context["cl"].result_list)

    loans.Note.objects.filter(pk=note.pk).update(equipment_fen=1)
    loans.Note.objects.filter(pk=note.pk).update(equipment_fen=2)
    client.get("/admin/loans/noteevent/")
    few, shown = asked()
    for fen in range(3, 30):
        loans.Note.objects.filter(pk=note.pk).update(equipment_fen=fen)

    assert shown == 2
    assert asked() == (few, 29)


def test_a_commands_changes_are_by_its_actor(tree, tmp_path):
    file = tmp_path / "institutions.csv"
    code = rows.NANJING
    file.write_text(
        "institution_code,name,level,parent_code,region_code\n"
        f"{code},南京市分行,branch,{rows.BANK},{tree[code].region_code}\n",
        encoding="utf-8",
    )

    call_command("import_data", "institutions", str(file), verbosity=0)
    Institution.objects.filter(pk=tree[code].pk).update(name="又改")

    first, second = events("kernel.InstitutionEvent").select_related("pgh_context")
    assert first.pgh_context.metadata == {"user": "system", "command": "import_data"}
    assert second.pgh_context is None


def test_a_refused_commands_name_does_not_stay_behind(tree):
    with pytest.raises(CommandError):
        call_command("import_data", "institutions", "/nowhere.csv")
    Institution.objects.filter(pk=tree[rows.NANJING].pk).update(name="又改")

    assert events("kernel.InstitutionEvent").get().pgh_context is None


@pytest.mark.parametrize("role", ["app", "worker"])
def test_nobody_puts_another_name_under_an_old_change(role, tree, as_role):
    with provenance.acting(user="zhang"):
        Institution.objects.filter(pk=tree[rows.NANJING].pk).update(name="改")
    context = pghistory.models.Context.objects.get()

    for statement in (
        "UPDATE pghistory_context SET metadata = '{}'",
        "INSERT INTO pghistory_context (id, metadata, created_at, updated_at)"
        " VALUES (gen_random_uuid(), '{}', now(), now())",
        "DELETE FROM pghistory_context",
    ):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            as_role(role, everything=True),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    with as_role(role, everything=True), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pghistory.context_id', %s, true),"
            " set_config('pghistory.context_metadata', '{\"user\": \"li\"}', true)",
            [str(context.pk)],
        )
        Institution.objects.filter(pk=tree[rows.NANJING].pk).update(name="再改")

    assert pghistory.models.Context.objects.get().metadata == {"user": "zhang"}


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("loans.repayment", "此表只增不改"),
        ("settlement.deduction", "此表只增不改"),
        ("settlement.enrolment", "由事实重算得出"),
        ("settlement.fund", "余额只随分录变动"),
    ],
)
def test_tables_without_a_history_say_why(label, words, person, tree):
    rows.whole_book(tree[rows.NANJING])
    client = client_of(person("boss", Role.ADMINISTRATOR))
    row = apps.get_model(label).objects.first()
    page = f"/admin/{label.replace('.', '/')}/{row.pk}/history/"

    answer = client.get(page)

    assert answer.status_code == 200
    assert words in answer.content.decode()
    shown = client.get(page.replace("history", "change")).content.decode()
    assert page in shown


OTHERS = {
    "admin.LogEntry": "Django's own log of its forms; our histories say the same and more",
    "auth.Group": "unused: what a person may do follows from the role alone",
    "auth.Permission": "unused, as groups",
    "axes.AccessAttempt": "counts of failures, gone after a quarter of an hour; the audit stays",
    "axes.AccessAttemptExpiration": "unused",
    "axes.AccessFailureLog": "unused: our audit",
    "axes.AccessLog": "unused: our audit",
    "contenttypes.ContentType": "names of tables, written by migrations",
    "oauth2_provider.AccessToken": "digests that last ten minutes; clients have their history",
    "oauth2_provider.Application": "a client's name in OAuth2, for good; clients have their history",
    **{
        f"oauth2_provider.{name}": "unused: of ways in that are closed"
        for name in ("DeviceGrant", "Grant", "IDToken", "RefreshToken")
    },
    "otp_static.StaticDevice": "secrets; enrolled and reset are in the audit of sign-ins",
    "otp_static.StaticToken": "secrets; used and made are in the audit of sign-ins",
    "otp_totp.TOTPDevice": "secrets; enrolled and reset are in the audit of sign-ins",
    "pghistory.Context": "the histories' own: append-only",
    "pghistory.Events": "a view over the histories",
    "pghistory.MiddlewareEvents": "a view over the histories",
    "sessions.Session": "gone when it ends; beginnings and ends are in the audit of sign-ins",
}


def test_every_table_is_tracked_or_append_only_or_says_why_not():
    """Each in exactly one list; and append-only is what the database says it is."""
    tracked, append_only, untracked = set(), set(), set()
    models = [model for model in apps.get_models() if not hasattr(model, "pgh_tracked_model")]
    ours = [m for m in models if m._meta.app_label in {"kernel", "loans", "settlement", "reports"}]
    for model in ours:
        name, app = model._meta.object_name, model._meta.app_config
        if hasattr(model, "pgh_event_models"):
            tracked.add(model._meta.label)
        if name in app.append_only:
            append_only.add(model._meta.label)
        if name in app.untracked:
            untracked.add(model._meta.label)

    labels = {model._meta.label for model in ours}
    assert tracked | append_only | untracked == labels
    assert len(tracked) + len(append_only) + len(untracked) == len(labels)
    assert {m._meta.label for m in models} - labels == set(OTHERS)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE t.tgname = 'append_only' AND NOT c.relispartition"
        )
        guarded = {row[0] for row in cursor.fetchall()} - {"pghistory_context"}
    guarded -= {m._meta.db_table for m in apps.get_models() if hasattr(m, "pgh_tracked_model")}
    assert {apps.get_model(label)._meta.db_table for label in append_only} == guarded
