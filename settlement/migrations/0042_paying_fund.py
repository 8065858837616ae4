"""The fund that pays for an institution, found, opened and locked in one step."""

from django.db import migrations

PAYING = """
CREATE FUNCTION settlement_paying_fund(
    place bigint, lo bigint, hi bigint, level text, scheme smallint, tier text, purpose text
) RETURNS SETOF settlement_fund LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    payer bigint := place;
    above record;
BEGIN
    LOOP
        SELECT i.level, i.parent_id INTO STRICT above FROM kernel_institution i WHERE i.id = payer;
        EXIT WHEN above.level = $4 OR above.parent_id IS NULL;
        payer := above.parent_id;
    END LOOP;
    IF payer NOT BETWEEN lo AND hi THEN
        RETURN;
    END IF;
    PERFORM settlement_require_scope(payer);
    RETURN QUERY SELECT * FROM settlement_fund f WHERE f.institution_id = payer
        AND f.scheme_id = $5 AND f.tier = $6 AND f.purpose = $7 FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM settlement_lock_funds(
            ARRAY[settlement_open_fund(payer, $5, $6, $7)]);
    END IF;
END $$;
COMMENT ON FUNCTION settlement_paying_fund IS
    'The fund of the nearest ancestor-or-self of that level, else of the root, locked until commit; '
    'nothing if it is that of an institution outside lo to hi';
REVOKE EXECUTE ON FUNCTION settlement_paying_fund(bigint, bigint, bigint, text, smallint, text, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION settlement_paying_fund(bigint, bigint, bigint, text, smallint, text, text)
    TO app, worker;
"""
GONE = """
DROP FUNCTION settlement_paying_fund(bigint, bigint, bigint, text, smallint, text, text);
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0041_province")]

    operations = [migrations.RunSQL(PAYING, GONE)]
