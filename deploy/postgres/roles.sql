-- Makes the two database roles of a deployment: the owner, who migrates, and the service, which has only the rights that it
-- needs. Run it once as a superuser, in the service's own database (docs/database.md). The sandbox runs it, too.
--
--   createdb temporary_pin
--   psql -d temporary_pin -v database=temporary_pin -v owner=temporary_pin_owner -v service=temporary_pin_service \
--       -f deploy/postgres/roles.sql
--
-- Then give each role a way to log in, such as `\password temporary_pin_owner`. `temporary-pin migrate` grants the service its
-- rights on each table (src/store/connections/grants.sql).
CREATE ROLE :"owner" LOGIN;
CREATE ROLE :"service" LOGIN;
ALTER DATABASE :"database" OWNER TO :"owner";
ALTER SCHEMA public OWNER TO :"owner";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"service";
