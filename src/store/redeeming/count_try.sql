-- Counts a try on the open PIN (R3), which is locked, and keeps its time (R4). Its row has no response yet.
WITH counted AS (
    UPDATE pin_requests SET tries = tries + 1 WHERE id = $4
)
INSERT INTO requests (caller, method, request_id, payload_digest, pin_request_id, create_time)
VALUES ($1, 'RedeemTemporaryPin', $2, $3, $4, $5)
