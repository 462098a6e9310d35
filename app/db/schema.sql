-- What the migrations in this directory make of an empty database. Written by `make schema`: do not edit.
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
    detail json DEFAULT '{}'::json NOT NULL
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

CREATE TABLE manifest_blobs (
    manifest_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    digest text NOT NULL COLLATE pg_catalog."C"
);

COMMENT ON TABLE manifest_blobs IS 'config and layers: the foreign key keeps a blob linked while a manifest uses it';

CREATE TABLE manifest_children (
    manifest_id bigint NOT NULL,
    child_digest text NOT NULL COLLATE pg_catalog."C"
);

COMMENT ON TABLE manifest_children IS 'edges of an index; in a sparse index the child may be absent';

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
    pull_count bigint DEFAULT 0 NOT NULL
);

COMMENT ON COLUMN manifests.payload IS 'the bytes exactly as pushed';

ALTER TABLE manifests ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME manifests_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

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

CREATE TABLE pending_jobs (
    id text NOT NULL,
    queue text NOT NULL,
    name text NOT NULL,
    event json NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    enqueued_at timestamp with time zone
);

COMMENT ON TABLE pending_jobs IS 'work that is owed: a row goes in the transaction of its effect, so a lost queue only delays';

CREATE TABLE project_members (
    project_id bigint NOT NULL,
    user_id bigint NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT project_members_role_check CHECK ((role = ANY (ARRAY['projectAdmin'::text, 'maintainer'::text, 'developer'::text, 'guest'::text, 'limitedGuest'::text])))
);

CREATE TABLE projects (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    owner_id bigint,
    is_public boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE projects ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME projects_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE repositories (
    id bigint NOT NULL,
    project_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    pull_count bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
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

CREATE TABLE schema_migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE tags (
    repository_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    manifest_id bigint NOT NULL,
    pushed_at timestamp with time zone DEFAULT now() NOT NULL,
    pulled_at timestamp with time zone
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
    CONSTRAINT upload_sessions_algorithm_check CHECK ((algorithm = ANY (ARRAY['sha256'::text, 'sha512'::text])))
);

COMMENT ON COLUMN upload_sessions.hash_state IS 'state of the hash of the bytes in storage; NULL: read them again';

COMMENT ON COLUMN upload_sessions.tail IS 'the last few bytes, counted in offset_bytes, which are not in storage yet';

COMMENT ON COLUMN upload_sessions.lease_token IS 'the one writer; cleared when it ends in order';

CREATE TABLE users (
    id bigint NOT NULL,
    username text NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    realname text DEFAULT ''::text NOT NULL,
    password_hash text NOT NULL,
    is_sysadmin boolean DEFAULT false NOT NULL,
    is_disabled boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY audit_logs
    ADD CONSTRAINT audit_logs_event_key UNIQUE (event_id);

ALTER TABLE ONLY audit_logs
    ADD CONSTRAINT audit_logs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY blob_links
    ADD CONSTRAINT blob_links_pkey PRIMARY KEY (repository_id, digest);

ALTER TABLE ONLY blobs
    ADD CONSTRAINT blobs_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY manifest_blobs
    ADD CONSTRAINT manifest_blobs_pkey PRIMARY KEY (manifest_id, digest);

ALTER TABLE ONLY manifest_children
    ADD CONSTRAINT manifest_children_pkey PRIMARY KEY (manifest_id, child_digest);

ALTER TABLE ONLY manifests
    ADD CONSTRAINT manifests_pkey PRIMARY KEY (id);

ALTER TABLE ONLY manifests
    ADD CONSTRAINT manifests_repository_digest_key UNIQUE (repository_id, digest);

ALTER TABLE ONLY outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY pending_jobs
    ADD CONSTRAINT pending_jobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY project_members
    ADD CONSTRAINT project_members_pkey PRIMARY KEY (project_id, user_id);

ALTER TABLE ONLY projects
    ADD CONSTRAINT projects_name_key UNIQUE (name);

ALTER TABLE ONLY projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);

ALTER TABLE ONLY repositories
    ADD CONSTRAINT repositories_name_key UNIQUE (name);

ALTER TABLE ONLY repositories
    ADD CONSTRAINT repositories_pkey PRIMARY KEY (id);

ALTER TABLE ONLY schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (repository_id, name);

ALTER TABLE ONLY upload_sessions
    ADD CONSTRAINT upload_sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

CREATE INDEX audit_logs_project_idx ON audit_logs USING btree (project_name, occurred_at DESC);

CREATE INDEX audit_logs_time_idx ON audit_logs USING btree (occurred_at DESC, id DESC);

CREATE INDEX blob_links_digest_idx ON blob_links USING btree (digest);

CREATE INDEX manifest_blobs_link_idx ON manifest_blobs USING btree (repository_id, digest);

CREATE INDEX manifest_children_child_idx ON manifest_children USING btree (child_digest);

CREATE INDEX manifests_subject_idx ON manifests USING btree (repository_id, subject_digest, digest) WHERE (subject_digest IS NOT NULL);

CREATE INDEX pending_jobs_enqueued_idx ON pending_jobs USING btree (enqueued_at);

CREATE INDEX project_members_user_idx ON project_members USING btree (user_id);

CREATE INDEX repositories_project_idx ON repositories USING btree (project_id, name);

CREATE INDEX tags_manifest_idx ON tags USING btree (manifest_id);

CREATE INDEX upload_sessions_expiry_idx ON upload_sessions USING btree (expires_at);

CREATE UNIQUE INDEX users_username_key ON users USING btree (lower(username));

ALTER TABLE ONLY blob_links
    ADD CONSTRAINT blob_links_blob_fkey FOREIGN KEY (digest) REFERENCES blobs(digest);

ALTER TABLE ONLY blob_links
    ADD CONSTRAINT blob_links_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES repositories(id) ON DELETE CASCADE;

ALTER TABLE ONLY manifest_blobs
    ADD CONSTRAINT manifest_blobs_link_fkey FOREIGN KEY (repository_id, digest) REFERENCES blob_links(repository_id, digest);

ALTER TABLE ONLY manifest_blobs
    ADD CONSTRAINT manifest_blobs_manifest_id_fkey FOREIGN KEY (manifest_id) REFERENCES manifests(id) ON DELETE CASCADE;

ALTER TABLE ONLY manifest_children
    ADD CONSTRAINT manifest_children_manifest_id_fkey FOREIGN KEY (manifest_id) REFERENCES manifests(id) ON DELETE CASCADE;

ALTER TABLE ONLY manifests
    ADD CONSTRAINT manifests_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES repositories(id) ON DELETE CASCADE;

ALTER TABLE ONLY project_members
    ADD CONSTRAINT project_members_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE;

ALTER TABLE ONLY project_members
    ADD CONSTRAINT project_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;

ALTER TABLE ONLY projects
    ADD CONSTRAINT projects_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(id) ON DELETE SET NULL;

ALTER TABLE ONLY repositories
    ADD CONSTRAINT repositories_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id);

ALTER TABLE ONLY tags
    ADD CONSTRAINT tags_manifest_fkey FOREIGN KEY (manifest_id) REFERENCES manifests(id) ON DELETE CASCADE;

ALTER TABLE ONLY tags
    ADD CONSTRAINT tags_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES repositories(id) ON DELETE CASCADE;
