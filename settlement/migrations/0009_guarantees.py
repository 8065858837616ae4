"""Guarantee-fee subsidies posted: append-only, seen with their note."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0004_analyze"),
        ("loans", "0005_compensations"),
        ("settlement", "0008_plans"),
    ]

    operations = [
        migrations.CreateModel(
            name="GuaranteePosting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "sequence",
                    models.SmallIntegerField(
                        help_text="0 = 原始 / 0 = original", verbose_name="序次"
                    ),
                ),
                (
                    "amount_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="入账金额"),
                ),
                (
                    "month",
                    models.DateField(
                        help_text="当月第一日 / first day of the month", verbose_name="收费月份"
                    ),
                ),
                ("posted_on", models.DateField(verbose_name="入账日")),
                ("actor", models.CharField(max_length=150, verbose_name="经办")),
                (
                    "fund",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="guarantee_postings",
                        to="settlement.fund",
                        verbose_name="资金",
                    ),
                ),
                (
                    "guarantee",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="postings",
                        to="loans.guarantee",
                        verbose_name="担保",
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
                        related_name="guarantee_postings",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
                (
                    "scheme",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="settlement.scheme",
                        verbose_name="贴息政策",
                    ),
                ),
            ],
            options={
                "verbose_name": "担保费补贴入账",
                "verbose_name_plural": "担保费补贴入账",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("guarantee", "scheme", "sequence"),
                        name="guarantee_posting_numbered_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount_fen__gt", 0), ("sequence", 0)),
                            models.Q(
                                ("sequence__gt", 0), models.Q(("amount_fen", 0), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="guarantee_posting_original_pays",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("month__day", 1)),
                        name="guarantee_posting_month_is_a_first_day",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            """
            SELECT kernel_append_only('settlement_guaranteeposting'),
                kernel_protect('settlement_guaranteeposting'),
                kernel_grant('settlement_guaranteeposting', 'SELECT', 'SELECT, INSERT');
            """,
            migrations.RunSQL.noop,
        ),
    ]
