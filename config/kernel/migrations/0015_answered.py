"""The wait for a request under way, and what it was answered, in one step.

Each statement of the function sees what was committed before it began: the answer is looked for after
the wait, so one that was written meanwhile is found.
"""

from django.db import migrations

ANSWERED = """
CREATE FUNCTION kernel_answered(locks integer, client bigint, name text)
RETURNS SETOF kernel_idempotencykey LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(locks, hashtext(client || ':' || name));
    RETURN QUERY SELECT * FROM public.kernel_idempotencykey k WHERE k.client_id = client AND k.key = name;
END $$;
COMMENT ON FUNCTION kernel_answered IS
    'What a client was answered under a key, once a request under way with it has ended';
REVOKE EXECUTE ON FUNCTION kernel_answered(integer, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kernel_answered(integer, bigint, text) TO app, worker;
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0014_outbox_protected")]

    operations = [
        migrations.RunSQL(ANSWERED, "DROP FUNCTION kernel_answered(integer, bigint, text);")
    ]
