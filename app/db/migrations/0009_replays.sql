-- A delivery that is replayed begins anew, and its log goes on.
ALTER TABLE webhook_deliveries ADD COLUMN earlier_attempts integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN webhook_deliveries.earlier_attempts IS
    'before it was replayed: how long to wait after a failure goes by those since';
