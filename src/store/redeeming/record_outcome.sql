-- Records the outcome of a try: keeps the answer under the request id, closes the PIN that the outcome ends, erases that PIN's
-- SMS, and audits. A counted try has a row already, and keeps its time. When another call has answered the same request id, or
-- has counted it, or has used it for another payload, nothing is written, and the result is false.
WITH answered AS (
    INSERT INTO requests (caller, method, request_id, payload_digest, response, create_time)
    VALUES ($1, 'RedeemTemporaryPin', $2, $3, $4, $5)
    ON CONFLICT (caller, method, request_id) DO UPDATE SET response = excluded.response, is_right = $6
    WHERE requests.response IS NULL AND requests.payload_digest = excluded.payload_digest
        AND (requests.pin_request_id IS NULL OR $6::bool IS NOT NULL)
    RETURNING request_id
),
closed AS (
    UPDATE pin_requests p SET state = $8, close_time = $5, revoke_reason = $9
    FROM answered
    -- IS TRUE: the row is found by its id, not by the index of open PINs (src/store/connections/pool.rs).
    WHERE p.id = $7 AND (p.state = 'open') IS TRUE
    RETURNING p.message_id
),
withdrawn AS (
    UPDATE outbox o SET (sealed_body, lease_token, lease_expire_time, state) = (
        SELECT w.* FROM withdrawn_message(o.state, 'cancelled') AS w
    )
    WHERE o.id = (SELECT message_id FROM closed)
),
event AS (
    INSERT INTO audit_events (event_time, person_key, action, purpose, caller, reason, pin_request_id)
    SELECT $5, $10::bytea, $11::text, 'redemption', $1, $12::text, $13::uuid
    FROM answered
)
SELECT EXISTS (SELECT FROM answered) AS "is_recorded!"
