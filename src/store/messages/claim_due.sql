-- Claims due messages for the length of a lease: PINs first, as they have minutes to live. Skips rows that another dispatcher is
-- claiming, and messages that expire before $5.
WITH pins AS MATERIALIZED (
    SELECT id FROM outbox
    WHERE state = 'queued' AND kind = 'pin' AND next_attempt_time <= $1 AND expire_time > $5 AND handover_time IS NULL
        AND (lease_expire_time IS NULL OR lease_expire_time <= $1)
    ORDER BY next_attempt_time LIMIT $2
    FOR UPDATE SKIP LOCKED
),
notices AS MATERIALIZED (
    SELECT id FROM outbox
    WHERE state = 'queued' AND kind <> 'pin' AND next_attempt_time <= $1 AND expire_time > $5 AND handover_time IS NULL
        AND (lease_expire_time IS NULL OR lease_expire_time <= $1)
    ORDER BY next_attempt_time LIMIT $2 - (SELECT count(*) FROM pins)
    FOR UPDATE SKIP LOCKED
),
due AS (SELECT id FROM pins UNION ALL SELECT id FROM notices)
UPDATE outbox SET lease_token = $3, lease_expire_time = $4
WHERE outbox.id = ANY (ARRAY(SELECT id FROM due))
RETURNING outbox.id, coalesce(notice, kind) AS "kind!", coalesce(sealed_body, '') AS "sealed_body!", sends, attempts, unknown_outcomes, expire_time,
    lease_token AS "lease_token!"
