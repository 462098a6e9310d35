-- Uploads whose bytes clients send to the storage themselves.

ALTER TABLE upload_sessions ADD COLUMN direct text CHECK (direct IN ('open', 'frozen', 'hashing'));
ALTER TABLE upload_sessions ADD COLUMN found_digest text COLLATE "C";
COMMENT ON COLUMN upload_sessions.direct IS
    'how far an upload by signed URLs is: taking bytes, put together, with a worker that reads it; NULL: not one';
COMMENT ON COLUMN upload_sessions.found_digest IS 'what we or the storage found the bytes to be, whatever a client says';

ALTER TABLE upload_sessions ADD COLUMN reserved_project_id bigint, ADD COLUMN reserved_bytes bigint;
CREATE INDEX ON upload_sessions (reserved_project_id) WHERE reserved_bytes IS NOT NULL;
COMMENT ON COLUMN upload_sessions.reserved_bytes IS
    'room that is kept for it in the quota of the project, so that no other upload is told that it fits there';
