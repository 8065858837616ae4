"""Papers of notes and institutions, their withdrawals, and what each note has."""

import django.db.models.deletion
from django.db import migrations, models

# Staff of a branch see that their head office has handed in its letter (MF-16): an institution's own
# papers are seen below it too. Papers of notes are their institution's alone.
SEEN_BELOW = """
CREATE POLICY loans_paper_of_bank ON loans_paper FOR SELECT TO app
USING (note_id IS NULL AND EXISTS (SELECT FROM kernel_institution i
    WHERE i.id = loans_paper.institution_id
    AND nullif(current_setting('app.lo', true), '')::bigint BETWEEN i.id AND i.last_id));
CREATE POLICY loans_paper_of_bank ON loans_paperwithdrawal FOR SELECT TO app
USING (note_id IS NULL AND EXISTS (SELECT FROM kernel_institution i
    WHERE i.id = loans_paperwithdrawal.institution_id
    AND nullif(current_setting('app.lo', true), '')::bigint BETWEEN i.id AND i.last_id));
"""
SEEN_NO_MORE = """
DROP POLICY loans_paper_of_bank ON loans_paper;
DROP POLICY loans_paper_of_bank ON loans_paperwithdrawal;
"""

# Whichever way papers come, what their notes have is right when the statement ends. A withdrawal waits
# for whoever is adding to the same note, and then reads all that is there.
SHELVES = """
CREATE FUNCTION loans_paper_bit(kind text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 1 << array_position(ARRAY[KINDS], kind) - 1;
COMMENT ON FUNCTION loans_paper_bit IS 'As loans.values.papers.kind_bit: one comparison per note instead of many';

CREATE FUNCTION loans_paper_kinds(bits integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT string_agg(x.kind, ';' ORDER BY x.place)
    FROM unnest(ARRAY[KINDS]) WITH ORDINALITY AS x(kind, place)
    WHERE bits & loans_paper_bit(x.kind) <> 0);
COMMENT ON FUNCTION loans_paper_kinds IS 'The kinds that bits stand for, joined by semicolons';

CREATE FUNCTION loans_shelve_papers() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO loans_papershelf AS t (note_id, institution_id, held)
    SELECT p.note_id, min(p.institution_id), bit_or(loans_paper_bit(p.kind))
    FROM added p WHERE p.note_id IS NOT NULL GROUP BY p.note_id ORDER BY p.note_id
    ON CONFLICT (note_id) DO UPDATE SET held = t.held | EXCLUDED.held
    WHERE t.held & EXCLUDED.held <> EXCLUDED.held;
    RETURN NULL;
END $$;
CREATE TRIGGER shelve AFTER INSERT ON loans_paper REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION loans_shelve_papers();

CREATE FUNCTION loans_unshelve_papers() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM FROM loans_papershelf s WHERE s.note_id IN (SELECT note_id FROM added)
    ORDER BY s.note_id FOR UPDATE;
    UPDATE loans_papershelf s SET held = coalesce((
        SELECT bit_or(loans_paper_bit(p.kind)) FROM loans_paper p WHERE p.note_id = s.note_id
        AND NOT EXISTS (SELECT FROM loans_paperwithdrawal w WHERE w.paper_id = p.id)), 0)
    WHERE s.note_id IN (SELECT note_id FROM added);
    RETURN NULL;
END $$;
CREATE TRIGGER unshelve AFTER INSERT ON loans_paperwithdrawal REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION loans_unshelve_papers();
""".replace(
    "KINDS",
    "'borrower_undertaking', 'supplementary_agreement', 'invoice', 'payment_proof', 'use_of_funds',"
    " 'commitment_letter', 'eligibility_proof', 'other'",
)
UNSHELVED = """
DROP FUNCTION loans_shelve_papers CASCADE;
DROP FUNCTION loans_unshelve_papers CASCADE;
DROP FUNCTION loans_paper_kinds;
DROP FUNCTION loans_paper_bit;
"""

PROTECT = """
SELECT kernel_append_only('loans_paper'), kernel_append_only('loans_paperwithdrawal'),
    kernel_protect('loans_paper'), kernel_protect('loans_paperwithdrawal'),
    kernel_protect('loans_papershelf'),
    kernel_grant('loans_paper', 'SELECT, INSERT', 'SELECT, INSERT'),
    kernel_grant('loans_paperwithdrawal', 'SELECT, INSERT', 'SELECT, INSERT'),
    kernel_grant('loans_papershelf', 'SELECT', 'SELECT');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0007_rows_done"),
        ("loans", "0007_file_imports"),
    ]

    operations = [
        migrations.CreateModel(
            name="Paper",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "scheme_code",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="仅机构资料 / institutions only",
                        max_length=60,
                        verbose_name="贴息政策",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("borrower_undertaking", "企业信用承诺书"),
                            ("supplementary_agreement", "贴息补充协议"),
                            ("invoice", "购置发票"),
                            ("payment_proof", "付款凭证"),
                            ("use_of_funds", "资金用途跟踪记录"),
                            ("commitment_letter", "合作银行承诺书"),
                            ("eligibility_proof", "企业资格证明"),
                            ("other", "其他资料"),
                        ],
                        max_length=40,
                        verbose_name="资料种类",
                    ),
                ),
                (
                    "archive_number",
                    models.CharField(blank=True, default="", max_length=100, verbose_name="档案号"),
                ),
                ("dated_on", models.DateField(blank=True, null=True, verbose_name="文件日期")),
                (
                    "file_name",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=255, verbose_name="文件名"
                    ),
                ),
                (
                    "size_bytes",
                    models.BigIntegerField(blank=True, null=True, verbose_name="字节数"),
                ),
                (
                    "sha256",
                    models.CharField(
                        blank=True, default="", max_length=64, verbose_name="文件摘要"
                    ),
                ),
                ("made_by", models.CharField(max_length=150, verbose_name="经办")),
                ("made_at", models.DateTimeField(verbose_name="登记时间")),
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
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        blank=True,
                        help_text="空 = 机构自身的资料 / blank: the institution's own",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="papers",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "verbose_name": "资料",
                "verbose_name_plural": "资料",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="PaperShelf",
            fields=[
                (
                    "note",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="paper_shelf",
                        serialize=False,
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
                (
                    "held",
                    models.IntegerField(
                        help_text="按位 / see loans.values.papers.kind_bit", verbose_name="已有资料"
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
            ],
            options={
                "verbose_name": "借据资料概况",
                "verbose_name_plural": "借据资料概况",
                "ordering": ["note"],
            },
        ),
        migrations.CreateModel(
            name="PaperWithdrawal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("why", models.CharField(max_length=500, verbose_name="原因")),
                ("made_by", models.CharField(max_length=150, verbose_name="经办")),
                ("made_at", models.DateTimeField(verbose_name="撤回时间")),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.institution",
                        verbose_name="所属机构",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
                (
                    "paper",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawal",
                        to="loans.paper",
                        verbose_name="资料",
                    ),
                ),
            ],
            options={
                "verbose_name": "资料撤回",
                "verbose_name_plural": "资料撤回",
                "ordering": ["-id"],
            },
        ),
        migrations.AddIndex(
            model_name="paper",
            index=models.Index(fields=["archive_number"], name="paper_archive_number"),
        ),
        migrations.AddIndex(
            model_name="paper",
            index=models.Index(fields=["institution", "-id"], name="paper_of_institution"),
        ),
        migrations.AddIndex(
            model_name="paper",
            index=models.Index(fields=["sha256"], name="paper_sha256"),
        ),
        migrations.AddConstraint(
            model_name="paper",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "borrower_undertaking",
                            "supplementary_agreement",
                            "invoice",
                            "payment_proof",
                            "use_of_funds",
                            "commitment_letter",
                            "eligibility_proof",
                            "other",
                        ],
                    )
                ),
                name="paper_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="paper",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("size_bytes__gt", 0),
                    models.Q(("archive_number", ""), _negated=True),
                    _connector="OR",
                ),
                name="paper_is_somewhere",
            ),
        ),
        migrations.AddConstraint(
            model_name="paper",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("file_name", ""), ("size_bytes__isnull", True)),
                    models.Q(
                        ("size_bytes__gt", 0),
                        models.Q(("file_name", ""), _negated=True),
                        models.Q(("sha256", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="paper_file_has_name_and_digest",
            ),
        ),
        migrations.AddConstraint(
            model_name="paper",
            constraint=models.CheckConstraint(
                condition=models.Q(("sha256__regex", "^([0-9a-f]{64})?$")),
                name="paper_sha256_written_in_hex",
            ),
        ),
        migrations.AddConstraint(
            model_name="paper",
            constraint=models.CheckConstraint(
                condition=models.Q(("note__isnull", True), ("scheme_code", ""), _connector="OR"),
                name="paper_of_a_note_serves_every_scheme",
            ),
        ),
        migrations.AddConstraint(
            model_name="paperwithdrawal",
            constraint=models.CheckConstraint(
                condition=models.Q(("why", ""), _negated=True), name="paper_withdrawn_for_a_reason"
            ),
        ),
        migrations.RunSQL(PROTECT, migrations.RunSQL.noop),
        migrations.RunSQL(SEEN_BELOW, SEEN_NO_MORE),
        migrations.RunSQL(SHELVES, UNSHELVED),
    ]
