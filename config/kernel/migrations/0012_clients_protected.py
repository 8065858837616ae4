"""What web and worker may do with clients of the interface and with what those were answered."""

from django.db import migrations

GRANTS = """
SELECT kernel_grant(t::regclass, 'SELECT, INSERT, UPDATE', 'SELECT, INSERT, UPDATE')
FROM unnest(ARRAY['kernel_financedepartment', 'kernel_apiclient', 'kernel_clientsecret',
    'kernel_signingkey', 'oauth2_provider_application']) t;
SELECT kernel_grant('kernel_answeringinstitution', 'SELECT, INSERT, DELETE', 'SELECT, INSERT, DELETE'),
    kernel_grant('kernel_idempotencykey', 'SELECT, INSERT', 'SELECT, INSERT, DELETE'),
    kernel_grant('kernel_usednonce', 'SELECT, INSERT', 'SELECT, INSERT, DELETE'),
    kernel_grant('oauth2_provider_accesstoken', 'SELECT, INSERT, UPDATE', 'SELECT, INSERT, UPDATE, DELETE');
SELECT kernel_grant(t::regclass, 'SELECT', 'SELECT')
FROM unnest(ARRAY['oauth2_provider_grant', 'oauth2_provider_refreshtoken', 'oauth2_provider_idtoken',
    'oauth2_provider_devicegrant']) t;
SELECT kernel_grant(t::regclass, 'SELECT, INSERT', 'SELECT, INSERT'), kernel_append_only(t::regclass)
FROM unnest(ARRAY['kernel_financedepartmentevent', 'kernel_answeringinstitutionevent',
    'kernel_apiclientevent', 'kernel_clientsecretevent', 'kernel_signingkeyevent']) t;
"""
KEPT = """
CREATE FUNCTION kernel_kept_400_days() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < now() - interval '400 days' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '幂等键只增不改，保留 400 天 / what was answered under a key is kept for 400 days: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON kernel_idempotencykey
    FOR EACH ROW EXECUTE FUNCTION kernel_kept_400_days();
"""
# A client reads what it was answered itself, and nobody else's answers.
OWN = """
ALTER TABLE kernel_idempotencykey ENABLE ROW LEVEL SECURITY;
ALTER TABLE kernel_idempotencykey FORCE ROW LEVEL SECURITY;
CREATE POLICY kernel_idempotencykey_owner ON kernel_idempotencykey FOR ALL TO CURRENT_USER
    USING (true) WITH CHECK (true);
CREATE POLICY kernel_idempotencykey_worker ON kernel_idempotencykey FOR ALL TO worker
    USING (true) WITH CHECK (true);
CREATE POLICY kernel_idempotencykey_app ON kernel_idempotencykey FOR ALL TO app
    USING (client_id = nullif(current_setting('app.client', true), '')::bigint)
    WITH CHECK (client_id = nullif(current_setting('app.client', true), '')::bigint);
"""
UNDO = """
ALTER TABLE kernel_idempotencykey NO FORCE ROW LEVEL SECURITY;
ALTER TABLE kernel_idempotencykey DISABLE ROW LEVEL SECURITY;
DROP POLICY kernel_idempotencykey_owner ON kernel_idempotencykey;
DROP POLICY kernel_idempotencykey_worker ON kernel_idempotencykey;
DROP POLICY kernel_idempotencykey_app ON kernel_idempotencykey;
DROP TRIGGER kept ON kernel_idempotencykey;
DROP FUNCTION kernel_kept_400_days();
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0011_clients")]

    operations = [migrations.RunSQL(GRANTS + KEPT + OWN, UNDO)]
