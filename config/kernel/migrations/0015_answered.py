"""The wait for a request under way, and what it was answered, in one step.

Each statement of the function sees what was committed before it began: the answer is looked for after
the wait, so one that was written meanwhile is found.
"""

from django.db import migrations

ANSWERED = """
CREATE FUNCTION kernel_answered(
    locks integer, client bigint, name text, OUT row_id bigint, OUT fingerprint text, OUT method text,
    OUT path text, OUT status smallint, OUT body text, OUT location text, OUT at timestamptz
) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(locks, hashtext(client || ':' || name));
    SELECT k.id, k.fingerprint, k.method, k.path, k.status, k.body, k.location, k.at
    INTO row_id, fingerprint, method, path, status, body, location, at
    FROM public.kernel_idempotencykey k WHERE k.client_id = client AND k.key = name;
END $$;
COMMENT ON FUNCTION kernel_answered IS
    'What a client was answered under a key (row_id: its row), once a request under way with it has ended';
REVOKE EXECUTE ON FUNCTION kernel_answered(integer, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kernel_answered(integer, bigint, text) TO app, worker;
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0014_outbox_protected")]

    operations = [
        migrations.RunSQL(ANSWERED, "DROP FUNCTION kernel_answered(integer, bigint, text);")
    ]
