-- R18: each channel counts its own failed verifications, and only guesses count: questions that were asked and never answered,
-- and verifications that were rejected for one of `guesses`. Version 0.1.0 has a statement of its own that counts all channels
-- together; it is stricter, and goes on.
DROP FUNCTION failed_verifications_in_window(bytea, timestamptz, interval);
CREATE FUNCTION failed_verifications_in_window(
    person bytea, counted_channel text, guesses text[], at_time timestamptz, span interval
) RETURNS TABLE (create_time timestamptz) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT v.create_time
    FROM verifications v
    WHERE v.person_key = failed_verifications_in_window.person
        AND v.channel = failed_verifications_in_window.counted_channel
        AND (v.state = 'questions_pending'
            OR (v.state = 'rejected' AND v.reason = ANY (failed_verifications_in_window.guesses)))
        AND v.create_time > greatest(failed_verifications_in_window.at_time - failed_verifications_in_window.span, (
            SELECT r.reset_time FROM limit_resets r
            WHERE r.subject_key = failed_verifications_in_window.person AND r.limit_name = 'failed_verifications'
        ));
END;

-- R16: the verifications of a person that asked questions without success, like the other functions of rolling windows. An
-- operator's reset of the failed verifications also clears this memory.
CREATE FUNCTION unsuccessful_questions_in_window(person bytea, at_time timestamptz, span interval)
RETURNS TABLE (create_time timestamptz, question_kinds text[], was_answered boolean) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT v.create_time, v.question_kinds, v.state = 'rejected' OR v.answer_rounds > 0
    FROM verifications v
    WHERE v.person_key = unsuccessful_questions_in_window.person AND v.state IN ('rejected', 'questions_pending')
        AND cardinality(v.question_kinds) > 0
        AND v.create_time > greatest(unsuccessful_questions_in_window.at_time - unsuccessful_questions_in_window.span, (
            SELECT r.reset_time FROM limit_resets r
            WHERE r.subject_key = unsuccessful_questions_in_window.person AND r.limit_name = 'failed_verifications'
        ));
END;

-- R20: the SMS to a witness. As with the other notices, `kind` stays one that version 0.1.0 sends. Not valid: no old row has
-- another value, and a check of each row would keep the service waiting.
ALTER TABLE outbox DROP CONSTRAINT outbox_notice_check,
    ADD CONSTRAINT outbox_notice_check CHECK (notice IN ('access_cancelled', 'pin_revoked', 'witnessed')) NOT VALID;
