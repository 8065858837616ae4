"""What every endpoint of the REST interface shares: who asks, strict bodies, idempotency, errors."""
