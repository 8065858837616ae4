"""Differences between bank statement and ledger on record, and what two people say of them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0005_analyze_by_hand"),
        ("settlement", "0017_reasons"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReconciliationDifference",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tier", models.CharField(max_length=20, verbose_name="资金层级")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("not_in_ledger", "账上没有"),
                            ("double_line", "流水重复"),
                            ("not_on_statement", "流水没有"),
                            ("opening_balance", "期初余额未入账"),
                            ("running_balance", "余额不连续"),
                        ],
                        max_length=20,
                        verbose_name="差异",
                    ),
                ),
                ("moved_on", models.DateField(verbose_name="日期")),
                ("key", models.CharField(blank=True, max_length=100, verbose_name="流水号或分录")),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="金额")),
                ("found_at", models.DateTimeField(verbose_name="发现时间")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="消除时间")),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="资金机构",
                    ),
                ),
                (
                    "scheme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="settlement.scheme",
                        verbose_name="贴息政策",
                    ),
                ),
            ],
            options={
                "verbose_name": "对账差异",
                "verbose_name_plural": "对账差异",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="DifferenceExplanation",
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
                ("why", models.CharField(max_length=500, verbose_name="说明")),
                (
                    "refused_why",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=500,
                        verbose_name="退回原因",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="资金机构",
                    ),
                ),
                (
                    "difference",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="explanations",
                        to="settlement.reconciliationdifference",
                        verbose_name="对账差异",
                    ),
                ),
            ],
            options={
                "verbose_name": "差异说明",
                "verbose_name_plural": "差异说明",
                "ordering": ["-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="reconciliationdifference",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at", None)),
                fields=("institution", "scheme", "tier", "reason", "moved_on", "key", "amount_fen"),
                name="difference_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="reconciliationdifference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "reason__in",
                        [
                            "not_in_ledger",
                            "double_line",
                            "not_on_statement",
                            "opening_balance",
                            "running_balance",
                        ],
                    )
                ),
                name="difference_reason_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="differenceexplanation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", True),
                    models.Q(("checked_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="explanation_checked_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="differenceexplanation",
            constraint=models.CheckConstraint(
                condition=models.Q(("why", ""), _negated=True), name="explanation_says_why"
            ),
        ),
        migrations.AddConstraint(
            model_name="differenceexplanation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("refused_why", ""), ("checked_by__isnull", False), _connector="OR"
                ),
                name="explanation_refused_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="differenceexplanation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("refused_why", "")),
                fields=("difference",),
                name="explanation_one_live",
            ),
        ),
        migrations.RunSQL(
            """
            SELECT kernel_protect('settlement_reconciliationdifference'),
                kernel_protect('settlement_differenceexplanation');
            SELECT kernel_grant('settlement_reconciliationdifference', may, may)
            FROM (VALUES ('SELECT, INSERT, UPDATE (closed_at)')) AS g(may);
            SELECT kernel_grant('settlement_differenceexplanation', may, may)
            FROM (VALUES ('SELECT, INSERT, UPDATE (checked_by, checked_at, refused_why)')) AS g(may);
            """,
            migrations.RunSQL.noop,
        ),
    ]
