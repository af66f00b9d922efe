-- Expressions that several statements of the service share. Each function is a single SELECT, which Postgres inlines into
-- the calling statement, so that the plan is the same as if the expression were written there.

-- The rolling windows. Each function lists the rows of the last `span` before `at_time` that count for a limit, in no order.
-- Rows from before an operator's reset of the limit do not count.

-- R18: failed verifications of a person. Verifications that were never answered count as well; otherwise breaking off before
-- the last answer would cost nothing.
CREATE FUNCTION failed_verifications_in_window(person bytea, at_time timestamptz, span interval)
RETURNS TABLE (create_time timestamptz) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT v.create_time
    FROM verifications v
    WHERE v.person_key = failed_verifications_in_window.person AND v.state IN ('rejected', 'questions_pending')
        AND v.create_time > greatest(failed_verifications_in_window.at_time - failed_verifications_in_window.span, (
            SELECT r.reset_time FROM limit_resets r
            WHERE r.subject_key = failed_verifications_in_window.person AND r.limit_name = 'failed_verifications'
        ));
END;

-- R25: PINs of a person.
CREATE FUNCTION person_pins_in_window(person bytea, at_time timestamptz, span interval)
RETURNS TABLE (create_time timestamptz) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT p.create_time
    FROM pin_requests p
    WHERE p.person_key = person_pins_in_window.person
        AND p.create_time > greatest(person_pins_in_window.at_time - person_pins_in_window.span, (
            SELECT r.reset_time FROM limit_resets r
            WHERE r.subject_key = person_pins_in_window.person AND r.limit_name = 'person_pins'
        ));
END;

-- R25: PINs to a mobile number.
CREATE FUNCTION mobile_pins_in_window(mobile bytea, at_time timestamptz, span interval)
RETURNS TABLE (create_time timestamptz) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT p.create_time
    FROM pin_requests p
    WHERE p.mobile_key = mobile_pins_in_window.mobile
        AND p.create_time > greatest(mobile_pins_in_window.at_time - mobile_pins_in_window.span, (
            SELECT r.reset_time FROM limit_resets r
            WHERE r.subject_key = mobile_pins_in_window.mobile AND r.limit_name = 'mobile_pins'
        ));
END;

-- R5: from when a PIN can be sent again. Null: it cannot be sent again, or only after it has expired.
CREATE FUNCTION next_send_time(
    may_be_sent_again boolean, last_send_time timestamptz, resend_interval interval, expire_time timestamptz
) RETURNS timestamptz LANGUAGE sql STABLE
RETURN CASE
    WHEN may_be_sent_again AND last_send_time + resend_interval < expire_time THEN last_send_time + resend_interval
END;

-- The columns of a message in the outbox that is withdrawn: its text is erased, its lease ends, and if it was queued, its
-- state becomes `state_if_queued`. Use: SET (sealed_body, lease_token, lease_expire_time, state) = (SELECT ...).
CREATE FUNCTION withdrawn_message(state text, state_if_queued text)
RETURNS TABLE (sealed_body bytea, lease_token uuid, lease_expire_time timestamptz, new_state text)
LANGUAGE sql IMMUTABLE ROWS 1
BEGIN ATOMIC
    SELECT NULL::bytea, NULL::uuid, NULL::timestamptz,
        CASE withdrawn_message.state
            WHEN 'queued' THEN withdrawn_message.state_if_queued ELSE withdrawn_message.state
        END;
END;
