-- Stores the result of a counted try: redeems the PIN, or revokes it if its tries or the person's budget are used up, and
-- keeps the answer. One statement.
--
-- The response is null if a concurrent call has just finished the same request: run the statement again. Rows are locked in
-- the order requests, pin_requests, outbox; the decision depends on the locked row.
WITH
try AS NOT MATERIALIZED (
    SELECT $1::text AS caller, $2::uuid AS request_id, $3::bytea AS person_key, $4::timestamptz AS now,
        $5::text AS result, $6::uuid AS pin_request_id, $7::int AS tries_left
),
request AS MATERIALIZED (
    SELECT r.response FROM requests r JOIN try USING (caller, request_id) WHERE r.method = 'RedeemTemporaryPin'
),
unanswered AS MATERIALIZED (
    SELECT r.request_id
    FROM requests r JOIN try USING (caller, request_id)
    WHERE r.method = 'RedeemTemporaryPin' AND r.response IS NULL
    FOR UPDATE OF r
),
pin AS MATERIALIZED (
    SELECT p.id, p.state, p.expire_time, p.message_id
    FROM unanswered, try JOIN pin_requests p USING (person_key)
    WHERE p.id = try.pin_request_id
        OR (try.result = 'budget_exhausted' AND p.state = 'open' AND p.expire_time > try.now)
    FOR UPDATE OF p
),
decision AS MATERIALIZED (
    SELECT
        CASE
            WHEN try.result = 'limited' THEN 'budget_exhausted'
            WHEN try.result NOT IN ('right', 'wrong') THEN try.result
            WHEN pin.state = 'revoked' THEN 'revoked'
            WHEN pin.state IS DISTINCT FROM 'open' OR pin.expire_time <= try.now THEN 'no_open_pin'
            WHEN try.result = 'right' THEN 'redeemed'
            WHEN try.tries_left > 0 THEN 'wrong_pin'
            ELSE 'revoked'
        END AS outcome,
        pin.id AS pin_request_id
    FROM unanswered CROSS JOIN try LEFT JOIN pin ON true
),
closed AS (
    UPDATE pin_requests p SET
        state = CASE decision.outcome WHEN 'redeemed' THEN 'redeemed' ELSE 'revoked' END,
        close_time = try.now,
        revoke_reason = CASE decision.outcome
            WHEN 'revoked' THEN 'wrong_tries' WHEN 'budget_exhausted' THEN 'wrong_try_budget'
        END
    FROM try, decision
    WHERE p.id = decision.pin_request_id AND (p.state = 'open') IS TRUE AND p.expire_time > try.now
        AND decision.outcome IN ('redeemed', 'revoked', 'budget_exhausted')
    RETURNING p.message_id, p.state, p.revoke_reason
),
withdrawn AS (
    UPDATE outbox o SET (sealed_body, lease_token, lease_expire_time, state) = (
        SELECT w.* FROM withdrawn_message(o.state, 'cancelled') AS w
    )
    FROM closed
    WHERE o.id = closed.message_id
),
answer AS (
    UPDATE requests r SET response = jsonb_strip_nulls(jsonb_build_object(
        'outcome', decision.outcome,
        'left', CASE decision.outcome WHEN 'wrong_pin' THEN try.tries_left END
    ))
    FROM try, decision
    WHERE r.caller = try.caller AND r.request_id = try.request_id AND r.method = 'RedeemTemporaryPin'
    RETURNING r.response
),
event AS (
    INSERT INTO audit_events (event_time, person_key, action, purpose, caller, reason, pin_request_id)
    SELECT try.now, try.person_key,
        CASE closed.state WHEN 'redeemed' THEN 'pin_redeemed' WHEN 'revoked' THEN 'pin_revoked' ELSE 'pin_refused' END,
        'redemption', try.caller,
        CASE WHEN closed.state IS NULL THEN decision.outcome ELSE closed.revoke_reason END,
        decision.pin_request_id
    FROM try CROSS JOIN decision LEFT JOIN closed ON true
)
SELECT coalesce(answer.response, request.response) AS "response?: Json<RedeemOutcome>"
FROM request LEFT JOIN answer ON true
