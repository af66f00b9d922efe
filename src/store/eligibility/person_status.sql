-- How persons stand: all that CheckEligibility shows of what is on record (R5, R6, R9, R18, R25), for one person or for
-- several, one row for each in the order in which they were asked about.
WITH
blocked AS MATERIALIZED (
    SELECT pseudonym.number
    FROM unnest($1::bigint[], $2::bytea[]) AS pseudonym (number, person_key),
        LATERAL (SELECT FROM person_blocks b WHERE b.person_key = pseudonym.person_key LIMIT 1) AS block
)
SELECT
    asked.number IN (SELECT number FROM blocked) AS "is_blocked!",
    access.request_time AS "request_time?", access.eligible_time AS "eligible_time?",
    access.expire_time AS "access_expire_time?",
    live.id AS "id?", live.channel AS "channel?", live.create_time AS "create_time?", live.expire_time AS "expire_time?",
    live.masked_mobile_number AS "masked_mobile_number?", live.dispatch_state AS "dispatch_state?",
    CASE
        WHEN live.may_be_sent_again AND live.last_send_time + $6::interval < live.expire_time
        THEN live.last_send_time + $6::interval
    END AS "next_send_time?",
    failed_limit.until AS "failed_until?", person_limit.until AS "person_until?", mobile_limit.until AS "mobile_until?"
FROM unnest($3::bytea[], $4::bytea[], $5::timestamptz[]) WITH ORDINALITY AS asked (person_key, mobile_key, now, number)
-- The limits make each of these a look into an index, person by person.
LEFT JOIN LATERAL (
    SELECT a.request_time, a.eligible_time, a.expire_time
    FROM access_requests a
    WHERE a.person_key = asked.person_key AND a.state = 'open'
    LIMIT 1
) AS access ON true
LEFT JOIN LATERAL (
    SELECT p.id, p.channel, p.create_time, p.expire_time, p.masked_mobile_number, p.last_send_time,
        message.state AS dispatch_state, message.sealed_body IS NOT NULL AND p.sends < $7::int AS may_be_sent_again
    FROM pin_requests p
    CROSS JOIN LATERAL (SELECT o.state, o.sealed_body FROM outbox o WHERE o.id = p.message_id LIMIT 1) AS message
    WHERE p.person_key = asked.person_key AND p.state = 'open' AND p.expire_time > asked.now
    LIMIT 1
) AS live ON true
-- As in verification_record.sql and issue_temporary_pin.sql: that whose leaving the window makes room for one more.
LEFT JOIN LATERAL (
    SELECT v.create_time + $8::interval AS until
    FROM verifications v
    WHERE v.person_key = asked.person_key AND v.state IN ('rejected', 'questions_pending')
        AND v.create_time > greatest(asked.now - $8::interval, (
            SELECT r.reset_time FROM limit_resets r
            WHERE r.subject_key = asked.person_key AND r.limit_name = 'failed_verifications'
        ))
    ORDER BY v.create_time DESC OFFSET $9::bigint - 1 LIMIT 1
) AS failed_limit ON true
LEFT JOIN LATERAL (
    SELECT p.create_time + $10::interval AS until
    FROM pin_requests p
    WHERE p.person_key = asked.person_key AND p.create_time > greatest(asked.now - $10::interval, (
        SELECT r.reset_time FROM limit_resets r
        WHERE r.subject_key = asked.person_key AND r.limit_name = 'person_pins'
    ))
    ORDER BY p.create_time DESC OFFSET $11::bigint - 1 LIMIT 1
) AS person_limit ON true
LEFT JOIN LATERAL (
    SELECT p.create_time + $12::interval AS until
    FROM pin_requests p
    WHERE p.mobile_key = asked.mobile_key AND p.create_time > greatest(asked.now - $12::interval, (
        SELECT r.reset_time FROM limit_resets r
        WHERE r.subject_key = asked.mobile_key AND r.limit_name = 'mobile_pins'
    ))
    ORDER BY p.create_time DESC OFFSET $13::bigint - 1 LIMIT 1
) AS mobile_limit ON true
ORDER BY asked.number
