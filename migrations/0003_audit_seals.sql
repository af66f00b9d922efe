-- The audit, sealed: what a seal covers, and why that cannot be evaded, says src/audit/mod.rs.
-- The service's role may append seals, and neither change nor delete them.
CREATE TABLE audit_seals (
    number          bigint PRIMARY KEY CHECK (number > 0),   -- without gaps
    version         smallint NOT NULL,                       -- of how rows and seals are written down to be sealed
    seal_time       timestamptz NOT NULL,
    after_event_id  bigint NOT NULL,                         -- covers the ids of events above this one,
    last_event_id   bigint NOT NULL,                         -- up to this one
    event_count     integer NOT NULL,
    last_event_time timestamptz,                             -- the latest among them
    complete_time   timestamptz,                             -- every event until then is sealed; null: more were waiting
    entries         bytea,                                   -- per event its id and digests; erased by the purge
    entries_digest  bytea NOT NULL CHECK (length(entries_digest) = 32),
    purged_to       bigint,                                  -- covers nothing, but tells: events up to this one were purged
    previous_mac    bytea NOT NULL CHECK (length(previous_mac) = 32),
    key_id          integer NOT NULL,
    mac             bytea NOT NULL CHECK (length(mac) = 32),
    CHECK (after_event_id <= last_event_id)
);
-- The purge: what is still there, the oldest first. Verifying: what was purged.
CREATE INDEX audit_seals_kept ON audit_seals (number) WHERE entries IS NOT NULL;
CREATE INDEX audit_seals_purges ON audit_seals (number) WHERE purged_to IS NOT NULL;

-- How long audit rows are kept at least, whatever the service asks for. Only the owner can set it: `temporary-pin migrate`.
CREATE TABLE audit_retention (
    kept_for interval NOT NULL,
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row)
);
INSERT INTO audit_retention (kept_for) VALUES ('730 days');

-- Deletes the audit rows up to the end of a sealed batch; all of them older than audit_retention, or none. The service may
-- call this, and has no other way to delete an audit row. Goes by the database's clock, which the service cannot set.
CREATE FUNCTION purge_audit(purged_to bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    deleted bigint;
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.audit_seals s WHERE s.last_event_id = purge_audit.purged_to AND s.entries IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'event % does not end a sealed batch', purged_to;
    END IF;
    IF EXISTS (
        SELECT FROM public.audit_events e, public.audit_retention
        WHERE e.id <= purge_audit.purged_to AND e.event_time >= clock_timestamp() - kept_for
    ) THEN
        RAISE EXCEPTION 'audit events up to % are not all old enough', purged_to;
    END IF;
    DELETE FROM public.audit_agents a WHERE a.audit_event_id <= purge_audit.purged_to;
    DELETE FROM public.audit_events e WHERE e.id <= purge_audit.purged_to;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    UPDATE public.audit_seals s SET entries = NULL
    WHERE s.entries IS NOT NULL AND s.last_event_id <= purge_audit.purged_to;
    RETURN deleted;
END
$$;
REVOKE ALL ON FUNCTION purge_audit FROM PUBLIC;
