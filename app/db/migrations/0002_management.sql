-- Who may do what: groups, robots, labels, quotas, rules, sessions, and what lists need to be fast.

ALTER TABLE users ADD COLUMN comment text NOT NULL DEFAULT '';
CREATE UNIQUE INDEX users_email_key ON users (lower(email)) WHERE email <> '';

CREATE TABLE user_groups (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text COLLATE "C" NOT NULL CONSTRAINT user_groups_name_key UNIQUE,
    kind       text NOT NULL CHECK (kind IN ('ldap', 'http', 'oidc')),
    ldap_dn    text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX user_groups_ldap_key ON user_groups (lower(ldap_dn)) WHERE ldap_dn <> '';

CREATE TABLE user_group_members (
    group_id bigint NOT NULL REFERENCES user_groups ON DELETE CASCADE,
    user_id  bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX user_group_members_user_idx ON user_group_members (user_id);
COMMENT ON TABLE user_group_members IS 'written by an authenticator at login: groups come from the directory';

ALTER TABLE project_members
    DROP CONSTRAINT project_members_pkey,
    ALTER COLUMN user_id DROP NOT NULL,
    ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ADD COLUMN group_id bigint REFERENCES user_groups ON DELETE CASCADE,
    ADD CONSTRAINT project_members_entity_check CHECK (num_nonnulls(user_id, group_id) = 1);
CREATE UNIQUE INDEX project_members_user_key ON project_members (project_id, user_id);
CREATE UNIQUE INDEX project_members_group_key ON project_members (project_id, group_id);
CREATE INDEX project_members_group_idx ON project_members (group_id);

ALTER TABLE projects ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN projects.metadata IS 'Harbor''s project metadata but `public`: names to strings';
CREATE INDEX projects_owner_idx ON projects (owner_id);

CREATE TABLE robots (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id    bigint REFERENCES projects ON DELETE CASCADE,
    name          text COLLATE "C" NOT NULL CONSTRAINT robots_name_key UNIQUE,
    description   text NOT NULL DEFAULT '',
    secret_hash   text NOT NULL,
    permissions   jsonb NOT NULL,
    duration_days bigint NOT NULL,
    expires_at    timestamptz,
    is_disabled   boolean NOT NULL DEFAULT false,
    creator_kind  text NOT NULL CHECK (creator_kind IN ('local', 'robot')),
    creator_id    bigint,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX robots_project_idx ON robots (project_id);
COMMENT ON COLUMN robots.project_id IS 'NULL: of the system';
COMMENT ON COLUMN robots.name IS 'as it logs in, but the prefix: `ci` of the system, `project+ci` of a project';

CREATE TABLE sessions (
    key_hash   bytea PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user_idx ON sessions (user_id);
CREATE INDEX sessions_expiry_idx ON sessions (expires_at);

-- Whoever changes a password or disables a user, by whatever way: the sessions end with it.
CREATE FUNCTION end_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM sessions WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER end_sessions AFTER UPDATE OF password_hash, is_disabled ON users FOR EACH ROW
    WHEN (NEW.is_disabled OR NEW.password_hash <> OLD.password_hash) EXECUTE FUNCTION end_sessions();

CREATE TABLE configurations (
    name       text PRIMARY KEY,
    value      jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE configurations IS 'what an administrator changed by the API; the rest has the defaults';

ALTER TABLE repositories ADD COLUMN description text NOT NULL DEFAULT '';
ALTER TABLE tags
    ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN previous_manifest_id bigint;
COMMENT ON COLUMN tags.previous_manifest_id IS 'where it pointed before its last push, for the transaction that moved it';

-- What the management lists show of a manifest without reading its content.
ALTER TABLE manifests
    ADD COLUMN project_id bigint,
    ADD COLUMN config_media_type text NOT NULL DEFAULT '',
    ADD COLUMN artifact_size_bytes bigint NOT NULL DEFAULT 0,
    ADD COLUMN extra_attrs json,
    ADD COLUMN icon text NOT NULL DEFAULT '';
COMMENT ON COLUMN manifests.artifact_size_bytes IS 'the manifest and its blobs; of an index: with its children';
COMMENT ON COLUMN manifests.extra_attrs IS 'read from the config by a job; NULL until then';
UPDATE manifests m SET project_id = r.project_id FROM repositories r WHERE r.id = m.repository_id;
UPDATE manifests m SET config_media_type = CASE
        WHEN m.media_type IN ('application/vnd.oci.image.index.v1+json',
            'application/vnd.docker.distribution.manifest.list.v2+json') THEN m.media_type
        ELSE coalesce(m.artifact_type, '') END,
    artifact_size_bytes = m.size_bytes + coalesce((
        SELECT sum(b.size_bytes) FROM manifest_blobs l JOIN blobs b USING (digest) WHERE l.manifest_id = m.id
    ), 0);
UPDATE manifests m SET artifact_size_bytes = m.artifact_size_bytes + children.size_bytes
FROM (
    SELECT c.manifest_id, sum(child.artifact_size_bytes) AS size_bytes
    FROM manifest_children c
    JOIN manifests parent ON parent.id = c.manifest_id
    JOIN manifests child ON child.repository_id = parent.repository_id AND child.digest = c.child_digest
    GROUP BY c.manifest_id
) children WHERE children.manifest_id = m.id;
CREATE INDEX manifests_pushed_idx ON manifests (repository_id, pushed_at DESC, id DESC);
CREATE INDEX manifests_project_pushed_idx ON manifests (project_id, pushed_at DESC, id DESC);
CREATE INDEX manifests_index_idx ON manifests (repository_id) WHERE media_type IN (
    'application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json'
);

CREATE TABLE labels (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id  bigint REFERENCES projects ON DELETE CASCADE,
    name        text COLLATE "C" NOT NULL,
    description text NOT NULL DEFAULT '',
    color       text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX labels_name_key ON labels (coalesce(project_id, 0), name);
COMMENT ON COLUMN labels.project_id IS 'NULL: global';

CREATE TABLE manifest_labels (
    manifest_id bigint NOT NULL REFERENCES manifests ON DELETE CASCADE,
    label_id    bigint NOT NULL REFERENCES labels ON DELETE CASCADE,
    PRIMARY KEY (manifest_id, label_id)
);
CREATE INDEX manifest_labels_label_idx ON manifest_labels (label_id);

CREATE TABLE immutability_rules (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id      bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    is_disabled     boolean NOT NULL DEFAULT false,
    tag_selectors   jsonb NOT NULL,
    scope_selectors jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX immutability_rules_project_idx ON immutability_rules (project_id);

CREATE TABLE quotas (
    project_id bigint PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    hard_bytes bigint NOT NULL DEFAULT -1 CHECK (hard_bytes >= -1),
    used_bytes bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN quotas.hard_bytes IS '-1: unlimited';

CREATE TABLE project_blobs (
    project_id bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    digest     text COLLATE "C" NOT NULL,
    size_bytes bigint NOT NULL,
    PRIMARY KEY (project_id, digest)
);
COMMENT ON TABLE project_blobs IS 'what the artifacts of a project use, manifests and blobs, each counted once in quotas';

ALTER TABLE manifest_blobs ADD COLUMN project_id bigint;
UPDATE manifest_blobs b SET project_id = r.project_id FROM repositories r WHERE r.id = b.repository_id;

INSERT INTO project_blobs (project_id, digest, size_bytes)
SELECT project_id, digest, max(size_bytes) FROM (
    SELECT project_id, digest, size_bytes FROM manifests
    UNION ALL
    SELECT l.project_id, l.digest, b.size_bytes FROM manifest_blobs l JOIN blobs b USING (digest)
) used GROUP BY project_id, digest;
INSERT INTO quotas (project_id, used_bytes)
SELECT p.id, coalesce(sum(b.size_bytes), 0) FROM projects p LEFT JOIN project_blobs b ON b.project_id = p.id GROUP BY p.id;

CREATE INDEX manifests_project_idx ON manifests (project_id, digest);
CREATE INDEX manifest_blobs_project_idx ON manifest_blobs (project_id, digest);
ALTER TABLE manifests ADD CONSTRAINT manifests_counted_fkey
    FOREIGN KEY (project_id, digest) REFERENCES project_blobs (project_id, digest);
ALTER TABLE manifest_blobs ADD CONSTRAINT manifest_blobs_counted_fkey
    FOREIGN KEY (project_id, digest) REFERENCES project_blobs (project_id, digest);
COMMENT ON COLUMN manifests.project_id IS 'NULL: pushed by a version that did not count; the recount fills it in';

ALTER TABLE audit_logs
    ADD COLUMN user_agent text NOT NULL DEFAULT '',
    ADD COLUMN is_success boolean NOT NULL DEFAULT true;
CREATE INDEX audit_logs_username_idx ON audit_logs (username, occurred_at DESC);

-- A push is refused by raising an error: its last statement runs together with COMMIT, and nobody is asked between.
CREATE FUNCTION refuse_over_quota() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the quota is exceeded' USING ERRCODE = 'check_violation', CONSTRAINT = 'quotas_hard_check';
END
$$;

-- Who moves or deletes tags holds the rules of the project as they are; who changes rules waits for them.
CREATE FUNCTION hold_immutability_rules(project_id bigint) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock_shared('immutability_rules'::regclass::oid::integer, hashint8(project_id))
$$;
CREATE FUNCTION take_immutability_rules(project_id bigint) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock('immutability_rules'::regclass::oid::integer, hashint8(project_id))
$$;

-- What callers may is remembered by every process for as long as this number stays.
CREATE TABLE access_epoch (value bigint NOT NULL);
INSERT INTO access_epoch VALUES (1);
COMMENT ON TABLE access_epoch IS 'one row; it grows in the transaction of every change to who may do what';

CREATE FUNCTION note_access_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE access_epoch SET value = value + 1;
    RETURN NULL;
END
$$;

CREATE TRIGGER access_epoch AFTER INSERT OR UPDATE OR DELETE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
CREATE TRIGGER access_epoch AFTER INSERT OR UPDATE OR DELETE ON robots
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
CREATE TRIGGER access_epoch AFTER INSERT OR UPDATE OR DELETE ON projects
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
CREATE TRIGGER access_epoch AFTER INSERT OR UPDATE OR DELETE ON project_members
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
CREATE TRIGGER access_epoch AFTER INSERT OR UPDATE OR DELETE ON user_group_members
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
CREATE TRIGGER access_epoch AFTER INSERT OR UPDATE OR DELETE ON configurations
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
