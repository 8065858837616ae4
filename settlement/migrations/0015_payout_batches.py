"""Pay-outs in batches that two people make, as attempts of which only the state moves, with results."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0004_analyze"),
        ("loans", "0006_payout_agreements"),
        ("settlement", "0014_payouts"),
    ]

    operations = [
        migrations.CreateModel(
            name="PayoutBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("made_by", models.CharField(max_length=150, verbose_name="经办")),
                ("made_at", models.DateTimeField(verbose_name="经办时间")),
                (
                    "checked_by",
                    models.CharField(blank=True, max_length=150, null=True, verbose_name="复核"),
                ),
                (
                    "checked_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="复核时间"),
                ),
                (
                    "day",
                    models.DateField(
                        help_text="截至此日应拨付 / due by this day", verbose_name="拨付日"
                    ),
                ),
                ("count", models.IntegerField(verbose_name="笔数")),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="金额")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("prepared", "待复核"),
                            ("sent", "已复核发出"),
                            ("refused", "已退回"),
                        ],
                        default="prepared",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "comment",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=500,
                        verbose_name="复核意见",
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
                "verbose_name": "拨付批次",
                "verbose_name_plural": "拨付批次",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="PayoutAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("attempt", models.SmallIntegerField(verbose_name="第几次")),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="金额")),
                ("account_name", models.CharField(max_length=200, verbose_name="收款户名")),
                ("account_number", models.CharField(max_length=100, verbose_name="收款账号")),
                ("bank_name", models.CharField(max_length=200, verbose_name="开户行")),
                ("enterprise_name", models.CharField(max_length=200, verbose_name="企业名称")),
                ("uscc", models.CharField(max_length=18, verbose_name="统一社会信用代码")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("prepared", "批次待复核"),
                            ("sent", "已发出"),
                            ("refused", "批次已退回"),
                            ("failed", "拨付失败"),
                            ("paid", "已拨付"),
                        ],
                        default="prepared",
                        max_length=10,
                        verbose_name="状态",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="settlement.payout",
                        verbose_name="直接拨付",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="settlement.payoutbatch",
                        verbose_name="拨付批次",
                    ),
                ),
            ],
            options={
                "verbose_name": "拨付记录",
                "verbose_name_plural": "拨付记录",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="PayoutResult",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "result",
                    models.CharField(
                        choices=[("succeeded", "成功"), ("failed", "失败")],
                        max_length=10,
                        verbose_name="结果",
                    ),
                ),
                ("paid_on", models.DateField(verbose_name="拨付日期")),
                ("reference", models.CharField(max_length=100, verbose_name="流水号")),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="金额")),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=500,
                        verbose_name="失败原因",
                    ),
                ),
                ("actor", models.CharField(max_length=150, verbose_name="经办")),
                ("at", models.DateTimeField(verbose_name="经办时间")),
                (
                    "attempt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outcome",
                        to="settlement.payoutattempt",
                        verbose_name="拨付记录",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "verbose_name": "拨付结果",
                "verbose_name_plural": "拨付结果",
                "ordering": ["-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="payoutbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", True),
                    models.Q(("checked_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="payout_batch_checked_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["prepared", "sent", "refused"])),
                name="payout_batch_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("checked_by__isnull", True), ("state", "prepared")),
                    models.Q(
                        models.Q(("state", "prepared"), _negated=True),
                        ("checked_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="payout_batch_ends_by_two",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "refused"), _negated=True),
                    models.Q(("comment", ""), _negated=True),
                    _connector="OR",
                ),
                name="payout_batch_refused_with_comment",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_fen__gt", 0), ("count__gt", 0)),
                name="payout_batch_pays",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutattempt",
            constraint=models.UniqueConstraint(
                fields=("payout", "attempt"), name="payout_attempt_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutattempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["prepared", "sent", "paid"])),
                fields=("payout",),
                name="payout_attempt_one_live",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["prepared", "sent", "refused", "failed", "paid"])
                ),
                name="payout_attempt_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_fen__gt", 0), ("attempt__gt", 0)),
                name="payout_attempt_pays",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutresult",
            constraint=models.CheckConstraint(
                condition=models.Q(("result__in", ["succeeded", "failed"])),
                name="payout_result_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutresult",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("result", "succeeded"),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="payout_result_failed_for_a_reason",
            ),
        ),
        migrations.RunSQL(
            """
            SELECT kernel_append_only('settlement_payoutresult');
            SELECT kernel_protect('settlement_payoutbatch'), kernel_protect('settlement_payoutattempt'),
                kernel_protect('settlement_payoutresult');
            SELECT kernel_grant('settlement_payoutbatch', may, may)
            FROM (VALUES ('SELECT, INSERT, UPDATE (state, checked_by, checked_at, comment)')) AS g(may);
            SELECT kernel_grant('settlement_payoutattempt', may, may)
            FROM (VALUES ('SELECT, INSERT, UPDATE (state)')) AS g(may);
            SELECT kernel_grant('settlement_payoutresult', 'SELECT, INSERT', 'SELECT, INSERT');
            """,
            migrations.RunSQL.noop,
        ),
    ]
