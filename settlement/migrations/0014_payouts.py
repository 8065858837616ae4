"""Pay-outs: append-only, seen with their note."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0004_analyze"),
        ("loans", "0006_payout_agreements"),
        ("settlement", "0013_one_statement"),
    ]

    operations = [
        migrations.CreateModel(
            name="Payout",
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
                    "due_on",
                    models.DateField(
                        db_index=True,
                        help_text="收息日；差额为入账日 / day of collection, of posting for a difference",
                        verbose_name="应拨付日",
                    ),
                ),
                (
                    "central_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="中央贴息"),
                ),
                (
                    "provincial_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="省级贴息"),
                ),
                (
                    "municipal_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="市级贴息"),
                ),
                (
                    "offset_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="已抵扣追回"),
                ),
                (
                    "agreement",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loans.payoutagreement",
                        verbose_name="直接拨付约定",
                    ),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loans.interestcollection",
                        verbose_name="收息",
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
                        related_name="payouts",
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
                "verbose_name": "直接拨付",
                "verbose_name_plural": "直接拨付",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("collection", "scheme", "sequence"),
                        name="payout_once_per_deduction",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("central_fen__gte", 0),
                            ("municipal_fen__gte", 0),
                            ("offset_fen__gte", 0),
                            ("provincial_fen__gte", 0),
                            models.Q(
                                ("central_fen__gt", 0),
                                ("provincial_fen__gt", 0),
                                ("municipal_fen__gt", 0),
                                _connector="OR",
                            ),
                        ),
                        name="payout_pays",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            """
            SELECT kernel_append_only('settlement_payout'), kernel_protect('settlement_payout'),
                kernel_grant('settlement_payout', 'SELECT', 'SELECT, INSERT');
            """,
            migrations.RunSQL.noop,
        ),
    ]
