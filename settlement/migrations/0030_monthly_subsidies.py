"""Subsidies by institution, scheme and month, added up by the statements that post or move deductions."""

import django.db.models.deletion
from django.db import migrations, models

# By what a statement's rows change the sums; its tables are named by the triggers below.
SUMS = """
SELECT institution_id, scheme_id, date_trunc('month', collected_on)::date,
    {sign}sum(central_fen), {sign}sum(provincial_fen), {sign}sum(municipal_fen)
FROM {rows} GROUP BY 1, 2, 3
"""
COLUMNS = "institution_id, scheme_id, month, central_fen, provincial_fen, municipal_fen"
POSTED = SUMS.format(sign="", rows="posted")
MOVED = f"{SUMS.format(sign='-', rows='before_move')} UNION ALL {SUMS.format(sign='', rows='after_move')}"
ADD_UP = f"""
CREATE FUNCTION settlement_add_posted() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO settlement_monthlysubsidy ({COLUMNS}) {POSTED};
    RETURN NULL;
END $$;
CREATE FUNCTION settlement_add_moved() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO settlement_monthlysubsidy ({COLUMNS}) {MOVED};
    RETURN NULL;
END $$;
CREATE TRIGGER add_posted AFTER INSERT ON settlement_deduction REFERENCING NEW TABLE AS posted
    FOR EACH STATEMENT EXECUTE FUNCTION settlement_add_posted();
CREATE TRIGGER add_moved AFTER UPDATE ON settlement_deduction
    REFERENCING OLD TABLE AS before_move NEW TABLE AS after_move
    FOR EACH STATEMENT EXECUTE FUNCTION settlement_add_moved();
INSERT INTO settlement_monthlysubsidy ({COLUMNS})
{SUMS.format(sign="", rows="settlement_deduction")};
SELECT kernel_protect('settlement_monthlysubsidy'), kernel_append_only('settlement_monthlysubsidy'),
    kernel_grant('settlement_monthlysubsidy', 'SELECT', 'SELECT, INSERT');
"""
UNDO = """
DROP TRIGGER add_posted ON settlement_deduction;
DROP TRIGGER add_moved ON settlement_deduction;
DROP FUNCTION settlement_add_posted;
DROP FUNCTION settlement_add_moved;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0007_rows_done"),
        ("settlement", "0029_papers"),
    ]

    operations = [
        migrations.CreateModel(
            name="MonthlySubsidy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "month",
                    models.DateField(
                        help_text="当月第一日 / first day of the month", verbose_name="收息月份"
                    ),
                ),
                (
                    "central_fen",
                    models.BigIntegerField(
                        help_text="分，本次差额 / fen, this posting's change",
                        verbose_name="中央贴息",
                    ),
                ),
                (
                    "provincial_fen",
                    models.BigIntegerField(
                        help_text="分，本次差额 / fen, this posting's change",
                        verbose_name="省级贴息",
                    ),
                ),
                (
                    "municipal_fen",
                    models.BigIntegerField(
                        help_text="分，本次差额 / fen, this posting's change",
                        verbose_name="市级贴息",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "scheme",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="settlement.scheme",
                        verbose_name="贴息政策",
                    ),
                ),
            ],
            options={
                "verbose_name": "各月贴息",
                "verbose_name_plural": "各月贴息",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("month__day", 1)),
                        name="monthly_subsidy_month_is_a_first_day",
                    )
                ],
            },
        ),
        migrations.RunSQL(ADD_UP, UNDO),
        migrations.AddIndex(
            model_name="payoutattempt",
            index=models.Index(
                condition=models.Q(("state", "failed")),
                fields=["payout"],
                name="payout_attempt_failed",
            ),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                condition=models.Q(("gone_at__isnull", True), ("state", "open")),
                fields=["institution"],
                name="finding_open",
            ),
        ),
        migrations.AddIndex(
            model_name="clawback",
            index=models.Index(
                condition=models.Q(("state", "proposed")),
                fields=["institution"],
                name="clawback_proposed",
            ),
        ),
        migrations.AddIndex(
            model_name="clawbackmovement",
            index=models.Index(
                condition=models.Q(("checked_by__isnull", True)),
                fields=["institution"],
                name="clawback_movement_unchecked",
            ),
        ),
    ]
