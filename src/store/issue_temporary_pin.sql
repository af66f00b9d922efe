-- The issue transaction (R5, R7, R21, R25) as one statement: one round trip, one commit.
--
-- It reads (1), decides (2), locks what the decision rests on (3), and writes (4). The decision is made on the
-- statement's snapshot; when a lock in (3) finds a row changed since, nothing is written and the response is null:
-- run it again. The same goes for error 23505, by which a row shows that the snapshot could not see.
-- Rows are locked in the order access_requests, pin_requests, verifications, outbox.
WITH
asked AS NOT MATERIALIZED (
    SELECT
        $1::text AS caller, $2::uuid AS request_id, $3::bytea AS payload_digest, $4::uuid AS verification_id,
        $5::bytea AS person_key, $6::bytea AS mobile_key, $7::text AS channel, $8::bytea AS agent_key,
        $9::timestamptz AS now, $10::uuid AS pin_request_id, $11::timestamptz AS expire_time,
        $12::text AS masked_mobile_number, $13::uuid AS message_id, $14::interval AS resend_interval, $15::int AS sends
),

-- (1) What is there.
answered AS (
    SELECT r.payload_digest, r.response
    FROM requests r JOIN asked USING (caller, request_id)
    WHERE r.method = 'IssueTemporaryPin'
),
verification AS (
    SELECT v.id, v.state, v.create_time, v.expire_time, v.pin_request_id
    FROM verifications v JOIN asked USING (caller, person_key, channel)
    WHERE v.id = asked.verification_id
),
open_pin AS (
    SELECT p.id, p.channel, p.create_time, p.expire_time, p.masked_mobile_number, p.message_id, p.last_send_time, p.sends,
        -- A PIN that went to another number is not sent again, to neither.
        p.expire_time > asked.now AND p.mobile_key = asked.mobile_key AS is_live, o.state AS dispatch_state,
        o.sealed_body IS NOT NULL AND p.sends < asked.sends AS may_be_sent_again
    FROM asked JOIN pin_requests p USING (person_key) LEFT JOIN outbox o ON o.id = p.message_id
    WHERE p.state = 'open'
),
access AS (
    SELECT a.id, a.request_time, a.eligible_time, a.expire_time
    FROM access_requests a JOIN asked USING (person_key)
    WHERE a.state = 'open' AND asked.channel = 'web'
),
-- Looked at again, by a trigger on pin_requests, when a PIN is made: a block that commits until then is met too.
blocked AS (
    SELECT FROM person_blocks WHERE person_key = ANY ($25::bytea[]) LIMIT 1
),
-- The PIN whose leaving the window makes room for one more. No row: there is room.
person_limit AS (
    SELECT p.create_time + $16::interval AS until
    FROM pin_requests p JOIN asked USING (person_key)
    WHERE p.create_time > greatest(asked.now - $16::interval, (
        SELECT r.reset_time FROM limit_resets r
        WHERE r.subject_key = asked.person_key AND r.limit_name = 'person_pins'
    ))
    ORDER BY p.create_time DESC OFFSET $17::bigint - 1 LIMIT 1
),
mobile_limit AS (
    SELECT p.create_time + $18::interval AS until
    FROM pin_requests p JOIN asked USING (mobile_key)
    WHERE p.create_time > greatest(asked.now - $18::interval, (
        SELECT r.reset_time FROM limit_resets r
        WHERE r.subject_key = asked.mobile_key AND r.limit_name = 'mobile_pins'
    ))
    ORDER BY p.create_time DESC OFFSET $19::bigint - 1 LIMIT 1
),

-- (2) What follows. The order of the lines is the order of the rules.
decision AS MATERIALIZED (
    SELECT
        CASE
            WHEN answered.payload_digest = asked.payload_digest THEN 'replayed'
            WHEN answered.payload_digest IS NOT NULL THEN 'request_id_reused'
            WHEN verification.id IS NULL THEN 'verification_unknown'
            WHEN verification.state <> 'verified' THEN 'verification_not_confirmed'
            WHEN verification.expire_time <= asked.now THEN 'verification_expired'
            WHEN verification.pin_request_id IS NOT NULL AND verification.pin_request_id IS DISTINCT FROM live.id
                THEN 'verification_used'
            WHEN EXISTS (SELECT FROM blocked) THEN 'blocked'
            WHEN live.may_be_sent_again AND live.last_send_time + asked.resend_interval <= asked.now THEN 'resent'
            WHEN live.id IS NOT NULL THEN 'already_open'
            WHEN asked.channel = 'web' AND access.id IS NULL THEN 'access_none'
            WHEN access.eligible_time > asked.now THEN 'access_running'
            WHEN access.expire_time <= asked.now THEN 'access_expired'
            WHEN verification.create_time < access.eligible_time THEN 'access_login_again'
            WHEN person_limit.until IS NOT NULL THEN 'person_limit'
            WHEN mobile_limit.until IS NOT NULL THEN 'mobile_limit'
            WHEN NOT $20::bool THEN 'not_issued'
            ELSE 'issued'
        END AS outcome,
        verification.id AS verification_id,
        live.id AS live_id, live.sends AS live_sends,
        coalesce(live.id, asked.pin_request_id) AS pin_request_id,
        access.id AS access_id, access.request_time, access.eligible_time, access.expire_time AS access_expire_time,
        person_limit.until AS person_until, mobile_limit.until AS mobile_until,
        answered.response
    FROM asked
        LEFT JOIN answered ON true
        LEFT JOIN verification ON true
        LEFT JOIN open_pin AS live ON live.is_live
        LEFT JOIN access ON true
        LEFT JOIN person_limit ON true
        LEFT JOIN mobile_limit ON true
),

-- (3) Locks.
locked_access AS (
    SELECT a.id
    FROM decision d JOIN access_requests a ON a.id = d.access_id
    WHERE d.outcome = 'issued' AND a.state = 'open'
    FOR UPDATE OF a
),
locked_pin AS (
    SELECT p.id
    FROM decision d JOIN pin_requests p ON p.id = d.live_id
    WHERE d.outcome IN ('resent', 'already_open') AND p.state = 'open' AND p.sends = d.live_sends
    FOR UPDATE OF p
),
-- R21: from here on the verification serves this PIN request only.
bound AS (
    UPDATE verifications v SET pin_request_id = d.pin_request_id
    FROM decision d
    WHERE v.id = d.verification_id AND (v.pin_request_id IS NULL OR v.pin_request_id = d.pin_request_id)
        AND CASE d.outcome
            WHEN 'issued' THEN d.access_id IS NULL OR EXISTS (SELECT FROM locked_access)
            WHEN 'resent' THEN EXISTS (SELECT FROM locked_pin)
            WHEN 'already_open' THEN EXISTS (SELECT FROM locked_pin)
            ELSE false
        END
    RETURNING d.*
),

-- (4) Writes.
used_access AS (
    UPDATE access_requests a SET state = 'used', close_time = asked.now
    FROM asked, bound
    WHERE bound.outcome = 'issued' AND a.id = bound.access_id
    RETURNING a.notice_ids
),
superseded AS (
    UPDATE pin_requests p SET close_time = asked.now,
        state = CASE WHEN p.expire_time <= asked.now THEN 'expired' ELSE 'revoked' END,
        revoke_reason = CASE WHEN p.expire_time > asked.now THEN 'mobile_number_changed' END
    FROM asked, bound
    WHERE bound.outcome = 'issued' AND p.person_key = asked.person_key AND p.state = 'open'
        AND (p.expire_time <= asked.now OR p.mobile_key <> asked.mobile_key)
    RETURNING p.id, p.message_id, p.state, p.revoke_reason
),
created AS (
    INSERT INTO pin_requests (
        id, person_key, mobile_key, channel, caller, verification_id, state, verifier_key_id, verifier_salt,
        verifier_mac, last_send_time, masked_mobile_number, message_id, create_time, expire_time
    )
    SELECT asked.pin_request_id, asked.person_key, asked.mobile_key, asked.channel, asked.caller, bound.verification_id,
        'open', $21, $22, $23, asked.now, asked.masked_mobile_number, asked.message_id, asked.now, asked.expire_time
    -- Counting makes the insert wait until the row that holds the person's place in the index has gone.
    FROM asked, bound, (SELECT count(*) FROM superseded) AS after_superseding
    WHERE bound.outcome = 'issued'
    RETURNING id, channel, create_time, expire_time, masked_mobile_number, message_id, last_send_time, sends
),
resent AS (
    UPDATE pin_requests p SET sends = p.sends + 1, last_send_time = asked.now
    FROM asked, bound
    WHERE bound.outcome = 'resent' AND p.id = bound.live_id
    RETURNING p.id, p.channel, p.create_time, p.expire_time, p.masked_mobile_number, p.message_id, p.last_send_time, p.sends
),
queued AS (
    INSERT INTO outbox (id, person_key, kind, state, sealed_body, last_send, next_attempt_time, expire_time, create_time)
    SELECT created.message_id, asked.person_key, 'pin', 'queued', $24, asked.sends <= 1, asked.now, created.expire_time,
        asked.now
    FROM asked, created
),
requeued AS (
    UPDATE outbox o SET state = 'queued', sends = o.sends + 1, last_send = o.sends + 1 >= asked.sends, attempts = 0, next_attempt_time = asked.now,
        lease_token = NULL, lease_expire_time = NULL, handover_time = NULL
    FROM asked, resent
    WHERE o.id = resent.message_id AND o.sealed_body IS NOT NULL
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
answer AS (
    SELECT view.id, jsonb_build_object(
        'id', view.id, 'state', 'open', 'channel', view.channel, 'create_time', view.create_time,
        'expire_time', view.expire_time, 'masked_mobile_number', view.masked_mobile_number,
        'dispatch_state', view.dispatch_state,
        'next_send_time', CASE
            WHEN view.may_be_sent_again AND view.last_send_time + asked.resend_interval < view.expire_time
            THEN view.last_send_time + asked.resend_interval
        END
    ) AS response
    FROM asked, (
        SELECT id, channel, create_time, expire_time, masked_mobile_number, last_send_time, 'queued' AS dispatch_state,
            sends < (SELECT sends FROM asked) AS may_be_sent_again
        FROM (TABLE created UNION ALL TABLE resent) AS sent
        UNION ALL
        SELECT open_pin.id, channel, create_time, open_pin.expire_time, masked_mobile_number, last_send_time,
            dispatch_state, may_be_sent_again
        FROM open_pin, bound
        WHERE bound.outcome = 'already_open'
    ) AS view
),
recorded AS (
    INSERT INTO requests (caller, method, request_id, payload_digest, response, create_time)
    SELECT asked.caller, 'IssueTemporaryPin', asked.request_id, asked.payload_digest, answer.response, asked.now
    FROM asked, answer
),
event AS (
    INSERT INTO audit_events (
        event_time, person_key, action, purpose, channel, caller, verification_id, access_request_id, pin_request_id
    )
    SELECT asked.now, asked.person_key,
        CASE bound.outcome
            WHEN 'issued' THEN 'pin_issued' WHEN 'resent' THEN 'pin_resent' ELSE 'pin_already_open'
        END,
        'issuance', asked.channel, asked.caller, bound.verification_id, bound.access_id, answer.id
    FROM asked, bound, answer
    RETURNING id
),
revoked_event AS (
    INSERT INTO audit_events (event_time, person_key, action, purpose, channel, caller, reason, pin_request_id)
    SELECT asked.now, asked.person_key, 'pin_revoked', 'issuance', asked.channel, asked.caller, superseded.revoke_reason,
        superseded.id
    FROM asked, superseded
    WHERE superseded.state = 'revoked'
),
agent AS (
    INSERT INTO audit_agents (audit_event_id, agent_key)
    SELECT event.id, asked.agent_key FROM event, asked WHERE asked.agent_key IS NOT NULL
)

SELECT
    decision.outcome AS "outcome!",
    coalesce(answer.response, decision.response) AS "response?: Json<PinRequestView>",
    CASE decision.outcome
        WHEN 'person_limit' THEN decision.person_until WHEN 'mobile_limit' THEN decision.mobile_until
    END AS "until?",
    decision.request_time AS "request_time?",
    decision.eligible_time AS "eligible_time?",
    decision.access_expire_time AS "access_expire_time?"
FROM decision LEFT JOIN answer ON true
