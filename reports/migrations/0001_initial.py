"""Reports, whose figures never change, with their files; and deadlines, from days that are published."""

import csv
from pathlib import Path
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

LIFE = """
CREATE FUNCTION reports_keep_life() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    moving constant text[] := ARRAY['state', 'checked_by', 'checked_at', 'submitted_by', 'submitted_at',
        'answered_by', 'answered_at', 'document_number', 'returned_why', 'superseded_at'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'generated' THEN
            RAISE EXCEPTION '报表须从已生成开始 / a report starts as generated: %', NEW.state
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - moving <> to_jsonb(OLD) - moving THEN
        RAISE EXCEPTION '报表内容不可更改 / what a report says never changes: %', OLD.id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF (OLD.state, NEW.state) NOT IN (
        ('generated', 'checked'), ('generated', 'returned'), ('generated', 'superseded'),
        ('checked', 'submitted'), ('checked', 'returned'), ('checked', 'superseded'),
        ('submitted', 'accepted'), ('submitted', 'returned'), ('submitted', 'superseded'),
        ('accepted', 'superseded'), ('returned', 'superseded'))
    THEN
        RAISE EXCEPTION '报表状态不能由 % 变为 % / a report cannot go from % to %',
            OLD.state, NEW.state, OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state IN ('submitted', 'accepted') AND NEW.state = 'superseded' AND NOT EXISTS (
        SELECT FROM reports_report r WHERE r.corrects_id = OLD.id AND r.state = 'checked')
    THEN
        RAISE EXCEPTION '已报送的报表只能由复核过的更正替换 / only a checked correction supersedes what was submitted: %',
            OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF (OLD.checked_by IS NOT NULL AND (NEW.checked_by, NEW.checked_at) IS DISTINCT FROM (OLD.checked_by, OLD.checked_at))
        OR (OLD.submitted_by IS NOT NULL
            AND (NEW.submitted_by, NEW.submitted_at) IS DISTINCT FROM (OLD.submitted_by, OLD.submitted_at))
        OR (OLD.answered_by IS NOT NULL AND (NEW.answered_by, NEW.answered_at, NEW.document_number, NEW.returned_why)
            IS DISTINCT FROM (OLD.answered_by, OLD.answered_at, OLD.document_number, OLD.returned_why))
    THEN
        RAISE EXCEPTION '已办理的步骤不可更改 / a step once taken stays as it was: %', OLD.id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION reports_keep_life IS
    'Only the state of a report moves, along the one way there is; each step is taken once';
CREATE TRIGGER report_life BEFORE INSERT OR UPDATE OR DELETE ON reports_report
    FOR EACH ROW EXECUTE FUNCTION reports_keep_life();
CREATE TRIGGER report_life_truncate BEFORE TRUNCATE ON reports_report
    FOR EACH STATEMENT EXECUTE FUNCTION kernel_refuse_change();
"""
RIGHTS = """
SELECT kernel_append_only('reports_reportfile'), kernel_append_only('reports_reminder');
SELECT kernel_protect('reports_report'), kernel_protect('reports_reportfile'),
    kernel_protect('reports_obligation'), kernel_protect('reports_reminder');
SELECT kernel_grant('reports_report', 'SELECT, ' || moves, 'SELECT, INSERT, ' || moves)
FROM (VALUES ('UPDATE (state, checked_by, checked_at, submitted_by, submitted_at, answered_by, answered_at,'
    ' document_number, returned_why, superseded_at)')) AS g(moves);
SELECT kernel_grant('reports_reportfile', 'SELECT', 'SELECT, INSERT'),
    kernel_grant('reports_obligation', 'SELECT', 'SELECT, INSERT, UPDATE'),
    kernel_grant('reports_reminder', 'SELECT', 'SELECT, INSERT'),
    kernel_grant('reports_workingdayexception', 'SELECT', 'SELECT, INSERT, UPDATE');
"""
UNDO = """
DROP TRIGGER report_life ON reports_report;
DROP TRIGGER report_life_truncate ON reports_report;
DROP FUNCTION reports_keep_life;
"""
PUBLISHED = Path(__file__).resolve().parents[1] / "holidays"


def seed(apps: Any, schema_editor: Any) -> None:
    """The days published so far: one file per publication, rows of day, kind and name."""
    days = apps.get_model("reports", "WorkingDayException").objects.using(schema_editor.connection.alias)
    for path in sorted(PUBLISHED.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as source:
            days.bulk_create(
                days.model(
                    day=row["day"], is_working=row["kind"] == "workday", name=row["name"],
                    document_number=f"国务院办公厅关于{row['day'][:4]}年部分节假日安排的通知",
                )
                for row in csv.DictReader(source)
            )  # fmt: skip


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('kernel', '0006_jobs'),
    ]

    operations = [
        migrations.CreateModel(
            name='WorkingDayException',
            fields=[
                ('day', models.DateField(primary_key=True, serialize=False, verbose_name='日期')),
                ('is_working', models.BooleanField(verbose_name='上班')),
                ('name', models.CharField(max_length=100, verbose_name='名称')),
                ('document_number', models.CharField(max_length=100, verbose_name='文号')),
            ],
            options={
                'verbose_name': '节假日与调休',
                'verbose_name_plural': '节假日与调休',
                'ordering': ['day'],
            },
        ),
        migrations.CreateModel(
            name='Obligation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scheme_code', models.CharField(max_length=60, verbose_name='贴息政策')),
                ('code', models.CharField(max_length=40, verbose_name='报表')),
                ('period', models.CharField(max_length=7, verbose_name='报告期')),
                ('due_on', models.DateField(verbose_name='截止日')),
                ('last_working_day', models.DateField(help_text='截止日当天或之前 / the due day itself or the last working day before it', verbose_name='最后工作日')),
                ('draft_from', models.DateField(help_text='自此日起自动生成 / drafted from then on', verbose_name='起草日')),
                ('addressee', models.CharField(max_length=200, verbose_name='报送对象')),
                ('article', models.CharField(max_length=100, verbose_name='依据')),
                ('assumed', models.CharField(blank=True, default='', max_length=300, verbose_name='假设')),
                ('institution', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.institution', verbose_name='报送机构')),
            ],
            options={
                'verbose_name': '报送事项',
                'verbose_name_plural': '报送事项',
                'ordering': ['due_on', 'institution', 'scheme_code', 'code'],
            },
        ),
        migrations.CreateModel(
            name='Reminder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='日期')),
                ('recipients', models.TextField(blank=True, verbose_name='收件人')),
                ('at', models.DateTimeField(verbose_name='提醒时间')),
                ('institution', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.institution', verbose_name='报送机构')),
                ('obligation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='reports.obligation', verbose_name='报送事项')),
            ],
            options={
                'verbose_name': '提醒',
                'verbose_name_plural': '提醒',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('made_by', models.CharField(max_length=150, verbose_name='经办')),
                ('made_at', models.DateTimeField(verbose_name='经办时间')),
                ('checked_by', models.CharField(blank=True, max_length=150, null=True, verbose_name='复核')),
                ('checked_at', models.DateTimeField(blank=True, null=True, verbose_name='复核时间')),
                ('code', models.CharField(max_length=40, verbose_name='报表')),
                ('scheme_code', models.CharField(blank=True, default='', help_text='空 = 全部 / blank = all', max_length=60, verbose_name='贴息政策')),
                ('period', models.CharField(max_length=7, verbose_name='报告期')),
                ('version', models.SmallIntegerField(help_text='从 1 起 / counted from 1', verbose_name='版次')),
                ('state', models.CharField(choices=[('generated', '已生成'), ('checked', '已复核'), ('submitted', '已报送'), ('accepted', '已受理'), ('returned', '已退回'), ('superseded', '已替换')], default='generated', max_length=10, verbose_name='状态')),
                ('content_sha256', models.CharField(max_length=64, verbose_name='内容摘要')),
                ('totals', models.JSONField(help_text='分 / fen', verbose_name='合计')),
                ('ties', models.JSONField(help_text='分 / fen', verbose_name='勾稽')),
                ('ledger_entry', models.BigIntegerField(help_text='含该编号，0 = 无 / this entry included, 0 = none', verbose_name='截至分录')),
                ('ledger_entries', models.BigIntegerField(verbose_name='分录数')),
                ('ledger_chain', models.CharField(help_text='sha256', max_length=64, verbose_name='分录链')),
                ('facts_position', models.BigIntegerField(help_text='含该批次，0 = 无 / this batch included, 0 = none', verbose_name='截至导入批次')),
                ('terms_key', models.CharField(max_length=200, verbose_name='政策版本')),
                ('submitted_by', models.CharField(blank=True, max_length=150, null=True, verbose_name='报送人')),
                ('submitted_at', models.DateTimeField(blank=True, null=True, verbose_name='报送时间')),
                ('answered_by', models.CharField(blank=True, max_length=150, null=True, verbose_name='回复录入')),
                ('answered_at', models.DateTimeField(blank=True, null=True, verbose_name='回复录入时间')),
                ('document_number', models.CharField(blank=True, db_default='', default='', max_length=100, verbose_name='受理文号')),
                ('returned_why', models.CharField(blank=True, db_default='', default='', max_length=500, verbose_name='退回原因')),
                ('superseded_at', models.DateTimeField(blank=True, null=True, verbose_name='替换时间')),
                ('corrects', models.ForeignKey(blank=True, help_text='已报送过的前一版 / the version that was submitted before', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='reports.report', verbose_name='更正的报表')),
                ('institution', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.institution', verbose_name='报送机构')),
            ],
            options={
                'verbose_name': '报表',
                'verbose_name_plural': '报表',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ReportFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('report', '报表'), ('difference', '差异报告')], max_length=10, verbose_name='内容')),
                ('format', models.CharField(max_length=10, verbose_name='格式')),
                ('name', models.CharField(max_length=200, verbose_name='文件名')),
                ('size', models.BigIntegerField(verbose_name='字节数')),
                ('sha256', models.CharField(max_length=64, verbose_name='文件摘要')),
                ('institution', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.institution', verbose_name='报送机构')),
                ('report', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='files', to='reports.report', verbose_name='报表')),
            ],
            options={
                'verbose_name': '报表文件',
                'verbose_name_plural': '报表文件',
                'ordering': ['report', 'id'],
            },
        ),
        migrations.AddIndex(
            model_name='obligation',
            index=models.Index(fields=['due_on'], name='obligation_due'),
        ),
        migrations.AddConstraint(
            model_name='obligation',
            constraint=models.UniqueConstraint(fields=('institution', 'scheme_code', 'code', 'period'), name='obligation_once'),
        ),
        migrations.AddConstraint(
            model_name='obligation',
            constraint=models.CheckConstraint(condition=models.Q(('last_working_day__lte', models.F('due_on'))), name='obligation_last_working_day_not_after_due'),
        ),
        migrations.AddConstraint(
            model_name='reminder',
            constraint=models.UniqueConstraint(fields=('obligation', 'day'), name='reminder_once_a_day'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('checked_by__isnull', True), models.Q(('checked_by', models.F('made_by')), _negated=True), _connector='OR'), name='report_checked_by_another'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['generated', 'checked', 'submitted', 'accepted', 'returned', 'superseded'])), name='report_state_known'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['generated', 'superseded']), models.Q(('checked_by__isnull', False), ('state', 'checked')), models.Q(('checked_by__isnull', False), ('state', 'submitted'), ('submitted_by__isnull', False)), models.Q(('answered_by__isnull', False), ('state', 'accepted'), ('submitted_by__isnull', False)), models.Q(('answered_by__isnull', False), ('state', 'returned')), _connector='OR'), name='report_state_has_its_people'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('submitted_by__isnull', True), ('checked_by__isnull', False), _connector='OR'), name='report_submitted_once_checked'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'returned'), _negated=True), models.Q(('returned_why', ''), _negated=True), _connector='OR'), name='report_returned_for_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('corrects__isnull', True), ('corrects__lt', models.F('id')), _connector='OR'), name='report_corrects_an_earlier_one'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.UniqueConstraint(fields=('institution', 'code', 'period', 'scheme_code', 'version'), name='report_version_once'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('generated', 'checked'))), fields=('institution', 'code', 'period', 'scheme_code'), name='report_one_untold'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('submitted', 'accepted'))), fields=('institution', 'code', 'period', 'scheme_code'), name='report_one_told'),
        ),
        migrations.AddConstraint(
            model_name='reportfile',
            constraint=models.UniqueConstraint(fields=('report', 'name'), name='report_file_once'),
        ),
        migrations.AddConstraint(
            model_name='reportfile',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['report', 'difference'])), name='report_file_role_known'),
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
            ],
            options={
                'verbose_name': '报表与导出任务',
                'verbose_name_plural': '报表与导出任务',
                'ordering': ['-id'],
                'proxy': True,
                'indexes': [],
                'constraints': [],
            },
            bases=('kernel.run',),
        ),
        migrations.RunSQL(LIFE + RIGHTS, UNDO),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
