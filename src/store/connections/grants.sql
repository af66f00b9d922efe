-- What the service's role may do, table by table. `temporary-pin migrate` runs this after the migrations, as their owner,
-- when postgres.service_role names the role; it may be run again at any time. What is not here is taken away, also from
-- PUBLIC. tests/store/rights.rs holds the same list, so that a new table is not forgotten.
--
-- The service updates only the columns named here, and nothing in an audit table: what happened, happened.
REVOKE ALL ON SCHEMA public FROM PUBLIC, :"service_role";
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, :"service_role";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, :"service_role";
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC, :"service_role";

GRANT USAGE ON SCHEMA public TO :"service_role";
-- To tell whether the schema is the one it needs.
GRANT SELECT ON _sqlx_migrations TO :"service_role";
-- Under which pseudonym key the rows are.
GRANT SELECT ON pseudonym_keys TO :"service_role";

-- Deleted by the purge.
GRANT SELECT, INSERT, DELETE ON verifications, access_requests, pin_requests, requests, outbox, limit_resets
    TO :"service_role";
GRANT UPDATE (state, reason, assurance_level, question_kinds, answer_rounds, right_answers, pin_request_id)
    ON verifications TO :"service_role";
GRANT UPDATE (state, close_time) ON access_requests TO :"service_role";
GRANT UPDATE (state, tries, sends, last_send_time, close_time, revoke_reason) ON pin_requests TO :"service_role";
GRANT UPDATE (response) ON requests TO :"service_role";
GRANT UPDATE (state, sealed_body, sends, last_send, attempts, next_attempt_time, lease_token, lease_expire_time,
    handover_time, gateway_reference, last_error) ON outbox TO :"service_role";
GRANT UPDATE (reset_time) ON limit_resets TO :"service_role";

-- Deleted when the block ends. The lock is taken by what must not happen to who is blocked.
GRANT SELECT, INSERT, DELETE ON person_blocks TO :"service_role";
GRANT EXECUTE ON FUNCTION block_lock TO :"service_role";

-- Append-only.
GRANT SELECT, INSERT ON audit_events, audit_agents, audit_operators, audit_seals TO :"service_role";
-- Where the ids stand, for the sealer.
GRANT SELECT ON SEQUENCE audit_events_id_seq TO :"service_role";
-- The only way to delete an audit row, and how old it must be.
GRANT EXECUTE ON FUNCTION purge_audit TO :"service_role";
GRANT SELECT ON audit_retention TO :"service_role";
