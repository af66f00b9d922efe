-- Keeps one run of VerifyIdentity unless a count forbids it. Run under the locks of the person and the witness, so that
-- no count changes between the reading and the writing.
WITH
asked AS NOT MATERIALIZED (
    SELECT $1::uuid AS id, $2::bytea AS person_key, $3::text AS channel, $4::text AS caller, $5::bytea AS agent_key,
        $6::text AS state, $7::text AS reason, $8::bytea AS witness_key, $9::timestamptz AS now
),
-- R18: the run whose leaving the window makes room for one more. Runs that were begun and never answered count too,
-- else breaking off before the last answer would cost nothing.
failed AS (
    SELECT v.create_time
    FROM verifications v JOIN asked USING (person_key)
    WHERE v.state IN ('rejected', 'questions_pending')
        AND v.create_time > greatest(asked.now - $10::interval, (
            SELECT r.reset_time FROM limit_resets r
            WHERE r.subject_key = asked.person_key AND r.limit_name = 'failed_verifications'
        ))
    ORDER BY v.create_time DESC OFFSET $11::bigint - 1 LIMIT 1
),
-- R20.
witnessed AS (
    SELECT count(*) >= $13::bigint AS is_spent
    FROM verifications v JOIN asked USING (witness_key)
    WHERE v.state = 'verified' AND v.create_time > asked.now - $12::interval
),
created AS (
    INSERT INTO verifications (
        id, person_key, channel, caller, agent_key, state, reason, witness_key, create_time, method, assurance_level,
        question_kinds, login_nonce_digest, case_reference, office_id, appointment_reference, expire_time
    )
    SELECT asked.id, asked.person_key, asked.channel, asked.caller, asked.agent_key, asked.state, asked.reason,
        asked.witness_key, asked.now, $14, $15, $16, $17, $18, $19, $20, $21
    FROM asked, witnessed
    WHERE NOT EXISTS (SELECT FROM failed) AND (asked.witness_key IS NULL OR NOT witnessed.is_spent)
    -- R23: a login serves once.
    ON CONFLICT (login_nonce_digest) DO NOTHING
    RETURNING id
),
event AS (
    INSERT INTO audit_events (event_time, person_key, action, purpose, channel, caller, reason, verification_id)
    SELECT asked.now, asked.person_key,
        CASE asked.state
            WHEN 'verified' THEN 'identity_verified' WHEN 'rejected' THEN 'identity_rejected' ELSE 'questions_asked'
        END,
        'identification', asked.channel, asked.caller, asked.reason, created.id
    FROM asked, created
    RETURNING id
),
agent AS (
    INSERT INTO audit_agents (audit_event_id, agent_key)
    SELECT event.id, asked.agent_key FROM event, asked WHERE asked.agent_key IS NOT NULL
)
SELECT
    EXISTS (SELECT FROM created) AS "is_created!",
    (SELECT create_time FROM failed) AS failed_time,
    (SELECT asked.witness_key IS NOT NULL AND is_spent FROM asked, witnessed) AS "is_witness_spent!"
