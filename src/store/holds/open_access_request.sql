-- Opens an access request: the row, its notices and its audit event. Closes the person's expired access request, if there
-- is one, and withdraws its notices. Runs under the person's lock.
WITH
expired AS (
    UPDATE access_requests SET state = 'expired', close_time = $3
    WHERE person_key = $2 AND state = 'open' AND expire_time <= $3
    RETURNING notice_ids
),
withdrawn AS (
    UPDATE outbox o SET (sealed_body, lease_token, lease_expire_time, state) = (
        SELECT w.* FROM withdrawn_message(o.state, 'expired') AS w
    )
    FROM expired
    WHERE o.id = ANY (expired.notice_ids)
),
opened AS (
    INSERT INTO access_requests (id, person_key, state, request_time, eligible_time, expire_time, notice_ids)
    -- The count makes the insert wait until the expired row has left the unique index of open requests.
    SELECT $1, $2, 'open', $4, $5, $6, $7::uuid[] FROM (SELECT count(*) FROM expired) AS after_closing
    RETURNING id
),
queued AS (
    INSERT INTO outbox (id, person_key, kind, state, sealed_body, next_attempt_time, expire_time, create_time)
    SELECT notice.id, $2, notice.kind, 'queued', notice.body, notice.due_time, notice.expire_time, $3
    FROM unnest($7::uuid[], $8::text[], $9::bytea[], $10::timestamptz[], $11::timestamptz[])
        AS notice (id, kind, body, due_time, expire_time)
)
INSERT INTO audit_events (
    event_time, person_key, action, purpose, channel, caller, verification_id, access_request_id
)
SELECT $3, $2, 'access_requested', 'issuance', $12, $13, $14, opened.id FROM opened
