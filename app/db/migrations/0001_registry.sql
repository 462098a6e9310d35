-- Who owns what, the content, and what is to happen after the answer.
-- Names that clients page through are COLLATE "C": the order of bytes, whatever the server's locale.

CREATE TABLE users (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username      text NOT NULL,
    email         text NOT NULL DEFAULT '',
    realname      text NOT NULL DEFAULT '',
    password_hash text NOT NULL,
    is_sysadmin   boolean NOT NULL DEFAULT false,
    is_disabled   boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_username_key ON users (lower(username));

CREATE TABLE projects (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text COLLATE "C" NOT NULL CONSTRAINT projects_name_key UNIQUE,
    owner_id   bigint REFERENCES users ON DELETE SET NULL,
    is_public  boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE project_members (
    project_id bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    role       text NOT NULL CHECK (role IN ('projectAdmin', 'maintainer', 'developer', 'guest', 'limitedGuest')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX project_members_user_idx ON project_members (user_id);

CREATE TABLE repositories (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES projects,
    name       text COLLATE "C" NOT NULL CONSTRAINT repositories_name_key UNIQUE,
    pull_count bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX repositories_project_idx ON repositories (project_id, name);
COMMENT ON COLUMN repositories.name IS 'full name, project/path';

CREATE TABLE blobs (
    digest     text COLLATE "C" PRIMARY KEY,
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE blobs IS 'content that is durable in storage: a row is committed only after its object';

CREATE TABLE blob_links (
    repository_id bigint NOT NULL REFERENCES repositories ON DELETE CASCADE,
    digest        text COLLATE "C" NOT NULL CONSTRAINT blob_links_blob_fkey REFERENCES blobs,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository_id, digest)
);
CREATE INDEX blob_links_digest_idx ON blob_links (digest);

CREATE TABLE manifests (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id  bigint NOT NULL REFERENCES repositories ON DELETE CASCADE,
    digest         text COLLATE "C" NOT NULL,
    media_type     text NOT NULL,
    artifact_type  text,
    subject_digest text COLLATE "C",
    size_bytes     bigint NOT NULL,
    payload        bytea NOT NULL,
    annotations    json NOT NULL DEFAULT '{}',
    pushed_at      timestamptz NOT NULL DEFAULT now(),
    pulled_at      timestamptz,
    pull_count     bigint NOT NULL DEFAULT 0,
    CONSTRAINT manifests_repository_digest_key UNIQUE (repository_id, digest)
);
CREATE INDEX manifests_subject_idx ON manifests (repository_id, subject_digest, digest) WHERE subject_digest IS NOT NULL;
COMMENT ON COLUMN manifests.payload IS 'the bytes exactly as pushed';

CREATE TABLE manifest_blobs (
    manifest_id   bigint NOT NULL REFERENCES manifests ON DELETE CASCADE,
    repository_id bigint NOT NULL,
    digest        text COLLATE "C" NOT NULL,
    PRIMARY KEY (manifest_id, digest),
    CONSTRAINT manifest_blobs_link_fkey FOREIGN KEY (repository_id, digest) REFERENCES blob_links (repository_id, digest)
);
CREATE INDEX manifest_blobs_link_idx ON manifest_blobs (repository_id, digest);
COMMENT ON TABLE manifest_blobs IS 'config and layers: the foreign key keeps a blob linked while a manifest uses it';

CREATE TABLE manifest_children (
    manifest_id  bigint NOT NULL REFERENCES manifests ON DELETE CASCADE,
    child_digest text COLLATE "C" NOT NULL,
    PRIMARY KEY (manifest_id, child_digest)
);
CREATE INDEX manifest_children_child_idx ON manifest_children (child_digest);
COMMENT ON TABLE manifest_children IS 'edges of an index; in a sparse index the child may be absent';

CREATE TABLE tags (
    repository_id bigint NOT NULL REFERENCES repositories ON DELETE CASCADE,
    name          text COLLATE "C" NOT NULL,
    manifest_id   bigint NOT NULL CONSTRAINT tags_manifest_fkey REFERENCES manifests ON DELETE CASCADE,
    pushed_at     timestamptz NOT NULL DEFAULT now(),
    pulled_at     timestamptz,
    PRIMARY KEY (repository_id, name)
);
CREATE INDEX tags_manifest_idx ON tags (manifest_id);

CREATE TABLE upload_sessions (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    repository_name text COLLATE "C" NOT NULL,
    owner           text NOT NULL,
    offset_bytes    bigint NOT NULL DEFAULT 0,
    algorithm       text NOT NULL CHECK (algorithm IN ('sha256', 'sha512')),
    hash_state      bytea,
    tail            bytea NOT NULL DEFAULT '',
    storage_state   json NOT NULL,
    lease_token     uuid,
    leased_until    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL
);
CREATE INDEX upload_sessions_expiry_idx ON upload_sessions (expires_at);
COMMENT ON COLUMN upload_sessions.tail IS 'the last few bytes, counted in offset_bytes, which are not in storage yet';
COMMENT ON COLUMN upload_sessions.hash_state IS 'state of the hash of the bytes in storage; NULL: read them again';
COMMENT ON COLUMN upload_sessions.lease_token IS 'the one writer; cleared when it ends in order';

CREATE TABLE outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    uuid NOT NULL DEFAULT gen_random_uuid(),
    type        text NOT NULL,
    payload     json NOT NULL,
    cause       json NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE outbox IS 'events, committed with the change they tell of; the relay turns each into pending jobs';

CREATE TABLE pending_jobs (
    id          text PRIMARY KEY,
    queue       text NOT NULL,
    name        text NOT NULL,
    event       json NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    enqueued_at timestamptz
);
CREATE INDEX pending_jobs_enqueued_idx ON pending_jobs (enqueued_at);
COMMENT ON TABLE pending_jobs IS 'work that is owed: a row goes in the transaction of its effect, so a lost queue only delays';

CREATE TABLE audit_logs (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id        uuid NOT NULL CONSTRAINT audit_logs_event_key UNIQUE,
    occurred_at     timestamptz NOT NULL,
    username        text NOT NULL,
    operation       text NOT NULL,
    resource_type   text NOT NULL,
    resource        text NOT NULL,
    project_name    text NOT NULL,
    repository_name text NOT NULL,
    tag             text NOT NULL DEFAULT '',
    address         text NOT NULL DEFAULT '',
    request_id      text NOT NULL DEFAULT '',
    detail          json NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_logs_time_idx ON audit_logs (occurred_at DESC, id DESC);
CREATE INDEX audit_logs_project_idx ON audit_logs (project_name, occurred_at DESC);
