-- The rights of the service's role, table by table. `temporary-pin migrate` runs this after the migrations, as the owner of
-- the tables, if postgres.service_role names the role. It can be run again at any time. Everything that is not granted here is
-- revoked, also from PUBLIC. tests/store/rights.rs has the same list, so that no new table or function is forgotten.
--
-- The service may update only the columns named here, and nothing in an audit table: the record of the past must not change.
REVOKE ALL ON SCHEMA public FROM PUBLIC, :"service_role";
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, :"service_role";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, :"service_role";
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC, :"service_role";

GRANT USAGE ON SCHEMA public TO :"service_role";
-- To check whether the schema is the one that the service needs.
GRANT SELECT ON _sqlx_migrations TO :"service_role";
-- To check under which pseudonym key the rows are.
GRANT SELECT ON pseudonym_keys TO :"service_role";

-- To check whether the key ring is that of the database, and to add keys that are new.
GRANT SELECT, INSERT ON key_check_values TO :"service_role";

-- The purge deletes from these.
GRANT SELECT, INSERT, DELETE ON verifications, access_requests, pin_requests, requests, outbox, limit_resets
    TO :"service_role";
GRANT UPDATE (state, reason, assurance_level, question_kinds, answer_rounds, right_answers, pin_request_id)
    ON verifications TO :"service_role";
GRANT UPDATE (state, close_time) ON access_requests TO :"service_role";
GRANT UPDATE (state, tries, sends, last_send_time, close_time, revoke_reason) ON pin_requests TO :"service_role";
GRANT UPDATE (response, is_right) ON requests TO :"service_role";
GRANT UPDATE (state, sealed_body, sends, last_send, attempts, next_attempt_time, lease_token, lease_expire_time,
    handover_time, gateway_reference, last_error, unknown_outcomes, gateway) ON outbox TO :"service_role";
GRANT UPDATE (reset_time) ON limit_resets TO :"service_role";

-- Unblocking deletes the row. The function gives the number of the lock between a block and the inserts of a person's rows.
GRANT SELECT, INSERT, DELETE ON person_blocks TO :"service_role";
GRANT EXECUTE ON FUNCTION block_lock TO :"service_role";

-- Shared expressions (rolling windows and others). Postgres inlines a function only if the role may execute it.
GRANT EXECUTE ON FUNCTION failed_verifications_in_window, unsuccessful_questions_in_window, person_pins_in_window, mobile_pins_in_window,
    wrong_tries_in_window, next_send_time, withdrawn_message TO :"service_role";

-- Append-only. Not the id of an event: a row with an id of its own choice would be in the way of the event that gets it later.
GRANT SELECT ON audit_events TO :"service_role";
GRANT INSERT (event_time, person_key, action, channel, caller, reason, verification_id, access_request_id, pin_request_id,
    purpose, pseudonym_key_id) ON audit_events TO :"service_role";
GRANT SELECT, INSERT ON audit_agents, audit_operators, audit_seals TO :"service_role";
-- For the sealer: the last id that was assigned.
GRANT SELECT ON SEQUENCE audit_events_id_seq TO :"service_role";
-- The only way to delete an audit row, and how old the row must be.
GRANT EXECUTE ON FUNCTION purge_audit TO :"service_role";
GRANT SELECT ON audit_retention TO :"service_role";
