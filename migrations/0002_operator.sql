-- For operators (R9): blocks, limits that start afresh, and an audit that says what for and, apart, by which operator.
-- The previous version runs beside this one: it knows none of it, and the triggers below hold it to the blocks too.

-- Persons who get no PIN. Somebody with MitID stands here under each pseudonym that is known of them.
CREATE TABLE person_blocks (
    person_key bytea PRIMARY KEY CHECK (length(person_key) = 32),
    block_time timestamptz NOT NULL,
    reason     text NOT NULL
);

-- The number under which whoever blocks a person and whatever is made for that person wait for each other. That two
-- persons share it is rare and only makes one wait.
CREATE FUNCTION block_lock(person_key bytea) RETURNS integer LANGUAGE sql IMMUTABLE
    RETURN ('x' || encode(substr(person_key, 1, 4), 'hex'))::bit(32)::integer;

-- A PIN or a request for access that is being made while its person is blocked comes too late, or else is there for the
-- block to end: the lock is shared by those who make and exclusive to who blocks, and the look comes after the lock.
CREATE FUNCTION refuse_blocked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(2, block_lock(NEW.person_key));
    IF EXISTS (SELECT FROM person_blocks WHERE person_key = NEW.person_key) THEN
        RAISE EXCEPTION 'the person is blocked' USING ERRCODE = 'PB001';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER pin_requests_not_blocked BEFORE INSERT ON pin_requests
    FOR EACH ROW EXECUTE FUNCTION refuse_blocked();
CREATE TRIGGER access_requests_not_blocked BEFORE INSERT ON access_requests
    FOR EACH ROW EXECUTE FUNCTION refuse_blocked();

-- From when the rows of a limit (R4, R18, R25) count, where an operator has reset it.
CREATE TABLE limit_resets (
    subject_key bytea NOT NULL CHECK (length(subject_key) = 32),   -- the person, or the mobile number
    limit_name  text NOT NULL
        CHECK (limit_name IN ('wrong_tries', 'failed_verifications', 'person_pins', 'mobile_pins')),
    reset_time  timestamptz NOT NULL,
    PRIMARY KEY (subject_key, limit_name)
);

-- Notices that the previous version does not know. It would stop at a kind unknown to it, with every message that it
-- claimed beside; so `kind` stays one that it sends like any notice, and this column, where it is set, is the true one.
-- Not valid: no old row has one, and a look at each would keep the service waiting.
ALTER TABLE outbox ADD COLUMN notice text,
    ADD CONSTRAINT outbox_notice_check CHECK (notice IN ('access_cancelled', 'pin_revoked')) NOT VALID;

-- What the processing was for. Null: written by the previous version.
ALTER TABLE audit_events ADD COLUMN purpose text,
    ADD CONSTRAINT audit_events_purpose_check
        CHECK (purpose IN ('identification', 'issuance', 'redemption', 'operation')) NOT VALID;

-- Which operator did it: apart, as the agents are. The event's own caller is then `operator`.
CREATE TABLE audit_operators (
    -- The purge of the previous version does not know this table.
    audit_event_id bigint PRIMARY KEY REFERENCES audit_events (id) ON DELETE CASCADE,
    operator       text NOT NULL
);
CREATE TRIGGER audit_operators_append_only BEFORE UPDATE ON audit_operators
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
