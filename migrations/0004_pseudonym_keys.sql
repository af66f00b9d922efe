-- Under which pseudonym key of the key ring the rows are (docs/keys.md). An instance whose active key is another gets no
-- connection: see src/store/instance.rs.
CREATE TABLE pseudonym_keys (
    key_id      integer NOT NULL CHECK (key_id > 0),
    next_key_id integer CHECK (next_key_id > key_id),      -- a re-keying to this one is under way: nobody serves
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row)
);
INSERT INTO pseudonym_keys (key_id) VALUES (1);

-- Audit events are never rewritten, so each says which key its pseudonyms are under. Re-keying moves the default.
ALTER TABLE audit_events ADD COLUMN pseudonym_key_id integer NOT NULL DEFAULT 1;
