"""Former states of policies and of who put which text in force."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

GRANTS = """
SELECT kernel_grant('settlement_schemeevent', 'SELECT, INSERT', 'SELECT, INSERT'), kernel_append_only('settlement_schemeevent'),
    kernel_grant('settlement_schemeversionevent', 'SELECT, INSERT', 'SELECT, INSERT'), kernel_append_only('settlement_schemeversionevent');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("pghistory", "0007_auto_20250421_0444"),
        ("settlement", "0030_monthly_subsidies"),
    ]

    operations = [
        migrations.CreateModel(
            name="SchemeEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.IntegerField()),
                ("code", models.CharField(max_length=60, verbose_name="政策代码")),
                ("name", models.CharField(max_length=200, verbose_name="政策名称")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SchemeVersionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "version",
                    models.IntegerField(help_text="从 1 起 / counted from 1", verbose_name="版本"),
                ),
                ("text", models.TextField(help_text="TOML", verbose_name="条款")),
                ("sha256", models.CharField(max_length=64, verbose_name="条款摘要")),
                ("made_by", models.CharField(max_length=150, verbose_name="经办")),
                (
                    "checked_by",
                    models.CharField(blank=True, max_length=150, null=True, verbose_name="复核"),
                ),
                ("loaded_at", models.DateTimeField(verbose_name="载入时间")),
                (
                    "checked_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="复核时间"),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="scheme",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "settlement_schemeevent" ("code", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."code", OLD."id", OLD."name", _pgh_attach_context(), NOW(), \'before_change\', OLD."id"); RETURN NULL;',
                    hash="229497136dba216b1e7982063be07984f0146bf7",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_816a5",
                    table="settlement_scheme",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="scheme",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "settlement_schemeevent" ("code", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."code", OLD."id", OLD."name", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id"); RETURN NULL;',
                    hash="438ab55d86524cb6dbaf08d0bf790333b0c529ed",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_73a3b",
                    table="settlement_scheme",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemeversion",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "settlement_schemeversionevent" ("checked_at", "checked_by", "id", "loaded_at", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "scheme_id", "sha256", "text", "version") VALUES (OLD."checked_at", OLD."checked_by", OLD."id", OLD."loaded_at", OLD."made_by", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."scheme_id", OLD."sha256", OLD."text", OLD."version"); RETURN NULL;',
                    hash="9c20060df791f515cb6a7badb858334e3d7d0bff",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_31e4a",
                    table="settlement_schemeversion",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemeversion",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "settlement_schemeversionevent" ("checked_at", "checked_by", "id", "loaded_at", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "scheme_id", "sha256", "text", "version") VALUES (OLD."checked_at", OLD."checked_by", OLD."id", OLD."loaded_at", OLD."made_by", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."scheme_id", OLD."sha256", OLD."text", OLD."version"); RETURN NULL;',
                    hash="7f0bc58acf86a54ff8def5e98a81e3d1170383a2",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_0487f",
                    table="settlement_schemeversion",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="schemeevent",
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
            model_name="schemeevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="settlement.scheme",
            ),
        ),
        migrations.AddField(
            model_name="schemeversionevent",
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
            model_name="schemeversionevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="settlement.schemeversion",
            ),
        ),
        migrations.AddField(
            model_name="schemeversionevent",
            name="scheme",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="settlement.scheme",
                verbose_name="贴息政策",
            ),
        ),
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
    ]
