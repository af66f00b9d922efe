-- How often nobody knew whether the gateway had taken a notice: it is sent at most once more. Version 0.1.0 does not count.
-- And which gateway took the message, by its name in the settings: its reference means something to that gateway only.
ALTER TABLE outbox
    ADD COLUMN unknown_outcomes smallint NOT NULL DEFAULT 0,
    ADD COLUMN gateway          text;

-- PINs are handed over before notices. Inserts into the outbox wait while the index is made: about a second per million rows.
CREATE INDEX outbox_due_pins ON outbox (next_attempt_time) WHERE state = 'queued' AND kind = 'pin';
