-- Issues a PIN for each order that meets every condition: a PIN request, its SMS and its audit event, all or none of them.
-- Returns the ids of the PIN requests that it inserted. `domain::order::decide` says why an order is not among them.
--
-- Each condition is a look into an index, whatever the statistics: OFFSET 0 keeps the planner from making it a join.
-- Two orders that exclude each other meet in a unique index: open PIN, request id, verification. One of them is inserted.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::pin_order_1[])
),
issued AS (
    INSERT INTO pin_requests (
        id, person_key, mobile_key, channel, caller, request_id, payload_digest, verification_id, state, verifier_key_id,
        verifier_salt, verifier_mac, last_send_time, first_next_send_time, masked_mobile_number, message_id, create_time,
        expire_time
    )
    SELECT pin_request_id, person_key, mobile_key, channel, caller, request_id, payload_digest, verification_id, 'open',
        verifier_key_id, verifier_salt, verifier_mac, order_time, first_next_send_time, masked_mobile_number, message_id,
        order_time, expire_time
    FROM asked
    -- The request id has no answer yet.
    WHERE NOT EXISTS (
            SELECT FROM requests r
            WHERE r.caller = asked.caller AND r.method = 'IssueTemporaryPin' AND r.request_id = asked.request_id OFFSET 0
        )
        -- R21: the verification serves this person, caller and channel, and has served no PIN.
        AND EXISTS (
            SELECT FROM verifications v
            WHERE v.id = asked.verification_id AND v.caller = asked.caller AND v.person_key = asked.person_key
                AND v.channel = asked.channel AND v.state = 'verified' AND v.expire_time > asked.order_time
                AND v.pin_request_id IS NULL OFFSET 0
        )
        -- R9. A trigger on pin_requests checks this again, with a lock: a block that commits until then counts too.
        AND NOT EXISTS (SELECT FROM person_blocks b WHERE b.person_key = ANY (asked.block_keys) OFFSET 0)
        -- R5: no PIN holds the person's open place, not even an expired one.
        AND NOT EXISTS (SELECT FROM pin_requests p WHERE p.person_key = asked.person_key AND p.state = 'open' OFFSET 0)
        -- R25: with this PIN there are not too many in the window.
        AND NOT EXISTS (
            SELECT FROM person_pins_in_window(asked.person_key, asked.order_time, $2::interval) OFFSET $3::bigint - 1
        )
        AND NOT EXISTS (
            SELECT FROM mobile_pins_in_window(asked.mobile_key, asked.order_time, $4::interval) OFFSET $5::bigint - 1
        )
        -- R4: the person has a wrong try left. A running try may turn out to be right.
        AND NOT EXISTS (
            SELECT FROM wrong_tries_in_window(asked.person_key, asked.order_time, $6::interval) AS tried
            WHERE tried.has_result OR tried.create_time <= asked.order_time - $7::interval
            OFFSET $8::bigint - 1
        )
    ON CONFLICT DO NOTHING
    RETURNING id
),
queued AS (
    INSERT INTO outbox (
        id, person_key, kind, state, sealed_body, last_send, next_attempt_time, expire_time, lease_token,
        lease_expire_time, create_time
    )
    SELECT message_id, person_key, 'pin', 'queued', sealed_body, $9::int <= 1, order_time, expire_time, lease_token,
        lease_expire_time, order_time
    FROM issued JOIN asked ON asked.pin_request_id = issued.id
),
event AS (
    INSERT INTO audit_events (
        event_time, person_key, action, purpose, channel, caller, verification_id, access_request_id, pin_request_id
    )
    SELECT order_time, person_key, 'pin_issued', 'issuance', channel, caller, verification_id, access_request_id, id
    FROM issued JOIN asked ON asked.pin_request_id = issued.id
    RETURNING id, pin_request_id
),
agent AS (
    INSERT INTO audit_agents (audit_event_id, agent_key)
    SELECT event.id, asked.agent_key FROM event JOIN asked USING (pin_request_id) WHERE asked.agent_key IS NOT NULL
)
SELECT id FROM issued
