"""Deductions, partitioned by the month in their id: the month of their collection."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

TABLE = """
CREATE TABLE settlement_deduction (
    id bigint NOT NULL PRIMARY KEY,
    run_id bigint NOT NULL,
    institution_id bigint NOT NULL,
    note_id bigint NOT NULL,
    collection_id bigint NOT NULL,
    version_id bigint NOT NULL,
    product bigint NOT NULL,
    raw_central_fen bigint NOT NULL,
    raw_provincial_fen bigint NOT NULL,
    raw_municipal_fen bigint NOT NULL,
    central_fen bigint NOT NULL,
    provincial_fen bigint NOT NULL,
    municipal_fen bigint NOT NULL,
    collected_on date NOT NULL,
    posted_on date NOT NULL,
    days integer NOT NULL,
    scheme_id smallint NOT NULL,
    sequence smallint NOT NULL,
    cut_reasons smallint NOT NULL,
    why varchar(200) NOT NULL DEFAULT '',
    CONSTRAINT deduction_state_not_negative
        CHECK (sequence >= 0 AND days >= 0 AND product >= 0 AND cut_reasons >= 0),
    CONSTRAINT deduction_in_month_of_collection
        CHECK (id / 1000000000000 = collection_id / 1000000000000)
) PARTITION BY RANGE (id);
CREATE INDEX settlement_deduction_note ON settlement_deduction (note_id);
SELECT kernel_monthly_partitions('settlement_deduction', 'collected_on',
    '(collection_id, scheme_id, sequence)', '2026-01-01', 48);

CREATE SEQUENCE settlement_deduction_seq AS bigint MAXVALUE 999999999999
    OWNED BY settlement_deduction.id;
GRANT USAGE ON SEQUENCE settlement_deduction_seq TO worker;
CREATE FUNCTION settlement_deduction_id(collection_id bigint) RETURNS bigint LANGUAGE sql
RETURN collection_id / 1000000000000 * 1000000000000 + nextval('settlement_deduction_seq');
COMMENT ON FUNCTION settlement_deduction_id IS
    'A new deduction''s id: the month of its collection and a number';
"""
UNDO = """
DROP FUNCTION settlement_deduction_id;
DROP TABLE settlement_deduction;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("settlement", "0001_initial"),
        ("loans", "0002_interest_collections"),
        ("kernel", "0002_database_rules"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE, UNDO)],
            state_operations=[
                migrations.CreateModel(
                    name="Deduction",
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
                            "product",
                            models.BigIntegerField(
                                help_text="分·日 / fen-days", verbose_name="积数"
                            ),
                        ),
                        (
                            "raw_central_fen",
                            models.BigIntegerField(
                                help_text="分，限额前 / fen before caps", verbose_name="应贴中央"
                            ),
                        ),
                        (
                            "raw_provincial_fen",
                            models.BigIntegerField(
                                help_text="分，限额前 / fen before caps", verbose_name="应贴省级"
                            ),
                        ),
                        (
                            "raw_municipal_fen",
                            models.BigIntegerField(
                                help_text="分，限额前 / fen before caps", verbose_name="应贴市级"
                            ),
                        ),
                        (
                            "central_fen",
                            models.BigIntegerField(
                                help_text="分，本次差额 / fen, this posting's change",
                                verbose_name="中央贴息",
                            ),
                        ),
                        (
                            "provincial_fen",
                            models.BigIntegerField(
                                help_text="分，本次差额 / fen, this posting's change",
                                verbose_name="省级贴息",
                            ),
                        ),
                        (
                            "municipal_fen",
                            models.BigIntegerField(
                                help_text="分，本次差额 / fen, this posting's change",
                                verbose_name="市级贴息",
                            ),
                        ),
                        ("collected_on", models.DateField(verbose_name="收息日")),
                        ("posted_on", models.DateField(verbose_name="入账日")),
                        (
                            "days",
                            models.IntegerField(
                                help_text="天 / days with a base above zero",
                                verbose_name="贴息天数",
                            ),
                        ),
                        (
                            "sequence",
                            models.SmallIntegerField(
                                help_text="0 = 原始 / 0 = original", verbose_name="序次"
                            ),
                        ),
                        (
                            "cut_reasons",
                            models.SmallIntegerField(
                                help_text="位掩码 / bit mask", verbose_name="核减原因"
                            ),
                        ),
                        (
                            "why",
                            models.CharField(
                                blank=True,
                                db_default="",
                                default="",
                                max_length=200,
                                verbose_name="说明",
                            ),
                        ),
                        (
                            "collection",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="deductions",
                                to="loans.interestcollection",
                                verbose_name="收息",
                            ),
                        ),
                        (
                            "institution",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="deductions",
                                to="kernel.institution",
                                verbose_name="所属机构",
                            ),
                        ),
                        (
                            "note",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="deductions",
                                to="loans.note",
                                verbose_name="借据",
                            ),
                        ),
                        (
                            "run",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="deductions",
                                to="kernel.run",
                                verbose_name="任务",
                            ),
                        ),
                        (
                            "scheme",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="deductions",
                                to="settlement.scheme",
                                verbose_name="贴息政策",
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="deductions",
                                to="settlement.schemeversion",
                                verbose_name="政策版本",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "代付贴息",
                        "verbose_name_plural": "代付贴息",
                    },
                ),
                migrations.AddIndex(
                    model_name="deduction",
                    index=models.Index(fields=["note"], name="settlement_deduction_note"),
                ),
                migrations.AddConstraint(
                    model_name="deduction",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            ("cut_reasons__gte", 0),
                            ("days__gte", 0),
                            ("product__gte", 0),
                            ("sequence__gte", 0),
                        ),
                        name="deduction_state_not_negative",
                    ),
                ),
            ],
        ),
    ]
