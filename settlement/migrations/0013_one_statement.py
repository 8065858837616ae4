"""An entry, its lines and its fund's balances are one statement; the seal runs inside the caller's rights.

Lines come from `settlement_post_entry` alone, whose owner, search path and planner settings hold for
the seal as well: setting them once more for every entry costs a tenth of the posting.
"""

from django.db import migrations

POST = """
CREATE OR REPLACE FUNCTION settlement_post_entry(
    fund bigint, event text, posted_on date, month date, year smallint, source text,
    source_id bigint, actor text, accounts text[], debits bigint[], credits bigint[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    m record;
    place bigint;
    entry bigint;
BEGIN
    SELECT string_agg(l.account || ':' || l.debit || ':' || l.credit, ';' ORDER BY l.place) AS written,
        coalesce(sum(l.debit - l.credit) FILTER (WHERE l.account = 'special_account'), 0)
            AS special_account,
        coalesce(sum(l.debit - l.credit) FILTER (WHERE l.account = 'treasury_advance'), 0)
            AS treasury_advance,
        coalesce(sum(l.debit - l.credit) FILTER (WHERE l.account = 'subsidy_applied'), 0)
            AS subsidy_applied,
        coalesce(sum(l.debit - l.credit) FILTER (WHERE l.account = 'bank_advance'), 0)
            AS bank_advance,
        coalesce(sum(l.debit - l.credit) FILTER (WHERE l.account = 'clawback_receivable'), 0)
            AS clawback_receivable,
        coalesce(sum(l.debit - l.credit) FILTER (WHERE l.account = 'disallowed'), 0)
            AS disallowed
    INTO m
    FROM unnest(accounts, debits, credits) WITH ORDINALITY AS l(account, debit, credit, place);
    WITH f AS (
        UPDATE settlement_fund t SET entries = t.entries + 1,
            chain = sha256(convert_to(concat_ws('|', encode(t.chain, 'hex'), fund, t.entries + 1,
                event, posted_on, coalesce(month::text, ''), year, source, source_id, actor,
                m.written), 'UTF8')),
            special_account_fen = t.special_account_fen + m.special_account,
            treasury_advance_fen = t.treasury_advance_fen + m.treasury_advance,
            subsidy_applied_fen = t.subsidy_applied_fen + m.subsidy_applied,
            bank_advance_fen = t.bank_advance_fen + m.bank_advance,
            clawback_receivable_fen = t.clawback_receivable_fen + m.clawback_receivable,
            disallowed_fen = t.disallowed_fen + m.disallowed
        WHERE t.id = fund
        RETURNING t.institution_id, t.entries, t.chain
    ), e AS (
        INSERT INTO settlement_ledgerentry (institution_id, fund_id, number, event, posted_on, month,
            year, source, source_id, actor, chain)
        SELECT f.institution_id, fund, f.entries, event, posted_on, month, year, source, source_id,
            actor, f.chain FROM f
        RETURNING institution_id, id
    ), lines AS (
        INSERT INTO settlement_ledgerline (institution_id, entry_id, account, debit_fen, credit_fen)
        SELECT e.institution_id, e.id, l.account, l.debit, l.credit
        FROM e, unnest(accounts, debits, credits) WITH ORDINALITY AS l(account, debit, credit, place)
        ORDER BY l.place
    )
    SELECT e.institution_id, e.id INTO STRICT place, entry FROM e;
    PERFORM settlement_require_scope(place);
    RETURN entry;
END $$;
"""
SEAL = """
ALTER FUNCTION settlement_entry_sealed() RESET ALL;
ALTER FUNCTION settlement_entry_sealed() SECURITY INVOKER;
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0012_ledger_plans")]

    operations = [migrations.RunSQL(POST + SEAL, migrations.RunSQL.noop)]
