-- A PIN request is its own idempotency record: the request id, the payload digest and the first answer are columns of it.
-- Its unique verification is the one use of that verification (R21). Null: issued by version 0.1.0.
--
-- New PIN requests wait while the indexes are made: about a second per million rows. So do reads for the second index, which
-- needs the new columns, but it is empty and quick.
CREATE UNIQUE INDEX pin_requests_verification ON pin_requests (verification_id);
ALTER TABLE pin_requests
    ADD COLUMN request_id           uuid,
    ADD COLUMN payload_digest       bytea,
    ADD COLUMN first_next_send_time timestamptz,           -- next_send_time in the first answer
    -- Not valid: no old row has a digest, and a check of each row would keep the service waiting.
    ADD CONSTRAINT pin_requests_payload_digest_check CHECK (length(payload_digest) = 32) NOT VALID;
CREATE UNIQUE INDEX pin_requests_request ON pin_requests (caller, request_id) WHERE request_id IS NOT NULL;

-- An order for a new PIN, as the issue statement takes it. A running release keeps using the type that it knows: a
-- release that needs other fields adds a type with the next number.
CREATE TYPE pin_order_1 AS (
    caller               text,
    request_id           uuid,
    payload_digest       bytea,
    verification_id      uuid,
    access_request_id    uuid,
    person_key           bytea,
    block_keys           bytea[],                          -- every pseudonym under which a block may stand
    mobile_key           bytea,
    channel              text,
    agent_key            bytea,
    order_time           timestamptz,
    pin_request_id       uuid,
    expire_time          timestamptz,
    first_next_send_time timestamptz,
    masked_mobile_number text,
    verifier_key_id      integer,
    verifier_salt        bytea,
    verifier_mac         bytea,
    message_id           uuid,
    sealed_body          bytea,
    lease_token          uuid,                             -- of the process that sends the SMS at once; null: any may claim it
    lease_expire_time    timestamptz
);

-- Version 0.1.0 looks for the answer in `requests` and for the use of a verification in `verifications`. For as long as it
-- may run beside this version, both are written for it. A later migration drops this.
CREATE FUNCTION tell_version_0_1_0() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE verifications SET pin_request_id = NEW.id WHERE id = NEW.verification_id AND pin_request_id IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the verification is used' USING ERRCODE = 'unique_violation';
    END IF;
    INSERT INTO requests (caller, method, request_id, payload_digest, response, create_time)
    VALUES (NEW.caller, 'IssueTemporaryPin', NEW.request_id, NEW.payload_digest, jsonb_build_object(
        'id', NEW.id, 'state', 'open', 'channel', NEW.channel, 'create_time', NEW.create_time,
        'expire_time', NEW.expire_time, 'masked_mobile_number', NEW.masked_mobile_number, 'dispatch_state', 'queued',
        'next_send_time', NEW.first_next_send_time
    ), NEW.create_time);
    RETURN NULL;
END
$$;
CREATE TRIGGER pin_requests_tell_version_0_1_0 AFTER INSERT ON pin_requests
    FOR EACH ROW WHEN (NEW.request_id IS NOT NULL) EXECUTE FUNCTION tell_version_0_1_0();
