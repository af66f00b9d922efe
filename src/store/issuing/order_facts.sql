-- What is on record about an order and its person: the facts that `domain::order::decide` rests on. One row.
-- The limits make each of these a look into an index.
SELECT
    verification.is_verified AS "is_verified?", verification.create_time AS "verification_create_time?",
    verification.expire_time AS "verification_expire_time?", verification.used_for AS "used_for?",
    EXISTS (SELECT FROM person_blocks b WHERE b.person_key = ANY ($7::bytea[]) OFFSET 0) AS "is_blocked!",
    open_pin.id AS "pin_id?", open_pin.mobile_key AS "pin_mobile_key?", open_pin.channel AS "pin_channel?",
    open_pin.create_time AS "pin_create_time?", open_pin.expire_time AS "pin_expire_time?",
    open_pin.last_send_time AS "pin_last_send_time?", open_pin.sends AS "pin_sends?",
    open_pin.masked_mobile_number AS "pin_masked_mobile_number?", open_pin.message_id AS "pin_message_id?",
    open_pin.message_state AS "pin_message_state?", open_pin.has_sms AS "pin_has_sms?",
    access.id AS "access_id?", access.request_time AS "access_request_time?",
    access.eligible_time AS "access_eligible_time?", access.expire_time AS "access_expire_time?",
    ARRAY(
        SELECT pin.create_time FROM person_pins_in_window($2, $6::timestamptz, $8::interval) AS pin
        ORDER BY pin.create_time DESC LIMIT $9::bigint
    ) AS "person_pins!",
    ARRAY(
        SELECT pin.create_time FROM mobile_pins_in_window($5, $6::timestamptz, $10::interval) AS pin
        ORDER BY pin.create_time DESC LIMIT $11::bigint
    ) AS "mobile_pins!"
FROM (VALUES (1)) AS one_row
LEFT JOIN LATERAL (
    SELECT v.state = 'verified' AS is_verified, v.create_time, v.expire_time,
        coalesce(v.pin_request_id, (SELECT p.id FROM pin_requests p WHERE p.verification_id = v.id LIMIT 1)) AS used_for
    FROM verifications v
    WHERE v.id = $1 AND v.person_key = $2 AND v.caller = $3 AND v.channel = $4
    LIMIT 1
) AS verification ON true
LEFT JOIN LATERAL (
    SELECT p.id, p.mobile_key, p.channel, p.create_time, p.expire_time, p.last_send_time, p.sends,
        p.masked_mobile_number, p.message_id, message.state AS message_state,
        message.sealed_body IS NOT NULL AS has_sms
    FROM pin_requests p
    LEFT JOIN LATERAL (SELECT o.state, o.sealed_body FROM outbox o WHERE o.id = p.message_id LIMIT 1) AS message ON true
    WHERE p.person_key = $2 AND p.state = 'open'
    LIMIT 1
) AS open_pin ON true
LEFT JOIN LATERAL (
    SELECT a.id, a.request_time, a.eligible_time, a.expire_time
    FROM access_requests a
    WHERE a.person_key = $2 AND a.state = 'open' AND $4 = 'web'
    LIMIT 1
) AS access ON true
