"""The fund that pays for an institution, found, opened and locked in one step."""

from django.db import migrations

PAYING = """
CREATE FUNCTION settlement_paying_fund(
    place bigint, lo bigint, hi bigint, level text, scheme smallint, tier text, purpose text
) RETURNS SETOF settlement_fund LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    payer bigint;
BEGIN
    SELECT coalesce(max(a.id) FILTER (WHERE a.level = $4), min(a.id)) INTO payer
    FROM kernel_institution a WHERE a.id <= place AND a.last_id >= place;
    IF payer BETWEEN lo AND hi THEN
        RETURN QUERY SELECT * FROM settlement_lock_funds(
            ARRAY[settlement_open_fund(payer, scheme, tier, purpose)]);
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
