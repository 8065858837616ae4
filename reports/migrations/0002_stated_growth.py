"""The growth of lending that a person stated; and what was submitted gives way only to what is."""

from django.db import migrations, models

# Within the transaction that supersedes what finance has, the correction is submitted: at its end it is.
REPLACED = """
CREATE FUNCTION reports_is_replaced() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM reports_report r
        WHERE r.corrects_id = NEW.id AND r.submitted_at IS NOT NULL)
    THEN
        RAISE EXCEPTION '更正须一并报送 / what was submitted gives way only to a correction that is: %', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER report_is_replaced AFTER UPDATE ON reports_report
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.state IN ('submitted', 'accepted') AND NEW.state = 'superseded')
    EXECUTE FUNCTION reports_is_replaced();
"""
UNDO = "DROP TRIGGER report_is_replaced ON reports_report; DROP FUNCTION reports_is_replaced()"


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(REPLACED, UNDO),
        migrations.AddField(
            model_name="report",
            name="growth_ppm",
            field=models.BigIntegerField(
                blank=True,
                help_text="百万分之一；空 = 未申报 / parts per million; blank = none stated",
                null=True,
                verbose_name="新增放款增长率",
            ),
        ),
    ]
