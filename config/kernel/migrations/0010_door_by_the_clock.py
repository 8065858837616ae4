"""What the door writes is of now and of that person: nobody backdates a sign-in or invents a password.

The web's role is the door, so it writes these lines; a definer's function would be called by the same
role. What it cannot do is choose the time, sign a line with another's name, or keep a password that
is not the person's own.
"""

from django.db import migrations

HELD = """
CREATE FUNCTION kernel_sign_in_is_now() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_user = 'app' THEN
        NEW.at := clock_timestamp();
    END IF;
    IF NEW.user_id IS NOT NULL AND NOT EXISTS (SELECT FROM kernel_user u
            WHERE u.id = NEW.user_id AND u.username = NEW.username) THEN
        RAISE EXCEPTION '登录记录须用本人的用户名 / a line of the audit bears the name of its person'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER is_now BEFORE INSERT ON kernel_signin
    FOR EACH ROW EXECUTE FUNCTION kernel_sign_in_is_now();

CREATE FUNCTION kernel_former_password_is_own() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_user = 'app' THEN
        NEW.set_at := clock_timestamp();
    END IF;
    IF NOT EXISTS (SELECT FROM kernel_user u WHERE u.id = NEW.user_id AND u.password = NEW.password)
        OR EXISTS (SELECT FROM kernel_formerpassword f
            WHERE f.user_id = NEW.user_id AND f.password = NEW.password) THEN
        RAISE EXCEPTION '历史密码只记本人刚设置的密码 / only the password a person has just set is kept, once'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER is_own BEFORE INSERT ON kernel_formerpassword
    FOR EACH ROW EXECUTE FUNCTION kernel_former_password_is_own();
"""
UNHELD = """
DROP TRIGGER is_own ON kernel_formerpassword;
DROP FUNCTION kernel_former_password_is_own();
DROP TRIGGER is_now ON kernel_signin;
DROP FUNCTION kernel_sign_in_is_now();
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0009_names_stay")]

    operations = [migrations.RunSQL(HELD, UNHELD)]
