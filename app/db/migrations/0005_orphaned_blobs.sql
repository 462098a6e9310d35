-- What a crash or a refusal left in the storage is removed.

CREATE TABLE orphaned_blobs (
    digest text COLLATE pg_catalog."C" PRIMARY KEY,
    noticed_at timestamp with time zone NOT NULL DEFAULT now(),
    removed_at timestamp with time zone
);
COMMENT ON TABLE orphaned_blobs IS 'content in storage that is no blob: since when, and since when it is being removed';
CREATE INDEX ON orphaned_blobs (noticed_at);
