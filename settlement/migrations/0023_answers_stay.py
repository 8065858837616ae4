"""What a second person has answered stays answered: who, when, why and what are changed by nobody.

Roles may write the columns of an answer, because an answer is written after what it answers; until
now they could write it again, or take it back, although its entry was in the ledger.
"""

from django.db import migrations

STAYS = """
CREATE FUNCTION settlement_answer_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    may_move text[] := array_append(coalesce(TG_ARGV, '{}'), 'institution_id');
BEGIN
    IF to_jsonb(NEW) - may_move IS DISTINCT FROM to_jsonb(OLD) - may_move THEN
        RAISE EXCEPTION '% 已复核，不再变动 / % is answered and stays: enter another one instead',
            TG_TABLE_NAME, TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION settlement_answer_stays IS
    'Refuse changes of answered rows, but for the columns named and the move of a note''s scope';

CREATE TRIGGER answered BEFORE UPDATE ON settlement_clawback
    FOR EACH ROW WHEN (OLD.state <> 'proposed')
    EXECUTE FUNCTION settlement_answer_stays(
        'received_fen', 'offset_fen', 'written_off_fen', 'is_offset');
CREATE TRIGGER answered BEFORE UPDATE ON settlement_clawbackmovement
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL OR OLD.kind = 'offset')
    EXECUTE FUNCTION settlement_answer_stays();
CREATE TRIGGER answered BEFORE UPDATE ON settlement_madegood
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL) EXECUTE FUNCTION settlement_answer_stays();
CREATE TRIGGER answered BEFORE UPDATE ON settlement_differenceexplanation
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL) EXECUTE FUNCTION settlement_answer_stays();
CREATE TRIGGER answered BEFORE UPDATE ON settlement_schemeversion
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL) EXECUTE FUNCTION settlement_answer_stays();
CREATE TRIGGER answered BEFORE UPDATE ON settlement_payoutbatch
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL) EXECUTE FUNCTION settlement_answer_stays();
CREATE TRIGGER answered BEFORE UPDATE ON settlement_plan
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL)
    EXECUTE FUNCTION settlement_answer_stays('state', 'why');
CREATE TRIGGER answered BEFORE UPDATE ON settlement_settlement
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL)
    EXECUTE FUNCTION settlement_answer_stays('state', 'document_number', 'decided_on', 'decided_by',
        'decided_at', 'booked_by', 'booked_at', 'withdrawn_by', 'withdrawn_at', 'withdrawn_why');
"""
TABLES = (
    "clawback", "clawbackmovement", "madegood", "differenceexplanation", "schemeversion",
    "payoutbatch", "plan", "settlement",
)  # fmt: skip
UNDO = "".join(f"DROP TRIGGER answered ON settlement_{table};" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [("settlement", "0022_planned_offsets")]

    operations = [
        migrations.RunSQL(STAYS, f"{UNDO} DROP FUNCTION settlement_answer_stays()"),
    ]
