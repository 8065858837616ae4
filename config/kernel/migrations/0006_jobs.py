"""Jobs: runs of one part of the bank, with a result file, seen and ordered by its own staff alone."""

from django.db import migrations, models

# Work of the whole installation (no scope) shows to everybody that it is there; the admin tells what it
# did to those alone who see everything. The web may order work of its own scope, and only such as asks
# for no more than reading.
SEEN = """scope_lo IS NULL
    OR (scope_lo >= nullif(current_setting('app.lo', true), '')::bigint
        AND scope_hi <= nullif(current_setting('app.hi', true), '')::bigint)"""
PROTECT = f"""
ALTER TABLE kernel_run ENABLE ROW LEVEL SECURITY;
ALTER TABLE kernel_run FORCE ROW LEVEL SECURITY;
CREATE POLICY kernel_run_owner ON kernel_run FOR ALL TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY kernel_run_worker ON kernel_run FOR ALL TO worker USING (true) WITH CHECK (true);
CREATE POLICY kernel_run_app ON kernel_run FOR SELECT TO app USING ({SEEN});
CREATE POLICY kernel_run_app_orders ON kernel_run FOR INSERT TO app WITH CHECK (
    scope_lo IS NOT NULL AND ({SEEN}) AND kind IN ('report', 'export')
    AND state = 'open' AND result_sha256 = '' AND finished_at IS NULL);
ALTER TABLE kernel_chunk ENABLE ROW LEVEL SECURITY;
ALTER TABLE kernel_chunk FORCE ROW LEVEL SECURITY;
CREATE POLICY kernel_chunk_owner ON kernel_chunk FOR ALL TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY kernel_chunk_worker ON kernel_chunk FOR ALL TO worker USING (true) WITH CHECK (true);
CREATE POLICY kernel_chunk_app ON kernel_chunk FOR SELECT TO app
    USING (EXISTS (SELECT FROM kernel_run r WHERE r.id = run_id));
CREATE POLICY kernel_chunk_app_orders ON kernel_chunk FOR INSERT TO app WITH CHECK (
    state = 'todo' AND EXISTS (SELECT FROM kernel_run r WHERE r.id = run_id AND r.state = 'open'
        AND r.scope_lo IS NOT NULL AND r.kind IN ('report', 'export')));
SELECT kernel_grant('kernel_run', 'SELECT, INSERT', 'SELECT, INSERT, UPDATE'),
    kernel_grant('kernel_chunk', 'SELECT, INSERT', 'SELECT, INSERT, UPDATE');
"""
UNDO = """
REVOKE INSERT ON kernel_run, kernel_chunk FROM app;
DROP POLICY kernel_run_owner ON kernel_run;
DROP POLICY kernel_run_worker ON kernel_run;
DROP POLICY kernel_run_app_orders ON kernel_run;
DROP POLICY kernel_chunk_owner ON kernel_chunk;
DROP POLICY kernel_chunk_worker ON kernel_chunk;
DROP POLICY kernel_chunk_app_orders ON kernel_chunk;
DROP POLICY kernel_chunk_app ON kernel_chunk;
DROP POLICY kernel_run_app ON kernel_run;
ALTER TABLE kernel_run NO FORCE ROW LEVEL SECURITY;
ALTER TABLE kernel_run DISABLE ROW LEVEL SECURITY;
ALTER TABLE kernel_chunk NO FORCE ROW LEVEL SECURITY;
ALTER TABLE kernel_chunk DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0005_analyze_by_hand"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="error",
            field=models.TextField(blank=True, db_default="", default="", verbose_name="错误"),
        ),
        migrations.AddField(
            model_name="run",
            name="result_name",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=200, verbose_name="结果文件"
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="result_sha256",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=64, verbose_name="结果摘要"
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="scope_hi",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="机构范围止"),
        ),
        migrations.AddField(
            model_name="run",
            name="scope_lo",
            field=models.BigIntegerField(
                blank=True,
                help_text="空 = 全部机构的任务 / blank = work of the whole installation",
                null=True,
                verbose_name="机构范围起",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("scope_hi__isnull", True), ("scope_lo__isnull", True)),
                    models.Q(("scope_hi__gte", models.F("scope_lo")), ("scope_lo__isnull", False)),
                    _connector="OR",
                ),
                name="run_scope_whole",
            ),
        ),
        migrations.RunSQL(PROTECT, UNDO),
    ]
