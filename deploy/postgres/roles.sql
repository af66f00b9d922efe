-- The two roles of a deployment: the owner, who migrates, and the service, which can do what it needs and nothing else.
-- Run once by a superuser, in the service's own database (docs/database.md; the sandbox runs it too):
--
--   createdb temporary_pin
--   psql -d temporary_pin -v database=temporary_pin -v owner=temporary_pin_owner -v service=temporary_pin_service \
--       -f deploy/postgres/roles.sql
--
-- Then give each a way to log in, such as `\password temporary_pin_owner`. What the service may do with each table is
-- granted by `temporary-pin migrate` (src/store/grants.sql).
CREATE ROLE :"owner" LOGIN;
CREATE ROLE :"service" LOGIN;
ALTER DATABASE :"database" OWNER TO :"owner";
ALTER SCHEMA public OWNER TO :"owner";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"service";
