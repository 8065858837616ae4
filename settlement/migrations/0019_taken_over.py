"""What was subsidised before the system took over is booked in the funds, and settled with its year."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0005_analyze_by_hand"),
        ("settlement", "0018_differences"),
    ]

    operations = [
        migrations.CreateModel(
            name="TakenOver",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("year", models.SmallIntegerField(verbose_name="年度")),
                (
                    "sequence",
                    models.SmallIntegerField(
                        help_text="0 = 原始 / 0 = original", verbose_name="序次"
                    ),
                ),
                ("amount_fen", models.BigIntegerField(help_text="分 / fen", verbose_name="金额")),
                ("posted_on", models.DateField(verbose_name="入账日")),
                ("actor", models.CharField(max_length=150, verbose_name="经办")),
            ],
            options={
                "verbose_name": "期初入账",
                "verbose_name_plural": "期初入账",
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
            model_name="takenover",
            name="fund",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="taken_over",
                to="settlement.fund",
                verbose_name="资金",
            ),
        ),
        migrations.AddField(
            model_name="takenover",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kernel.institution",
                verbose_name="资金机构",
            ),
        ),
        migrations.AddConstraint(
            model_name="takenover",
            constraint=models.UniqueConstraint(
                fields=("fund", "year", "sequence"), name="taken_over_numbered_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="takenover",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_fen", 0), _negated=True), name="taken_over_changes"
            ),
        ),
        migrations.RunSQL(
            """
            SELECT kernel_protect('settlement_takenover'), kernel_append_only('settlement_takenover'),
                kernel_grant('settlement_takenover', 'SELECT, INSERT', 'SELECT, INSERT');
            """,
            migrations.RunSQL.noop,
        ),
    ]
