"""Posting moves the fund, its number and its chain in one statement, without reading it first."""

from django.db import migrations

POST = """
CREATE OR REPLACE FUNCTION settlement_post_entry(
    fund bigint, event text, posted_on date, month date, year smallint, source text,
    source_id bigint, actor text, accounts text[], debits bigint[], credits bigint[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    m record;
    f record;
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
    UPDATE settlement_fund t SET entries = t.entries + 1,
        chain = sha256(convert_to(concat_ws('|', encode(t.chain, 'hex'), fund, t.entries + 1, event,
            posted_on, coalesce(month::text, ''), year, source, source_id, actor, m.written), 'UTF8')),
        special_account_fen = t.special_account_fen + m.special_account,
        treasury_advance_fen = t.treasury_advance_fen + m.treasury_advance,
        subsidy_applied_fen = t.subsidy_applied_fen + m.subsidy_applied,
        bank_advance_fen = t.bank_advance_fen + m.bank_advance,
        clawback_receivable_fen = t.clawback_receivable_fen + m.clawback_receivable,
        disallowed_fen = t.disallowed_fen + m.disallowed
    WHERE t.id = fund
    RETURNING t.institution_id, t.entries, t.chain INTO STRICT f;
    PERFORM settlement_require_scope(f.institution_id);
    INSERT INTO settlement_ledgerentry
        (institution_id, fund_id, number, event, posted_on, month, year, source, source_id, actor, chain)
    VALUES (f.institution_id, fund, f.entries, event, posted_on, month, year, source, source_id,
        actor, f.chain)
    RETURNING id INTO entry;
    INSERT INTO settlement_ledgerline (institution_id, entry_id, account, debit_fen, credit_fen)
    SELECT f.institution_id, entry, l.account, l.debit, l.credit
    FROM unnest(accounts, debits, credits) WITH ORDINALITY AS l(account, debit, credit, place)
    ORDER BY l.place;
    RETURN entry;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0009_guarantees")]

    operations = [migrations.RunSQL(POST, migrations.RunSQL.noop)]
