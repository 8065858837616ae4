"""What changed since the last check for duplicates, told by the statements that change it; near matches.

Triggers, so that whatever changes a fact is seen: files, their taking back, runs, SQL by hand. A statement
that changes more enterprises than a check would look at one by one says "everybody" in one row. So does
one that takes away or changes what links enterprises to each other (a name, an invoice, a project): whom
the old value linked is not known afterwards. Judging a label raises its enterprise's version of facts,
which is seen here like any other change of it.
"""

from django.db import migrations, models

MANY = 10_000  # enterprises that one statement changes, above which the whole book is due
OF_NOTES = "SELECT c.enterprise_id FROM {} x JOIN loans_note n ON n.id = x.note_id JOIN loans_contract c ON c.id = n.contract_id"
LINKS = {
    "loans_enterpriserecord": "enterprise_id, name",
    "loans_equipmentinvoice": "note_id, invoice_number, serial_number, supplier, issued_on",
    "loans_project": "project_code",
    "loans_contract": "enterprise_id, project_id",
    "loans_note": "contract_id",
}
EVERYBODY = ("kernel_institution", "settlement_exchangefile")


def _due(query: str) -> str:
    return f"""
    WITH due AS (SELECT DISTINCT d.enterprise_id FROM ({query}) d),
        many AS (SELECT count(*) > {MANY} AS so FROM due)
    INSERT INTO settlement_duplicatedue (enterprise_id)
    SELECT due.enterprise_id FROM due, many WHERE NOT many.so
    UNION ALL SELECT NULL FROM many WHERE many.so;
    """


def _trigger(table: str, name: str, event: str, body: str) -> str:
    """A statement trigger of the owner's rights: whoever changes a fact has none on the list of changes."""
    old, new = "REFERENCING OLD TABLE AS before_it", "NEW TABLE AS after_it"
    seen = {"INSERT": f"REFERENCING {new}", "UPDATE": f"{old} {new}", "DELETE": old}[event]
    function = f"settlement_due_{table}_{name}"
    return f"""
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    {body}
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION {function}() FROM PUBLIC;
CREATE TRIGGER due_{name} AFTER {event} ON {table} {seen}
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
"""


def _lost(before: str, after: str, columns: str) -> str:
    """Everybody is due if a row with these values was there before and no such row is afterwards."""
    gone = f"EXISTS (SELECT {columns} FROM {before} EXCEPT SELECT {columns} FROM {after})"
    return f"IF {gone} THEN INSERT INTO settlement_duplicatedue DEFAULT VALUES; END IF;"


def _everybody_if_some(rows: str) -> str:
    return f"IF EXISTS (SELECT FROM {rows}) THEN INSERT INTO settlement_duplicatedue DEFAULT VALUES; END IF;"


CHANGED = "SELECT a.id AS enterprise_id FROM after_it a JOIN before_it b ON b.id = a.id WHERE a.facts_version <> b.facts_version"
TRIGGERS = [
    _trigger("loans_enterprise", "changed", "UPDATE", _due(CHANGED)),
    _trigger("settlement_deduction", "posted", "INSERT", _due(OF_NOTES.format("after_it"))),
    *(
        _trigger("settlement_guaranteesubsidy", name, event, _due(OF_NOTES.format(rows)))
        for name, event, rows in (
            ("written", "INSERT", "after_it"),
            ("rewritten", "UPDATE", "after_it"),
            ("removed", "DELETE", "before_it"),
        )
    ),
    _trigger("loans_equipmentinvoice", "written", "INSERT", _due(OF_NOTES.format("after_it"))),
    _trigger("loans_equipmentinvoice", "rewritten", "UPDATE", _due(OF_NOTES.format("after_it"))),
    *(
        _trigger(table, name, event, body)
        for table, columns in LINKS.items()
        for name, event, body in (
            ("relinked", "UPDATE", _lost("before_it", "after_it", columns)),
            ("unlinked", "DELETE", _everybody_if_some("before_it")),
        )
    ),
    *(
        _trigger(table, f"everybody_{event.lower()}", event, _everybody_if_some("after_it"))
        for table in EVERYBODY
        for event in ("INSERT", "UPDATE")
    ),
]
HELD = """
GRANT SELECT, INSERT ON settlement_duplicatecheck TO worker;
GRANT SELECT, DELETE ON settlement_duplicatedue TO worker;
INSERT INTO settlement_duplicatedue DEFAULT VALUES;
"""
GONE = """
DELETE FROM settlement_findingside WHERE finding_id IN
    (SELECT id FROM settlement_finding WHERE severity = 'proposal');
DELETE FROM settlement_findingdecision WHERE finding_id IN
    (SELECT id FROM settlement_finding WHERE severity = 'proposal');
DELETE FROM settlement_finding WHERE severity = 'proposal';
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
DO $$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT oid::regprocedure AS name FROM pg_proc WHERE proname LIKE 'settlement_due_%' LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', part.name);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0015_answered"),
        ("loans", "0016_one_pre_allocation"),
        ("settlement", "0061_exchange_held"),
    ]

    operations = [
        migrations.CreateModel(
            name="DuplicateCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="核查时间")),
                ("rules_key", models.CharField(max_length=200, verbose_name="条款与规则标识")),
                (
                    "enterprises",
                    models.IntegerField(
                        blank=True,
                        help_text="空 = 全部企业 / blank: everybody",
                        null=True,
                        verbose_name="核查企业数",
                    ),
                ),
                ("opened", models.IntegerField(verbose_name="新增")),
                ("changed", models.IntegerField(verbose_name="变化")),
                ("reopened", models.IntegerField(verbose_name="重新打开")),
                ("gone", models.IntegerField(verbose_name="已消除")),
            ],
            options={
                "verbose_name": "重复贴息核查批次",
                "verbose_name_plural": "重复贴息核查批次",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="DuplicateDue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "enterprise_id",
                    models.BigIntegerField(
                        blank=True,
                        help_text="空 = 全部企业 / blank: everybody",
                        null=True,
                        verbose_name="企业",
                    ),
                ),
            ],
            options={
                "verbose_name": "待核查变化",
                "verbose_name_plural": "待核查变化",
                "ordering": ["id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="finding",
            name="finding_words_known",
        ),
        migrations.AlterField(
            model_name="finding",
            name="rule",
            field=models.CharField(
                choices=[
                    ("P1", "P1 同一借据重复贴息"),
                    ("P2", "P2 合同或借据号重复录入"),
                    ("P3", "P3 同一企业多个名称或代码"),
                    ("P4", "P4 同一项目多家银行贴息"),
                    ("P5", "P5 发票或设备重复使用"),
                    ("P6", "P6 贴息超过已付利息"),
                    ("P7", "P7 不应贴息日仍贴息"),
                    ("P8", "P8 借新还旧"),
                    ("P9", "P9 拆分借款"),
                    ("P10", "P10 多家银行合计超上限"),
                    ("P11", "P11 与外部补贴重复"),
                    ("P12", "P12 预拨资金长期闲置"),
                    ("N2", "N2 疑似重复录入借据"),
                    ("N3", "N3 疑似同一企业"),
                    ("N5", "N5 疑似重复使用发票或设备"),
                ],
                max_length=3,
                verbose_name="规则",
            ),
        ),
        migrations.AlterField(
            model_name="finding",
            name="severity",
            field=models.CharField(
                choices=[("violation", "违规"), ("warning", "提示"), ("proposal", "疑似")],
                max_length=10,
                verbose_name="程度",
            ),
        ),
        migrations.AddIndex(
            model_name="findingside",
            index=models.Index(fields=["enterprise"], name="finding_side_enterprise"),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "rule__in",
                        [
                            "P1",
                            "P2",
                            "P3",
                            "P4",
                            "P5",
                            "P6",
                            "P7",
                            "P8",
                            "P9",
                            "P10",
                            "P11",
                            "P12",
                            "N2",
                            "N3",
                            "N5",
                        ],
                    ),
                    ("severity__in", ["violation", "warning", "proposal"]),
                    ("state__in", ["open", "confirmed", "dismissed"]),
                ),
                name="finding_words_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("rule__startswith", "N"),
                        ("severity", "proposal"),
                        ("central_fen", 0),
                        ("municipal_fen", 0),
                        ("provincial_fen", 0),
                    ),
                    models.Q(
                        models.Q(("severity", "proposal"), _negated=True),
                        models.Q(("rule__startswith", "N"), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="finding_proposal_claims_nothing",
            ),
        ),
        migrations.RunSQL("".join(TRIGGERS) + HELD, GONE),
    ]
