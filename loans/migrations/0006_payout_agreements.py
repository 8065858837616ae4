"""Pay-out agreements: corrected with a history, seen with their note."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0004_analyze"),
        ("loans", "0005_compensations"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="PayoutAgreement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "scheme_code",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="空 = 全部 / blank = all",
                        max_length=60,
                        verbose_name="贴息政策",
                    ),
                ),
                ("valid_from", models.DateField(verbose_name="生效日期")),
                ("valid_to", models.DateField(blank=True, null=True, verbose_name="终止日期")),
                ("account_name", models.CharField(max_length=200, verbose_name="收款户名")),
                ("account_number", models.CharField(max_length=100, verbose_name="收款账号")),
                ("bank_name", models.CharField(max_length=200, verbose_name="开户行")),
                ("reason", models.CharField(max_length=500, verbose_name="原因")),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_agreements",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "verbose_name": "直接拨付约定",
                "verbose_name_plural": "直接拨付约定",
                "ordering": ["note", "valid_from", "scheme_code"],
            },
        ),
        migrations.CreateModel(
            name="PayoutAgreementEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "scheme_code",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="空 = 全部 / blank = all",
                        max_length=60,
                        verbose_name="贴息政策",
                    ),
                ),
                ("valid_from", models.DateField(verbose_name="生效日期")),
                ("valid_to", models.DateField(blank=True, null=True, verbose_name="终止日期")),
                ("account_name", models.CharField(max_length=200, verbose_name="收款户名")),
                ("account_number", models.CharField(max_length=100, verbose_name="收款账号")),
                ("bank_name", models.CharField(max_length=200, verbose_name="开户行")),
                ("reason", models.CharField(max_length=500, verbose_name="原因")),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="loans.payoutagreement",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddConstraint(
            model_name="payoutagreement",
            constraint=models.UniqueConstraint(
                fields=("note", "scheme_code", "valid_from"), name="payout_agreement_once_per_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutagreement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to__isnull", True),
                    ("valid_to__gte", models.F("valid_from")),
                    _connector="OR",
                ),
                name="payout_agreement_ends_after_start",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutagreement",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."account_name" IS DISTINCT FROM (NEW."account_name") OR OLD."account_number" IS DISTINCT FROM (NEW."account_number") OR OLD."bank_name" IS DISTINCT FROM (NEW."bank_name") OR OLD."batch_id" IS DISTINCT FROM (NEW."batch_id") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."note_id" IS DISTINCT FROM (NEW."note_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."scheme_code" IS DISTINCT FROM (NEW."scheme_code") OR OLD."valid_from" IS DISTINCT FROM (NEW."valid_from") OR OLD."valid_to" IS DISTINCT FROM (NEW."valid_to"))',
                    func='INSERT INTO "loans_payoutagreementevent" ("account_name", "account_number", "bank_name", "batch_id", "id", "institution_id", "note_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "scheme_code", "valid_from", "valid_to") VALUES (OLD."account_name", OLD."account_number", OLD."bank_name", OLD."batch_id", OLD."id", OLD."institution_id", OLD."note_id", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."reason", OLD."scheme_code", OLD."valid_from", OLD."valid_to"); RETURN NULL;',
                    hash="8930d2e81b6e00957260379bb1d4554f0abfdf22",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_bb49a",
                    table="loans_payoutagreement",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payoutagreement",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_payoutagreementevent" ("account_name", "account_number", "bank_name", "batch_id", "id", "institution_id", "note_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "scheme_code", "valid_from", "valid_to") VALUES (OLD."account_name", OLD."account_number", OLD."bank_name", OLD."batch_id", OLD."id", OLD."institution_id", OLD."note_id", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."reason", OLD."scheme_code", OLD."valid_from", OLD."valid_to"); RETURN NULL;',
                    hash="36c8b1fa95ed35fd569211f997ea363aa1c7b3e6",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_600fd",
                    table="loans_payoutagreement",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL(
            """
            SELECT kernel_protect('loans_payoutagreement'),
                kernel_grant('loans_payoutagreement', 'SELECT, INSERT, UPDATE', 'SELECT, INSERT, UPDATE'),
                kernel_append_only('loans_payoutagreementevent'),
                kernel_protect('loans_payoutagreementevent'),
                kernel_grant('loans_payoutagreementevent', 'SELECT, INSERT', 'SELECT, INSERT');
            """,
            migrations.RunSQL.noop,
        ),
    ]
