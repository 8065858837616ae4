"""A person's name is for good: it stands wherever somebody made or checked something."""

from django.db import migrations

STAYS = """
CREATE FUNCTION kernel_name_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '用户名不可更改：它记录谁经办、谁复核 / a name is never changed: it says who made and who checked'
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER name_stays BEFORE UPDATE ON kernel_user
    FOR EACH ROW WHEN (OLD.username IS DISTINCT FROM NEW.username)
    EXECUTE FUNCTION kernel_name_stays();

CREATE FUNCTION kernel_answer_stays() RETURNS trigger
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
COMMENT ON FUNCTION kernel_answer_stays IS
    'Refuse changes of answered rows, but for the columns named and the move of a note''s scope';
"""
MOVES = """
DROP TRIGGER name_stays ON kernel_user;
DROP FUNCTION kernel_name_stays();
DROP FUNCTION kernel_answer_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0008_sign_in")]

    operations = [migrations.RunSQL(STAYS, MOVES)]
