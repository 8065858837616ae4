"""Former states of published days off and make-up working days."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

GRANTS = """
SELECT kernel_grant('reports_workingdayexceptionevent', 'SELECT, INSERT', 'SELECT, INSERT'), kernel_append_only('reports_workingdayexceptionevent');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("pghistory", "0007_auto_20250421_0444"),
        ("reports", "0002_stated_growth"),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkingDayExceptionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("day", models.DateField(serialize=False, verbose_name="日期")),
                ("is_working", models.BooleanField(verbose_name="上班")),
                ("name", models.CharField(max_length=100, verbose_name="名称")),
                ("document_number", models.CharField(max_length=100, verbose_name="文号")),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="workingdayexception",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "reports_workingdayexceptionevent" ("day", "document_number", "is_working", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."day", OLD."document_number", OLD."is_working", OLD."name", _pgh_attach_context(), NOW(), \'before_change\', OLD."day"); RETURN NULL;',
                    hash="04362bb1ce58a2299639bd83b51ddcf38278a865",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_7ce15",
                    table="reports_workingdayexception",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="workingdayexception",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "reports_workingdayexceptionevent" ("day", "document_number", "is_working", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."day", OLD."document_number", OLD."is_working", OLD."name", _pgh_attach_context(), NOW(), \'before_delete\', OLD."day"); RETURN NULL;',
                    hash="0b63cbc5c0a8440beb1d90059e81d34a1391f73b",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_74c7f",
                    table="reports_workingdayexception",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="workingdayexceptionevent",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="workingdayexceptionevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="reports.workingdayexception",
            ),
        ),
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
    ]
