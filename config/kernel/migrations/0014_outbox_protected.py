"""What web and worker may do with events, their deliveries and the addresses they go to."""

from django.db import migrations

# The web writes events and what people do about deliveries; only the worker sends.
HELD = """
SELECT kernel_grant('kernel_outboxevent', 'SELECT, INSERT', 'SELECT, INSERT'),
    kernel_grant('kernel_outboxpending', 'INSERT', 'SELECT, INSERT, DELETE'),
    kernel_grant('kernel_outboxdelivery', 'SELECT, UPDATE (state, attempts, next_at)',
        'SELECT, INSERT, UPDATE (state, attempts, next_at, last_error, status, proof, delivered_at)'),
    kernel_grant('kernel_outboxpause', 'SELECT', 'SELECT, INSERT, UPDATE, DELETE'),
    kernel_grant('kernel_deliverystep', 'SELECT, INSERT', 'SELECT, INSERT'),
    kernel_grant('kernel_webhookendpoint', 'SELECT, INSERT, UPDATE', 'SELECT, INSERT, UPDATE'),
    kernel_grant('kernel_webhooksecret', 'SELECT, INSERT, UPDATE (ends_at)', 'SELECT, INSERT, UPDATE (ends_at)');
SELECT kernel_protect(t::regclass)
FROM unnest(ARRAY['kernel_outboxevent', 'kernel_outboxdelivery', 'kernel_deliverystep']) t;
SELECT kernel_grant(t::regclass, 'SELECT, INSERT', 'SELECT, INSERT')
FROM unnest(ARRAY['kernel_webhookendpointevent', 'kernel_webhooksecretevent']) t;
SELECT kernel_append_only(t::regclass)
FROM unnest(ARRAY['kernel_outboxevent', 'kernel_deliverystep', 'kernel_webhookendpointevent',
    'kernel_webhooksecretevent']) t;
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0013_outbox")]

    operations = [migrations.RunSQL(HELD, migrations.RunSQL.noop)]
