"""A fund opened late starts where its settlement stands; what was booked of a settlement never changes.

One settlement covers all tiers and purposes of an institution and scheme: once it has closed a year,
that year is closed for a tier that gets its first money later as well (D20).
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
        INSERT INTO settlement_fund (institution_id, scheme_id, tier, purpose, closed_through)
        SELECT place, $2, $3, $4, coalesce(max(f.closed_through), 0) FROM settlement_fund f
        WHERE f.institution_id = place AND f.scheme_id = $2
        ON CONFLICT ON CONSTRAINT fund_once DO NOTHING RETURNING id INTO found_id;
    END IF;
    IF found_id IS NULL THEN
        SELECT f.id INTO STRICT found_id FROM settlement_fund f WHERE f.institution_id = place
            AND f.scheme_id = $2 AND f.tier = $3 AND f.purpose = $4;
    END IF;
    RETURN found_id;
END $$;
UPDATE settlement_fund f SET closed_through = s.closed_through
FROM (SELECT institution_id, scheme_id, max(closed_through) AS closed_through FROM settlement_fund
    GROUP BY 1, 2) s
WHERE s.institution_id = f.institution_id AND s.scheme_id = f.scheme_id
    AND s.closed_through > f.closed_through;
"""
BOOKED = """
CREATE FUNCTION settlement_item_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM settlement_settlement s WHERE s.id = OLD.settlement_id
        AND s.state NOT IN ('submitted', 'decided')) THEN
        RAISE EXCEPTION '结算已入账或撤回，不再变动 / the settlement is booked or withdrawn: its figures stay'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stays BEFORE UPDATE ON settlement_settlementitem
    FOR EACH ROW EXECUTE FUNCTION settlement_item_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0019_taken_over")]

    operations = [
        migrations.RunSQL(OPEN, migrations.RunSQL.noop),
        migrations.RunSQL(
            BOOKED,
            "DROP TRIGGER stays ON settlement_settlementitem; DROP FUNCTION settlement_item_stays()",
        ),
    ]
