-- The purge finds rows by their ids, which begin with the time; only requests, whose ids callers choose, by their time. No
-- brin index helps there: it keeps the oldest time that its range of pages ever had, and new rows take the places of
-- purged ones.
DROP INDEX
    verifications_create_time, access_requests_request_time, pin_requests_create_time, requests_create_time,
    outbox_create_time, audit_events_event_time;
CREATE INDEX requests_create_time ON requests (create_time);
