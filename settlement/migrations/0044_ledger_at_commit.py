"""What an entry is held to is read once a session, not once a statement.

PostgreSQL reads a CHECK of a table from text for each statement that writes to it; a trigger's function
is kept. So the two CHECKs of entries and lines are asked where the entry is added up, at COMMIT, and the
seal looks its entry up by key instead of collecting the entries first. Nothing is held to less than before.
"""

from django.db import migrations

AT_COMMIT = """
CREATE OR REPLACE FUNCTION settlement_entry_balances() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    sides record;
BEGIN
    SELECT count(*) AS lines, coalesce(sum(debit_fen), 0) AS debit,
        coalesce(sum(credit_fen), 0) AS credit,
        count(*) FILTER (WHERE least(debit_fen, credit_fen) <> 0
            OR greatest(debit_fen, credit_fen) <= 0) AS odd
    INTO sides FROM settlement_ledgerline WHERE entry_id = NEW.id;
    IF sides.lines < 2 OR sides.debit <> sides.credit THEN
        RAISE EXCEPTION '分录不平 / entry % does not balance: % lines, debit % credit %',
            NEW.id, sides.lines, sides.debit, sides.credit USING ERRCODE = 'check_violation';
    END IF;
    IF sides.odd > 0 THEN
        RAISE EXCEPTION '分录行须只记一方，且为正数 / entry %: % lines are not positive on one side alone',
            NEW.id, sides.odd USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_line_one_side';
    END IF;
    IF extract(day FROM NEW.month) <> 1 THEN
        RAISE EXCEPTION '月份须为当月首日 / entry %: the month % is not a first day', NEW.id, NEW.month
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_month_is_a_first_day';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION settlement_entry_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added a
        WHERE (SELECT e.xid FROM settlement_ledgerentry e
            WHERE e.id = a.entry_id AND e.institution_id = a.institution_id)
            IS DISTINCT FROM pg_current_xact_id()
    ) THEN
        RAISE EXCEPTION '分录已封存 / entries are sealed: lines come with their entry only'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION settlement_entry_balances() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    sides record;
BEGIN
    SELECT count(*) AS lines, coalesce(sum(debit_fen), 0) AS debit,
        coalesce(sum(credit_fen), 0) AS credit
    INTO sides FROM settlement_ledgerline WHERE entry_id = NEW.id;
    IF sides.lines < 2 OR sides.debit <> sides.credit THEN
        RAISE EXCEPTION '分录不平 / entry % does not balance: % lines, debit % credit %',
            NEW.id, sides.lines, sides.debit, sides.credit USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION settlement_entry_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
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


class Migration(migrations.Migration):
    dependencies = [("settlement", "0043_province_secrets")]

    operations = [
        migrations.RunSQL(AT_COMMIT, BEFORE),
        migrations.RemoveConstraint("ledgerentry", "ledger_entry_month_is_a_first_day"),
        migrations.RemoveConstraint("ledgerline", "ledger_line_one_side"),
    ]
