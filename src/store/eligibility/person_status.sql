-- Reads the status of persons: everything on record that CheckEligibility shows (R4, R5, R6, R9, R16, R18, R25). One row per person, in
-- the order of the query.
WITH
blocked AS MATERIALIZED (
    SELECT pseudonym.number
    FROM unnest($1::bigint[], $2::bytea[]) AS pseudonym (number, person_key),
        LATERAL (SELECT FROM person_blocks b WHERE b.person_key = pseudonym.person_key LIMIT 1) AS block
),
limits AS NOT MATERIALIZED (
    SELECT $6::interval AS resend_interval, $7::int AS max_sends, $19::interval AS least_validity,
        $8::interval AS failed_span, $9::bigint AS max_failed,
        $10::interval AS person_pins_span, $11::bigint AS max_person_pins,
        $12::interval AS mobile_pins_span, $13::bigint AS max_mobile_pins,
        $14::interval AS wrong_tries_span, $15::bigint AS max_wrong_tries, $16::interval AS max_try_duration,
        $17::text[] AS guesses, $18::interval AS questions_span
)
SELECT
    person.number IN (SELECT number FROM blocked) AS "is_blocked!",
    access.request_time AS "request_time?", access.eligible_time AS "eligible_time?",
    access.expire_time AS "access_expire_time?",
    open_pin.id AS "id?", open_pin.channel AS "channel?", open_pin.create_time AS "create_time?",
    open_pin.expire_time AS "expire_time?", open_pin.masked_mobile_number AS "masked_mobile_number?",
    open_pin.dispatch_state AS "dispatch_state?",
    next_send_time(
        open_pin.may_be_sent_again AND person.now < open_pin.expire_time - limits.least_validity,
        open_pin.last_send_time, limits.resend_interval, open_pin.expire_time - limits.least_validity
    ) AS "next_send_time?",
    failed_phone.until AS "failed_phone_until?", failed_counter.until AS "failed_counter_until?",
    questions.ask_times AS "ask_times?", questions.kinds AS "asked_kinds?", questions.were_answered AS "were_answered?",
    person_limit.until AS "person_until?", mobile_limit.until AS "mobile_until?",
    wrong_try_limit.until AS "wrong_tries_until?"
FROM unnest($3::bytea[], $4::bytea[], $5::timestamptz[]) WITH ORDINALITY AS person (person_key, mobile_key, now, number)
CROSS JOIN limits
-- Each LIMIT 1 makes its subquery one look-up in an index per person.
LEFT JOIN LATERAL (
    SELECT a.request_time, a.eligible_time, a.expire_time
    FROM access_requests a
    WHERE a.person_key = person.person_key AND a.state = 'open'
    LIMIT 1
) AS access ON true
LEFT JOIN LATERAL (
    SELECT p.id, p.channel, p.create_time, p.expire_time, p.masked_mobile_number, p.last_send_time,
        message.state AS dispatch_state,
        message.sealed_body IS NOT NULL AND p.sends < limits.max_sends AS may_be_sent_again
    FROM pin_requests p
    CROSS JOIN LATERAL (SELECT o.state, o.sealed_body FROM outbox o WHERE o.id = p.message_id LIMIT 1) AS message
    WHERE p.person_key = person.person_key AND p.state = 'open' AND p.expire_time > person.now
    LIMIT 1
) AS open_pin ON true
-- If a limit is reached, when the row that blocks the next one leaves the window. Otherwise no row.
LEFT JOIN LATERAL (
    SELECT failed.create_time + limits.failed_span AS until
    FROM failed_verifications_in_window(
        person.person_key, 'phone', limits.guesses, person.now, limits.failed_span
    ) AS failed
    ORDER BY failed.create_time DESC OFFSET limits.max_failed - 1 LIMIT 1
) AS failed_phone ON true
LEFT JOIN LATERAL (
    SELECT failed.create_time + limits.failed_span AS until
    FROM failed_verifications_in_window(
        person.person_key, 'counter', limits.guesses, person.now, limits.failed_span
    ) AS failed
    ORDER BY failed.create_time DESC OFFSET limits.max_failed - 1 LIMIT 1
) AS failed_counter ON true
-- One element per kind that was asked about.
LEFT JOIN LATERAL (
    SELECT array_agg(run.create_time) AS ask_times, array_agg(asked.kind) AS kinds,
        array_agg(run.was_answered) AS were_answered
    FROM unsuccessful_questions_in_window(person.person_key, person.now, limits.questions_span) AS run
    CROSS JOIN LATERAL unnest(run.question_kinds) AS asked (kind)
) AS questions ON true
LEFT JOIN LATERAL (
    SELECT pin.create_time + limits.person_pins_span AS until
    FROM person_pins_in_window(person.person_key, person.now, limits.person_pins_span) AS pin
    ORDER BY pin.create_time DESC OFFSET limits.max_person_pins - 1 LIMIT 1
) AS person_limit ON true
LEFT JOIN LATERAL (
    SELECT pin.create_time + limits.mobile_pins_span AS until
    FROM mobile_pins_in_window(person.mobile_key, person.now, limits.mobile_pins_span) AS pin
    ORDER BY pin.create_time DESC OFFSET limits.max_mobile_pins - 1 LIMIT 1
) AS mobile_limit ON true
LEFT JOIN LATERAL (
    SELECT tried.create_time + limits.wrong_tries_span AS until
    FROM wrong_tries_in_window(person.person_key, person.now, limits.wrong_tries_span) AS tried
    -- A running try may turn out to be right.
    WHERE tried.has_result OR tried.create_time <= person.now - limits.max_try_duration
    ORDER BY tried.create_time DESC OFFSET limits.max_wrong_tries - 1 LIMIT 1
) AS wrong_try_limit ON true
ORDER BY person.number
