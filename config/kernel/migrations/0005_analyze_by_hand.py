"""Rows typed in the admin are analyzed for too; whoever finds a table being analyzed goes on."""

from django.db import migrations

ANALYZE = """
CREATE OR REPLACE FUNCTION kernel_analyze(target regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ANALYZE (SKIP_LOCKED) %s', target);
END $$;
GRANT EXECUTE ON FUNCTION kernel_analyze(regclass) TO app;
"""
BACK = """
REVOKE EXECUTE ON FUNCTION kernel_analyze(regclass) FROM app;
CREATE OR REPLACE FUNCTION kernel_analyze(target regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ANALYZE %s', target);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0004_analyze")]

    operations = [migrations.RunSQL(ANALYZE, BACK)]
