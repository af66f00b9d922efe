-- Records a verification unless a limit is reached. Runs under the locks of the person and the witness, so that no count
-- changes between reading and writing.
WITH
verification AS NOT MATERIALIZED (
    SELECT $1::uuid AS id, $2::bytea AS person_key, $3::text AS channel, $4::text AS caller, $5::bytea AS agent_key,
        $6::text AS state, $7::text AS reason, $8::bytea AS witness_key, $9::timestamptz AS now
),
-- R18: if the limit is reached, when the verification that blocks the next one leaves the window. Otherwise no row.
failed_limit AS (
    SELECT failed.create_time + $10::interval AS until
    FROM verification,
        LATERAL failed_verifications_in_window(verification.person_key, verification.now, $10::interval) AS failed
    ORDER BY failed.create_time DESC OFFSET $11::bigint - 1 LIMIT 1
),
-- R20.
witness_limit AS (
    SELECT count(*) >= $13::bigint AS is_reached
    FROM verifications v JOIN verification USING (witness_key)
    WHERE v.state = 'verified' AND v.create_time > verification.now - $12::interval
),
created AS (
    INSERT INTO verifications (
        id, person_key, channel, caller, agent_key, state, reason, witness_key, create_time, method, assurance_level,
        question_kinds, login_nonce_digest, case_reference, office_id, appointment_reference, expire_time
    )
    SELECT verification.id, verification.person_key, verification.channel, verification.caller, verification.agent_key,
        verification.state, verification.reason, verification.witness_key, verification.now, $14, $15, $16, $17, $18, $19,
        $20, $21
    FROM verification, witness_limit
    WHERE NOT EXISTS (SELECT FROM failed_limit) AND (verification.witness_key IS NULL OR NOT witness_limit.is_reached)
    -- R23: a login can be used once.
    ON CONFLICT (login_nonce_digest) DO NOTHING
    RETURNING id
),
event AS (
    INSERT INTO audit_events (event_time, person_key, action, purpose, channel, caller, reason, verification_id)
    SELECT verification.now, verification.person_key,
        CASE verification.state
            WHEN 'verified' THEN 'identity_verified' WHEN 'rejected' THEN 'identity_rejected' ELSE 'questions_asked'
        END,
        'identification', verification.channel, verification.caller, verification.reason, created.id
    FROM verification, created
    RETURNING id
),
agent AS (
    INSERT INTO audit_agents (audit_event_id, agent_key)
    SELECT event.id, verification.agent_key FROM event, verification WHERE verification.agent_key IS NOT NULL
)
SELECT
    EXISTS (SELECT FROM created) AS "is_created!",
    (SELECT until FROM failed_limit) AS failed_until,
    (SELECT verification.witness_key IS NOT NULL AND is_reached FROM verification, witness_limit) AS "is_witness_used_up!"
