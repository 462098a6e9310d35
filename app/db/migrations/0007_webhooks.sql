-- What happens in a project is posted to whom its policies name. A delivery is a row until it is done, so neither
-- Redis nor a process can lose one.
CREATE TABLE webhook_policies (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    event_types text[] NOT NULL,
    filters json NOT NULL DEFAULT '[]',
    is_enabled boolean NOT NULL DEFAULT true,
    creator text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, name)
);
COMMENT ON COLUMN webhook_policies.filters IS 'what else an event has to match: repositories and tags, by doublestar';

CREATE TABLE webhook_targets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    policy_id bigint NOT NULL REFERENCES webhook_policies ON DELETE CASCADE,
    kind text NOT NULL,
    address text NOT NULL,
    payload_format text NOT NULL,
    verifies_certificate boolean NOT NULL DEFAULT true,
    ca_certificate text NOT NULL DEFAULT '',
    timeout interval NOT NULL,
    is_ordered boolean NOT NULL DEFAULT false,
    secret_id bigint REFERENCES secrets,
    failures integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    open_until timestamptz,
    paused_at timestamptz
);
CREATE INDEX webhook_targets_policy_idx ON webhook_targets (policy_id);
COMMENT ON COLUMN webhook_targets.is_ordered IS 'events of one repository one after the other, as they happened';
COMMENT ON COLUMN webhook_targets.secret_id IS 'authorization, further headers and signing secrets, as one document';
COMMENT ON COLUMN webhook_targets.failures IS 'in a row, without a success between them, since failing_since';
COMMENT ON COLUMN webhook_targets.open_until IS 'the circuit breaker: nothing is sent before, one delivery tries after';
COMMENT ON COLUMN webhook_targets.paused_at IS 'set after days of failure, or by hand: what is owed waits';

CREATE FUNCTION forget_webhook_secret() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM secrets WHERE id = OLD.secret_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_secret AFTER DELETE ON webhook_targets
    FOR EACH ROW WHEN (OLD.secret_id IS NOT NULL) EXECUTE FUNCTION forget_webhook_secret();

CREATE TABLE webhook_executions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    policy_id bigint NOT NULL REFERENCES webhook_policies ON DELETE CASCADE,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    operator text NOT NULL,
    request_id text NOT NULL DEFAULT '',
    data json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (policy_id, event_id)
);
CREATE INDEX webhook_executions_policy_idx ON webhook_executions (policy_id, id);
CREATE INDEX webhook_executions_created_idx ON webhook_executions (created_at);
COMMENT ON TABLE webhook_executions IS 'an event that a policy takes; there is one delivery to each of its targets';
COMMENT ON COLUMN webhook_executions.data IS 'what happened as it was then, in Harbor''s words: `event_data`';

CREATE TABLE webhook_deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    execution_id bigint NOT NULL REFERENCES webhook_executions ON DELETE CASCADE,
    target_id bigint NOT NULL REFERENCES webhook_targets ON DELETE CASCADE,
    delivery_id uuid NOT NULL DEFAULT gen_random_uuid(),
    event_number bigint NOT NULL,
    repository_name text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'success', 'dead', 'stopped')),
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    give_up_at timestamptz NOT NULL,
    finished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (execution_id, target_id)
);
CREATE INDEX webhook_deliveries_pending_idx ON webhook_deliveries (target_id, due_at, id) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_order_idx ON webhook_deliveries (target_id, repository_name, event_number)
    WHERE status = 'pending';
CREATE INDEX webhook_deliveries_target_idx ON webhook_deliveries (target_id, id);
CREATE INDEX webhook_deliveries_dead_idx ON webhook_deliveries (target_id, created_at) WHERE status = 'dead';
COMMENT ON COLUMN webhook_deliveries.delivery_id IS 'the same in every attempt: by it a consumer knows what it has seen';
COMMENT ON COLUMN webhook_deliveries.event_number IS 'the place of the event in the outbox';
COMMENT ON COLUMN webhook_deliveries.leased_until IS 'a worker is sending it, or has died';
COMMENT ON COLUMN webhook_deliveries.give_up_at IS 'an attempt that fails after this is the last one';

CREATE FUNCTION webhook_task_status(delivery webhook_deliveries) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE delivery.status
        WHEN 'success' THEN 'Success'
        WHEN 'dead' THEN 'Error'
        WHEN 'stopped' THEN 'Stopped'
        ELSE CASE
            WHEN delivery.leased_until > now() THEN 'Running'
            WHEN delivery.attempts = 0 THEN 'Pending'
            ELSE 'Scheduled'
        END
    END
$$;
COMMENT ON FUNCTION webhook_task_status IS 'in Harbor''s words';

CREATE FUNCTION webhook_execution_status(execution bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN bool_or(status = 'pending') THEN 'Running'
        WHEN bool_or(status = 'dead') THEN 'Error'
        WHEN bool_or(status = 'stopped') THEN 'Stopped'
        ELSE 'Success'
    END
    FROM webhook_deliveries WHERE execution_id = execution
$$;
COMMENT ON FUNCTION webhook_execution_status IS 'in Harbor''s words';

CREATE TABLE webhook_attempts (
    delivery_id bigint NOT NULL REFERENCES webhook_deliveries ON DELETE CASCADE,
    number integer NOT NULL,
    attempted_at timestamptz NOT NULL,
    took interval NOT NULL,
    status integer,
    error text NOT NULL DEFAULT '',
    answer text NOT NULL DEFAULT '',
    PRIMARY KEY (delivery_id, number)
);
COMMENT ON COLUMN webhook_attempts.status IS 'of HTTP; NULL: there was no answer, error says why';
COMMENT ON COLUMN webhook_attempts.answer IS 'the first bytes of it';
