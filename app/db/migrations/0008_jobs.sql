-- Jobs that are owed say how it stands with them: told, running and where, failed, set aside. Worker processes,
-- schedules, what ran, and which kinds of jobs are paused.

ALTER TABLE pending_jobs
    ALTER COLUMN event DROP NOT NULL,
    ADD COLUMN vendor_id bigint,
    ADD COLUMN tell_at timestamptz DEFAULT now(),
    ADD COLUMN worker_id uuid,
    ADD COLUMN started_at timestamptz,
    ADD COLUMN stop_at timestamptz,
    ADD COLUMN failures integer NOT NULL DEFAULT 0,
    ADD COLUMN crashes integer NOT NULL DEFAULT 0,
    ADD COLUMN error text NOT NULL DEFAULT '',
    ADD COLUMN set_aside_at timestamptz,
    ADD COLUMN is_suspect boolean GENERATED ALWAYS AS (crashes > 0 OR failures > 1) STORED;
COMMENT ON COLUMN pending_jobs.event IS 'what it is owed for; NULL: it was scheduled';
COMMENT ON COLUMN pending_jobs.vendor_id IS 'what it is about, such as a policy, where a schedule says so';
COMMENT ON COLUMN pending_jobs.tell_at IS 'when a queue is to be told of it, again too; NULL: it runs, or is set aside';
COMMENT ON COLUMN pending_jobs.enqueued_at IS 'a queue was told of it; NULL: it was not, or is not to run before tell_at';
COMMENT ON COLUMN pending_jobs.worker_id IS 'the process that runs it, since started_at';
COMMENT ON COLUMN pending_jobs.stop_at IS 'somebody wants it stopped: its worker cancels it, and it is set aside';
COMMENT ON COLUMN pending_jobs.failures IS 'how often it raised';
COMMENT ON COLUMN pending_jobs.crashes IS 'how often its process died while it ran';
COMMENT ON COLUMN pending_jobs.set_aside_at IS 'it failed or crashed too often, or was stopped: it waits for an operator';
COMMENT ON COLUMN pending_jobs.is_suspect IS 'it runs by itself, so that it takes no other with it';

DROP INDEX pending_jobs_enqueued_idx;
CREATE INDEX pending_jobs_tell_idx ON pending_jobs (name, tell_at) WHERE tell_at IS NOT NULL;
CREATE INDEX pending_jobs_worker_idx ON pending_jobs (worker_id) WHERE worker_id IS NOT NULL;
CREATE INDEX pending_jobs_suspect_idx ON pending_jobs (name, created_at) WHERE is_suspect;
CREATE INDEX pending_jobs_set_aside_idx ON pending_jobs (set_aside_at, id) WHERE set_aside_at IS NOT NULL;

CREATE TABLE workers (
    id uuid PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    queues text[] NOT NULL,
    concurrency integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE workers IS 'worker processes; what a process without a heartbeat was running is told again';

CREATE TABLE paused_jobs (
    name text PRIMARY KEY,
    paused_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE paused_jobs IS 'kinds of jobs that are owed, and neither told to workers nor run';

CREATE TABLE schedules (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job text NOT NULL,
    vendor_id bigint NOT NULL DEFAULT 0,
    cron text NOT NULL,
    time_zone text NOT NULL DEFAULT 'UTC',
    next_at timestamptz,
    last_at timestamptz,
    paused_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (job, vendor_id)
);
CREATE INDEX schedules_next_idx ON schedules (next_at) WHERE paused_at IS NULL;
COMMENT ON COLUMN schedules.vendor_id IS 'what the job is about, such as a policy; 0: it is about everything';
COMMENT ON COLUMN schedules.cron IS 'six fields, seconds first';
COMMENT ON COLUMN schedules.next_at IS 'NULL: it never comes again';

CREATE TABLE job_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id text NOT NULL,
    name text NOT NULL,
    vendor_id bigint,
    worker_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now(),
    outcome text NOT NULL CHECK (outcome IN ('success', 'error', 'crash', 'stopped')),
    error text NOT NULL DEFAULT '',
    log text NOT NULL DEFAULT ''
);
CREATE INDEX job_runs_job_idx ON job_runs (job_id, id);
CREATE INDEX job_runs_ended_idx ON job_runs (ended_at);
COMMENT ON TABLE job_runs IS 'scheduled jobs that ran, and jobs of every kind that failed, for a while';
