"""Answers stay as given, papers are of their own note, and refused codes say why."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

GRANT = """
SELECT kernel_grant('loans_usccconfirmation', may, may)
FROM (VALUES ('UPDATE (reason, made_by, at, refused_by, refused_at, refused_why)')) AS g(may);

CREATE FUNCTION loans_brought_by(batch bigint, OUT actor text, OUT at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT b.actor, b.at FROM loans_importbatch b WHERE b.id = batch;
END;
COMMENT ON FUNCTION loans_brought_by IS
    'Who brought a file in, whoever asks: nobody checks what they made, in sight or not';
"""
UNGRANT = "DROP FUNCTION loans_brought_by(bigint);"

# An undo begins as a request; a file that is in, and an answer that is given, stay so. Of a code only
# the answer is added; one that was refused may be confirmed anew.
GUARDS = """
CREATE FUNCTION loans_undo_begins() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.state <> 'asked' OR NEW.checked_by IS NOT NULL OR NEW.counter_id IS NOT NULL THEN
        RAISE EXCEPTION '撤销先申请 / an undo begins with its request' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER begins BEFORE INSERT ON loans_importundo
    FOR EACH ROW EXECUTE FUNCTION loans_undo_begins();
CREATE TRIGGER answered BEFORE UPDATE ON loans_importundo
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL)
    EXECUTE FUNCTION kernel_answer_stays('state', 'removed', 'removed_sha256', 'counter_id', 'error', 'run_id');
CREATE TRIGGER over BEFORE UPDATE ON loans_importundo
    FOR EACH ROW WHEN (OLD.state IN ('done', 'declined', 'failed'))
    EXECUTE FUNCTION kernel_answer_stays();
CREATE TRIGGER said BEFORE UPDATE ON loans_usccconfirmation
    FOR EACH ROW WHEN (OLD.refused_by IS NULL)
    EXECUTE FUNCTION kernel_answer_stays('checked_by', 'refused_by', 'refused_at', 'refused_why');
CREATE TRIGGER over BEFORE UPDATE ON loans_fileimport
    FOR EACH ROW WHEN (OLD.state IN ('done', 'dropped'))
    EXECUTE FUNCTION kernel_answer_stays();
"""
UNGUARD = """
DROP TRIGGER said ON loans_usccconfirmation;
DROP TRIGGER over ON loans_fileimport;
DROP TRIGGER over ON loans_importundo;
DROP TRIGGER answered ON loans_importundo;
DROP TRIGGER begins ON loans_importundo;
DROP FUNCTION loans_undo_begins();
"""

# Foreign keys do not ask for row-level security: a paper and its withdrawal belong where the note does.
PAPERS = """
CREATE FUNCTION loans_paper_of_its_note() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.note_id IS NOT NULL AND NOT EXISTS (SELECT FROM loans_note n
            WHERE n.id = NEW.note_id AND n.institution_id = NEW.institution_id) THEN
        RAISE EXCEPTION '资料须属于其借据的机构 / a paper belongs to the institution of its note'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER of_its_note BEFORE INSERT ON loans_paper
    FOR EACH ROW EXECUTE FUNCTION loans_paper_of_its_note();
CREATE FUNCTION loans_withdrawal_of_its_paper() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM loans_paper p WHERE p.id = NEW.paper_id
            AND p.institution_id = NEW.institution_id AND p.note_id IS NOT DISTINCT FROM NEW.note_id) THEN
        RAISE EXCEPTION '撤回须与资料同属一处 / a withdrawal belongs where its paper does'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER of_its_paper BEFORE INSERT ON loans_paperwithdrawal
    FOR EACH ROW EXECUTE FUNCTION loans_withdrawal_of_its_paper();
"""
UNPAPERS = """
DROP TRIGGER of_its_paper ON loans_paperwithdrawal;
DROP TRIGGER of_its_note ON loans_paper;
DROP FUNCTION loans_withdrawal_of_its_paper();
DROP FUNCTION loans_paper_of_its_note();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0009_names_stay"),
        ("loans", "0010_history_of_labels"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="usccconfirmation",
            name="before_change_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="usccconfirmation",
            name="before_delete_delete",
        ),
        migrations.AddField(
            model_name="usccconfirmation",
            name="refused_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="退回时间"),
        ),
        migrations.AddField(
            model_name="usccconfirmation",
            name="refused_by",
            field=models.CharField(blank=True, max_length=150, null=True, verbose_name="退回人"),
        ),
        migrations.AddField(
            model_name="usccconfirmation",
            name="refused_why",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=500, verbose_name="退回原因"
            ),
        ),
        migrations.AddField(
            model_name="usccconfirmationevent",
            name="refused_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="退回时间"),
        ),
        migrations.AddField(
            model_name="usccconfirmationevent",
            name="refused_by",
            field=models.CharField(blank=True, max_length=150, null=True, verbose_name="退回人"),
        ),
        migrations.AddField(
            model_name="usccconfirmationevent",
            name="refused_why",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=500, verbose_name="退回原因"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="usccconfirmation",
            trigger=pgtrigger.compiler.Trigger(
                name="before_change_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "loans_usccconfirmationevent" ("at", "checked_by", "id", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "refused_at", "refused_by", "refused_why", "uscc") VALUES (OLD."at", OLD."checked_by", OLD."id", OLD."made_by", _pgh_attach_context(), NOW(), \'before_change\', OLD."id", OLD."reason", OLD."refused_at", OLD."refused_by", OLD."refused_why", OLD."uscc"); RETURN NULL;',
                    hash="0df1db8c6cdf315cd73b6a1cb7232b9f90b1031c",
                    operation="UPDATE",
                    pgid="pgtrigger_before_change_update_1f5d5",
                    table="loans_usccconfirmation",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="usccconfirmation",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "loans_usccconfirmationevent" ("at", "checked_by", "id", "made_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "refused_at", "refused_by", "refused_why", "uscc") VALUES (OLD."at", OLD."checked_by", OLD."id", OLD."made_by", _pgh_attach_context(), NOW(), \'before_delete\', OLD."id", OLD."reason", OLD."refused_at", OLD."refused_by", OLD."refused_why", OLD."uscc"); RETURN NULL;',
                    hash="b58844658f0cb7d0483f4288e0d98a0ecccc3ad4",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_5040d",
                    table="loans_usccconfirmation",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="usccconfirmation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("refused_by__isnull", True), ("refused_why", "")),
                    models.Q(
                        ("checked_by__isnull", True),
                        ("refused_by__isnull", False),
                        models.Q(("refused_why", ""), _negated=True),
                        models.Q(("refused_by", models.F("made_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="uscc_confirmation_refused_by_another_for_a_reason",
            ),
        ),
        migrations.RunSQL(GRANT, UNGRANT),
        migrations.RunSQL(GUARDS, UNGUARD),
        migrations.RunSQL(PAPERS, UNPAPERS),
    ]
