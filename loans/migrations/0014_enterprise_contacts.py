"""Where a bank reaches its enterprises: its own customer data, corrected with a history."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

TABLES = """
CREATE OR REPLACE FUNCTION loans_undo_table(kind text) RETURNS regclass LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
RETURN CASE kind
    WHEN 'participations' THEN 'loans_participation'
    WHEN 'lpr' THEN 'loans_lpr'
    WHEN 'enterprises' THEN 'loans_enterpriserecord'
    WHEN 'enterprise-titles' THEN 'loans_enterprisetitle'
    WHEN 'projects' THEN 'loans_project'
    WHEN 'contracts' THEN 'loans_contract'
    WHEN 'syndicate-shares' THEN 'loans_syndicateshare'
    WHEN 'notes' THEN 'loans_note'
    WHEN 'equipment-invoices' THEN 'loans_equipmentinvoice'
    WHEN 'repayments' THEN 'loans_repayment'
    WHEN 'note-statuses' THEN 'loans_notestatus'
    WHEN 'guarantees' THEN 'loans_guarantee'
    WHEN 'payout-agreements' THEN 'loans_payoutagreement'
    WHEN 'interest-collections' THEN 'loans_interestcollection'
    WHEN 'external-subsidies' THEN 'loans_externalsubsidy'
    WHEN 'scheme-funds' THEN 'loans_schemefund'
    WHEN 'pre-allocations' THEN 'loans_preallocation'
    WHEN 'review-results' THEN 'loans_reviewresult'
    WHEN 'bank-statements' THEN 'loans_bankstatement'
    WHEN 'opening-positions' THEN 'loans_openingposition'
    WHEN 'compensations' THEN 'loans_compensation'
{further}END::regclass;
"""
# Personal data of the wrong file is taken back as any other.
WITH_CONTACTS = TABLES.replace(
    "{further}", "    WHEN 'enterprise-contacts' THEN 'loans_enterprisecontact'\n"
)
WITHOUT = TABLES.replace("{further}", "")

PROTECT = """
SELECT kernel_protect('loans_enterprisecontact'),
    kernel_grant('loans_enterprisecontact', 'SELECT, INSERT, UPDATE', 'SELECT, INSERT, UPDATE'),
    kernel_append_only('loans_enterprisecontactevent'),
    kernel_protect('loans_enterprisecontactevent'),
    kernel_grant('loans_enterprisecontactevent', 'SELECT, INSERT', 'SELECT, INSERT');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0007_rows_done"),
        ("loans", "0013_undo_uses"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="EnterpriseContact",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("sms", "短信"), ("app", "APP 消息"), ("email", "电子邮件")],
                        max_length=10,
                        verbose_name="告知渠道",
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        help_text="手机号码、APP 用户号或电子邮箱",
                        max_length=200,
                        verbose_name="联系地址",
                    ),
                ),
                (
                    "name",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="联系人"),
                ),
                ("in_use", models.BooleanField(default=True, verbose_name="是否启用")),
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
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contacts",
                        to="loans.enterprise",
                        verbose_name="企业",
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
            ],
            options={
                "verbose_name": "企业联系方式",
                "verbose_name_plural": "企业联系方式",
                "ordering": ["enterprise", "institution", "channel"],
            },
        ),
        migrations.CreateModel(
            name="EnterpriseContactEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "channel",
                    models.CharField(
                        choices=[("sms", "短信"), ("app", "APP 消息"), ("email", "电子邮件")],
                        max_length=10,
                        verbose_name="告知渠道",
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        help_text="手机号码、APP 用户号或电子邮箱",
                        max_length=200,
                        verbose_name="联系地址",
                    ),
                ),
                (
                    "name",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="联系人"),
                ),
                ("in_use", models.BooleanField(default=True, verbose_name="是否启用")),
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
                    "enterprise",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="loans.enterprise",
                        verbose_name="企业",
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
                        to="loans.enterprisecontact",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddConstraint(
            model_name="enterprisecontact",
            constraint=models.UniqueConstraint(
                fields=("institution", "enterprise", "channel"),
                name="enterprise_contact_once_per_channel",
            ),
        ),
        migrations.AddConstraint(
            model_name="enterprisecontact",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["sms", "app", "email"])),
                name="enterprise_contact_channel_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="enterprisecontact",
            constraint=models.CheckConstraint(
                condition=models.Q(("address", ""), _negated=True),
                name="enterprise_contact_has_address",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="enterprisecontact",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "loans_enterprisecontactevent" ("address", "batch_id", "channel", "enterprise_id", "id", "in_use", "institution_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."address", OLD."batch_id", OLD."channel", OLD."enterprise_id", OLD."id", OLD."in_use", OLD."institution_id", OLD."name", _pgh_attach_context(), NOW(), \'before_change\', OLD."id"); RETURN NULL;',
                    hash="c5f283a65f49ff788f8ee4e1ecde3b87d8a93a7a",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_685f7",
                    table="loans_enterprisecontact",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="enterprisecontact",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_enterprisecontactevent" ("address", "batch_id", "channel", "enterprise_id", "id", "in_use", "institution_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."address", OLD."batch_id", OLD."channel", OLD."enterprise_id", OLD."id", OLD."in_use", OLD."institution_id", OLD."name", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id"); RETURN NULL;',
                    hash="798b384f26e18961d65939529c3cb91ebfaaaa18",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_d6d70",
                    table="loans_enterprisecontact",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL(PROTECT, migrations.RunSQL.noop),
        migrations.RunSQL(WITH_CONTACTS, WITHOUT),
    ]
