-- Secrets of others that have to be read again.

CREATE TABLE secrets (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_id     text NOT NULL,
    token      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE secrets IS 'encrypted; whatever needs one refers to its id, so that a new key reaches all of them here';
COMMENT ON COLUMN secrets.key_id IS 'which key encrypted it: a fingerprint, nothing secret';
