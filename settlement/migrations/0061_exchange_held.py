"""What banks of a circle learn of each other inside one database: one function, asked in the open.

A question is a row that is committed before it can be answered: whoever asks and takes it back learns
nothing, and whoever was answered is on record. How many, and how often, the database itself holds.
"""

from django.db import migrations

HELD = """
SELECT kernel_grant('settlement_exchangeentry', 'SELECT', 'SELECT, INSERT, DELETE'),
    kernel_grant('settlement_exchangefile', 'SELECT', 'SELECT, INSERT'),
    kernel_grant('settlement_probe', 'SELECT, INSERT', 'SELECT, INSERT'),
    kernel_grant('settlement_probeanswer', 'SELECT', 'SELECT, INSERT');
GRANT SELECT, INSERT, DELETE ON settlement_exchangerow TO worker;
SELECT kernel_protect(t::regclass) FROM unnest(ARRAY['settlement_exchangeentry',
    'settlement_exchangefile', 'settlement_probe', 'settlement_probeanswer']) t;
SELECT kernel_append_only(t::regclass)
FROM unnest(ARRAY['settlement_exchangefile', 'settlement_probe', 'settlement_probeanswer']) t;
ALTER TABLE settlement_probe
    ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    ADD CONSTRAINT probe_flat CHECK (cardinality(hashes) = asked
        AND cardinality(first_days) = asked AND cardinality(last_days) = asked);
"""

ASKING = """
CREATE FUNCTION settlement_probe_asked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    bank record;
    caller text := current_setting('role');
BEGIN
    IF caller = 'none' THEN
        caller := session_user;
    END IF;
    SELECT b.id, b.last_id INTO STRICT bank FROM kernel_institution b
    WHERE b.parent_id IS NULL AND NEW.institution_id BETWEEN b.id AND b.last_id;
    PERFORM settlement_require_scope(NEW.institution_id);
    PERFORM pg_advisory_xact_lock(28786, hashtext(bank.id::text));
    NEW.at := clock_timestamp();
    NEW.xid := pg_current_xact_id();
    IF caller = 'app' AND (SELECT count(*) FROM settlement_probe p WHERE p.institution_id BETWEEN bank.id AND bank.last_id
            AND p.at > NEW.at - interval '1 minute') >= 30 THEN
        RAISE EXCEPTION '查询过于频繁 / this bank asks too often: 30 probes a minute'
            USING ERRCODE = 'PT429';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER asked BEFORE INSERT ON settlement_probe
    FOR EACH ROW EXECUTE FUNCTION settlement_probe_asked();
REVOKE EXECUTE ON FUNCTION settlement_probe_asked() FROM PUBLIC;
"""

ANSWERING = """
CREATE FUNCTION settlement_probe_answer(probe bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    p record;
    own record;
    found_before jsonb;
    told jsonb;
BEGIN
    SELECT q.* INTO p FROM settlement_probe q WHERE q.id = probe AND q.institution_id BETWEEN
        nullif(current_setting('app.lo', true), '')::bigint
        AND nullif(current_setting('app.hi', true), '')::bigint FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION '没有这次查询 / no such probe in this scope' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF p.xid = pg_current_xact_id() THEN
        RAISE EXCEPTION '查询须先提交、留痕 / a probe is answered once it is committed'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT a.conflicts INTO found_before FROM settlement_probeanswer a WHERE a.probe_id = p.id;
    IF FOUND THEN
        RETURN found_before;
    END IF;
    SELECT b.id, b.last_id INTO STRICT own FROM kernel_institution b
    WHERE b.parent_id IS NULL AND p.institution_id BETWEEN b.id AND b.last_id;
    SELECT coalesce(jsonb_agg(jsonb_build_object('question', c.question, 'scheme', c.duty, 'ask', c.code)
        ORDER BY c.question, c.duty, c.code), '[]') INTO told
    FROM (
        SELECT DISTINCT q.question, e.duty, b.code
        FROM unnest(p.hashes, p.first_days, p.last_days) WITH ORDINALITY
            AS q(hash, first_day, last_day, question)
        JOIN settlement_exchangeentry e ON e.hash = q.hash AND e.key_id = p.key_id
            AND e.first_day <= q.last_day AND e.last_day >= q.first_day
        JOIN kernel_institution b ON b.parent_id IS NULL AND e.institution_id BETWEEN b.id AND b.last_id
        WHERE b.id <> own.id
    ) c;
    INSERT INTO settlement_probeanswer (institution_id, probe_id, hits, conflicts, at)
    VALUES (p.institution_id, p.id, (SELECT count(DISTINCT x -> 'question')
        FROM jsonb_array_elements(told) x), told, clock_timestamp());
    RETURN told;
END $$;
COMMENT ON FUNCTION settlement_probe_answer IS
    'The only way to learn of another bank''s subsidised notes: by a probe on record, which of its '
    'questions conflict, with which scheme, and which bank to ask; the same answer every time';
REVOKE EXECUTE ON FUNCTION settlement_probe_answer(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION settlement_probe_answer(bigint) TO app;
"""
GONE = """
DROP FUNCTION settlement_probe_answer(bigint);
DROP FUNCTION settlement_probe_asked() CASCADE;
ALTER TABLE settlement_probe DROP COLUMN xid, DROP CONSTRAINT probe_flat;
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0060_exchange")]

    operations = [migrations.RunSQL(HELD + ASKING + ANSWERING, GONE)]
