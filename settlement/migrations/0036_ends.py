"""Who sent a plan, ended it, voided a part of it or withdrew a trial, and when; held by the database."""

from django.db import migrations, models
from django.db.models import F, Q

# Until now whoever sent a plan was not kept; the rule that answers stay lets this by.
SENT = """
ALTER TABLE settlement_plan DISABLE TRIGGER answered;
UPDATE settlement_plan SET sent_by = made_by WHERE sent_at IS NOT NULL;
ALTER TABLE settlement_plan ENABLE TRIGGER answered;
"""

GRANTED = """
SELECT kernel_grant('settlement_plan', may, may) FROM (VALUES ('UPDATE (sent_by, ended_at)')) AS g(may);
SELECT kernel_grant('settlement_planneddeduction', may, may) FROM (VALUES ('UPDATE (ended_at)')) AS g(may);
SELECT kernel_grant('settlement_recomputation', may, may)
FROM (VALUES ('UPDATE (withdrawn_by, withdrawn_at)')) AS g(may);
"""

# Rows ended before this have no time; the rules are about what ends from now on.
HELD = """
DROP TRIGGER answered ON settlement_plan;
CREATE TRIGGER answered BEFORE UPDATE ON settlement_plan
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL)
    EXECUTE FUNCTION kernel_answer_stays('state', 'why', 'ended_by', 'ended_at');

CREATE FUNCTION settlement_plan_people(plan bigint, OUT made_by text, OUT sent_by text, OUT checked_by text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT p.made_by, p.sent_by, p.checked_by FROM settlement_plan p WHERE p.id = plan;
END;
COMMENT ON FUNCTION settlement_plan_people IS
    'Who made, sent and released a plan, whoever asks: nobody frees what they planned, in sight or not';

CREATE FUNCTION settlement_plan_ends() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.ended_by = '' AND NEW.state = 'closed' AND NOT EXISTS (SELECT FROM settlement_planneddeduction d
            WHERE d.plan_id = NEW.id AND d.state IN ('planned', 'reserved')) THEN
        RETURN NEW;  -- nothing is left to come
    END IF;
    IF NEW.ended_by = '' OR NEW.ended_at IS NULL OR btrim(NEW.why) = '' THEN
        RAISE EXCEPTION '结束计划须有处理人、时间和原因 / a plan is ended by somebody, then, for a reason'
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.checked_by IS NOT NULL AND NEW.ended_by IN (OLD.made_by, OLD.sent_by) THEN
        RAISE EXCEPTION '已放行的计划由他人结束 / a released plan is ended by another than made it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ends BEFORE UPDATE ON settlement_plan
    FOR EACH ROW WHEN (OLD.state NOT IN ('closed', 'dropped')
        AND (NEW.state IN ('closed', 'dropped') OR NEW.ended_by <> ''))
    EXECUTE FUNCTION settlement_plan_ends();
CREATE TRIGGER over BEFORE UPDATE ON settlement_plan
    FOR EACH ROW WHEN (OLD.state IN ('closed', 'dropped')) EXECUTE FUNCTION kernel_answer_stays();

CREATE FUNCTION settlement_plan_checked() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM settlement_planneddeduction d
            WHERE d.plan_id = NEW.id AND d.ended_by = NEW.checked_by) THEN
        RAISE EXCEPTION '移出代付的人不复核该计划 / whoever took out of a plan does not check it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER checked BEFORE UPDATE ON settlement_plan
    FOR EACH ROW WHEN (OLD.checked_by IS NULL AND NEW.checked_by IS NOT NULL)
    EXECUTE FUNCTION settlement_plan_checked();

CREATE FUNCTION settlement_planned_ends() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    people record;
BEGIN
    IF NEW.ended_by = '' OR NEW.ended_at IS NULL OR btrim(NEW.why) = '' THEN
        RAISE EXCEPTION '作废须有处理人、时间和原因 / it is voided by somebody, then, for a reason'
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT * INTO people FROM settlement_plan_people(NEW.plan_id);
    IF people.checked_by IS NOT NULL AND NEW.ended_by IN (people.made_by, people.sent_by) THEN
        RAISE EXCEPTION '已放行的代付由他人作废 / what is released is voided by another than planned it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ends BEFORE UPDATE ON settlement_planneddeduction
    FOR EACH ROW WHEN (OLD.ended_by = '' AND (NEW.ended_by <> '' OR (NEW.state = 'void' AND OLD.state <> 'void')))
    EXECUTE FUNCTION settlement_planned_ends();
CREATE TRIGGER over BEFORE UPDATE ON settlement_planneddeduction
    FOR EACH ROW WHEN (OLD.ended_by <> '') EXECUTE FUNCTION kernel_answer_stays();

CREATE FUNCTION settlement_trial_withdrawn() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.withdrawn_by IS NULL THEN
        RAISE EXCEPTION '撤回须有撤回人和时间 / somebody withdraws it, and then' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER withdrawn BEFORE UPDATE ON settlement_recomputation
    FOR EACH ROW WHEN (OLD.state IN ('trying', 'ready') AND NEW.state = 'lapsed')
    EXECUTE FUNCTION settlement_trial_withdrawn();

CREATE FUNCTION settlement_withdrawn() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.withdrawn_by IS NULL OR NEW.withdrawn_at IS NULL
        OR (OLD.checked_by IS NOT NULL AND NEW.withdrawn_by = OLD.made_by) THEN
        RAISE EXCEPTION '已提交的结算由他人撤回 / what was submitted is taken back by another than drafted it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER withdrawn BEFORE UPDATE ON settlement_settlement
    FOR EACH ROW WHEN (OLD.state <> 'withdrawn' AND NEW.state = 'withdrawn')
    EXECUTE FUNCTION settlement_withdrawn();
"""
UNHELD = """
DROP TRIGGER withdrawn ON settlement_settlement;
DROP FUNCTION settlement_withdrawn();
DROP TRIGGER withdrawn ON settlement_recomputation;
DROP FUNCTION settlement_trial_withdrawn();
DROP TRIGGER over ON settlement_planneddeduction;
DROP TRIGGER ends ON settlement_planneddeduction;
DROP FUNCTION settlement_planned_ends();
DROP TRIGGER checked ON settlement_plan;
DROP FUNCTION settlement_plan_checked();
DROP TRIGGER over ON settlement_plan;
DROP TRIGGER ends ON settlement_plan;
DROP FUNCTION settlement_plan_ends();
DROP FUNCTION settlement_plan_people(bigint);
DROP TRIGGER answered ON settlement_plan;
CREATE TRIGGER answered BEFORE UPDATE ON settlement_plan
    FOR EACH ROW WHEN (OLD.checked_by IS NOT NULL)
    EXECUTE FUNCTION kernel_answer_stays('state', 'why', 'ended_by');
"""


def _person(name: str) -> "models.CharField[str, str]":
    return models.CharField(
        blank=True, db_default="", default="", max_length=150, verbose_name=name
    )


def _moment(name: str) -> "models.DateTimeField[str, str]":
    return models.DateTimeField(blank=True, null=True, verbose_name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0009_names_stay"),
        ("settlement", "0035_one_function"),
    ]

    operations = [
        migrations.AddField("plan", "sent_by", _person("送复核人")),
        migrations.AddField("plan", "ended_at", _moment("处理时间")),
        migrations.AddField("planneddeduction", "ended_at", _moment("处理时间")),
        migrations.AddField(
            "recomputation",
            "withdrawn_by",
            models.CharField(blank=True, max_length=150, null=True, verbose_name="撤回人"),
        ),
        migrations.AddField("recomputation", "withdrawn_at", _moment("撤回时间")),
        migrations.RunSQL(SENT, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "plan",
            models.CheckConstraint(
                name="plan_sent_by_somebody", condition=Q(sent_at__isnull=True) ^ ~Q(sent_by="")
            ),
        ),
        migrations.AddConstraint(
            "plan",
            models.CheckConstraint(
                name="plan_checked_by_another_than_sent",
                condition=Q(checked_by__isnull=True) | ~Q(checked_by=F("sent_by")),
            ),
        ),
        migrations.AddConstraint(
            "recomputation",
            models.CheckConstraint(
                name="recomputation_withdrawn_by_its_maker",
                condition=Q(withdrawn_by__isnull=True, withdrawn_at__isnull=True)
                | Q(withdrawn_by=F("made_by"), withdrawn_at__isnull=False, state="lapsed"),
            ),
        ),
        migrations.RunSQL(GRANTED, migrations.RunSQL.noop),
        migrations.RunSQL(HELD, UNHELD),
    ]
