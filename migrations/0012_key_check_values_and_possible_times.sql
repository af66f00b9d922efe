-- A check value of each key of the key ring: a MAC of a fixed text under that key, which tells nothing about the key. An instance
-- whose key ring has another key under one of these ids gets no connection (docs/keys.md). An instance adds the values of keys
-- that are new. Nothing waits for this migration, and the previous version does not use the table.
CREATE TABLE key_check_values (
    purpose     text NOT NULL,
    key_id      integer NOT NULL,
    check_value bytea NOT NULL CHECK (length(check_value) = 32),
    PRIMARY KEY (purpose, key_id)
);

-- Every time is finite and within what programs can read. Otherwise one row of 'infinity' stops whatever reads it. No honest row
-- breaks this, so existing rows are not checked (NOT VALID), and each table is locked for a moment only.
DO $$
DECLARE
    timed record;
BEGIN
    FOR timed IN
        SELECT c.relname, string_agg(
            format('%I BETWEEN %L::timestamptz AND %L::timestamptz', a.attname, '2000-01-01 00:00Z', '2200-01-01 00:00Z'),
            ' AND ' ORDER BY a.attnum
        ) AS condition
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> '_sqlx_migrations'
            AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'timestamptz'::regtype
        GROUP BY c.relname ORDER BY c.relname
    LOOP
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT times_are_possible CHECK (%s) NOT VALID', timed.relname, timed.condition);
    END LOOP;
END
$$;
