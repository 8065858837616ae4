"""Files on their way in, accepted files taken back, and the one function that may take facts back."""

from django.db import migrations, models

# What the web and the workers may change of a file on its way in: never whose it is or which bytes.
IMPORT = """SELECT, INSERT, UPDATE (kind, state, by_worker, rows, total_fen, inserted, corrected,
    unchanged, refused, problem_count, difference_count, shown_problems, shown_differences,
    failing_usccs, problems_sha256, differences_sha256, fingerprint, told, confirmed_at, finished_at,
    batch_id, run_id)"""
UNDO_ROWS = """SELECT, INSERT, UPDATE (state, answer, checked_by, checked_at, removed, removed_sha256,
    counter_id, error, run_id)"""
PROTECT = f"""
SELECT kernel_grant('loans_fileimport', '{IMPORT}', '{IMPORT}'),
    kernel_grant('loans_importundo', '{UNDO_ROWS}', '{UNDO_ROWS}');
SELECT kernel_protect('loans_fileimport'), kernel_protect('loans_importundo');
"""

# The web may order imports of its own scope, as it orders reports.
ORDERS = """
ALTER POLICY kernel_run_app_orders ON kernel_run WITH CHECK (
    scope_lo IS NOT NULL
    AND scope_lo >= nullif(current_setting('app.lo', true), '')::bigint
    AND scope_hi <= nullif(current_setting('app.hi', true), '')::bigint
    AND kind IN ({kinds}) AND state = 'open' AND result_sha256 = '' AND finished_at IS NULL);
ALTER POLICY kernel_chunk_app_orders ON kernel_chunk WITH CHECK (
    state = 'todo' AND EXISTS (SELECT FROM kernel_run r WHERE r.id = run_id AND r.state = 'open'
        AND r.scope_lo IS NOT NULL AND r.kind IN ({kinds})));
"""

# The second and last way through the append-only guard, for the owner's function below alone: nobody
# else may delete at all.
REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION kernel_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('kernel.scope_move', true) = 'on'
        AND to_jsonb(NEW) - 'institution_id' = to_jsonb(OLD) - 'institution_id' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND current_setting('kernel.import_undo', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% 只增不改，请用冲正更正 / % is append-only: % refused, enter a reversal instead',
        TG_TABLE_NAME, TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
COMMENT ON FUNCTION kernel_refuse_change IS
    'Guards against mistakes of the owner; app and worker have no such privilege at all. The ways '
    'through are moving a note''s scope (loans_move_note) and taking an unused import back '
    '(loans_undo_import)';
"""
REFUSE_CHANGE_BEFORE = """
CREATE OR REPLACE FUNCTION kernel_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('kernel.scope_move', true) = 'on'
        AND to_jsonb(NEW) - 'institution_id' = to_jsonb(OLD) - 'institution_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% 只增不改，请用冲正更正 / % is append-only: % refused, enter a reversal instead',
        TG_TABLE_NAME, TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
"""

# Kinds that can be taken back, with their tables. Institutions number the tree, and a transfer has moved
# a note's scope: both are put right by another file.
TABLES = """
CREATE FUNCTION loans_undo_table(kind text) RETURNS regclass LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
RETURN CASE kind
    WHEN 'participations' THEN 'loans_participation'
    WHEN 'lpr' THEN 'loans_lpr'
    WHEN 'enterprises' THEN 'loans_enterpriserecord'
    WHEN 'enterprise-titles' THEN 'loans_enterprisetitle'
    WHEN 'projects' THEN 'loans_project'
    WHEN 'contracts' THEN 'loans_contract'
    WHEN 'syndicate-shares' THEN 'loans_syndicateshare'
    WHEN 'notes' THEN 'loans_note'
    WHEN 'equipment-invoices' THEN 'loans_equipmentinvoice'
    WHEN 'repayments' THEN 'loans_repayment'
    WHEN 'note-statuses' THEN 'loans_notestatus'
    WHEN 'guarantees' THEN 'loans_guarantee'
    WHEN 'payout-agreements' THEN 'loans_payoutagreement'
    WHEN 'interest-collections' THEN 'loans_interestcollection'
    WHEN 'external-subsidies' THEN 'loans_externalsubsidy'
    WHEN 'scheme-funds' THEN 'loans_schemefund'
    WHEN 'pre-allocations' THEN 'loans_preallocation'
    WHEN 'review-results' THEN 'loans_reviewresult'
    WHEN 'bank-statements' THEN 'loans_bankstatement'
    WHEN 'opening-positions' THEN 'loans_openingposition'
    WHEN 'compensations' THEN 'loans_compensation'
END::regclass;
COMMENT ON FUNCTION loans_undo_table IS 'Where the rows of a kind are that can be taken back; null: it cannot';
"""

# What refers to rows: foreign keys, and columns that carry an id without one (bulk tables).
REFERENCES = """
CREATE FUNCTION loans_referring(target regclass) RETURNS TABLE (referring regclass, reference name)
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT c.conrelid::regclass, a.attname
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    JOIN pg_class t ON t.oid = c.conrelid
    WHERE c.contype = 'f' AND c.confrelid = target AND NOT t.relispartition
    UNION
    SELECT a.attrelid::regclass, a.attname
    FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
    WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition AND NOT a.attisdropped
        AND t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE 'loans\\_%event'
        AND ((target = 'loans_note'::regclass AND a.attname = 'note_id')
            OR (target = 'loans_interestcollection'::regclass
                AND a.attname IN ('collection_id', 'completes_id')));
END;
COMMENT ON FUNCTION loans_referring IS
    'Which columns of which tables point at rows of this one, with a foreign key or without';
"""

# Everything that makes an accepted file used: `loans_note 3`, `run #5`.
USES = """
CREATE FUNCTION loans_uses(batch loans_importbatch, ids bigint[]) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    target regclass := loans_undo_table(batch.kind);
    lo bigint := 0;
    hi bigint := 9223372036854775807;
    found text[] := '{}';
    ref record;
    n bigint;
    bare bigint[];
BEGIN
    IF batch.institution_id IS NOT NULL THEN
        SELECT id, last_id INTO lo, hi FROM kernel_institution WHERE id = batch.institution_id;
    END IF;
    FOR ref IN SELECT * FROM loans_referring(target) ORDER BY referring::text, reference LOOP
        EXECUTE format('SELECT count(*) FROM %s x WHERE x.%I IN (SELECT unnest($1))',
            ref.referring, ref.reference) INTO n USING ids;
        IF n > 0 THEN
            found := found || format('%s %s', ref.referring, n);
        END IF;
    END LOOP;
    IF batch.kind = 'enterprises' THEN
        SELECT array_agg(DISTINCT r.enterprise_id) INTO bare FROM loans_enterpriserecord r
        WHERE r.id = ANY(ids) AND NOT EXISTS (SELECT FROM loans_enterpriserecord o
            WHERE o.enterprise_id = r.enterprise_id AND o.id <> ALL(ids));
        FOR ref IN SELECT * FROM loans_referring('loans_enterprise')
            WHERE referring <> 'loans_enterpriserecord'::regclass
            ORDER BY referring::text, reference LOOP
            EXECUTE format('SELECT count(*) FROM %s x WHERE x.%I IN (SELECT unnest($1))',
                ref.referring, ref.reference) INTO n USING bare;
            IF n > 0 THEN
                found := found || format('%s %s', ref.referring, n);
            END IF;
        END LOOP;
    END IF;
    IF batch.kind = 'review-results' THEN
        SELECT count(*) INTO n FROM settlement_clawback c
        WHERE c.origin = 'review' AND c.origin_id = ANY(ids);
        IF n > 0 THEN
            found := found || format('settlement_clawback %s', n);
        END IF;
    END IF;
    IF batch.kind NOT IN ('pre-allocations', 'bank-statements') THEN
        found := found || (SELECT array_agg(format('run #%s', r.id) ORDER BY r.id)
        FROM kernel_run r WHERE r.kind = 'deductions'
            AND (r.finished_at IS NULL OR r.finished_at >= batch.at)
            AND coalesce(r.scope_lo, 0) <= hi AND coalesce(r.scope_hi, hi) >= lo);
        found := found || (SELECT array_agg(format('assessment #%s', a.id) ORDER BY a.id)
        FROM settlement_assessment a WHERE a.facts_position >= batch.id);
        found := found || (SELECT array_agg(format('plan #%s', p.id) ORDER BY p.id)
        FROM settlement_plan p JOIN kernel_institution i ON i.id = p.institution_id
        WHERE p.made_at >= batch.at AND i.id <= hi AND i.last_id >= lo);
    END IF;
    found := found || (SELECT array_agg(format('settlement #%s', s.id) ORDER BY s.id)
    FROM settlement_settlement s JOIN kernel_institution i ON i.id = s.institution_id
    WHERE s.made_at >= batch.at AND i.id <= hi AND i.last_id >= lo);
    found := found || (SELECT array_agg(format('report #%s', r.id) ORDER BY r.id)
    FROM reports_report r JOIN kernel_institution i ON i.id = r.institution_id
    WHERE r.facts_position >= batch.id AND r.state <> 'generated'
        AND i.id <= hi AND i.last_id >= lo);
    RETURN found;
END $$;
COMMENT ON FUNCTION loans_uses IS
    'What refers to these rows of an accepted file (table and number of rows), or was worked out since it '
    'came in (what and its number); empty: it is unused';
"""

# Refusals carry a class of their own, so that whoever calls can tell them from faults.
TAKE_BACK = """
CREATE FUNCTION loans_undo_import(undo bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    asked loans_importundo;
    batch loans_importbatch;
    target regclass;
    ids bigint[];
    firms bigint[];
    uses text[];
BEGIN
    SELECT * INTO asked FROM loans_importundo WHERE id = undo FOR UPDATE;
    SELECT * INTO batch FROM loans_importbatch WHERE id = asked.batch_id;
    IF coalesce(nullif(current_setting('role'), 'none'), session_user) = 'app' AND (coalesce(batch.institution_id, 0)
        BETWEEN nullif(current_setting('app.lo', true), '')::bigint
        AND nullif(current_setting('app.hi', true), '')::bigint) IS NOT TRUE THEN
        RAISE EXCEPTION '没有此撤销申请 / no such request' USING ERRCODE = 'TX404';
    END IF;
    IF asked.id IS NULL OR asked.state <> 'working' OR asked.checked_by IS NULL
        OR asked.checked_by = asked.made_by THEN
        RAISE EXCEPTION '撤销须由一人申请、另一人复核 / asked for by one, checked by another'
            USING ERRCODE = 'TX403';
    END IF;
    target := loans_undo_table(batch.kind);
    IF target IS NULL THEN
        RAISE EXCEPTION '此类文件不能撤销，请导入更正文件 / this kind is not taken back: import a correction'
            USING ERRCODE = 'TX405';
    END IF;
    IF batch.corrected > 0 THEN
        RAISE EXCEPTION '该批次更正过 % 行已存数据，不能撤销；请按导入时的差异清单另行导入更正'
            ' / it corrected % stored rows: import a correction from its list of differences',
            batch.corrected, batch.corrected USING ERRCODE = 'TX409';
    END IF;
    EXECUTE format('SELECT coalesce(array_agg(id ORDER BY id), ''{}'') FROM %s WHERE batch_id = $1', target)
        INTO ids USING batch.id;
    IF cardinality(ids) <> batch.inserted THEN
        RAISE EXCEPTION '该批次的 % 行中有 % 行已被后来的文件更正 / later files have corrected some of its rows',
            batch.inserted, batch.inserted - cardinality(ids) USING ERRCODE = 'TX409';
    END IF;
    uses := loans_uses(batch, ids);
    IF cardinality(uses) > 0 THEN
        RAISE EXCEPTION '已被使用，不能撤销 / in use' USING ERRCODE = 'TX409',
            DETAIL = array_to_string(uses, ', ');
    END IF;
    PERFORM set_config('kernel.import_undo', 'on', true);
    SET CONSTRAINTS ALL IMMEDIATE;
    IF batch.kind = 'enterprises' THEN
        SELECT array_agg(DISTINCT enterprise_id) INTO firms FROM loans_enterpriserecord WHERE id = ANY(ids);
    END IF;
    EXECUTE format('DELETE FROM %s WHERE id = ANY($1)', target) USING ids;
    IF firms IS NOT NULL THEN
        DELETE FROM loans_enterprise e WHERE e.id = ANY(firms)
            AND NOT EXISTS (SELECT FROM loans_enterpriserecord r WHERE r.enterprise_id = e.id);
    END IF;
    PERFORM set_config('kernel.import_undo', '', true);
    RETURN cardinality(ids);
END $$;
COMMENT ON FUNCTION loans_undo_import IS
    'Take the rows of an accepted file back, once asked for by one person and checked by another, as long '
    'as nothing refers to them and nothing was worked out since';
REVOKE EXECUTE ON FUNCTION loans_undo_import(bigint), loans_uses(loans_importbatch, bigint[]),
    loans_referring(regclass), loans_undo_table(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION loans_undo_import(bigint) TO app, worker;
GRANT EXECUTE ON FUNCTION loans_undo_table(text) TO app, worker;
"""
DROP = """
DROP FUNCTION loans_undo_import; DROP FUNCTION loans_uses; DROP FUNCTION loans_referring;
DROP FUNCTION loans_undo_table;
"""


def orders(*kinds: str) -> str:
    """The policies by which the web orders runs of these kinds."""
    return ORDERS.format(kinds=", ".join(f"'{kind}'" for kind in kinds))


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0007_rows_done"),
        ("loans", "0006_payout_agreements"),
    ]

    operations = [
        migrations.CreateModel(
            name="FileImport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        help_text="空 = 按表头识别",
                        max_length=40,
                        verbose_name="数据类别",
                    ),
                ),
                ("file_name", models.CharField(max_length=255, verbose_name="文件名")),
                ("sha256", models.CharField(max_length=64, verbose_name="文件摘要")),
                ("size", models.BigIntegerField(verbose_name="字节数")),
                ("encoding", models.CharField(blank=True, max_length=20, verbose_name="编码")),
                ("control_rows", models.IntegerField(verbose_name="行数（您填写的）")),
                (
                    "control_fen",
                    models.BigIntegerField(
                        blank=True,
                        help_text="分 / fen",
                        null=True,
                        verbose_name="金额合计（您填写的）",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("checking", "检查中"),
                            ("ready", "待确认"),
                            ("refused", "有错误"),
                            ("importing", "导入中"),
                            ("done", "已导入"),
                            ("failed", "失败"),
                            ("dropped", "已放弃"),
                        ],
                        default="checking",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("by_worker", models.BooleanField(default=False, verbose_name="后台处理")),
                ("rows", models.IntegerField(blank=True, null=True, verbose_name="行数")),
                (
                    "total_fen",
                    models.BigIntegerField(
                        blank=True, help_text="分 / fen", null=True, verbose_name="金额合计"
                    ),
                ),
                ("inserted", models.IntegerField(blank=True, null=True, verbose_name="新增")),
                ("corrected", models.IntegerField(blank=True, null=True, verbose_name="更正")),
                ("unchanged", models.IntegerField(blank=True, null=True, verbose_name="未变")),
                ("refused", models.IntegerField(blank=True, null=True, verbose_name="有错的行")),
                ("problem_count", models.IntegerField(default=0, verbose_name="错误数")),
                ("difference_count", models.IntegerField(default=0, verbose_name="差异数")),
                ("shown_problems", models.JSONField(blank=True, default=list, verbose_name="错误")),
                (
                    "shown_differences",
                    models.JSONField(blank=True, default=list, verbose_name="差异"),
                ),
                (
                    "failing_usccs",
                    models.JSONField(blank=True, default=list, verbose_name="校验位不符的信用代码"),
                ),
                (
                    "problems_sha256",
                    models.CharField(blank=True, max_length=64, verbose_name="错误清单摘要"),
                ),
                (
                    "differences_sha256",
                    models.CharField(blank=True, max_length=64, verbose_name="差异清单摘要"),
                ),
                (
                    "fingerprint",
                    models.CharField(blank=True, max_length=64, verbose_name="差异指纹"),
                ),
                ("told", models.TextField(blank=True, verbose_name="说明")),
                ("made_by", models.CharField(max_length=150, verbose_name="上传人")),
                ("made_at", models.DateTimeField(verbose_name="上传时间")),
                (
                    "confirmed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="确认时间"),
                ),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="完成时间"),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="+",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        blank=True,
                        help_text="空 = 全部机构 / blank = all institutions",
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="导入机构",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="+",
                        to="kernel.run",
                        verbose_name="后台任务",
                    ),
                ),
            ],
            options={
                "verbose_name": "文件导入",
                "verbose_name_plural": "文件导入",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "checking",
                                    "ready",
                                    "refused",
                                    "importing",
                                    "done",
                                    "failed",
                                    "dropped",
                                ],
                            )
                        ),
                        name="file_import_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("control_rows__gte", 0)),
                        name="file_import_controls_fit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["importing", "done"]), _negated=True),
                            ("confirmed_at__isnull", False),
                            _connector="OR",
                        ),
                        name="file_import_done_was_confirmed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportUndo",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("made_by", models.CharField(max_length=150, verbose_name="经办")),
                ("made_at", models.DateTimeField(verbose_name="经办时间")),
                (
                    "checked_by",
                    models.CharField(blank=True, max_length=150, null=True, verbose_name="复核"),
                ),
                (
                    "checked_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="复核时间"),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="原因")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "待复核"),
                            ("declined", "不同意"),
                            ("working", "撤销中"),
                            ("done", "已撤销"),
                            ("failed", "未能撤销"),
                        ],
                        default="asked",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("answer", models.CharField(blank=True, max_length=500, verbose_name="复核意见")),
                ("removed", models.IntegerField(blank=True, null=True, verbose_name="撤销行数")),
                (
                    "removed_sha256",
                    models.CharField(blank=True, max_length=64, verbose_name="撤销内容摘要"),
                ),
                ("error", models.TextField(blank=True, verbose_name="未能撤销的原因")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=models.PROTECT,
                        related_name="undos",
                        to="loans.importbatch",
                        verbose_name="导入批次",
                    ),
                ),
                (
                    "counter",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="+",
                        to="loans.importbatch",
                        verbose_name="撤销记录批次",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        blank=True,
                        help_text="空 = 全部机构 / blank = all institutions",
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="导入机构",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="+",
                        to="kernel.run",
                        verbose_name="后台任务",
                    ),
                ),
            ],
            options={
                "verbose_name": "导入撤销",
                "verbose_name_plural": "导入撤销",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("checked_by__isnull", True),
                            models.Q(("checked_by", models.F("made_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="import_undo_checked_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["asked", "declined", "working", "done", "failed"])
                        ),
                        name="import_undo_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("checked_by__isnull", True), ("state", "asked")),
                            models.Q(
                                models.Q(("state", "asked"), _negated=True),
                                ("checked_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="import_undo_waits_or_is_checked",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["asked", "working", "done"])),
                        fields=("batch",),
                        name="import_undo_once",
                    ),
                ],
            },
        ),
        migrations.RunSQL(PROTECT, migrations.RunSQL.noop),
        migrations.RunSQL(orders("report", "export", "import"), orders("report", "export")),
        migrations.RunSQL(REFUSE_CHANGE, REFUSE_CHANGE_BEFORE),
        migrations.RunSQL(TABLES + REFERENCES + USES + TAKE_BACK, DROP),
    ]
