-- Concludes a round of answers and records it in the audit. Changes nothing if the round is concluded already.
WITH concluded AS (
    UPDATE verifications SET state = $2, assurance_level = $3, reason = $4,
        question_kinds = CASE WHEN $5::text IS NULL THEN question_kinds ELSE question_kinds || $5 END,
        right_answers = coalesce($6, right_answers), answer_rounds = answer_rounds + 1
    WHERE id = $1 AND state = 'questions_pending' AND answer_rounds = $9::int AND expire_time > $7
    RETURNING person_key, channel, caller
),
event AS (
    INSERT INTO audit_events (event_time, person_key, action, purpose, channel, caller, reason, verification_id)
    SELECT $7, person_key, $8, 'identification', channel, caller, $4, $1 FROM concluded
    RETURNING id
),
agent AS (
    INSERT INTO audit_agents (audit_event_id, agent_key)
    SELECT event.id, $10::bytea FROM event
)
SELECT EXISTS (SELECT FROM concluded) AS "is_concluded!"
