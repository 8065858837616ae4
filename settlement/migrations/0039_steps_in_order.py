"""What is reserved ends by a person or a result; a recomputation takes its steps in order. Held by the database."""

from django.db import migrations

HELD = """
CREATE FUNCTION settlement_planned_moves() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.state = 'reserved' AND (NEW.ended_by <> '' OR NEW.state IN ('posted', 'released')
            AND EXISTS (SELECT FROM loans_interestcollection x
                WHERE x.note_id = NEW.note_id AND x.completes_id = NEW.collection_id)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '已预留的代付由收息结果或复核人结束，已结束的不再变动 / what is reserved ends by its result or a person, once'
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER moves BEFORE UPDATE ON settlement_planneddeduction
    FOR EACH ROW WHEN (OLD.state NOT IN ('planned', 'held') AND NEW.state <> OLD.state)
    EXECUTE FUNCTION settlement_planned_moves();

CREATE FUNCTION settlement_recomputation_steps() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (OLD.state = 'trying' AND (NEW.state IN ('refused', 'lapsed')
                OR (NEW.state IN ('ready', 'nothing') AND NEW.trial IS NOT NULL)))
            OR (OLD.state = 'ready' AND NEW.state IN ('released', 'refused', 'lapsed'))
            OR (OLD.state = 'released' AND (NEW.state = 'lapsed'
                OR (NEW.state = 'posted' AND NEW.run_id IS NOT NULL))) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '重算不能由“%”变为“%” / a recomputation does not go from % to %',
        OLD.state, NEW.state, OLD.state, NEW.state USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER steps BEFORE UPDATE ON settlement_recomputation
    FOR EACH ROW WHEN (OLD.state IN ('trying', 'ready', 'released') AND NEW.state <> OLD.state)
    EXECUTE FUNCTION settlement_recomputation_steps();
"""
UNHELD = """
DROP TRIGGER steps ON settlement_recomputation;
DROP FUNCTION settlement_recomputation_steps();
DROP TRIGGER moves ON settlement_planneddeduction;
DROP FUNCTION settlement_planned_moves();
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0037_notices")]

    operations = [migrations.RunSQL(HELD, UNHELD)]
