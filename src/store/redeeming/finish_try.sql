-- Concludes a counted try: consumes the PIN, or revokes it when its tries or the person's budget are spent, and keeps
-- the answer. One statement. The response is null when the same request was concluded at this moment by a concurrent
-- call: run it again. Rows are locked in the order requests, pin_requests, outbox; the decision rests on the locked row.
WITH
asked AS NOT MATERIALIZED (
    SELECT $1::text AS caller, $2::uuid AS request_id, $3::bytea AS person_key, $4::timestamptz AS now,
        $5::text AS verdict, $6::uuid AS pin_request_id, $7::int AS tries_left
),
request AS MATERIALIZED (
    SELECT r.response FROM requests r JOIN asked USING (caller, request_id) WHERE r.method = 'RedeemTemporaryPin'
),
unanswered AS MATERIALIZED (
    SELECT r.request_id
    FROM requests r JOIN asked USING (caller, request_id)
    WHERE r.method = 'RedeemTemporaryPin' AND r.response IS NULL
    FOR UPDATE OF r
),
pin AS MATERIALIZED (
    SELECT p.id, p.state, p.expire_time, p.message_id
    FROM unanswered, asked JOIN pin_requests p USING (person_key)
    WHERE p.id = asked.pin_request_id
        OR (asked.verdict = 'budget_exhausted' AND p.state = 'open' AND p.expire_time > asked.now)
    FOR UPDATE OF p
),
decision AS MATERIALIZED (
    SELECT
        CASE
            WHEN asked.verdict = 'limited' THEN 'budget_exhausted'
            WHEN asked.verdict NOT IN ('right', 'wrong') THEN asked.verdict
            WHEN pin.state = 'revoked' THEN 'revoked'
            WHEN pin.state IS DISTINCT FROM 'open' OR pin.expire_time <= asked.now THEN 'no_open_pin'
            WHEN asked.verdict = 'right' THEN 'redeemed'
            WHEN asked.tries_left > 0 THEN 'wrong_pin'
            ELSE 'revoked'
        END AS outcome,
        pin.id AS pin_request_id
    FROM unanswered CROSS JOIN asked LEFT JOIN pin ON true
),
closed AS (
    UPDATE pin_requests p SET
        state = CASE decision.outcome WHEN 'redeemed' THEN 'redeemed' ELSE 'revoked' END,
        close_time = asked.now,
        revoke_reason = CASE decision.outcome
            WHEN 'revoked' THEN 'wrong_tries' WHEN 'budget_exhausted' THEN 'wrong_try_budget'
        END
    FROM asked, decision
    WHERE p.id = decision.pin_request_id AND (p.state = 'open') IS TRUE AND p.expire_time > asked.now
        AND decision.outcome IN ('redeemed', 'revoked', 'budget_exhausted')
    RETURNING p.message_id, p.state, p.revoke_reason
),
erased AS (
    UPDATE outbox o SET sealed_body = NULL, lease_token = NULL, lease_expire_time = NULL,
        state = CASE o.state WHEN 'queued' THEN 'cancelled' ELSE o.state END
    FROM closed
    WHERE o.id = closed.message_id
),
answer AS (
    UPDATE requests r SET response = jsonb_strip_nulls(jsonb_build_object(
        'outcome', decision.outcome,
        'left', CASE decision.outcome WHEN 'wrong_pin' THEN asked.tries_left END
    ))
    FROM asked, decision
    WHERE r.caller = asked.caller AND r.request_id = asked.request_id AND r.method = 'RedeemTemporaryPin'
    RETURNING r.response
),
event AS (
    INSERT INTO audit_events (event_time, person_key, action, purpose, caller, reason, pin_request_id)
    SELECT asked.now, asked.person_key,
        CASE closed.state WHEN 'redeemed' THEN 'pin_redeemed' WHEN 'revoked' THEN 'pin_revoked' ELSE 'pin_refused' END,
        'redemption', asked.caller,
        CASE WHEN closed.state IS NULL THEN decision.outcome ELSE closed.revoke_reason END,
        decision.pin_request_id
    FROM asked CROSS JOIN decision LEFT JOIN closed ON true
)
SELECT coalesce(answer.response, request.response) AS "response?: Json<RedeemOutcome>"
FROM request LEFT JOIN answer ON true
