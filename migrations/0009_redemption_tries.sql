-- R4: each counted try has a time and a result of its own, in its row of `requests`: create_time is when it was counted,
-- pin_request_id names the PIN, and is_right tells whether it was that PIN. 0.1.0 writes these rows too, without is_right: of
-- its tries, those that were answered `redeemed` were right.
--
-- New rows of `requests` wait while the index is made: about a second per million rows. Reads go on: the column, which locks
-- them out, comes after the index.

-- Leads from a person's PIN requests to their tries.
CREATE INDEX requests_tries ON requests (pin_request_id) WHERE pin_request_id IS NOT NULL;
ALTER TABLE requests ADD COLUMN is_right boolean;

-- R4: a person's tries in the rolling window that are not known to be right, like the other functions of rolling windows. Tries
-- without a result are running, or their process has stopped.
CREATE FUNCTION wrong_tries_in_window(person bytea, at_time timestamptz, span interval)
RETURNS TABLE (
    pin_request_id uuid, caller text, request_id uuid, create_time timestamptz, has_result boolean
) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT p.id, tried.caller, tried.request_id, tried.create_time, tried.response IS NOT NULL
    FROM pin_requests p
    CROSS JOIN LATERAL (
        SELECT r.caller, r.request_id, r.create_time, r.response
        FROM requests r
        WHERE r.pin_request_id = p.id AND r.method = 'RedeemTemporaryPin'
            AND r.is_right IS NOT TRUE AND r.response ->> 'outcome' IS DISTINCT FROM 'redeemed'
            AND r.create_time > greatest(wrong_tries_in_window.at_time - wrong_tries_in_window.span, (
                SELECT reset.reset_time FROM limit_resets reset
                WHERE reset.subject_key = wrong_tries_in_window.person AND reset.limit_name = 'wrong_tries'
            ))
        -- Keeps the order of the look-ups, whatever the statistics say: from the person to the PINs, from each PIN to its tries.
        OFFSET 0
    ) AS tried
    -- A PIN that expired before the window has no tries in it.
    WHERE p.person_key = wrong_tries_in_window.person
        AND p.expire_time > wrong_tries_in_window.at_time - wrong_tries_in_window.span;
END;
