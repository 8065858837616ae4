"""Interest collections, partitioned by the month in their id."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

TABLE = """
CREATE TABLE loans_interestcollection (
    id bigint NOT NULL PRIMARY KEY,
    institution_id bigint NOT NULL,
    origin_id bigint NOT NULL,
    note_id bigint NOT NULL,
    interest_due_fen bigint NOT NULL,
    interest_paid_fen bigint,
    completes_id bigint,
    batch_id bigint,
    period_start date NOT NULL,
    period_end date NOT NULL,
    collected_on date NOT NULL,
    reference varchar(100) NOT NULL,
    CONSTRAINT collection_period_has_days CHECK (period_end > period_start),
    CONSTRAINT collection_due_not_negative CHECK (interest_due_fen BETWEEN 0 AND 10000000000000),
    CONSTRAINT collection_paid_within_due
        CHECK (interest_paid_fen BETWEEN -interest_due_fen AND interest_due_fen)
) PARTITION BY RANGE (id);
CREATE INDEX loans_interestcollection_note ON loans_interestcollection (note_id);
SELECT kernel_monthly_partitions('loans_interestcollection', 'collected_on',
    '(origin_id, reference, (interest_paid_fen IS NULL))', '2026-01-01', 48);

CREATE SEQUENCE loans_collection_seq AS bigint MAXVALUE 999999999999
    OWNED BY loans_interestcollection.id;
GRANT USAGE ON SEQUENCE loans_collection_seq TO app, worker;
CREATE FUNCTION loans_collection_id(collected_on date) RETURNS bigint LANGUAGE sql
RETURN (extract(year FROM collected_on) * 100 + extract(month FROM collected_on))::bigint
    * 1000000000000 + nextval('loans_collection_seq');
COMMENT ON FUNCTION loans_collection_id IS 'A new collection''s id: its month and a number';
"""
UNDO = """
DROP FUNCTION loans_collection_id;
DROP TABLE loans_interestcollection;
"""


class Migration(migrations.Migration):
    dependencies = [("loans", "0001_initial"), ("kernel", "0002_database_rules")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE, UNDO)],
            state_operations=[
                migrations.CreateModel(
                    name="InterestCollection",
                    fields=[
                        (
                            "id",
                            models.BigIntegerField(
                                editable=False,
                                primary_key=True,
                                serialize=False,
                                verbose_name="序号",
                            ),
                        ),
                        (
                            "interest_due_fen",
                            models.BigIntegerField(help_text="分 / fen", verbose_name="应收利息"),
                        ),
                        (
                            "interest_paid_fen",
                            models.BigIntegerField(
                                blank=True, help_text="分 / fen", null=True, verbose_name="实收利息"
                            ),
                        ),
                        ("period_start", models.DateField(verbose_name="计息起日")),
                        (
                            "period_end",
                            models.DateField(
                                help_text="不含当日 / exclusive", verbose_name="计息止日"
                            ),
                        ),
                        ("collected_on", models.DateField(verbose_name="收息日")),
                        ("reference", models.CharField(max_length=100, verbose_name="流水号")),
                        (
                            "batch",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                db_index=False,
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="loans.importbatch",
                                verbose_name="导入批次",
                            ),
                        ),
                        (
                            "completes",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="completed_by",
                                to="loans.interestcollection",
                                verbose_name="对应计划",
                            ),
                        ),
                        (
                            "institution",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="kernel.institution",
                                verbose_name="所属机构",
                            ),
                        ),
                        (
                            "origin",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="kernel.institution",
                                verbose_name="原机构",
                            ),
                        ),
                        (
                            "note",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="collections",
                                to="loans.note",
                                verbose_name="借据",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "收息",
                        "verbose_name_plural": "收息",
                    },
                ),
                migrations.AddIndex(
                    model_name="interestcollection",
                    index=models.Index(fields=["note"], name="loans_interestcollection_note"),
                ),
                migrations.AddConstraint(
                    model_name="interestcollection",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("period_end__gt", models.F("period_start"))),
                        name="collection_period_has_days",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="interestcollection",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            ("interest_due_fen__gte", 0), ("interest_due_fen__lte", 10000000000000)
                        ),
                        name="collection_due_not_negative",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="interestcollection",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            ("interest_paid_fen__isnull", True),
                            models.Q(
                                (
                                    "interest_paid_fen__gte",
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("interest_due_fen"), "*", models.Value(-1)
                                    ),
                                ),
                                ("interest_paid_fen__lte", models.F("interest_due_fen")),
                            ),
                            _connector="OR",
                        ),
                        name="collection_paid_within_due",
                    ),
                ),
            ],
        ),
    ]
