"""Who sees and changes which rows: results are written by runs (worker) and only read by the web."""

from django.db import migrations

READ = "SELECT"
ADD = "SELECT, INSERT"
EDIT = "SELECT, INSERT, UPDATE"
CHECK = "SELECT, INSERT, UPDATE (checked_by, checked_at)"
REMAKE = "SELECT, INSERT, UPDATE, DELETE"

# table → (app, worker). Judgements are remade from the facts, so a label that is gone takes its own.
GRANTS = {
    "settlement_scheme": (READ, EDIT),
    "settlement_schemeversion": (CHECK, CHECK),
    "settlement_enrolment": (READ, REMAKE),
    "settlement_guaranteesubsidy": (READ, REMAKE),
    "settlement_deduction": (READ, ADD),
    "settlement_enterpriseposting": (READ, EDIT),
}
SCOPED = ("settlement_enrolment", "settlement_guaranteesubsidy", "settlement_deduction")


class Migration(migrations.Migration):
    dependencies = [
        ("settlement", "0002_deductions"),
        ("loans", "0003_protection"),
    ]

    operations = [
        migrations.RunSQL(
            [
                ("SELECT kernel_grant(%s::regclass, %s, %s)", [table, app, worker])
                for table, (app, worker) in GRANTS.items()
            ],
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            [("SELECT kernel_protect(%s::regclass)", [table]) for table in SCOPED],
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            "SELECT kernel_append_only('settlement_deduction')", migrations.RunSQL.noop
        ),
    ]
