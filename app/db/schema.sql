-- What the migrations in this directory make of an empty database. Written by `make schema`: do not edit.
CREATE FUNCTION end_sessions() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM sessions WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE FUNCTION forget_webhook_secret() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM secrets WHERE id = OLD.secret_id;
    RETURN NULL;
END
$$;

CREATE FUNCTION hold_immutability_rules(project_id bigint) RETURNS void
    LANGUAGE sql
    AS $$
    SELECT pg_advisory_xact_lock_shared('immutability_rules'::regclass::oid::integer, hashint8(project_id))
$$;

CREATE FUNCTION note_access_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE access_epoch SET value = value + 1;
    RETURN NULL;
END
$$;

CREATE FUNCTION note_new_credentials() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.credential_version := OLD.credential_version + 1;
    RETURN NEW;
END
$$;

CREATE FUNCTION refuse_over_quota() RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the quota is exceeded' USING ERRCODE = 'check_violation', CONSTRAINT = 'quotas_hard_check';
END
$$;

CREATE FUNCTION take_immutability_rules(project_id bigint) RETURNS void
    LANGUAGE sql
    AS $$
    SELECT pg_advisory_xact_lock('immutability_rules'::regclass::oid::integer, hashint8(project_id))
$$;

CREATE FUNCTION webhook_execution_status(execution bigint) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE
        WHEN bool_or(status = 'pending') THEN 'Running'
        WHEN bool_or(status = 'dead') THEN 'Error'
        WHEN bool_or(status = 'stopped') THEN 'Stopped'
        ELSE 'Success'
    END
    FROM webhook_deliveries WHERE execution_id = execution
$$;

COMMENT ON FUNCTION webhook_execution_status(execution bigint) IS 'in Harbor''s words';

CREATE TABLE webhook_deliveries (
    id bigint NOT NULL,
    execution_id bigint NOT NULL,
    target_id bigint NOT NULL,
    delivery_id uuid DEFAULT gen_random_uuid() NOT NULL,
    event_number bigint NOT NULL,
    repository_name text DEFAULT ''::text NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    leased_until timestamp with time zone,
    give_up_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    earlier_attempts integer DEFAULT 0 NOT NULL,
    CONSTRAINT webhook_deliveries_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'success'::text, 'dead'::text, 'stopped'::text])))
);

COMMENT ON COLUMN webhook_deliveries.delivery_id IS 'the same in every attempt: by it a consumer knows what it has seen';

COMMENT ON COLUMN webhook_deliveries.event_number IS 'the place of the event in the outbox';

COMMENT ON COLUMN webhook_deliveries.leased_until IS 'a worker is sending it, or has died';

COMMENT ON COLUMN webhook_deliveries.give_up_at IS 'an attempt that fails after this is the last one';

COMMENT ON COLUMN webhook_deliveries.earlier_attempts IS 'before it was replayed: how long to wait after a failure goes by those since';

CREATE FUNCTION webhook_task_status(delivery webhook_deliveries) RETURNS text
    LANGUAGE sql STABLE
    AS $$
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

COMMENT ON FUNCTION webhook_task_status(delivery webhook_deliveries) IS 'in Harbor''s words';

CREATE TABLE access_epoch (
    value bigint NOT NULL
);

COMMENT ON TABLE access_epoch IS 'one row; it grows in the transaction of every change to who may do what';

CREATE TABLE audit_logs (
    id bigint NOT NULL,
    event_id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    username text NOT NULL,
    operation text NOT NULL,
    resource_type text NOT NULL,
    resource text NOT NULL,
    project_name text NOT NULL,
    repository_name text NOT NULL,
    tag text DEFAULT ''::text NOT NULL,
    address text DEFAULT ''::text NOT NULL,
    request_id text DEFAULT ''::text NOT NULL,
    detail json DEFAULT '{}'::json NOT NULL,
    user_agent text DEFAULT ''::text NOT NULL,
    is_success boolean DEFAULT true NOT NULL
);

ALTER TABLE audit_logs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audit_logs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE blob_links (
    repository_id bigint NOT NULL,
    digest text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE blobs (
    digest text NOT NULL COLLATE pg_catalog."C",
    size_bytes bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT blobs_size_bytes_check CHECK ((size_bytes >= 0))
);

COMMENT ON TABLE blobs IS 'content that is durable in storage: a row is committed only after its object';

CREATE TABLE configurations (
    name text NOT NULL,
    value jsonb NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE configurations IS 'what an administrator changed by the API; the rest has the defaults';

CREATE TABLE immutability_rules (
    id bigint NOT NULL,
    project_id bigint NOT NULL,
    is_disabled boolean DEFAULT false NOT NULL,
    tag_selectors jsonb NOT NULL,
    scope_selectors jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE immutability_rules ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME immutability_rules_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE job_runs (
    id bigint NOT NULL,
    job_id text NOT NULL,
    name text NOT NULL,
    vendor_id bigint,
    worker_id uuid NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone DEFAULT now() NOT NULL,
    outcome text NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    log text DEFAULT ''::text NOT NULL,
    CONSTRAINT job_runs_outcome_check CHECK ((outcome = ANY (ARRAY['success'::text, 'error'::text, 'crash'::text, 'stopped'::text])))
);

COMMENT ON TABLE job_runs IS 'scheduled jobs that ran, and jobs of every kind that failed, for a while';

ALTER TABLE job_runs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME job_runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE labels (
    id bigint NOT NULL,
    project_id bigint,
    name text NOT NULL COLLATE pg_catalog."C",
    description text DEFAULT ''::text NOT NULL,
    color text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON COLUMN labels.project_id IS 'NULL: global';

ALTER TABLE labels ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME labels_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE manifest_blobs (
    manifest_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    digest text NOT NULL COLLATE pg_catalog."C",
    project_id bigint
);

COMMENT ON TABLE manifest_blobs IS 'config and layers: the foreign key keeps a blob linked while a manifest uses it';

CREATE TABLE manifest_children (
    manifest_id bigint NOT NULL,
    child_digest text NOT NULL COLLATE pg_catalog."C"
);

COMMENT ON TABLE manifest_children IS 'edges of an index; in a sparse index the child may be absent';

CREATE TABLE manifest_labels (
    manifest_id bigint NOT NULL,
    label_id bigint NOT NULL
);

CREATE TABLE manifests (
    id bigint NOT NULL,
    repository_id bigint NOT NULL,
    digest text NOT NULL COLLATE pg_catalog."C",
    media_type text NOT NULL,
    artifact_type text,
    subject_digest text COLLATE pg_catalog."C",
    size_bytes bigint NOT NULL,
    payload bytea NOT NULL,
    annotations json DEFAULT '{}'::json NOT NULL,
    pushed_at timestamp with time zone DEFAULT now() NOT NULL,
    pulled_at timestamp with time zone,
    pull_count bigint DEFAULT 0 NOT NULL,
    project_id bigint,
    config_media_type text DEFAULT ''::text NOT NULL,
    artifact_size_bytes bigint DEFAULT 0 NOT NULL,
    extra_attrs json,
    icon text DEFAULT ''::text NOT NULL
);

COMMENT ON COLUMN manifests.payload IS 'the bytes exactly as pushed';

COMMENT ON COLUMN manifests.project_id IS 'NULL: pushed by a version that did not count; the recount fills it in';

COMMENT ON COLUMN manifests.artifact_size_bytes IS 'the manifest and its blobs; of an index: with its children';

COMMENT ON COLUMN manifests.extra_attrs IS 'read from the config by a job; NULL until then';

ALTER TABLE manifests ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME manifests_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE orphaned_blobs (
    digest text NOT NULL COLLATE pg_catalog."C",
    noticed_at timestamp with time zone DEFAULT now() NOT NULL,
    removed_at timestamp with time zone
);

COMMENT ON TABLE orphaned_blobs IS 'content in storage that is no blob: since when, and since when it is being removed';

CREATE TABLE outbox (
    id bigint NOT NULL,
    event_id uuid DEFAULT gen_random_uuid() NOT NULL,
    type text NOT NULL,
    payload json NOT NULL,
    cause json NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE outbox IS 'events, committed with the change they tell of; the relay turns each into pending jobs';

ALTER TABLE outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE paused_jobs (
    name text NOT NULL,
    paused_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE paused_jobs IS 'kinds of jobs that are owed, and neither told to workers nor run';

CREATE TABLE pending_jobs (
    id text NOT NULL,
    queue text NOT NULL,
    name text NOT NULL,
    event json,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    enqueued_at timestamp with time zone,
    vendor_id bigint,
    tell_at timestamp with time zone DEFAULT now(),
    worker_id uuid,
    started_at timestamp with time zone,
    stop_at timestamp with time zone,
    failures integer DEFAULT 0 NOT NULL,
    crashes integer DEFAULT 0 NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    set_aside_at timestamp with time zone,
    is_suspect boolean GENERATED ALWAYS AS (((crashes > 0) OR (failures > 1))) STORED
);

COMMENT ON TABLE pending_jobs IS 'work that is owed: a row goes in the transaction of its effect, so a lost queue only delays';

COMMENT ON COLUMN pending_jobs.event IS 'what it is owed for; NULL: it was scheduled';

COMMENT ON COLUMN pending_jobs.enqueued_at IS 'a queue was told of it; NULL: it was not, or is not to run before tell_at';

COMMENT ON COLUMN pending_jobs.vendor_id IS 'what it is about, such as a policy, where a schedule says so';

COMMENT ON COLUMN pending_jobs.tell_at IS 'when a queue is to be told of it, again too; NULL: it runs, or is set aside';

COMMENT ON COLUMN pending_jobs.worker_id IS 'the process that runs it, since started_at';

COMMENT ON COLUMN pending_jobs.stop_at IS 'somebody wants it stopped: its worker cancels it, and it is set aside';

COMMENT ON COLUMN pending_jobs.failures IS 'how often it raised';

COMMENT ON COLUMN pending_jobs.crashes IS 'how often its process died while it ran';

COMMENT ON COLUMN pending_jobs.set_aside_at IS 'it failed or crashed too often, or was stopped: it waits for an operator';

COMMENT ON COLUMN pending_jobs.is_suspect IS 'it runs by itself, so that it takes no other with it';

CREATE TABLE project_blobs (
    project_id bigint NOT NULL,
    digest text NOT NULL COLLATE pg_catalog."C",
    size_bytes bigint NOT NULL
);

COMMENT ON TABLE project_blobs IS 'what the artifacts of a project use, manifests and blobs, each counted once in quotas';

CREATE TABLE project_members (
    project_id bigint NOT NULL,
    user_id bigint,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    id bigint NOT NULL,
    group_id bigint,
    CONSTRAINT project_members_entity_check CHECK ((num_nonnulls(user_id, group_id) = 1)),
    CONSTRAINT project_members_role_check CHECK ((role = ANY (ARRAY['projectAdmin'::text, 'maintainer'::text, 'developer'::text, 'guest'::text, 'limitedGuest'::text])))
);

ALTER TABLE project_members ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME project_members_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE projects (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    owner_id bigint,
    is_public boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL
);

COMMENT ON COLUMN projects.metadata IS 'Harbor''s project metadata but `public`: names to strings';

ALTER TABLE projects ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME projects_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE quotas (
    project_id bigint NOT NULL,
    hard_bytes bigint DEFAULT '-1'::integer NOT NULL,
    used_bytes bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT quotas_hard_bytes_check CHECK ((hard_bytes >= '-1'::integer))
);

COMMENT ON COLUMN quotas.hard_bytes IS '-1: unlimited';

CREATE TABLE repositories (
    id bigint NOT NULL,
    project_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    pull_count bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    description text DEFAULT ''::text NOT NULL
);

COMMENT ON COLUMN repositories.name IS 'full name, project/path';

ALTER TABLE repositories ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME repositories_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE robots (
    id bigint NOT NULL,
    project_id bigint,
    name text NOT NULL COLLATE pg_catalog."C",
    description text DEFAULT ''::text NOT NULL,
    secret_hash text NOT NULL,
    permissions jsonb NOT NULL,
    duration_days bigint NOT NULL,
    expires_at timestamp with time zone,
    is_disabled boolean DEFAULT false NOT NULL,
    creator_kind text NOT NULL,
    creator_id bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    credential_version integer DEFAULT 1 NOT NULL,
    CONSTRAINT robots_creator_kind_check CHECK ((creator_kind = ANY (ARRAY['local'::text, 'robot'::text])))
);

COMMENT ON COLUMN robots.project_id IS 'NULL: of the system';

COMMENT ON COLUMN robots.name IS 'as it logs in, but the prefix: `ci` of the system, `project+ci` of a project';

COMMENT ON COLUMN robots.credential_version IS 'grows with every new secret; tokens say which one they were given for';

ALTER TABLE robots ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME robots_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE schedules (
    id bigint NOT NULL,
    job text NOT NULL,
    vendor_id bigint DEFAULT 0 NOT NULL,
    cron text NOT NULL,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    next_at timestamp with time zone,
    last_at timestamp with time zone,
    paused_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON COLUMN schedules.vendor_id IS 'what the job is about, such as a policy; 0: it is about everything';

COMMENT ON COLUMN schedules.cron IS 'six fields, seconds first';

COMMENT ON COLUMN schedules.next_at IS 'NULL: it never comes again';

ALTER TABLE schedules ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME schedules_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE schema_migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE secrets (
    id bigint NOT NULL,
    key_id text NOT NULL,
    token text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE secrets IS 'encrypted; whatever needs one refers to its id, so that a new key reaches all of them here';

COMMENT ON COLUMN secrets.key_id IS 'which key encrypted it: a fingerprint, nothing secret';

ALTER TABLE secrets ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME secrets_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sessions (
    key_hash bytea NOT NULL,
    user_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE tags (
    repository_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    manifest_id bigint NOT NULL,
    pushed_at timestamp with time zone DEFAULT now() NOT NULL,
    pulled_at timestamp with time zone,
    id bigint NOT NULL,
    previous_manifest_id bigint
);

COMMENT ON COLUMN tags.previous_manifest_id IS 'where it pointed before its last push, for the transaction that moved it';

ALTER TABLE tags ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tags_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE upload_sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    repository_name text NOT NULL COLLATE pg_catalog."C",
    owner text NOT NULL,
    offset_bytes bigint DEFAULT 0 NOT NULL,
    algorithm text NOT NULL,
    hash_state bytea,
    tail bytea DEFAULT '\x'::bytea NOT NULL,
    storage_state json NOT NULL,
    lease_token uuid,
    leased_until timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    direct text,
    found_digest text COLLATE pg_catalog."C",
    reserved_project_id bigint,
    reserved_bytes bigint,
    CONSTRAINT upload_sessions_algorithm_check CHECK ((algorithm = ANY (ARRAY['sha256'::text, 'sha512'::text]))),
    CONSTRAINT upload_sessions_direct_check CHECK ((direct = ANY (ARRAY['open'::text, 'frozen'::text, 'hashing'::text])))
);

COMMENT ON COLUMN upload_sessions.hash_state IS 'state of the hash of the bytes in storage; NULL: read them again';

COMMENT ON COLUMN upload_sessions.tail IS 'the last few bytes, counted in offset_bytes, which are not in storage yet';

COMMENT ON COLUMN upload_sessions.lease_token IS 'the one writer; cleared when it ends in order';

COMMENT ON COLUMN upload_sessions.direct IS 'how far an upload by signed URLs is: taking bytes, put together, with a worker that reads it; NULL: not one';

COMMENT ON COLUMN upload_sessions.found_digest IS 'what we or the storage found the bytes to be, whatever a client says';

COMMENT ON COLUMN upload_sessions.reserved_bytes IS 'room that is kept for it in the quota of the project, so that no other upload is told that it fits there';

CREATE TABLE user_group_members (
    group_id bigint NOT NULL,
    user_id bigint NOT NULL
);

COMMENT ON TABLE user_group_members IS 'written by an authenticator at login: groups come from the directory';

CREATE TABLE user_groups (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    ldap_dn text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT user_groups_kind_check CHECK ((kind = ANY (ARRAY['ldap'::text, 'http'::text, 'oidc'::text])))
);

ALTER TABLE user_groups ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME user_groups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE users (
    id bigint NOT NULL,
    username text NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    realname text DEFAULT ''::text NOT NULL,
    password_hash text NOT NULL,
    is_sysadmin boolean DEFAULT false NOT NULL,
    is_disabled boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    comment text DEFAULT ''::text NOT NULL,
    credential_version integer DEFAULT 1 NOT NULL
);

COMMENT ON COLUMN users.credential_version IS 'grows with every new password; tokens say which one they were given for';

ALTER TABLE users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE webhook_attempts (
    delivery_id bigint NOT NULL,
    number integer NOT NULL,
    attempted_at timestamp with time zone NOT NULL,
    took interval NOT NULL,
    status integer,
    error text DEFAULT ''::text NOT NULL,
    answer text DEFAULT ''::text NOT NULL
);

COMMENT ON COLUMN webhook_attempts.status IS 'of HTTP; NULL: there was no answer, error says why';

COMMENT ON COLUMN webhook_attempts.answer IS 'the first bytes of it';

ALTER TABLE webhook_deliveries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME webhook_deliveries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE webhook_executions (
    id bigint NOT NULL,
    policy_id bigint NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    operator text NOT NULL,
    request_id text DEFAULT ''::text NOT NULL,
    data json NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE webhook_executions IS 'an event that a policy takes; there is one delivery to each of its targets';

COMMENT ON COLUMN webhook_executions.data IS 'what happened as it was then, in Harbor''s words: `event_data`';

ALTER TABLE webhook_executions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME webhook_executions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE webhook_policies (
    id bigint NOT NULL,
    project_id bigint NOT NULL,
    name text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    event_types text[] NOT NULL,
    filters json DEFAULT '[]'::json NOT NULL,
    is_enabled boolean DEFAULT true NOT NULL,
    creator text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON COLUMN webhook_policies.filters IS 'what else an event has to match: repositories and tags, by doublestar';

ALTER TABLE webhook_policies ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME webhook_policies_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE webhook_targets (
    id bigint NOT NULL,
    policy_id bigint NOT NULL,
    kind text NOT NULL,
    address text NOT NULL,
    payload_format text NOT NULL,
    verifies_certificate boolean DEFAULT true NOT NULL,
    ca_certificate text DEFAULT ''::text NOT NULL,
    timeout interval NOT NULL,
    is_ordered boolean DEFAULT false NOT NULL,
    secret_id bigint,
    failures integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    open_until timestamp with time zone,
    paused_at timestamp with time zone
);

COMMENT ON COLUMN webhook_targets.is_ordered IS 'events of one repository one after the other, as they happened';

COMMENT ON COLUMN webhook_targets.secret_id IS 'authorization, further headers and signing secrets, as one document';

COMMENT ON COLUMN webhook_targets.failures IS 'in a row, without a success between them, since failing_since';

COMMENT ON COLUMN webhook_targets.open_until IS 'the circuit breaker: nothing is sent before, one delivery tries after';

COMMENT ON COLUMN webhook_targets.paused_at IS 'set after days of failure, or by hand: what is owed waits';

ALTER TABLE webhook_targets ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME webhook_targets_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE workers (
    id uuid NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    queues text[] NOT NULL,
    concurrency integer NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    heartbeat_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE workers IS 'worker processes; what a process without a heartbeat was running is told again';

ALTER TABLE ONLY audit_logs
    ADD CONSTRAINT audit_logs_event_key UNIQUE (event_id);

ALTER TABLE ONLY audit_logs
    ADD CONSTRAINT audit_logs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY blob_links
    ADD CONSTRAINT blob_links_pkey PRIMARY KEY (repository_id, digest);

ALTER TABLE ONLY blobs
    ADD CONSTRAINT blobs_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY configurations
    ADD CONSTRAINT configurations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY immutability_rules
    ADD CONSTRAINT immutability_rules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY job_runs
    ADD CONSTRAINT job_runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY labels
    ADD CONSTRAINT labels_pkey PRIMARY KEY (id);

ALTER TABLE ONLY manifest_blobs
    ADD CONSTRAINT manifest_blobs_pkey PRIMARY KEY (manifest_id, digest);

ALTER TABLE ONLY manifest_children
    ADD CONSTRAINT manifest_children_pkey PRIMARY KEY (manifest_id, child_digest);

ALTER TABLE ONLY manifest_labels
    ADD CONSTRAINT manifest_labels_pkey PRIMARY KEY (manifest_id, label_id);

ALTER TABLE ONLY manifests
    ADD CONSTRAINT manifests_pkey PRIMARY KEY (id);

ALTER TABLE ONLY manifests
    ADD CONSTRAINT manifests_repository_digest_key UNIQUE (repository_id, digest);

ALTER TABLE ONLY orphaned_blobs
    ADD CONSTRAINT orphaned_blobs_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY paused_jobs
    ADD CONSTRAINT paused_jobs_pkey PRIMARY KEY (name);

ALTER TABLE ONLY pending_jobs
    ADD CONSTRAINT pending_jobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY project_blobs
    ADD CONSTRAINT project_blobs_pkey PRIMARY KEY (project_id, digest);

ALTER TABLE ONLY project_members
    ADD CONSTRAINT project_members_pkey PRIMARY KEY (id);

ALTER TABLE ONLY projects
    ADD CONSTRAINT projects_name_key UNIQUE (name);

ALTER TABLE ONLY projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);

ALTER TABLE ONLY quotas
    ADD CONSTRAINT quotas_pkey PRIMARY KEY (project_id);

ALTER TABLE ONLY repositories
    ADD CONSTRAINT repositories_name_key UNIQUE (name);

ALTER TABLE ONLY repositories
    ADD CONSTRAINT repositories_pkey PRIMARY KEY (id);

ALTER TABLE ONLY robots
    ADD CONSTRAINT robots_name_key UNIQUE (name);

ALTER TABLE ONLY robots
    ADD CONSTRAINT robots_pkey PRIMARY KEY (id);

ALTER TABLE ONLY schedules
    ADD CONSTRAINT schedules_job_vendor_id_key UNIQUE (job, vendor_id);

ALTER TABLE ONLY schedules
    ADD CONSTRAINT schedules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY secrets
    ADD CONSTRAINT secrets_pkey PRIMARY KEY (id);

ALTER TABLE ONLY sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (key_hash);

ALTER TABLE ONLY tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (repository_id, name);

ALTER TABLE ONLY upload_sessions
    ADD CONSTRAINT upload_sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY user_group_members
    ADD CONSTRAINT user_group_members_pkey PRIMARY KEY (group_id, user_id);

ALTER TABLE ONLY user_groups
    ADD CONSTRAINT user_groups_name_key UNIQUE (name);

ALTER TABLE ONLY user_groups
    ADD CONSTRAINT user_groups_pkey PRIMARY KEY (id);

ALTER TABLE ONLY users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY webhook_attempts
    ADD CONSTRAINT webhook_attempts_pkey PRIMARY KEY (delivery_id, number);

ALTER TABLE ONLY webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_execution_id_target_id_key UNIQUE (execution_id, target_id);

ALTER TABLE ONLY webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY webhook_executions
    ADD CONSTRAINT webhook_executions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY webhook_executions
    ADD CONSTRAINT webhook_executions_policy_id_event_id_key UNIQUE (policy_id, event_id);

ALTER TABLE ONLY webhook_policies
    ADD CONSTRAINT webhook_policies_pkey PRIMARY KEY (id);

ALTER TABLE ONLY webhook_policies
    ADD CONSTRAINT webhook_policies_project_id_name_key UNIQUE (project_id, name);

ALTER TABLE ONLY webhook_targets
    ADD CONSTRAINT webhook_targets_pkey PRIMARY KEY (id);

ALTER TABLE ONLY workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (id);

CREATE INDEX audit_logs_project_idx ON audit_logs USING btree (project_name, occurred_at DESC);

CREATE INDEX audit_logs_time_idx ON audit_logs USING btree (occurred_at DESC, id DESC);

CREATE INDEX audit_logs_username_idx ON audit_logs USING btree (username, occurred_at DESC);

CREATE INDEX blob_links_digest_idx ON blob_links USING btree (digest);

CREATE INDEX immutability_rules_project_idx ON immutability_rules USING btree (project_id);

CREATE INDEX job_runs_ended_idx ON job_runs USING btree (ended_at);

CREATE INDEX job_runs_job_idx ON job_runs USING btree (job_id, id);

CREATE UNIQUE INDEX labels_name_key ON labels USING btree (COALESCE(project_id, (0)::bigint), name);

CREATE INDEX manifest_blobs_link_idx ON manifest_blobs USING btree (repository_id, digest);

CREATE INDEX manifest_blobs_project_idx ON manifest_blobs USING btree (project_id, digest);

CREATE INDEX manifest_children_child_idx ON manifest_children USING btree (child_digest);

CREATE INDEX manifest_labels_label_idx ON manifest_labels USING btree (label_id);

CREATE INDEX manifests_index_idx ON manifests USING btree (repository_id) WHERE (media_type = ANY (ARRAY['application/vnd.oci.image.index.v1+json'::text, 'application/vnd.docker.distribution.manifest.list.v2+json'::text]));

CREATE INDEX manifests_project_idx ON manifests USING btree (project_id, digest);

CREATE INDEX manifests_project_pushed_idx ON manifests USING btree (project_id, pushed_at DESC, id DESC);

CREATE INDEX manifests_pushed_idx ON manifests USING btree (repository_id, pushed_at DESC, id DESC);

CREATE INDEX manifests_subject_idx ON manifests USING btree (repository_id, subject_digest, digest) WHERE (subject_digest IS NOT NULL);

CREATE INDEX orphaned_blobs_noticed_at_idx ON orphaned_blobs USING btree (noticed_at);

CREATE INDEX pending_jobs_set_aside_idx ON pending_jobs USING btree (set_aside_at, id) WHERE (set_aside_at IS NOT NULL);

CREATE INDEX pending_jobs_suspect_idx ON pending_jobs USING btree (name, created_at) WHERE is_suspect;

CREATE INDEX pending_jobs_tell_idx ON pending_jobs USING btree (name, tell_at) WHERE (tell_at IS NOT NULL);

CREATE INDEX pending_jobs_worker_idx ON pending_jobs USING btree (worker_id) WHERE (worker_id IS NOT NULL);

CREATE INDEX project_members_group_idx ON project_members USING btree (group_id);

CREATE UNIQUE INDEX project_members_group_key ON project_members USING btree (project_id, group_id);

CREATE INDEX project_members_user_idx ON project_members USING btree (user_id);

CREATE UNIQUE INDEX project_members_user_key ON project_members USING btree (project_id, user_id);

CREATE INDEX projects_owner_idx ON projects USING btree (owner_id);

CREATE INDEX repositories_project_idx ON repositories USING btree (project_id, name);

CREATE INDEX robots_project_idx ON robots USING btree (project_id);

CREATE INDEX schedules_next_idx ON schedules USING btree (next_at) WHERE (paused_at IS NULL);

CREATE INDEX sessions_expiry_idx ON sessions USING btree (expires_at);

CREATE INDEX sessions_user_idx ON sessions USING btree (user_id);

CREATE INDEX tags_manifest_idx ON tags USING btree (manifest_id);

CREATE INDEX upload_sessions_expiry_idx ON upload_sessions USING btree (expires_at);

CREATE INDEX upload_sessions_reserved_project_id_idx ON upload_sessions USING btree (reserved_project_id) WHERE (reserved_bytes IS NOT NULL);

CREATE INDEX user_group_members_user_idx ON user_group_members USING btree (user_id);

CREATE UNIQUE INDEX user_groups_ldap_key ON user_groups USING btree (lower(ldap_dn)) WHERE (ldap_dn <> ''::text);

CREATE UNIQUE INDEX users_email_key ON users USING btree (lower(email)) WHERE (email <> ''::text);

CREATE UNIQUE INDEX users_username_key ON users USING btree (lower(username));

CREATE INDEX webhook_deliveries_dead_idx ON webhook_deliveries USING btree (target_id, created_at) WHERE (status = 'dead'::text);

CREATE INDEX webhook_deliveries_order_idx ON webhook_deliveries USING btree (target_id, repository_name, event_number) WHERE (status = 'pending'::text);

CREATE INDEX webhook_deliveries_pending_idx ON webhook_deliveries USING btree (target_id, due_at, id) WHERE (status = 'pending'::text);

CREATE INDEX webhook_deliveries_target_idx ON webhook_deliveries USING btree (target_id, id);

CREATE INDEX webhook_executions_created_idx ON webhook_executions USING btree (created_at);

CREATE INDEX webhook_executions_policy_idx ON webhook_executions USING btree (policy_id, id);

CREATE INDEX webhook_targets_policy_idx ON webhook_targets USING btree (policy_id);

CREATE TRIGGER access_epoch AFTER INSERT OR DELETE OR UPDATE ON configurations FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();

CREATE TRIGGER access_epoch AFTER INSERT OR DELETE OR UPDATE ON project_members FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();

CREATE TRIGGER access_epoch AFTER INSERT OR DELETE OR UPDATE ON projects FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();

CREATE TRIGGER access_epoch AFTER INSERT OR DELETE OR UPDATE ON robots FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();

CREATE TRIGGER access_epoch AFTER INSERT OR DELETE OR UPDATE ON user_group_members FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();

CREATE TRIGGER access_epoch AFTER INSERT OR DELETE OR UPDATE ON users FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();

CREATE TRIGGER end_sessions AFTER UPDATE OF password_hash, is_disabled ON users FOR EACH ROW WHEN ((new.is_disabled OR (new.password_hash <> old.password_hash))) EXECUTE FUNCTION end_sessions();

CREATE TRIGGER forget_secret AFTER DELETE ON webhook_targets FOR EACH ROW WHEN ((old.secret_id IS NOT NULL)) EXECUTE FUNCTION forget_webhook_secret();

CREATE TRIGGER note_new_credentials BEFORE UPDATE OF secret_hash ON robots FOR EACH ROW WHEN ((new.secret_hash <> old.secret_hash)) EXECUTE FUNCTION note_new_credentials();

CREATE TRIGGER note_new_credentials BEFORE UPDATE OF password_hash ON users FOR EACH ROW WHEN ((new.password_hash <> old.password_hash)) EXECUTE FUNCTION note_new_credentials();

ALTER TABLE ONLY blob_links
    ADD CONSTRAINT blob_links_blob_fkey FOREIGN KEY (digest) REFERENCES blobs(digest);

ALTER TABLE ONLY blob_links
    ADD CONSTRAINT blob_links_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES repositories(id) ON DELETE CASCADE;

ALTER TABLE ONLY immutability_rules
    ADD CONSTRAINT immutability_rules_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE;

ALTER TABLE ONLY labels
    ADD CONSTRAINT labels_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE;

ALTER TABLE ONLY manifest_blobs
    ADD CONSTRAINT manifest_blobs_counted_fkey FOREIGN KEY (project_id, digest) REFERENCES project_blobs(project_id, digest);

ALTER TABLE ONLY manifest_blobs
    ADD CONSTRAINT manifest_blobs_link_fkey FOREIGN KEY (repository_id, digest) REFERENCES blob_links(repository_id, digest);

ALTER TABLE ONLY manifest_blobs
    ADD CONSTRAINT manifest_blobs_manifest_id_fkey FOREIGN KEY (manifest_id) REFERENCES manifests(id) ON DELETE CASCADE;

ALTER TABLE ONLY manifest_children
    ADD CONSTRAINT manifest_children_manifest_id_fkey FOREIGN KEY (manifest_id) REFERENCES manifests(id) ON DELETE CASCADE;

ALTER TABLE ONLY manifest_labels
    ADD CONSTRAINT manifest_labels_label_id_fkey FOREIGN KEY (label_id) REFERENCES labels(id) ON DELETE CASCADE;

ALTER TABLE ONLY manifest_labels
    ADD CONSTRAINT manifest_labels_manifest_id_fkey FOREIGN KEY (manifest_id) REFERENCES manifests(id) ON DELETE CASCADE;

ALTER TABLE ONLY manifests
    ADD CONSTRAINT manifests_counted_fkey FOREIGN KEY (project_id, digest) REFERENCES project_blobs(project_id, digest);

ALTER TABLE ONLY manifests
    ADD CONSTRAINT manifests_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES repositories(id) ON DELETE CASCADE;

ALTER TABLE ONLY project_blobs
    ADD CONSTRAINT project_blobs_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE;

ALTER TABLE ONLY project_members
    ADD CONSTRAINT project_members_group_id_fkey FOREIGN KEY (group_id) REFERENCES user_groups(id) ON DELETE CASCADE;

ALTER TABLE ONLY project_members
    ADD CONSTRAINT project_members_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE;

ALTER TABLE ONLY project_members
    ADD CONSTRAINT project_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;

ALTER TABLE ONLY projects
    ADD CONSTRAINT projects_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(id) ON DELETE SET NULL;

ALTER TABLE ONLY quotas
    ADD CONSTRAINT quotas_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE;

ALTER TABLE ONLY repositories
    ADD CONSTRAINT repositories_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id);

ALTER TABLE ONLY robots
    ADD CONSTRAINT robots_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE;

ALTER TABLE ONLY sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;

ALTER TABLE ONLY tags
    ADD CONSTRAINT tags_manifest_fkey FOREIGN KEY (manifest_id) REFERENCES manifests(id) ON DELETE CASCADE;

ALTER TABLE ONLY tags
    ADD CONSTRAINT tags_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES repositories(id) ON DELETE CASCADE;

ALTER TABLE ONLY user_group_members
    ADD CONSTRAINT user_group_members_group_id_fkey FOREIGN KEY (group_id) REFERENCES user_groups(id) ON DELETE CASCADE;

ALTER TABLE ONLY user_group_members
    ADD CONSTRAINT user_group_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;

ALTER TABLE ONLY webhook_attempts
    ADD CONSTRAINT webhook_attempts_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES webhook_deliveries(id) ON DELETE CASCADE;

ALTER TABLE ONLY webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_execution_id_fkey FOREIGN KEY (execution_id) REFERENCES webhook_executions(id) ON DELETE CASCADE;

ALTER TABLE ONLY webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_target_id_fkey FOREIGN KEY (target_id) REFERENCES webhook_targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY webhook_executions
    ADD CONSTRAINT webhook_executions_policy_id_fkey FOREIGN KEY (policy_id) REFERENCES webhook_policies(id) ON DELETE CASCADE;

ALTER TABLE ONLY webhook_policies
    ADD CONSTRAINT webhook_policies_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE;

ALTER TABLE ONLY webhook_targets
    ADD CONSTRAINT webhook_targets_policy_id_fkey FOREIGN KEY (policy_id) REFERENCES webhook_policies(id) ON DELETE CASCADE;

ALTER TABLE ONLY webhook_targets
    ADD CONSTRAINT webhook_targets_secret_id_fkey FOREIGN KEY (secret_id) REFERENCES secrets(id);
