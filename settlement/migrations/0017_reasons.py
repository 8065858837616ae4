"""Why something was dismissed, refused or withdrawn; and whether to offset, decided by two."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0004_analyze"),
        ("loans", "0005_compensations"),
        ("settlement", "0016_open_funds"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="clawbackmovement",
            name="clawback_movement_known",
        ),
        migrations.RemoveConstraint(
            model_name="clawbackmovement",
            name="clawback_received_once_per_reference",
        ),
        migrations.RemoveConstraint(
            model_name="madegood",
            name="made_good_once_per_reference",
        ),
        migrations.AddField(
            model_name="clawback",
            name="dismissed_why",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=500, verbose_name="不予追回原因"
            ),
        ),
        migrations.AddField(
            model_name="clawbackmovement",
            name="refused_why",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=500, verbose_name="退回原因"
            ),
        ),
        migrations.AddField(
            model_name="madegood",
            name="refused_why",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=500, verbose_name="退回原因"
            ),
        ),
        migrations.AddField(
            model_name="settlement",
            name="withdrawn_why",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=500, verbose_name="撤回原因"
            ),
        ),
        migrations.AlterField(
            model_name="clawbackmovement",
            name="kind",
            field=models.CharField(
                choices=[
                    ("received", "到账"),
                    ("offset", "抵扣"),
                    ("written_off", "核销"),
                    ("offset_on", "改为抵扣"),
                    ("offset_off", "改为不抵扣"),
                ],
                max_length=20,
                verbose_name="类别",
            ),
        ),
        migrations.RunSQL(
            """
            UPDATE settlement_clawback SET dismissed_why = '当时未记录 / not recorded then'
            WHERE state = 'dismissed';
            UPDATE settlement_settlement SET withdrawn_why = '当时未记录 / not recorded then'
            WHERE state = 'withdrawn';
            REVOKE UPDATE (why) ON settlement_clawback FROM app, worker;
            GRANT UPDATE (dismissed_why) ON settlement_clawback TO app, worker;
            GRANT UPDATE (refused_why) ON settlement_clawbackmovement, settlement_madegood
            TO app, worker;
            GRANT UPDATE (withdrawn_why) ON settlement_settlement TO app, worker;
            """,
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="clawback",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "dismissed"), ("dismissed_why", ""), _connector="XOR"),
                name="clawback_dismissed_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="clawbackmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount_fen__gt", 0), ("kind__in", ["received", "offset", "written_off"])
                    ),
                    models.Q(("amount_fen", 0), ("kind__in", ["offset_on", "offset_off"])),
                    _connector="OR",
                ),
                name="clawback_movement_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="clawbackmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("refused_why", ""), ("checked_by__isnull", False), _connector="OR"
                ),
                name="clawback_movement_refused_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="clawbackmovement",
            constraint=models.UniqueConstraint(
                condition=models.Q(models.Q(("reference", ""), _negated=True), ("refused_why", "")),
                fields=("clawback", "reference"),
                name="clawback_received_once_per_reference",
            ),
        ),
        migrations.AddConstraint(
            model_name="madegood",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("refused_why", ""), ("checked_by__isnull", False), _connector="OR"
                ),
                name="made_good_refused_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="madegood",
            constraint=models.UniqueConstraint(
                condition=models.Q(("refused_why", "")),
                fields=("fund", "reference"),
                name="made_good_once_per_reference",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "withdrawn"), ("withdrawn_why", ""), _connector="XOR"),
                name="settlement_withdrawn_for_a_reason",
            ),
        ),
    ]
