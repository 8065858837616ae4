"""Labels that notes miss; and what other institutions' notes used of a shared cap, as sums alone.

Caps of an enterprise or a project count the notes of every bank (SME-05, MF-11 to MF-13), which staff of
one bank do not see. The two functions run as the owner, ask first whether the caller may see the
collection or the enterprise, and give out nothing but totals.
"""

import django.db.models.deletion
from django.db import migrations, models

# D9's order, by which caps are served; institutions and numbers compare as bytes, as in the engine.
USED_BEFORE = """
CREATE FUNCTION settlement_used_before(
    of_collection bigint, of_scheme bigint, per text, yearly boolean
) RETURNS TABLE (granted_fen bigint, opening_fen bigint, leasing_fen bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own record;
    sharing bigint[];
BEGIN
    SELECT x.collected_on, extract(year FROM x.collected_on) AS year, x.period_start, x.reference,
        n.id AS note_id, n.institution_id, n.note_number, o.code, c.enterprise_id, c.project_id
    INTO STRICT own
    FROM loans_interestcollection x JOIN loans_note n ON n.id = x.note_id
    JOIN loans_contract c ON c.id = n.contract_id JOIN kernel_institution o ON o.id = n.origin_id
    WHERE x.id = of_collection;
    PERFORM settlement_require_scope(own.institution_id);
    IF per = 'note' THEN
        sharing := ARRAY[own.note_id];
    ELSIF per = 'project' THEN
        sharing := ARRAY(SELECT n.id FROM loans_note n JOIN loans_contract c ON c.id = n.contract_id
            WHERE c.project_id = own.project_id);
    ELSE
        sharing := ARRAY(SELECT n.id FROM loans_note n JOIN loans_contract c ON c.id = n.contract_id
            WHERE c.enterprise_id = own.enterprise_id);
    END IF;
    SELECT coalesce(sum(d.central_fen + d.provincial_fen + d.municipal_fen), 0)::bigint
    INTO granted_fen
    FROM settlement_deduction d JOIN loans_interestcollection x ON x.id = d.collection_id
    JOIN loans_note n ON n.id = d.note_id JOIN kernel_institution o ON o.id = n.origin_id
    WHERE d.note_id = ANY(sharing) AND d.scheme_id = of_scheme
        AND (NOT yearly OR extract(year FROM x.collected_on) = own.year)
        AND (x.collected_on, o.code COLLATE "C", n.note_number COLLATE "C", x.period_start,
            x.reference COLLATE "C")
          < (own.collected_on, own.code COLLATE "C", own.note_number COLLATE "C", own.period_start,
            own.reference COLLATE "C");
    SELECT coalesce(sum(p.amount_fen), 0)::bigint INTO opening_fen
    FROM loans_openingposition p JOIN settlement_scheme s ON s.code = p.scheme_code
    WHERE p.note_id = ANY(sharing) AND s.id = of_scheme
        AND CASE WHEN yearly THEN p.year = own.year ELSE p.year <= own.year END;
    SELECT coalesce(sum(x.amount_fen), 0)::bigint INTO leasing_fen
    FROM loans_externalsubsidy x JOIN loans_enterprise e ON e.uscc = x.uscc
    WHERE e.id = own.enterprise_id AND x.kind = 'leasing_interest' AND x.year = own.year;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION settlement_used_before IS
    'What a collection found used of a cap: sums over every bank''s notes, no row of any';
"""
ENTERPRISE_USE = """
CREATE FUNCTION settlement_enterprise_use(of_enterprise bigint)
RETURNS TABLE (
    kind text, scheme_code text, loan_type text, project_id bigint, year integer, amount_fen bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    caller text := CASE current_setting('role') WHEN 'none' THEN session_user::text
        ELSE current_setting('role') END;
    lo bigint := nullif(current_setting('app.lo', true), '')::bigint;
    hi bigint := nullif(current_setting('app.hi', true), '')::bigint;
BEGIN
    IF caller = 'app' AND NOT EXISTS (
        SELECT FROM loans_contract c WHERE c.enterprise_id = of_enterprise
            AND (c.institution_id BETWEEN lo AND hi OR EXISTS (SELECT FROM loans_note n
                WHERE n.contract_id = c.id AND n.institution_id BETWEEN lo AND hi))
    ) THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH sharing AS (
        SELECT n.id, n.drawn_on, c.loan_type FROM loans_note n
        JOIN loans_contract c ON c.id = n.contract_id WHERE c.enterprise_id = of_enterprise
    ), projects AS (
        SELECT DISTINCT c.project_id FROM loans_contract c
        WHERE c.enterprise_id = of_enterprise AND c.project_id IS NOT NULL
    ), of_projects AS (
        SELECT n.id, c.project_id FROM loans_note n JOIN loans_contract c ON c.id = n.contract_id
        WHERE c.project_id IN (SELECT p.project_id FROM projects p)
    ), found (kind, scheme_code, loan_type, project_id, year, amount_fen) AS (
        SELECT 'granted', s.code, '', 0, extract(year FROM d.collected_on),
            d.central_fen + d.provincial_fen + d.municipal_fen
        FROM sharing n JOIN settlement_deduction d ON d.note_id = n.id
        JOIN settlement_scheme s ON s.id = d.scheme_id
        UNION ALL
        SELECT 'opening', p.scheme_code, '', 0, p.year, p.amount_fen
        FROM sharing n JOIN loans_openingposition p ON p.note_id = n.id
        UNION ALL
        SELECT 'project', s.code, '', n.project_id, extract(year FROM d.collected_on),
            d.central_fen + d.provincial_fen + d.municipal_fen
        FROM of_projects n JOIN settlement_deduction d ON d.note_id = n.id
        JOIN settlement_scheme s ON s.id = d.scheme_id
        UNION ALL
        SELECT 'project', p.scheme_code, '', n.project_id, p.year, p.amount_fen
        FROM of_projects n JOIN loans_openingposition p ON p.note_id = n.id
        UNION ALL
        SELECT 'leasing', '', '', 0, x.year, x.amount_fen
        FROM loans_externalsubsidy x JOIN loans_enterprise e ON e.uscc = x.uscc
        WHERE e.id = of_enterprise AND x.kind = 'leasing_interest'
        UNION ALL
        SELECT 'principal', t.scheme_code, n.loan_type, 0, extract(year FROM n.drawn_on),
            t.eligible_fen
        FROM sharing n JOIN settlement_enrolment t ON t.note_id = n.id WHERE t.status = 'eligible'
    )
    SELECT f.kind, f.scheme_code::text, f.loan_type::text, f.project_id::bigint, f.year::integer,
        sum(f.amount_fen)::bigint
    FROM found f GROUP BY 1, 2, 3, 4, 5;
END $$;
COMMENT ON FUNCTION settlement_enterprise_use IS
    'What an enterprise and its projects used of their caps: sums over every bank''s notes, no row of any';
"""
GRANTS = """
SELECT kernel_protect('settlement_missedlabel'),
    kernel_grant('settlement_missedlabel', 'SELECT', 'SELECT, INSERT, UPDATE, DELETE');
REVOKE EXECUTE ON FUNCTION settlement_used_before(bigint, bigint, text, boolean),
    settlement_enterprise_use(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION settlement_used_before(bigint, bigint, text, boolean),
    settlement_enterprise_use(bigint) TO app, worker;
"""
UNDO = """
DROP FUNCTION settlement_enterprise_use(bigint);
DROP FUNCTION settlement_used_before(bigint, bigint, text, boolean);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0007_rows_done"),
        ("loans", "0006_payout_agreements"),
        ("settlement", "0032_admin_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="MissedLabel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("scheme_code", models.CharField(max_length=60, verbose_name="贴息政策")),
                (
                    "eligible_fen",
                    models.BigIntegerField(
                        help_text="人民币分，封顶后 / fen of CNY after the principal cap",
                        verbose_name="可贴息本金",
                    ),
                ),
                ("subsidised_from", models.DateField(verbose_name="贴息起日")),
                (
                    "subsidised_until",
                    models.DateField(help_text="不含当日 / exclusive", verbose_name="贴息止日"),
                ),
                ("found_at", models.DateTimeField(verbose_name="查找时间")),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="missed_labels",
                        to="loans.note",
                        verbose_name="借据",
                    ),
                ),
            ],
            options={
                "verbose_name": "应享未享",
                "verbose_name_plural": "应享未享",
                "ordering": ["note", "scheme_code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("note", "scheme_code"), name="missed_label_once_per_scheme"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("eligible_fen__gt", 0)),
                        name="missed_label_is_worth_something",
                    ),
                ],
            },
        ),
        migrations.RunSQL(USED_BEFORE + ENTERPRISE_USE, UNDO),
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
    ]
