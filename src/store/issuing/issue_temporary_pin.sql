-- The issue transaction (R5, R7, R21, R25) in one statement, which is one round trip and one commit. It takes one order, or
-- several orders of different persons.
--
-- For each order it reads (1), decides (2), locks the rows that the decision depends on (3), and writes (4). The decision is
-- made on the statement's snapshot. If a lock in (3) finds that a row has changed since, nothing is written for that order and
-- its response is null: run the statement again. Error 23505 (unique violation) shows a row that the snapshot could not see;
-- then nothing is written for any order: run it again as well.
-- Rows are locked in the order access_requests, pin_requests, verifications, outbox; within a table, in the order of `orders`.
WITH
orders AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::text[], $2::uuid[], $3::bytea[], $4::uuid[], $5::bytea[], $6::bytea[], $7::text[], $8::bytea[],
        $9::timestamptz[], $10::uuid[], $11::timestamptz[], $12::text[], $13::uuid[], $14::bool[], $15::int[],
        $16::bytea[], $17::bytea[], $18::bytea[]
    ) WITH ORDINALITY AS orders (
        caller, request_id, payload_digest, verification_id, person_key, mobile_key, channel, agent_key,
        now, pin_request_id, expire_time, masked_mobile_number, message_id, may_issue, verifier_key_id,
        verifier_salt, verifier_mac, sealed_body, number
    )
),
-- The same for all orders.
limits AS NOT MATERIALIZED (
    SELECT $21::interval AS resend_interval, $22::int AS max_sends, $23::interval AS person_pins_span,
        $24::bigint AS max_person_pins, $25::interval AS mobile_pins_span, $26::bigint AS max_mobile_pins
),
-- Blocks are checked again by a trigger on pin_requests when a PIN is inserted, so that a block that commits until then
-- counts as well.
blocked AS MATERIALIZED (
    SELECT pseudonym.number
    FROM unnest($19::bigint[], $20::bytea[]) AS pseudonym (number, person_key),
        LATERAL (SELECT FROM person_blocks b WHERE b.person_key = pseudonym.person_key LIMIT 1) AS block
),

decisions AS MATERIALIZED (
    SELECT
        orders.*,
        -- (2) The decision. The first condition that is true decides.
        CASE
            WHEN earlier.payload_digest = orders.payload_digest THEN 'replayed'
            WHEN earlier.payload_digest IS NOT NULL THEN 'request_id_reused'
            WHEN verification.id IS NULL THEN 'verification_unknown'
            WHEN verification.state <> 'verified' THEN 'verification_not_confirmed'
            WHEN verification.expire_time <= orders.now THEN 'verification_expired'
            WHEN verification.pin_request_id IS NOT NULL AND verification.pin_request_id IS DISTINCT FROM current_pin.id
                THEN 'verification_used'
            WHEN orders.number IN (SELECT number FROM blocked) THEN 'blocked'
            WHEN current_pin.may_be_sent_again AND current_pin.last_send_time + limits.resend_interval <= orders.now
                THEN 'resent'
            WHEN current_pin.id IS NOT NULL THEN 'already_open'
            WHEN orders.channel = 'web' AND access.id IS NULL THEN 'access_none'
            WHEN access.eligible_time > orders.now THEN 'access_running'
            WHEN access.expire_time <= orders.now THEN 'access_expired'
            WHEN verification.create_time < access.eligible_time THEN 'access_login_again'
            WHEN person_limit.until IS NOT NULL THEN 'person_limit'
            WHEN mobile_limit.until IS NOT NULL THEN 'mobile_limit'
            WHEN NOT orders.may_issue THEN 'not_issued'
            ELSE 'issued'
        END AS outcome,
        coalesce(current_pin.id, orders.pin_request_id) AS answered_pin_id,
        open_pin.id AS open_id,
        current_pin.id AS current_id, current_pin.channel AS current_channel, current_pin.create_time AS current_create_time,
        current_pin.expire_time AS current_expire_time, current_pin.masked_mobile_number AS current_masked_mobile_number,
        current_pin.message_id AS current_message_id, current_pin.last_send_time AS current_last_send_time,
        current_pin.sends AS current_sends, current_pin.dispatch_state AS current_dispatch_state,
        current_pin.may_be_sent_again AS current_may_be_sent_again,
        access.id AS access_id, access.request_time, access.eligible_time, access.expire_time AS access_expire_time,
        person_limit.until AS person_until, mobile_limit.until AS mobile_until,
        earlier.response AS earlier_response
    FROM orders
    CROSS JOIN limits
    -- (1) What is stored. Each LIMIT 1 makes its subquery one look-up in an index per order.
    LEFT JOIN LATERAL (
        SELECT r.payload_digest, r.response
        FROM requests r
        WHERE r.caller = orders.caller AND r.method = 'IssueTemporaryPin' AND r.request_id = orders.request_id
        LIMIT 1
    ) AS earlier ON true
    LEFT JOIN LATERAL (
        SELECT v.id, v.state, v.create_time, v.expire_time, v.pin_request_id
        FROM verifications v
        WHERE v.id = orders.verification_id AND v.caller = orders.caller AND v.person_key = orders.person_key
            AND v.channel = orders.channel
        LIMIT 1
    ) AS verification ON true
    -- The row that holds the person's place in the unique index of open PINs. It may have expired.
    LEFT JOIN LATERAL (
        SELECT p.id FROM pin_requests p WHERE p.person_key = orders.person_key AND p.state = 'open' LIMIT 1
    ) AS open_pin ON true
    -- The open PIN that can answer this order: not expired, and sent to the present mobile number.
    LEFT JOIN LATERAL (
        SELECT p.id, p.channel, p.create_time, p.expire_time, p.masked_mobile_number, p.message_id, p.last_send_time,
            p.sends, message.state AS dispatch_state,
            message.sealed_body IS NOT NULL AND p.sends < limits.max_sends AS may_be_sent_again
        FROM pin_requests p
        LEFT JOIN LATERAL (SELECT o.state, o.sealed_body FROM outbox o WHERE o.id = p.message_id LIMIT 1) AS message ON true
        WHERE p.id = open_pin.id AND p.expire_time > orders.now AND p.mobile_key = orders.mobile_key
        LIMIT 1
    ) AS current_pin ON true
    LEFT JOIN LATERAL (
        SELECT a.id, a.request_time, a.eligible_time, a.expire_time
        FROM access_requests a
        WHERE a.person_key = orders.person_key AND a.state = 'open' AND orders.channel = 'web'
        LIMIT 1
    ) AS access ON true
    -- If the limit is reached, when the PIN that blocks the next one leaves the window. Otherwise no row.
    LEFT JOIN LATERAL (
        SELECT pin.create_time + limits.person_pins_span AS until
        FROM person_pins_in_window(orders.person_key, orders.now, limits.person_pins_span) AS pin
        ORDER BY pin.create_time DESC OFFSET limits.max_person_pins - 1 LIMIT 1
    ) AS person_limit ON true
    LEFT JOIN LATERAL (
        SELECT pin.create_time + limits.mobile_pins_span AS until
        FROM mobile_pins_in_window(orders.mobile_key, orders.now, limits.mobile_pins_span) AS pin
        ORDER BY pin.create_time DESC OFFSET limits.max_mobile_pins - 1 LIMIT 1
    ) AS mobile_limit ON true
),

-- (3) Locks. From here on rows are found by their ids, hence IS TRUE (src/store/connections/pool.rs).
locked_access AS (
    SELECT a.id
    FROM decisions d JOIN access_requests a ON a.id = d.access_id
    WHERE d.outcome = 'issued' AND (a.state = 'open') IS TRUE
    FOR UPDATE OF a
),
locked_pin AS (
    SELECT p.id
    FROM decisions d JOIN pin_requests p ON p.id = d.current_id
    WHERE d.outcome IN ('resent', 'already_open') AND (p.state = 'open') IS TRUE AND p.sends = d.current_sends
    FOR UPDATE OF p
),
-- The orders for which something is written. R21: their verifications can be used for this PIN request only from now on.
accepted AS (
    UPDATE verifications v SET pin_request_id = d.answered_pin_id
    FROM decisions d
    WHERE v.id = d.verification_id AND (v.pin_request_id IS NULL OR v.pin_request_id = d.answered_pin_id)
        AND CASE d.outcome
            WHEN 'issued' THEN d.access_id IS NULL OR d.access_id IN (SELECT id FROM locked_access)
            WHEN 'resent' THEN d.current_id IN (SELECT id FROM locked_pin)
            WHEN 'already_open' THEN d.current_id IN (SELECT id FROM locked_pin)
            ELSE false
        END
    RETURNING d.*
),

-- (4) Writes.
used_access AS (
    UPDATE access_requests a SET state = 'used', close_time = accepted.now
    FROM accepted
    WHERE accepted.outcome = 'issued' AND a.id = accepted.access_id
    RETURNING a.notice_ids
),
-- An open PIN that has expired, or that went to another mobile number: that one is not sent again to either number.
closed_pins AS (
    UPDATE pin_requests p SET close_time = accepted.now,
        state = CASE WHEN p.expire_time <= accepted.now THEN 'expired' ELSE 'revoked' END,
        revoke_reason = CASE WHEN p.expire_time > accepted.now THEN 'mobile_number_changed' END
    FROM accepted
    WHERE accepted.outcome = 'issued' AND p.id = accepted.open_id AND (p.state = 'open') IS TRUE
        AND (p.expire_time <= accepted.now OR p.mobile_key <> accepted.mobile_key)
    RETURNING p.id, p.person_key, p.message_id, p.state, p.revoke_reason, accepted.channel, accepted.caller, accepted.now
),
created_pins AS (
    INSERT INTO pin_requests (
        id, person_key, mobile_key, channel, caller, verification_id, state, verifier_key_id, verifier_salt,
        verifier_mac, last_send_time, masked_mobile_number, message_id, create_time, expire_time
    )
    SELECT pin_request_id, person_key, mobile_key, channel, caller, verification_id, 'open', verifier_key_id, verifier_salt,
        verifier_mac, now, masked_mobile_number, message_id, now, expire_time
    -- The count makes the insert wait until the closed PIN has left the unique index of open PINs.
    FROM accepted, (SELECT count(*) FROM closed_pins) AS after_closing
    WHERE outcome = 'issued'
    RETURNING id
),
resent_pins AS (
    UPDATE pin_requests p SET sends = p.sends + 1, last_send_time = accepted.now
    FROM accepted
    WHERE accepted.outcome = 'resent' AND p.id = accepted.current_id
    RETURNING p.id
),
queued_messages AS (
    INSERT INTO outbox (id, person_key, kind, state, sealed_body, last_send, next_attempt_time, expire_time, create_time)
    SELECT message_id, person_key, 'pin', 'queued', sealed_body, limits.max_sends <= 1, now, expire_time, now
    FROM accepted JOIN created_pins ON created_pins.id = accepted.answered_pin_id CROSS JOIN limits
),
requeued_messages AS (
    UPDATE outbox o SET state = 'queued', sends = o.sends + 1, last_send = o.sends + 1 >= limits.max_sends, attempts = 0,
        next_attempt_time = accepted.now, lease_token = NULL, lease_expire_time = NULL, handover_time = NULL
    FROM accepted JOIN resent_pins ON resent_pins.id = accepted.answered_pin_id CROSS JOIN limits
    WHERE o.id = accepted.current_message_id AND o.sealed_body IS NOT NULL
),
-- The SMS of closed PINs, and the notices of used access requests.
withdrawn_messages AS (
    UPDATE outbox o SET (sealed_body, lease_token, lease_expire_time, state) = (
        SELECT w.* FROM withdrawn_message(o.state, pointless.state_if_queued) AS w
    )
    FROM (
        SELECT message_id AS id, CASE state WHEN 'expired' THEN 'expired' ELSE 'cancelled' END AS state_if_queued
        FROM closed_pins
        UNION ALL
        SELECT unnest(notice_ids), 'cancelled' FROM used_access
    ) AS pointless
    WHERE o.id = pointless.id
),
-- The answers. This and what follows wait for the inserts of PIN requests, and so for a block of the person that is running.
answers AS MATERIALIZED (
    SELECT view.number, jsonb_build_object(
        'id', view.id, 'state', 'open', 'channel', view.channel, 'create_time', view.create_time,
        'expire_time', view.expire_time, 'masked_mobile_number', view.masked_mobile_number,
        'dispatch_state', view.dispatch_state,
        'next_send_time',
            next_send_time(view.may_be_sent_again, view.last_send_time, limits.resend_interval, view.expire_time)
    ) AS response
    FROM (
        SELECT number, answered_pin_id AS id, channel, now AS create_time, expire_time, masked_mobile_number,
            'queued' AS dispatch_state, now AS last_send_time, 1 < limits.max_sends AS may_be_sent_again
        FROM accepted JOIN created_pins ON created_pins.id = accepted.answered_pin_id CROSS JOIN limits
        UNION ALL
        SELECT number, answered_pin_id, current_channel, current_create_time, current_expire_time,
            current_masked_mobile_number, 'queued', now, current_sends + 1 < limits.max_sends
        FROM accepted JOIN resent_pins ON resent_pins.id = accepted.answered_pin_id CROSS JOIN limits
        UNION ALL
        SELECT number, answered_pin_id, current_channel, current_create_time, current_expire_time,
            current_masked_mobile_number, current_dispatch_state, current_last_send_time, current_may_be_sent_again
        FROM accepted
        WHERE outcome = 'already_open'
    ) AS view
    CROSS JOIN limits
),
recorded_requests AS (
    INSERT INTO requests (caller, method, request_id, payload_digest, response, create_time)
    SELECT caller, 'IssueTemporaryPin', request_id, payload_digest, response, now
    FROM accepted JOIN answers USING (number)
),
events AS (
    INSERT INTO audit_events (
        event_time, person_key, action, purpose, channel, caller, verification_id, access_request_id, pin_request_id
    )
    SELECT now, person_key,
        CASE outcome WHEN 'issued' THEN 'pin_issued' WHEN 'resent' THEN 'pin_resent' ELSE 'pin_already_open' END,
        'issuance', channel, caller, verification_id, access_id, answered_pin_id
    FROM accepted JOIN answers USING (number)
    RETURNING id, verification_id
),
revoked_events AS (
    INSERT INTO audit_events (event_time, person_key, action, purpose, channel, caller, reason, pin_request_id)
    SELECT now, person_key, 'pin_revoked', 'issuance', channel, caller, revoke_reason, id
    FROM closed_pins
    WHERE state = 'revoked'
),
agents AS (
    INSERT INTO audit_agents (audit_event_id, agent_key)
    SELECT events.id, agent_key FROM events JOIN accepted USING (verification_id) WHERE agent_key IS NOT NULL
)

SELECT
    decisions.outcome AS "outcome!",
    coalesce(answers.response, decisions.earlier_response) AS "response?: Json<PinRequestView>",
    CASE decisions.outcome
        WHEN 'person_limit' THEN decisions.person_until WHEN 'mobile_limit' THEN decisions.mobile_until
    END AS "until?",
    decisions.request_time AS "request_time?",
    decisions.eligible_time AS "eligible_time?",
    decisions.access_expire_time AS "access_expire_time?"
FROM decisions LEFT JOIN answers USING (number)
ORDER BY number
