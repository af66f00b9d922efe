-- What is on record when a try starts, beside the person's tries. The open PIN is locked, if there is one.
SELECT
    previous.payload_digest AS "payload_digest?",
    previous.response AS "response?: Json<RedeemOutcome>",
    previous.pin_request_id AS "tried_pin_id?",
    open_pin.id AS "open_pin_id?",
    latest_pin.is_revoked AS "is_latest_pin_revoked?"
FROM (SELECT $1::text AS caller, $2::uuid AS request_id, $3::bytea AS person_key, $4::timestamptz AS now) AS asked
LEFT JOIN LATERAL (
    SELECT r.payload_digest, r.response, r.pin_request_id
    FROM requests r
    WHERE r.caller = asked.caller AND r.method = 'RedeemTemporaryPin' AND r.request_id = asked.request_id
    LIMIT 1
) AS previous ON true
LEFT JOIN LATERAL (
    SELECT p.id
    FROM pin_requests p
    WHERE p.person_key = asked.person_key AND p.state = 'open' AND p.expire_time > asked.now
    LIMIT 1
) AS open_pin ON true
LEFT JOIN LATERAL (
    SELECT p.state = 'revoked' AND p.expire_time > asked.now AS is_revoked
    FROM pin_requests p
    WHERE p.person_key = asked.person_key
    ORDER BY p.create_time DESC LIMIT 1
) AS latest_pin ON true
