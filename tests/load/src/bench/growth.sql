-- Replaces the rows of the service's tables by rows as after months of use: `growth.requests` PIN requests of `growth.people`
-- persons up to the time `growth.until`, and the other rows that the default retention keeps. The three values are settings
-- of the session. The table growth_people has the pseudonyms of the persons, numbered from 0. The number of persons is a
-- multiple of ten, and all persons order equally often.
--
-- A person orders at regular intervals, always on the same channel. Of ten PINs seven are redeemed, one is revoked and two
-- expire. If the last PIN of a person has expired, its row still has the state open, because no later call has closed it.
-- Every fifth verification fails at first. Audit events get ids below 1: the sealer takes them for events from before the
-- chain began.

SET session_replication_role = replica;   -- no triggers: each would look for a block, row by row
SET synchronous_commit = off;
SET work_mem = '256MB';
SET maintenance_work_mem = '512MB';

BEGIN;
TRUNCATE verifications, access_requests, pin_requests, requests, outbox, audit_events, audit_agents, audit_operators;

-- Indexes that are not ordered by time are made after the rows, which is faster.
CREATE TEMPORARY TABLE random_indexes AS
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index
WHERE indrelid IN ('verifications'::regclass, 'pin_requests'::regclass, 'audit_events'::regclass)
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid);
DO $$
DECLARE
    index record;
BEGIN
    FOR index IN SELECT * FROM random_indexes LOOP
        EXECUTE 'DROP INDEX ' || index.name;
    END LOOP;
END
$$;

COMMIT; -- the service that runs shall not wait for the rows

-- An id like the service's: a UUID of version 7, which begins with the time.
CREATE FUNCTION pg_temp.id(kind bigint, at timestamptz, n bigint) RETURNS uuid LANGUAGE sql STABLE RETURN encode(
    int8send(((date_part('epoch', at) * 1000)::bigint << 16) | (7 << 12) | (n & 4095))
        || int8send((1::bigint << 63) | (kind << 56) | n),
    'hex'
)::uuid;

CREATE TEMPORARY VIEW orders AS
SELECT n, at, channel, fate, person_key, mobile_key, 'load_' || channel AS caller,
    pg_temp.id(1, at, n) AS verification_id, pg_temp.id(2, at, n) AS pin_request_id,
    pg_temp.id(3, at, n) AS message_id, pg_temp.id(4, at, n) AS access_request_id,
    CASE WHEN channel <> 'web' THEN sha256(int8send(n % 200)) END AS agent_key,
    at > current_setting('growth.until')::timestamptz - interval '20 hours' AS is_running
FROM (
    SELECT n, n * 7919 % people AS person,
        current_setting('growth.until')::timestamptz - interval '180 days' * ((requests - n)::float8 / requests) AS at,
        CASE WHEN n % 10 < 5 THEN 'web' WHEN n % 10 < 8 THEN 'phone' ELSE 'counter' END AS channel,
        CASE
            WHEN n * 31 / 97 % 10 < 7 THEN 'redeemed' WHEN n * 31 / 97 % 10 = 7 THEN 'revoked'
            WHEN n > requests - people THEN 'open' ELSE 'expired'
        END AS fate
    FROM (
        SELECT generate_series(1, current_setting('growth.requests')::bigint) AS n,
            current_setting('growth.requests')::bigint AS requests, current_setting('growth.people')::bigint AS people
    ) AS numbers
) AS numbered JOIN growth_people ON number = person;

INSERT INTO verifications (
    id, person_key, channel, caller, agent_key, method, state, reason, assurance_level, question_kinds, answer_rounds,
    right_answers, witness_key, login_nonce_digest, case_reference, office_id, appointment_reference, create_time,
    expire_time, pin_request_id
)
SELECT CASE WHEN is_first THEN pg_temp.id(7, at, n) ELSE verification_id END, person_key, channel, caller, agent_key,
    CASE channel WHEN 'web' THEN 'login' WHEN 'phone' THEN 'questions' ELSE 'witness' END,
    CASE WHEN is_first THEN 'rejected' ELSE 'verified' END, CASE WHEN is_first THEN 'identity_not_confirmed' END,
    CASE WHEN is_first THEN NULL ELSE 'Substantial' END,
    CASE channel WHEN 'phone' THEN '{previous_road,birthplace,wedding_year}'::text[] ELSE '{}' END,
    CASE channel WHEN 'phone' THEN 1 ELSE 0 END, CASE channel WHEN 'phone' THEN 2 ELSE 0 END,
    CASE channel WHEN 'counter' THEN sha256(int8send(n)) END,
    CASE channel WHEN 'web' THEN sha256(int8send(CASE WHEN is_first THEN -n ELSE n END)) END,
    CASE channel WHEN 'phone' THEN 'case-' || n END, CASE channel WHEN 'counter' THEN 'office-' || n % 100 END,
    CASE channel WHEN 'counter' THEN 'visit-' || n END, at, at + interval '15 minutes',
    CASE WHEN is_first THEN NULL ELSE pin_request_id END
FROM orders CROSS JOIN (VALUES (true), (false)) AS runs (is_first)
WHERE NOT is_first OR n % 5 = 0;

-- Access requests of the last day are still open, for later orders. Older ones were used.
INSERT INTO access_requests (id, person_key, state, request_time, eligible_time, expire_time, close_time, notice_ids)
SELECT access_request_id, person_key, CASE WHEN is_running THEN 'open' ELSE 'used' END, at, at + interval '24 hours',
    at + interval '48 hours', CASE WHEN NOT is_running THEN at + interval '30 hours' END,
    ARRAY[pg_temp.id(5, at, n), pg_temp.id(6, at, n)]
FROM orders
WHERE channel = 'web';

INSERT INTO pin_requests (
    id, person_key, mobile_key, channel, caller, verification_id, state, verifier_key_id, verifier_salt, verifier_mac,
    tries, last_send_time, masked_mobile_number, message_id, create_time, expire_time, close_time, revoke_reason
)
SELECT pin_request_id, person_key, mobile_key, channel, caller, verification_id, fate, 1, substr(sha256(int8send(n)), 1, 16),
    sha256(int8send(n)), CASE fate WHEN 'redeemed' THEN 1 WHEN 'revoked' THEN 3 ELSE 0 END, at, '+45 ** ** ** 78',
    message_id, at, at + interval '10 minutes', CASE WHEN fate <> 'open' THEN at + interval '2 minutes' END,
    CASE fate WHEN 'revoked' THEN 'wrong_tries' END
FROM orders;

-- Kept for 2 days.
INSERT INTO requests (caller, method, request_id, payload_digest, response, pin_request_id, create_time)
SELECT CASE method WHEN 'IssueTemporaryPin' THEN caller ELSE 'load_redeemer' END, method, md5(method || n)::uuid,
    sha256(int8send(n)),
    CASE method
        WHEN 'IssueTemporaryPin' THEN jsonb_build_object(
            'id', pin_request_id, 'state', 'open', 'channel', channel, 'create_time', at,
            'expire_time', at + interval '10 minutes', 'masked_mobile_number', '+45 ** ** ** 78',
            'dispatch_state', 'queued', 'next_send_time', at + interval '1 minute'
        )
        ELSE '{"outcome": "redeemed"}'
    END,
    CASE method WHEN 'RedeemTemporaryPin' THEN pin_request_id END, at
FROM orders CROSS JOIN (VALUES ('IssueTemporaryPin'), ('RedeemTemporaryPin')) AS methods (method)
WHERE at > current_setting('growth.until')::timestamptz - interval '2 days'
    AND (method = 'IssueTemporaryPin' OR fate = 'redeemed');

-- Kept for 30 days. The bodies are erased, except those of notices that wait for the end of a hold.
INSERT INTO outbox (
    id, person_key, kind, state, sealed_body, attempts, next_attempt_time, expire_time, gateway_reference, create_time
)
SELECT message.id, person_key, kind, CASE WHEN is_waiting THEN 'queued' ELSE 'accepted' END,
    CASE WHEN is_waiting THEN decode(repeat('5a', 150), 'hex') END, CASE WHEN is_waiting THEN 0 ELSE 1 END, due_time,
    due_time + lifetime, CASE WHEN NOT is_waiting THEN 'message-' || n END, at
FROM orders CROSS JOIN LATERAL (
    VALUES
        (message_id, 'pin', at, interval '10 minutes', false),
        (pg_temp.id(5, at, n), 'access_requested', at, interval '48 hours', false),
        (pg_temp.id(6, at, n), 'hold_passed', at + interval '24 hours', interval '24 hours', is_running)
) AS message (id, kind, due_time, lifetime, is_waiting)
WHERE at > current_setting('growth.until')::timestamptz - interval '30 days' AND (kind = 'pin' OR channel = 'web');

INSERT INTO audit_events (
    id, event_time, person_key, action, purpose, channel, caller, reason, verification_id, access_request_id, pin_request_id
)
OVERRIDING SYSTEM VALUE
SELECT 4 * (n - current_setting('growth.requests')::bigint) + place - 3, at, person_key, action,
    CASE place WHEN 1 THEN 'identification' WHEN 3 THEN 'redemption' ELSE 'issuance' END,
    CASE WHEN place < 3 THEN channel END, CASE WHEN place < 3 THEN caller ELSE 'load_redeemer' END, NULL,
    CASE WHEN place < 3 THEN verification_id END, CASE WHEN channel = 'web' AND place = 0 THEN access_request_id END,
    CASE WHEN place >= 2 THEN pin_request_id END
FROM orders CROSS JOIN (
    VALUES (0, 'access_requested'), (1, 'identity_verified'), (2, 'pin_issued'), (3, 'pin_redeemed')
) AS events (place, action)
WHERE CASE place WHEN 0 THEN channel = 'web' WHEN 3 THEN fate = 'redeemed' ELSE true END;

INSERT INTO audit_agents (audit_event_id, agent_key)
SELECT 4 * (n - current_setting('growth.requests')::bigint) + place - 3, agent_key
FROM orders CROSS JOIN (VALUES (1), (2)) AS events (place)
WHERE agent_key IS NOT NULL;

DO $$
DECLARE
    index record;
BEGIN
    FOR index IN SELECT * FROM random_indexes LOOP
        EXECUTE index.definition;
    END LOOP;
END
$$;
