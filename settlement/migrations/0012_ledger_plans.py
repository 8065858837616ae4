"""The ledger's functions keep to their indexes, however small the tables were when first planned.

PostgreSQL keeps the plan a connection first made: on an empty ledger a scan of everything, which then
grows with every entry. The seal looks at each entry once, however many lines came with it, and
stands in for a foreign key that would look up the same institution for every line.
"""

import django.db.models.deletion
from django.db import migrations, models

SEALED = """
CREATE OR REPLACE FUNCTION settlement_entry_sealed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT entry_id, institution_id FROM added) a
        LEFT JOIN settlement_ledgerentry e
            ON e.id = a.entry_id AND e.institution_id = a.institution_id
        WHERE e.xid IS DISTINCT FROM pg_current_xact_id()
    ) THEN
        RAISE EXCEPTION '分录已封存 / entries are sealed: lines come with their entry only'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
"""
PLANS = """
ALTER FUNCTION settlement_entry_balances() SET enable_seqscan = off;
ALTER FUNCTION settlement_post_entry(bigint, text, date, date, smallint, text, bigint, text, text[],
    bigint[], bigint[]) SET enable_seqscan = off;
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0011_receipts")]

    operations = [
        migrations.RunSQL(SEALED + PLANS, migrations.RunSQL.noop),
        migrations.AlterField(
            "ledgerline",
            "institution",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kernel.institution",
                verbose_name="资金机构",
            ),
        ),
    ]
