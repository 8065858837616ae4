"""Indexes for what the admin lists, filters and searches by, whoever asks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("settlement", "0031_history_of_schemes"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="deduction",
            index=models.Index(fields=["institution"], name="deduction_institution"),
        ),
        migrations.AddIndex(
            model_name="deduction",
            index=models.Index(fields=["scheme", "id"], name="deduction_scheme"),
        ),
        migrations.AddIndex(
            model_name="deduction",
            index=models.Index(
                condition=models.Q(("cut_reasons__gt", 0)), fields=["id"], name="deduction_cut"
            ),
        ),
        migrations.AddIndex(
            model_name="deduction",
            index=models.Index(
                condition=models.Q(("sequence__gt", 0)), fields=["id"], name="deduction_difference"
            ),
        ),
        migrations.AddIndex(
            model_name="guaranteeposting",
            index=models.Index(fields=["month"], name="guarantee_posting_month"),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(fields=["institution"], name="ledger_entry_institution"),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(fields=["posted_on"], name="ledger_entry_posted_on"),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(fields=["source"], name="ledger_entry_source"),
        ),
        migrations.AddIndex(
            model_name="ledgerline",
            index=models.Index(fields=["institution"], name="ledger_line_institution"),
        ),
        migrations.AddIndex(
            model_name="payoutresult",
            index=models.Index(fields=["paid_on"], name="payout_result_paid_on"),
        ),
        migrations.AddIndex(
            model_name="planexception",
            index=models.Index(fields=["reason", "id"], name="plan_exception_reason"),
        ),
        migrations.AddIndex(
            model_name="planneddeduction",
            index=models.Index(fields=["state", "id"], name="planned_deduction_state"),
        ),
    ]
