"""What uses a file is told when taking it back is asked for, not only to whoever agrees."""

from django.db import migrations

USES = """
CREATE FUNCTION loans_undo_uses(asked bigint) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    batch loans_importbatch;
    target regclass;
    ids bigint[];
BEGIN
    SELECT * INTO batch FROM loans_importbatch WHERE id = asked;
    IF batch.id IS NULL OR coalesce(nullif(current_setting('role'), 'none'), session_user) = 'app'
        AND (coalesce(batch.institution_id, 0) BETWEEN nullif(current_setting('app.lo', true), '')::bigint
        AND nullif(current_setting('app.hi', true), '')::bigint) IS NOT TRUE THEN
        RAISE EXCEPTION '没有此导入批次 / no such batch' USING ERRCODE = 'TX404';
    END IF;
    target := loans_undo_table(batch.kind);
    IF target IS NULL THEN
        RETURN '{}';
    END IF;
    EXECUTE format('SELECT coalesce(array_agg(id ORDER BY id), ''{}'') FROM %s WHERE batch_id = $1', target)
        INTO ids USING batch.id;
    IF cardinality(ids) <> batch.inserted THEN
        RETURN ARRAY[format('corrected %s', batch.inserted - cardinality(ids))];
    END IF;
    RETURN loans_uses(batch, ids);
END $$;
COMMENT ON FUNCTION loans_undo_uses IS
    'What uses an accepted file (see loans_uses), or how many of its rows later files have corrected; '
    'empty: it could be taken back now';
REVOKE EXECUTE ON FUNCTION loans_undo_uses(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION loans_undo_uses(bigint) TO app, worker;
"""


class Migration(migrations.Migration):
    dependencies = [("loans", "0012_scoped_codes")]

    operations = [migrations.RunSQL(USES, "DROP FUNCTION loans_undo_uses(bigint);")]
