"""Functions that later migrations use to protect tables; only the owner may call them."""

from django.db import migrations

GRANT = """
CREATE FUNCTION kernel_grant(target regclass, to_app text, to_worker text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT %s ON %s TO app', to_app, target);
    EXECUTE format('GRANT %s ON %s TO worker', to_worker, target);
END $$;
COMMENT ON FUNCTION kernel_grant IS 'What web (app) and runs (worker) may do with a table';
"""

PROTECT = """
CREATE FUNCTION kernel_protect(target regclass) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    part record;
    seen text;
BEGIN
    SELECT format(
        '%s BETWEEN nullif(current_setting(''app.lo'', true), '''')::bigint'
        ' AND nullif(current_setting(''app.hi'', true), '''')::bigint',
        CASE WHEN attnotnull THEN 'institution_id' ELSE 'COALESCE(institution_id, 0)' END)
    INTO STRICT seen
    FROM pg_attribute WHERE attrelid = target AND attname = 'institution_id';
    FOR part IN
        SELECT c.oid::regclass AS name, c.relname FROM pg_class c WHERE c.oid = target
        UNION
        SELECT c.oid::regclass, c.relname
        FROM pg_partition_tree(target) t JOIN pg_class c ON c.oid = t.relid
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', part.name);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', part.name);
        EXECUTE format('DROP POLICY IF EXISTS %I ON %s', part.relname || '_owner', part.name);
        EXECUTE format('DROP POLICY IF EXISTS %I ON %s', part.relname || '_worker', part.name);
        EXECUTE format('DROP POLICY IF EXISTS %I ON %s', part.relname || '_app', part.name);
        EXECUTE format('CREATE POLICY %I ON %s FOR ALL TO %I USING (true) WITH CHECK (true)',
            part.relname || '_owner', part.name, current_user);
        EXECUTE format('CREATE POLICY %I ON %s FOR ALL TO worker USING (true) WITH CHECK (true)',
            part.relname || '_worker', part.name);
        EXECUTE format('CREATE POLICY %I ON %s FOR ALL TO app USING (%s) WITH CHECK (%s)',
            part.relname || '_app', part.name, seen, seen);
    END LOOP;
END $$;
COMMENT ON FUNCTION kernel_protect IS
    'Row-level security by institution on a table and its partitions; call again for new ones';
"""

APPEND_ONLY = """
CREATE FUNCTION kernel_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('kernel.scope_move', true) = 'on'
        AND to_jsonb(NEW) - 'institution_id' = to_jsonb(OLD) - 'institution_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% 只增不改，请用冲正更正 / % is append-only: % refused, enter a reversal instead',
        TG_TABLE_NAME, TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
COMMENT ON FUNCTION kernel_refuse_change IS
    'Guards against mistakes of the owner; app and worker have no such privilege at all. The one way '
    'through is moving a note''s scope (loans_move_note)';

CREATE FUNCTION kernel_append_only(target regclass) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    part regclass;
BEGIN
    EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON %s'
        ' FOR EACH ROW EXECUTE FUNCTION kernel_refuse_change()', target);
    FOR part IN SELECT target UNION SELECT relid FROM pg_partition_tree(target) LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER append_only_truncate BEFORE TRUNCATE ON %s'
            ' FOR EACH STATEMENT EXECUTE FUNCTION kernel_refuse_change()', part);
    END LOOP;
END $$;
COMMENT ON FUNCTION kernel_append_only IS
    'Refuse UPDATE, DELETE and TRUNCATE, whoever asks; call again for new partitions';
"""

PARTITIONS = """
CREATE FUNCTION kernel_monthly_partitions(
    target regclass, date_column name, unique_key text, first_month date, months integer
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    base text := (SELECT relname FROM pg_class WHERE oid = target);
    part text;
    month_start date;
    lo bigint;
BEGIN
    FOR n IN 0 .. months - 1 LOOP
        month_start := first_month + make_interval(months => n);
        part := base || to_char(month_start, '_YYYYMM');
        lo := to_char(month_start, 'YYYYMM')::bigint * 1000000000000;
        EXECUTE format('CREATE TABLE %I PARTITION OF %s (CONSTRAINT %I CHECK (%I >= %L AND %I < %L))'
            ' FOR VALUES FROM (%L) TO (%L)', part, target, part || '_month', date_column,
            month_start, date_column, month_start + interval '1 month', lo, lo + 1000000000000);
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I %s', part || '_key', part, unique_key);
    END LOOP;
    IF to_regclass(quote_ident(base || '_default')) IS NULL THEN
        part := base || '_default';
        EXECUTE format('CREATE TABLE %I PARTITION OF %s (CONSTRAINT %I CHECK (id / 1000000000000 ='
            ' extract(year FROM %I) * 100 + extract(month FROM %I))) DEFAULT',
            part, target, part || '_month', date_column, date_column);
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I %s', part || '_key', part, unique_key);
    END IF;
END $$;
COMMENT ON FUNCTION kernel_monthly_partitions IS
    'Partitions of a table whose id is yyyymm * 10^12 + n, each checking that its dates are of its '
    'month, with a unique index each; months outside them go to the default partition';
"""

OWNER_ONLY = """
REVOKE EXECUTE ON FUNCTION kernel_grant(regclass, text, text), kernel_protect(regclass),
    kernel_append_only(regclass), kernel_monthly_partitions(regclass, name, text, date, integer)
FROM PUBLIC;
"""

UNDO = """
DROP FUNCTION kernel_refuse_change CASCADE;
DROP FUNCTION kernel_monthly_partitions, kernel_append_only, kernel_protect, kernel_grant;
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]

    operations = [migrations.RunSQL(GRANT + PROTECT + APPEND_ONLY + PARTITIONS + OWNER_ONLY, UNDO)]
