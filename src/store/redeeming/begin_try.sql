-- Counts a try before the PIN is compared (R3, R4): one statement, committed by itself.
--
-- As in issue_temporary_pin.sql the decision is made on the statement's snapshot; when the row to count on has changed
-- since, nothing is written and the outcome is null: run it again.
WITH
asked AS NOT MATERIALIZED (
    SELECT $1::text AS caller, $2::uuid AS request_id, $3::bytea AS payload_digest, $4::bytea AS person_key,
        $5::timestamptz AS now, $6::int AS tries_max, $7::bigint AS budget, $8::interval AS budget_window
),
answered AS (
    SELECT r.payload_digest, r.response, r.pin_request_id
    FROM requests r JOIN asked USING (caller, request_id)
    WHERE r.method = 'RedeemTemporaryPin'
),
open_pin AS (
    SELECT p.id, p.tries
    FROM pin_requests p JOIN asked USING (person_key)
    WHERE p.state = 'open' AND p.expire_time > asked.now
),
last_pin AS (
    SELECT p.state = 'revoked' AND p.expire_time > asked.now AS is_revoked
    FROM pin_requests p JOIN asked USING (person_key)
    ORDER BY p.create_time DESC LIMIT 1
),
-- R4: wrong tries on the person's other PINs. Their rows are closed, so the count stands; the open PIN's own tries are
-- added where the row itself is at hand. A PIN that has ended within the window counts whole.
others AS (
    SELECT coalesce(sum(p.tries - (p.state = 'redeemed')::int), 0) AS wrong_tries
    FROM pin_requests p JOIN asked USING (person_key)
    WHERE p.expire_time > asked.now - asked.budget_window AND p.id NOT IN (SELECT id FROM open_pin)
        -- What had ended when an operator reset the limit does not count.
        AND least(p.close_time, p.expire_time) > coalesce((
            SELECT r.reset_time FROM limit_resets r
            WHERE r.subject_key = asked.person_key AND r.limit_name = 'wrong_tries'
        ), '-infinity')
),
decision AS MATERIALIZED (
    SELECT
        CASE
            WHEN answered.payload_digest <> asked.payload_digest THEN 'request_id_reused'
            WHEN answered.response IS NOT NULL THEN 'replayed'
            WHEN answered.pin_request_id IS NOT NULL THEN 'resumed'
            WHEN others.wrong_tries + coalesce(open_pin.tries, 0) >= asked.budget THEN 'budget_exhausted'
            WHEN NOT $9::bool THEN 'limited'
            WHEN open_pin.tries >= asked.tries_max THEN 'revoked'
            -- A request that was first seen without an open PIN is not counted later.
            WHEN open_pin.id IS NOT NULL AND answered.payload_digest IS NULL THEN 'counted'
            WHEN last_pin.is_revoked THEN 'revoked'
            ELSE 'no_open_pin'
        END AS outcome,
        answered.payload_digest IS NULL AS is_new, answered.response, open_pin.id AS pin_request_id, others.wrong_tries
    FROM asked
        CROSS JOIN others
        LEFT JOIN answered ON true
        LEFT JOIN open_pin ON true
        LEFT JOIN last_pin ON true
),
counted AS (
    UPDATE pin_requests p SET tries = p.tries + 1
    FROM asked, decision
    WHERE decision.outcome = 'counted' AND p.id = decision.pin_request_id AND (p.state = 'open') IS TRUE
        AND p.tries < asked.tries_max AND decision.wrong_tries + p.tries < asked.budget
    RETURNING p.id, p.tries, p.verifier_key_id, p.verifier_salt, p.verifier_mac
),
recorded AS (
    INSERT INTO requests (caller, method, request_id, payload_digest, pin_request_id, create_time)
    SELECT asked.caller, 'RedeemTemporaryPin', asked.request_id, asked.payload_digest, counted.id, asked.now
    FROM asked CROSS JOIN decision LEFT JOIN counted ON true
    WHERE decision.is_new AND (decision.outcome <> 'counted' OR counted.id IS NOT NULL)
),
to_compare AS (
    TABLE counted
    UNION ALL
    SELECT p.id, p.tries, p.verifier_key_id, p.verifier_salt, p.verifier_mac
    FROM decision, answered JOIN pin_requests p ON p.id = answered.pin_request_id
    WHERE decision.outcome = 'resumed'
)
SELECT
    CASE WHEN decision.outcome <> 'counted' OR to_compare.id IS NOT NULL THEN decision.outcome END AS "outcome?",
    decision.response AS "response?: Json<RedeemOutcome>",
    to_compare.id AS "pin_request_id?",
    to_compare.tries AS "tries?",
    to_compare.verifier_key_id AS "key_id?",
    to_compare.verifier_salt AS "salt?",
    to_compare.verifier_mac AS "mac?"
FROM decision LEFT JOIN to_compare ON true
