-- The issue transaction (R5, R7, R21, R25) as one statement: one round trip, one commit, for one order or for several of
-- different persons.
--
-- For each order it reads (1), decides (2), locks what the decision rests on (3), and writes (4). The decision is made on
-- the statement's snapshot; when a lock in (3) finds a row changed since, nothing is written for that order and its
-- response is null: run it again. The same goes for error 23505, by which a row shows that the snapshot could not see;
-- then nothing is written for any order.
-- Rows are locked in the order access_requests, pin_requests, verifications, outbox; within a table, in that of the orders.
WITH
asked AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::text[], $2::uuid[], $3::bytea[], $4::uuid[], $5::bytea[], $6::bytea[], $7::text[], $8::bytea[],
        $9::timestamptz[], $10::uuid[], $11::timestamptz[], $12::text[], $13::uuid[], $14::bool[], $15::int[],
        $16::bytea[], $17::bytea[], $18::bytea[]
    ) WITH ORDINALITY AS asked (
        caller, request_id, payload_digest, verification_id, person_key, mobile_key, channel, agent_key,
        now, pin_request_id, expire_time, masked_mobile_number, message_id, may_issue, verifier_key_id,
        verifier_salt, verifier_mac, sealed_body, number
    )
),
-- Looked at again, by a trigger on pin_requests, when a PIN is made: a block that commits until then is met too.
blocked AS MATERIALIZED (
    SELECT pseudonym.number
    FROM unnest($19::bigint[], $20::bytea[]) AS pseudonym (number, person_key),
        LATERAL (SELECT FROM person_blocks b WHERE b.person_key = pseudonym.person_key LIMIT 1) AS block
),

decision AS MATERIALIZED (
    SELECT
        asked.*,
        -- (2) What follows. The order of the lines is the order of the rules.
        CASE
            WHEN answered.payload_digest = asked.payload_digest THEN 'replayed'
            WHEN answered.payload_digest IS NOT NULL THEN 'request_id_reused'
            WHEN verification.id IS NULL THEN 'verification_unknown'
            WHEN verification.state <> 'verified' THEN 'verification_not_confirmed'
            WHEN verification.expire_time <= asked.now THEN 'verification_expired'
            WHEN verification.pin_request_id IS NOT NULL AND verification.pin_request_id IS DISTINCT FROM live.id
                THEN 'verification_used'
            WHEN asked.number IN (SELECT number FROM blocked) THEN 'blocked'
            WHEN live.may_be_sent_again AND live.last_send_time + $21::interval <= asked.now THEN 'resent'
            WHEN live.id IS NOT NULL THEN 'already_open'
            WHEN asked.channel = 'web' AND access.id IS NULL THEN 'access_none'
            WHEN access.eligible_time > asked.now THEN 'access_running'
            WHEN access.expire_time <= asked.now THEN 'access_expired'
            WHEN verification.create_time < access.eligible_time THEN 'access_login_again'
            WHEN person_limit.until IS NOT NULL THEN 'person_limit'
            WHEN mobile_limit.until IS NOT NULL THEN 'mobile_limit'
            WHEN NOT asked.may_issue THEN 'not_issued'
            ELSE 'issued'
        END AS outcome,
        coalesce(live.id, asked.pin_request_id) AS serves,
        open_pin.id AS open_id,
        live.id AS live_id, live.channel AS live_channel, live.create_time AS live_create_time,
        live.expire_time AS live_expire_time, live.masked_mobile_number AS live_masked_mobile_number,
        live.message_id AS live_message_id, live.last_send_time AS live_last_send_time, live.sends AS live_sends,
        live.dispatch_state AS live_dispatch_state, live.may_be_sent_again AS live_may_be_sent_again,
        access.id AS access_id, access.request_time, access.eligible_time, access.expire_time AS access_expire_time,
        person_limit.until AS person_until, mobile_limit.until AS mobile_until,
        answered.response AS first_response
    FROM asked
    -- (1) What is there. The limits make each of these a look into an index, order by order.
    LEFT JOIN LATERAL (
        SELECT r.payload_digest, r.response
        FROM requests r
        WHERE r.caller = asked.caller AND r.method = 'IssueTemporaryPin' AND r.request_id = asked.request_id
        LIMIT 1
    ) AS answered ON true
    LEFT JOIN LATERAL (
        SELECT v.id, v.state, v.create_time, v.expire_time, v.pin_request_id
        FROM verifications v
        WHERE v.id = asked.verification_id AND v.caller = asked.caller AND v.person_key = asked.person_key
            AND v.channel = asked.channel
        LIMIT 1
    ) AS verification ON true
    LEFT JOIN LATERAL (
        SELECT p.id FROM pin_requests p WHERE p.person_key = asked.person_key AND p.state = 'open' LIMIT 1
    ) AS open_pin ON true
    -- A PIN that went to another number is not sent again, to neither.
    LEFT JOIN LATERAL (
        SELECT p.id, p.channel, p.create_time, p.expire_time, p.masked_mobile_number, p.message_id, p.last_send_time,
            p.sends, message.state AS dispatch_state,
            message.sealed_body IS NOT NULL AND p.sends < $22::int AS may_be_sent_again
        FROM pin_requests p
        LEFT JOIN LATERAL (SELECT o.state, o.sealed_body FROM outbox o WHERE o.id = p.message_id LIMIT 1) AS message ON true
        WHERE p.id = open_pin.id AND p.expire_time > asked.now AND p.mobile_key = asked.mobile_key
        LIMIT 1
    ) AS live ON true
    LEFT JOIN LATERAL (
        SELECT a.id, a.request_time, a.eligible_time, a.expire_time
        FROM access_requests a
        WHERE a.person_key = asked.person_key AND a.state = 'open' AND asked.channel = 'web'
        LIMIT 1
    ) AS access ON true
    -- The PIN whose leaving the window makes room for one more. No row: there is room.
    LEFT JOIN LATERAL (
        SELECT p.create_time + $23::interval AS until
        FROM pin_requests p
        WHERE p.person_key = asked.person_key AND p.create_time > greatest(asked.now - $23::interval, (
            SELECT r.reset_time FROM limit_resets r
            WHERE r.subject_key = asked.person_key AND r.limit_name = 'person_pins'
        ))
        ORDER BY p.create_time DESC OFFSET $24::bigint - 1 LIMIT 1
    ) AS person_limit ON true
    LEFT JOIN LATERAL (
        SELECT p.create_time + $25::interval AS until
        FROM pin_requests p
        WHERE p.mobile_key = asked.mobile_key AND p.create_time > greatest(asked.now - $25::interval, (
            SELECT r.reset_time FROM limit_resets r
            WHERE r.subject_key = asked.mobile_key AND r.limit_name = 'mobile_pins'
        ))
        ORDER BY p.create_time DESC OFFSET $26::bigint - 1 LIMIT 1
    ) AS mobile_limit ON true
),

-- (3) Locks. From here on rows are named by their ids, hence IS TRUE (src/store/pool.rs).
locked_access AS (
    SELECT a.id
    FROM decision d JOIN access_requests a ON a.id = d.access_id
    WHERE d.outcome = 'issued' AND (a.state = 'open') IS TRUE
    FOR UPDATE OF a
),
locked_pin AS (
    SELECT p.id
    FROM decision d JOIN pin_requests p ON p.id = d.live_id
    WHERE d.outcome IN ('resent', 'already_open') AND (p.state = 'open') IS TRUE AND p.sends = d.live_sends
    FOR UPDATE OF p
),
-- R21: from here on the verification serves this PIN request only.
bound AS (
    UPDATE verifications v SET pin_request_id = d.serves
    FROM decision d
    WHERE v.id = d.verification_id AND (v.pin_request_id IS NULL OR v.pin_request_id = d.serves)
        AND CASE d.outcome
            WHEN 'issued' THEN d.access_id IS NULL OR d.access_id IN (SELECT id FROM locked_access)
            WHEN 'resent' THEN d.live_id IN (SELECT id FROM locked_pin)
            WHEN 'already_open' THEN d.live_id IN (SELECT id FROM locked_pin)
            ELSE false
        END
    RETURNING d.*
),

-- (4) Writes.
used_access AS (
    UPDATE access_requests a SET state = 'used', close_time = bound.now
    FROM bound
    WHERE bound.outcome = 'issued' AND a.id = bound.access_id
    RETURNING a.notice_ids
),
superseded AS (
    UPDATE pin_requests p SET close_time = bound.now,
        state = CASE WHEN p.expire_time <= bound.now THEN 'expired' ELSE 'revoked' END,
        revoke_reason = CASE WHEN p.expire_time > bound.now THEN 'mobile_number_changed' END
    FROM bound
    WHERE bound.outcome = 'issued' AND p.id = bound.open_id AND (p.state = 'open') IS TRUE
        AND (p.expire_time <= bound.now OR p.mobile_key <> bound.mobile_key)
    RETURNING p.id, p.person_key, p.message_id, p.state, p.revoke_reason, bound.channel, bound.caller, bound.now
),
created AS (
    INSERT INTO pin_requests (
        id, person_key, mobile_key, channel, caller, verification_id, state, verifier_key_id, verifier_salt,
        verifier_mac, last_send_time, masked_mobile_number, message_id, create_time, expire_time
    )
    SELECT pin_request_id, person_key, mobile_key, channel, caller, verification_id, 'open', verifier_key_id, verifier_salt,
        verifier_mac, now, masked_mobile_number, message_id, now, expire_time
    -- Counting makes the insert wait until the row that holds the person's place in the index has gone.
    FROM bound, (SELECT count(*) FROM superseded) AS after_superseding
    WHERE outcome = 'issued'
    RETURNING id
),
resent AS (
    UPDATE pin_requests p SET sends = p.sends + 1, last_send_time = bound.now
    FROM bound
    WHERE bound.outcome = 'resent' AND p.id = bound.live_id
    RETURNING p.id
),
queued AS (
    INSERT INTO outbox (id, person_key, kind, state, sealed_body, last_send, next_attempt_time, expire_time, create_time)
    SELECT message_id, person_key, 'pin', 'queued', sealed_body, $22::int <= 1, now, expire_time, now
    FROM bound JOIN created ON created.id = bound.serves
),
requeued AS (
    UPDATE outbox o SET state = 'queued', sends = o.sends + 1, last_send = o.sends + 1 >= $22::int, attempts = 0,
        next_attempt_time = bound.now, lease_token = NULL, lease_expire_time = NULL, handover_time = NULL
    FROM bound JOIN resent ON resent.id = bound.serves
    WHERE o.id = bound.live_message_id AND o.sealed_body IS NOT NULL
),
-- What has no purpose any more is not sent, and its text is erased.
withdrawn AS (
    UPDATE outbox o SET sealed_body = NULL, lease_token = NULL, lease_expire_time = NULL,
        state = CASE o.state WHEN 'queued' THEN gone.state ELSE o.state END
    FROM (
        SELECT message_id AS id, CASE state WHEN 'expired' THEN 'expired' ELSE 'cancelled' END AS state FROM superseded
        UNION ALL
        SELECT unnest(notice_ids), 'cancelled' FROM used_access
    ) AS gone
    WHERE o.id = gone.id
),
-- What follows waits for the PIN requests, and with them for a block of the person that is under way.
answer AS MATERIALIZED (
    SELECT view.number, jsonb_build_object(
        'id', view.serves, 'state', 'open', 'channel', view.channel, 'create_time', view.create_time,
        'expire_time', view.expire_time, 'masked_mobile_number', view.masked_mobile_number,
        'dispatch_state', view.dispatch_state,
        'next_send_time', CASE
            WHEN view.may_be_sent_again AND view.last_send_time + $21::interval < view.expire_time
            THEN view.last_send_time + $21::interval
        END
    ) AS response
    FROM (
        SELECT number, serves, channel, now AS create_time, expire_time, masked_mobile_number, 'queued' AS dispatch_state,
            now AS last_send_time, 1 < $22::int AS may_be_sent_again
        FROM bound JOIN created ON created.id = bound.serves
        UNION ALL
        SELECT number, serves, live_channel, live_create_time, live_expire_time, live_masked_mobile_number, 'queued', now,
            live_sends + 1 < $22::int
        FROM bound JOIN resent ON resent.id = bound.serves
        UNION ALL
        SELECT number, serves, live_channel, live_create_time, live_expire_time, live_masked_mobile_number,
            live_dispatch_state, live_last_send_time, live_may_be_sent_again
        FROM bound
        WHERE outcome = 'already_open'
    ) AS view
),
recorded AS (
    INSERT INTO requests (caller, method, request_id, payload_digest, response, create_time)
    SELECT caller, 'IssueTemporaryPin', request_id, payload_digest, response, now
    FROM bound JOIN answer USING (number)
),
event AS (
    INSERT INTO audit_events (
        event_time, person_key, action, purpose, channel, caller, verification_id, access_request_id, pin_request_id
    )
    SELECT now, person_key,
        CASE outcome WHEN 'issued' THEN 'pin_issued' WHEN 'resent' THEN 'pin_resent' ELSE 'pin_already_open' END,
        'issuance', channel, caller, verification_id, access_id, serves
    FROM bound JOIN answer USING (number)
    RETURNING id, verification_id
),
revoked_event AS (
    INSERT INTO audit_events (event_time, person_key, action, purpose, channel, caller, reason, pin_request_id)
    SELECT now, person_key, 'pin_revoked', 'issuance', channel, caller, revoke_reason, id
    FROM superseded
    WHERE state = 'revoked'
),
agent AS (
    INSERT INTO audit_agents (audit_event_id, agent_key)
    SELECT event.id, agent_key FROM event JOIN bound USING (verification_id) WHERE agent_key IS NOT NULL
)

SELECT
    decision.outcome AS "outcome!",
    coalesce(answer.response, decision.first_response) AS "response?: Json<PinRequestView>",
    CASE decision.outcome
        WHEN 'person_limit' THEN decision.person_until WHEN 'mobile_limit' THEN decision.mobile_until
    END AS "until?",
    decision.request_time AS "request_time?",
    decision.eligible_time AS "eligible_time?",
    decision.access_expire_time AS "access_expire_time?"
FROM decision LEFT JOIN answer USING (number)
ORDER BY number
