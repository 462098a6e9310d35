-- Tokens end with the password or secret that they were given for.

ALTER TABLE users ADD COLUMN credential_version integer NOT NULL DEFAULT 1;
ALTER TABLE robots ADD COLUMN credential_version integer NOT NULL DEFAULT 1;
COMMENT ON COLUMN users.credential_version IS 'grows with every new password; tokens say which one they were given for';
COMMENT ON COLUMN robots.credential_version IS 'grows with every new secret; tokens say which one they were given for';

CREATE FUNCTION note_new_credentials() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.credential_version := OLD.credential_version + 1;
    RETURN NEW;
END
$$;

CREATE TRIGGER note_new_credentials BEFORE UPDATE OF password_hash ON users
    FOR EACH ROW WHEN (NEW.password_hash <> OLD.password_hash) EXECUTE FUNCTION note_new_credentials();
CREATE TRIGGER note_new_credentials BEFORE UPDATE OF secret_hash ON robots
    FOR EACH ROW WHEN (NEW.secret_hash <> OLD.secret_hash) EXECUTE FUNCTION note_new_credentials();
