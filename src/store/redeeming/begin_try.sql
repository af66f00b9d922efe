-- Counts a try before the PIN is compared (R3, R4). One statement, committed by itself.
--
-- As in issue_temporary_pin.sql, the decision is made on the statement's snapshot. If the PIN's row has changed since, nothing
-- is written and the outcome is null: run the statement again.
WITH
try AS NOT MATERIALIZED (
    SELECT $1::text AS caller, $2::uuid AS request_id, $3::bytea AS payload_digest, $4::bytea AS person_key,
        $5::timestamptz AS now, $6::int AS max_tries, $7::bigint AS budget, $8::interval AS budget_span,
        $9::bool AS may_count
),
-- An earlier call with this request id.
earlier AS (
    SELECT r.payload_digest, r.response, r.pin_request_id
    FROM requests r JOIN try USING (caller, request_id)
    WHERE r.method = 'RedeemTemporaryPin'
),
open_pin AS (
    SELECT p.id, p.tries
    FROM pin_requests p JOIN try USING (person_key)
    WHERE p.state = 'open' AND p.expire_time > try.now
),
last_pin AS (
    SELECT p.state = 'revoked' AND p.expire_time > try.now AS is_revoked
    FROM pin_requests p JOIN try USING (person_key)
    ORDER BY p.create_time DESC LIMIT 1
),
-- R4: wrong tries of the person's other PINs. Their rows are closed, so this count cannot change. The tries of the open PIN are
-- added below, from its row.
other_pins AS (
    SELECT coalesce(sum(pin.wrong_tries), 0) AS wrong_tries
    FROM try, LATERAL wrong_tries_in_window(try.person_key, try.now, try.budget_span) AS pin
    WHERE pin.pin_request_id NOT IN (SELECT id FROM open_pin)
),
decision AS MATERIALIZED (
    SELECT
        CASE
            WHEN earlier.payload_digest <> try.payload_digest THEN 'request_id_reused'
            WHEN earlier.response IS NOT NULL THEN 'replayed'
            WHEN earlier.pin_request_id IS NOT NULL THEN 'resumed'
            WHEN other_pins.wrong_tries + coalesce(open_pin.tries, 0) >= try.budget THEN 'budget_exhausted'
            WHEN NOT try.may_count THEN 'limited'
            WHEN open_pin.tries >= try.max_tries THEN 'revoked'
            -- A request that first came when there was no open PIN is not counted later.
            WHEN open_pin.id IS NOT NULL AND earlier.payload_digest IS NULL THEN 'counted'
            WHEN last_pin.is_revoked THEN 'revoked'
            ELSE 'no_open_pin'
        END AS outcome,
        earlier.payload_digest IS NULL AS is_new, earlier.response, open_pin.id AS pin_request_id, other_pins.wrong_tries
    FROM try
        CROSS JOIN other_pins
        LEFT JOIN earlier ON true
        LEFT JOIN open_pin ON true
        LEFT JOIN last_pin ON true
),
counted AS (
    UPDATE pin_requests p SET tries = p.tries + 1
    FROM try, decision
    WHERE decision.outcome = 'counted' AND p.id = decision.pin_request_id AND (p.state = 'open') IS TRUE
        AND p.tries < try.max_tries AND decision.wrong_tries + p.tries < try.budget
    RETURNING p.id, p.tries, p.verifier_key_id, p.verifier_salt, p.verifier_mac
),
recorded AS (
    INSERT INTO requests (caller, method, request_id, payload_digest, pin_request_id, create_time)
    SELECT try.caller, 'RedeemTemporaryPin', try.request_id, try.payload_digest, counted.id, try.now
    FROM try CROSS JOIN decision LEFT JOIN counted ON true
    WHERE decision.is_new AND (decision.outcome <> 'counted' OR counted.id IS NOT NULL)
),
-- The PIN to compare with: the one that was counted, now or by the earlier call.
to_compare AS (
    TABLE counted
    UNION ALL
    SELECT p.id, p.tries, p.verifier_key_id, p.verifier_salt, p.verifier_mac
    FROM decision, earlier JOIN pin_requests p ON p.id = earlier.pin_request_id
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
