"""Money that came in, once a second person checked it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0004_analyze"),
        ("loans", "0004_longer_texts"),
        ("settlement", "0009_guarantees"),
    ]

    operations = [
        migrations.CreateModel(
            name="MadeGood",
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
                ("moved_on", models.DateField(verbose_name="日期")),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="金额")),
                ("reference", models.CharField(max_length=100, verbose_name="流水号")),
                (
                    "fund",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="made_good",
                        to="settlement.fund",
                        verbose_name="资金",
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
            ],
            options={
                "verbose_name": "银行补足",
                "verbose_name_plural": "银行补足",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("checked_by__isnull", True),
                            models.Q(("checked_by", models.F("made_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="made_good_checked_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_fen__gt", 0)), name="made_good_above_zero"
                    ),
                    models.UniqueConstraint(
                        fields=("fund", "reference"), name="made_good_once_per_reference"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Receipt",
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
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="资金机构",
                    ),
                ),
                (
                    "pre_allocation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipt",
                        to="loans.preallocation",
                        verbose_name="预拨资金",
                    ),
                ),
            ],
            options={
                "verbose_name": "预拨入账",
                "verbose_name_plural": "预拨入账",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("checked_by__isnull", True),
                            models.Q(("checked_by", models.F("made_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="receipt_checked_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("checked_by__isnull", False)), name="receipt_is_checked"
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            """
            SELECT kernel_protect('settlement_receipt'), kernel_protect('settlement_madegood'),
                kernel_append_only('settlement_receipt'),
                kernel_grant('settlement_receipt', 'SELECT, INSERT', 'SELECT, INSERT');
            SELECT kernel_grant('settlement_madegood', may, may)
            FROM (VALUES ('SELECT, INSERT, UPDATE (checked_by, checked_at)')) AS g(may);
            """,
            migrations.RunSQL.noop,
        ),
    ]
