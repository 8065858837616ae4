"""What people's claims lapse by where a difference takes the same money back (D20)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0005_analyze_by_hand"),
        ("loans", "0006_payout_agreements"),
        ("settlement", "0024_findings"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClawbackLapse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "origin_id",
                    models.BigIntegerField(
                        help_text="任务分块或担保费补贴入账的序号 / chunk or guarantee posting",
                        verbose_name="起因序号",
                    ),
                ),
                (
                    "year",
                    models.SmallIntegerField(
                        help_text="收息年度 / year of collection", verbose_name="所属年度"
                    ),
                ),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="金额")),
                (
                    "settled_fen",
                    models.BigIntegerField(help_text="分 / fen", verbose_name="其中追回已结算年度"),
                ),
                ("posted_on", models.DateField(verbose_name="入账日")),
                ("actor", models.CharField(max_length=150, verbose_name="经办")),
            ],
            options={
                "verbose_name": "追回并入差额",
                "verbose_name_plural": "追回并入差额",
                "ordering": ["-id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="ledgerentry",
            name="ledger_entry_event_known",
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="event",
            field=models.CharField(
                choices=[
                    ("pre_allocation", "预拨到账"),
                    ("advance_repaid", "归还银行垫付"),
                    ("taken_over", "期初已贴息"),
                    ("deduction", "代付贴息"),
                    ("negative_difference", "负差额"),
                    ("clawback_decided", "决定追回"),
                    ("clawback_lapsed", "追回并入差额"),
                    ("clawback_received", "追回到账"),
                    ("clawback_written_off", "追回核销"),
                    ("made_good", "银行补足"),
                    ("use_approved", "结算认可"),
                    ("use_disallowed", "结算核减"),
                    ("surplus_returned", "结余退回"),
                ],
                max_length=30,
                verbose_name="事项",
            ),
        ),
        migrations.AddIndex(
            model_name="clawback",
            index=models.Index(
                condition=models.Q(
                    ("state", "decided"), models.Q(("origin", "difference"), _negated=True)
                ),
                fields=["note"],
                name="clawback_claimed",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "event__in",
                        [
                            "pre_allocation",
                            "advance_repaid",
                            "taken_over",
                            "deduction",
                            "negative_difference",
                            "clawback_decided",
                            "clawback_lapsed",
                            "clawback_received",
                            "clawback_written_off",
                            "made_good",
                            "use_approved",
                            "use_disallowed",
                            "surplus_returned",
                        ],
                    )
                ),
                name="ledger_entry_event_known",
            ),
        ),
        migrations.AddField(
            model_name="clawbacklapse",
            name="fund",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lapses",
                to="settlement.fund",
                verbose_name="资金",
            ),
        ),
        migrations.AddField(
            model_name="clawbacklapse",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kernel.institution",
                verbose_name="所属机构",
            ),
        ),
        migrations.AddField(
            model_name="clawbacklapse",
            name="note",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loans.note",
                verbose_name="借据",
            ),
        ),
        migrations.AddConstraint(
            model_name="clawbacklapse",
            constraint=models.UniqueConstraint(
                fields=("note", "fund", "year", "origin_id"), name="clawback_lapse_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="clawbacklapse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount_fen__gt", 0),
                        ("settled_fen__gte", 0),
                        ("settled_fen__lte", models.F("amount_fen")),
                    ),
                    models.Q(
                        ("amount_fen__lt", 0),
                        ("settled_fen__gte", models.F("amount_fen")),
                        ("settled_fen__lte", 0),
                    ),
                    _connector="OR",
                ),
                name="clawback_lapse_changes",
            ),
        ),
        migrations.RunSQL(
            """
            SELECT kernel_protect('settlement_clawbacklapse'),
                kernel_append_only('settlement_clawbacklapse'),
                kernel_grant('settlement_clawbacklapse', 'SELECT', 'SELECT, INSERT');
            """,
            migrations.RunSQL.noop,
        ),
    ]
