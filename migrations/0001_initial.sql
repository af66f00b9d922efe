-- Persons, mobile numbers and agents appear only as pseudonyms (HMAC-SHA-256, 32 bytes) under a key that is not in
-- this database. Times are read from the service's clock and passed in; the database's own clock is not used.
-- Indexes of kind brin serve the purge alone.

-- One run of VerifyIdentity.
CREATE TABLE verifications (
    id                    uuid PRIMARY KEY,
    person_key            bytea NOT NULL CHECK (length(person_key) = 32),
    channel               text NOT NULL CHECK (channel IN ('web', 'phone', 'counter')),
    caller                text NOT NULL,
    agent_key             bytea CHECK (length(agent_key) = 32),
    method                text NOT NULL CHECK (method IN ('login', 'questions', 'witness')),
    state                 text NOT NULL CHECK (state IN ('questions_pending', 'verified', 'rejected')),
    reason                text,                            -- why rejected
    assurance_level       text,
    question_kinds        text[] NOT NULL DEFAULT '{}',    -- every kind asked, in order; never an answer
    answer_rounds         smallint NOT NULL DEFAULT 0,     -- rounds of answers begun
    right_answers         smallint NOT NULL DEFAULT 0,
    witness_key           bytea CHECK (length(witness_key) = 32),
    login_nonce_digest    bytea UNIQUE,                    -- R23: a nonce serves once
    case_reference        text,
    office_id             text,
    appointment_reference text,
    create_time           timestamptz NOT NULL,
    expire_time           timestamptz NOT NULL,
    pin_request_id        uuid                             -- R21: the one PIN request it has served
);
-- R16, R18: the person's failed runs.
CREATE INDEX verifications_person ON verifications (person_key, create_time);
-- R20: how often somebody has witnessed.
CREATE INDEX verifications_witness ON verifications (witness_key, create_time) WHERE witness_key IS NOT NULL;
CREATE INDEX verifications_create_time ON verifications USING brin (create_time);

-- A request for access on the web: starts the hold (R6, R7).
CREATE TABLE access_requests (
    id            uuid PRIMARY KEY,
    person_key    bytea NOT NULL CHECK (length(person_key) = 32),
    state         text NOT NULL CHECK (state IN ('open', 'used', 'cancelled', 'expired')),
    request_time  timestamptz NOT NULL,
    eligible_time timestamptz NOT NULL,
    expire_time   timestamptz NOT NULL,
    close_time    timestamptz,
    notice_ids    uuid[] NOT NULL DEFAULT '{}',            -- its rows in the outbox (R8)
    CHECK (request_time <= eligible_time AND eligible_time <= expire_time)
);
CREATE UNIQUE INDEX access_requests_open ON access_requests (person_key) WHERE state = 'open';
CREATE INDEX access_requests_person ON access_requests (person_key, request_time);
CREATE INDEX access_requests_request_time ON access_requests USING brin (request_time);

-- One issued PIN.
CREATE TABLE pin_requests (
    id                   uuid PRIMARY KEY,
    person_key           bytea NOT NULL CHECK (length(person_key) = 32),
    mobile_key           bytea NOT NULL CHECK (length(mobile_key) = 32),
    channel              text NOT NULL CHECK (channel IN ('web', 'phone', 'counter')),
    caller               text NOT NULL,
    verification_id      uuid NOT NULL,
    state                text NOT NULL CHECK (state IN ('open', 'redeemed', 'expired', 'revoked')),
    verifier_key_id      integer NOT NULL,
    verifier_salt        bytea NOT NULL CHECK (length(verifier_salt) = 16),
    verifier_mac         bytea NOT NULL CHECK (length(verifier_mac) = 32),
    tries                smallint NOT NULL DEFAULT 0,      -- R3: counted before the compare
    sends                smallint NOT NULL DEFAULT 1,      -- R5
    last_send_time       timestamptz NOT NULL,
    masked_mobile_number text NOT NULL,
    message_id           uuid NOT NULL,                    -- its row in the outbox
    create_time          timestamptz NOT NULL,
    expire_time          timestamptz NOT NULL,
    close_time           timestamptz,                      -- redeemed, revoked, or found expired
    revoke_reason        text
);
-- R5: one open PIN request per person.
CREATE UNIQUE INDEX pin_requests_open ON pin_requests (person_key) WHERE state = 'open';
-- R4, R25.
CREATE INDEX pin_requests_person ON pin_requests (person_key, create_time);
CREATE INDEX pin_requests_mobile ON pin_requests (mobile_key, create_time);
CREATE INDEX pin_requests_create_time ON pin_requests USING brin (create_time);

-- Idempotency: what a request_id was answered. A row without a response is a try that was counted and is being compared.
CREATE TABLE requests (
    caller         text NOT NULL,
    method         text NOT NULL,
    request_id     uuid NOT NULL,
    payload_digest bytea NOT NULL CHECK (length(payload_digest) = 32),
    response       jsonb,
    pin_request_id uuid,                                   -- RedeemTemporaryPin: the PIN whose try was counted
    create_time    timestamptz NOT NULL,
    PRIMARY KEY (caller, method, request_id)
);
CREATE INDEX requests_create_time ON requests USING brin (create_time);

-- SMS to send. The sealed body is erased when the message is done or expired.
CREATE TABLE outbox (
    id                uuid PRIMARY KEY,
    person_key        bytea NOT NULL CHECK (length(person_key) = 32),
    kind              text NOT NULL CHECK (kind IN ('pin', 'access_requested', 'hold_passed')),
    state             text NOT NULL CHECK (state IN ('queued', 'accepted', 'failed', 'expired', 'cancelled')),
    sealed_body       bytea,
    sends             smallint NOT NULL DEFAULT 1,         -- sends asked for; with the id it is the gateway's reference
    last_send         boolean NOT NULL DEFAULT false,      -- R5 allows no further send: the body goes with this one
    attempts          smallint NOT NULL DEFAULT 0,         -- hand-overs tried for the present send
    next_attempt_time timestamptz NOT NULL,
    expire_time       timestamptz NOT NULL,
    lease_token       uuid,
    lease_expire_time timestamptz,
    handover_time     timestamptz,                         -- the present hand-over began; no outcome yet
    gateway_reference text,
    last_error        text,
    create_time       timestamptz NOT NULL
);
CREATE INDEX outbox_due ON outbox (next_attempt_time) WHERE state = 'queued';
CREATE INDEX outbox_create_time ON outbox USING brin (create_time);
CREATE INDEX outbox_body ON outbox (expire_time) WHERE sealed_body IS NOT NULL;

-- What happened to whom, when, why and through which channel. Append-only.
CREATE TABLE audit_events (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_time        timestamptz NOT NULL,
    person_key        bytea NOT NULL CHECK (length(person_key) = 32),
    action            text NOT NULL,
    channel           text,
    caller            text NOT NULL,
    reason            text,
    verification_id   uuid,
    access_request_id uuid,
    pin_request_id    uuid
);
CREATE INDEX audit_events_person ON audit_events (person_key, event_time);
CREATE INDEX audit_events_event_time ON audit_events USING brin (event_time);

-- A row that stands is never changed; the purge deletes whole rows when they have served their time.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Which agent did it: apart, because a person may have the event but not the agent (Datatilsynet, 6 June 2024).
CREATE TABLE audit_agents (
    audit_event_id bigint PRIMARY KEY REFERENCES audit_events (id),
    agent_key      bytea NOT NULL CHECK (length(agent_key) = 32)
);
CREATE TRIGGER audit_agents_append_only BEFORE UPDATE ON audit_agents
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
