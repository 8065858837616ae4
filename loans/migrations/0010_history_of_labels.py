"""Former states of policy labels and of confirmed credit codes."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

GRANTS = """
SELECT kernel_grant('loans_schemelabelevent', 'SELECT, INSERT', 'SELECT, INSERT'), kernel_append_only('loans_schemelabelevent'),
    kernel_grant('loans_usccconfirmationevent', 'SELECT, INSERT', 'SELECT, INSERT'), kernel_append_only('loans_usccconfirmationevent');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("loans", "0009_admin_indexes"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="SchemeLabelEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("code", models.CharField(max_length=60, verbose_name="政策代码")),
                ("name", models.CharField(max_length=200, verbose_name="政策名称")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="UsccConfirmationEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("uscc", models.CharField(max_length=18, verbose_name="统一社会信用代码")),
                ("reason", models.CharField(max_length=500, verbose_name="原因")),
                ("made_by", models.CharField(max_length=150, verbose_name="经办")),
                (
                    "checked_by",
                    models.CharField(blank=True, max_length=150, null=True, verbose_name="复核"),
                ),
                ("at", models.DateTimeField(verbose_name="时间")),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemelabel",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "loans_schemelabelevent" ("code", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."code", OLD."id", OLD."name", _pgh_attach_context(), NOW(), \'before_change\', OLD."id"); RETURN NULL;',
                    hash="410af27566185d193f0ea94ee255393dfb0e7fd2",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_d0268",
                    table="loans_schemelabel",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemelabel",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_schemelabelevent" ("code", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."code", OLD."id", OLD."name", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id"); RETURN NULL;',
                    hash="b038891f19429e40a1d1cc5a7ee35453bb5ef96f",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_89130",
                    table="loans_schemelabel",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="usccconfirmation",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "loans_usccconfirmationevent" ("at", "checked_by", "id", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "uscc") VALUES (OLD."at", OLD."checked_by", OLD."id", OLD."made_by", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."reason", OLD."uscc"); RETURN NULL;',
                    hash="f8846f8a7f840c5c12a3989e98db8df2df8f9a67",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_1f5d5",
                    table="loans_usccconfirmation",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="usccconfirmation",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_usccconfirmationevent" ("at", "checked_by", "id", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "uscc") VALUES (OLD."at", OLD."checked_by", OLD."id", OLD."made_by", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."reason", OLD."uscc"); RETURN NULL;',
                    hash="c8c38c1a147921a018ab56c4e9a5b8be68663abe",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_5040d",
                    table="loans_usccconfirmation",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="schemelabelevent",
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
            model_name="schemelabelevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="loans.schemelabel",
            ),
        ),
        migrations.AddField(
            model_name="usccconfirmationevent",
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
            model_name="usccconfirmationevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="loans.usccconfirmation",
            ),
        ),
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
    ]
