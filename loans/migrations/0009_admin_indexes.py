"""Indexes for what the admin lists, filters and searches by, whoever asks."""

from django.db import migrations, models

# As before, of moved notes only: a note that has not moved is where its contract is. An array is read
# once, and an index can serve "of my range, or one of these"; EXISTS read every note for any contract.
CONTRACT_OF_NOTE = """
DROP POLICY loans_contract_of_note ON loans_contract;
CREATE POLICY loans_contract_of_note ON loans_contract FOR SELECT TO app USING (
    id = ANY (ARRAY(SELECT n.contract_id FROM loans_note n WHERE n.institution_id <> n.origin_id)));
"""
BEFORE = """
DROP POLICY loans_contract_of_note ON loans_contract;
CREATE POLICY loans_contract_of_note ON loans_contract FOR SELECT TO app
USING (EXISTS (SELECT FROM loans_note n WHERE n.contract_id = loans_contract.id));
"""


class Migration(migrations.Migration):
    dependencies = [
        ("loans", "0008_papers"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="bankstatement",
            index=models.Index(fields=["moved_on"], name="bank_statement_moved_on"),
        ),
        migrations.AddIndex(
            model_name="bankstatement",
            index=models.Index(fields=["reference"], name="bank_statement_reference"),
        ),
        migrations.AddIndex(
            model_name="contract",
            index=models.Index(fields=["contract_number"], name="contract_number"),
        ),
        migrations.AddIndex(
            model_name="enterpriserecord",
            index=models.Index(fields=["name"], name="enterprise_record_name"),
        ),
        migrations.AddIndex(
            model_name="equipmentinvoice",
            index=models.Index(fields=["issued_on"], name="invoice_issued_on"),
        ),
        migrations.AddIndex(
            model_name="equipmentinvoice",
            index=models.Index(fields=["invoice_number"], name="invoice_number"),
        ),
        migrations.AddIndex(
            model_name="equipmentinvoice",
            index=models.Index(fields=["serial_number"], name="invoice_serial_number"),
        ),
        migrations.AddIndex(
            model_name="guarantee",
            index=models.Index(fields=["starts_on"], name="guarantee_starts_on"),
        ),
        migrations.AddIndex(
            model_name="guarantee",
            index=models.Index(fields=["guarantee_number"], name="guarantee_number"),
        ),
        migrations.AddIndex(
            model_name="interestcollection",
            index=models.Index(fields=["institution"], name="collection_institution"),
        ),
        migrations.AddIndex(
            model_name="interestcollection",
            index=models.Index(fields=["reference"], name="collection_reference"),
        ),
        migrations.AddIndex(
            model_name="interestcollection",
            index=models.Index(
                condition=models.Q(("interest_paid_fen__isnull", True)),
                fields=["id"],
                name="collection_planned",
            ),
        ),
        migrations.AddIndex(
            model_name="note",
            index=models.Index(fields=["note_number"], name="note_number"),
        ),
        migrations.AddIndex(
            model_name="note",
            index=models.Index(fields=["drawn_on"], name="note_drawn_on"),
        ),
        migrations.AddIndex(
            model_name="notestatus",
            index=models.Index(fields=["starts_on"], name="note_status_starts_on"),
        ),
        migrations.AddIndex(
            model_name="payoutagreement",
            index=models.Index(fields=["valid_from"], name="payout_agreement_valid_from"),
        ),
        migrations.AddIndex(
            model_name="payoutagreement",
            index=models.Index(fields=["account_number"], name="payout_agreement_account"),
        ),
        migrations.AddIndex(
            model_name="project",
            index=models.Index(fields=["name"], name="project_name"),
        ),
        migrations.AddIndex(
            model_name="repayment",
            index=models.Index(fields=["repaid_on"], name="repayment_repaid_on"),
        ),
        migrations.AddIndex(
            model_name="repayment",
            index=models.Index(fields=["reference"], name="repayment_reference"),
        ),
        migrations.AddIndex(
            model_name="reviewresult",
            index=models.Index(fields=["month"], name="review_result_month"),
        ),
        migrations.AddIndex(
            model_name="reviewresult",
            index=models.Index(fields=["document_number"], name="review_result_document"),
        ),
        migrations.AddIndex(
            model_name="note",
            index=models.Index(
                condition=models.Q(("institution", models.F("origin")), _negated=True),
                fields=["institution", "contract"],
                name="note_moved",
            ),
        ),
        migrations.RunSQL(CONTRACT_OF_NOTE, BEFORE),
    ]
