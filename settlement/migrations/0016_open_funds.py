"""Opening a fund locks no fund that is there: two runs that open several at once cannot deadlock.

The upsert of 0005 updated a row that another run had just committed, and so held it while waiting for
the next fund; a run that had opened that one waited for the first.
"""

from django.db import migrations

OPEN = """
CREATE OR REPLACE FUNCTION settlement_open_fund(
    place bigint, scheme smallint, tier text, purpose text
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found_id bigint;
BEGIN
    PERFORM settlement_require_scope(place);
    SELECT f.id INTO found_id FROM settlement_fund f WHERE f.institution_id = place
        AND f.scheme_id = $2 AND f.tier = $3 AND f.purpose = $4;
    IF found_id IS NULL THEN
        INSERT INTO settlement_fund (institution_id, scheme_id, tier, purpose)
        VALUES (place, $2, $3, $4)
        ON CONFLICT ON CONSTRAINT fund_once DO NOTHING RETURNING id INTO found_id;
    END IF;
    IF found_id IS NULL THEN
        SELECT f.id INTO STRICT found_id FROM settlement_fund f WHERE f.institution_id = place
            AND f.scheme_id = $2 AND f.tier = $3 AND f.purpose = $4;
    END IF;
    RETURN found_id;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0015_payout_batches")]

    operations = [migrations.RunSQL(OPEN, migrations.RunSQL.noop)]
