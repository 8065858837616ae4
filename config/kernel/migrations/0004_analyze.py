"""Workers tell the planner about what they wrote in bulk; only an owner may ANALYZE."""

from django.db import migrations

ANALYZE = """
CREATE FUNCTION kernel_analyze(target regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ANALYZE %s', target);
END $$;
COMMENT ON FUNCTION kernel_analyze IS 'Refresh the planner''s statistics after a bulk write';
REVOKE EXECUTE ON FUNCTION kernel_analyze(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kernel_analyze(regclass) TO worker;
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0003_people_and_grants")]

    operations = [migrations.RunSQL(ANALYZE, "DROP FUNCTION kernel_analyze")]
