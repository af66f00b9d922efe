-- Records a verification and its audit events. Runs under the locks of the person and the witness. Records nothing if the login
-- was used before (R23).
WITH
verification AS NOT MATERIALIZED (
    SELECT $1::uuid AS id, $2::bytea AS person_key, $3::text AS channel, $4::text AS caller, $5::bytea AS agent_key,
        $6::text AS state, $7::text AS reason, $8::bytea AS witness_key, $9::timestamptz AS now
),
created AS (
    INSERT INTO verifications (
        id, person_key, channel, caller, agent_key, state, reason, witness_key, create_time, method, assurance_level,
        question_kinds, login_nonce_digest, case_reference, office_id, appointment_reference, expire_time
    )
    SELECT verification.id, verification.person_key, verification.channel, verification.caller, verification.agent_key,
        verification.state, verification.reason, verification.witness_key, verification.now, $10, $11, $12, $13, $14, $15,
        $16, $17
    FROM verification
    -- R23: a login can be used once.
    ON CONFLICT (login_nonce_digest) DO NOTHING
    RETURNING id
),
-- What is on record about the person and, if there is one, about the witness (R20).
actions (person_key, action, reason) AS (
    SELECT verification.person_key,
        CASE verification.state
            WHEN 'verified' THEN 'identity_verified' WHEN 'rejected' THEN 'identity_rejected' ELSE 'questions_asked'
        END,
        verification.reason
    FROM verification
    UNION ALL
    SELECT verification.person_key, 'clerk_not_compared', NULL FROM verification WHERE $18::boolean
    UNION ALL
    SELECT verification.witness_key, 'witnessed', NULL FROM verification WHERE verification.witness_key IS NOT NULL
),
event AS (
    INSERT INTO audit_events (event_time, person_key, action, purpose, channel, caller, reason, verification_id)
    SELECT verification.now, actions.person_key, actions.action, 'identification', verification.channel, verification.caller,
        actions.reason, created.id
    FROM verification, created, actions
    RETURNING id, action
),
-- A professional witness is the agent of their own act.
agent AS (
    INSERT INTO audit_agents (audit_event_id, agent_key)
    SELECT event.id,
        CASE event.action
            WHEN 'witnessed' THEN coalesce($19::bytea, verification.agent_key) ELSE verification.agent_key
        END
    FROM event, verification WHERE verification.agent_key IS NOT NULL
)
SELECT EXISTS (SELECT FROM created) AS "is_created!"
