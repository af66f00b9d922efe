-- The fixed yardstick: what issuing a PIN costs at least. Tables with the rows, keys and indexes that any design needs, and
-- 300,000 subjects who have an open request.
-- DO NOT CHANGE with the service's own tables and statements: results of other days are compared with it.
CREATE TABLE req (
    id uuid PRIMARY KEY, subject bytea NOT NULL, channel smallint NOT NULL, state smallint NOT NULL, pin_mac bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX req_active ON req (subject) WHERE state = 1;
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, req_id uuid NOT NULL, payload bytea NOT NULL,
    state smallint NOT NULL DEFAULT 0, attempts smallint NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(), created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_due ON outbox (next_at, id) WHERE state = 0;
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, req_id uuid, subject bytea, event smallint NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE one_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload bytea NOT NULL);
CREATE FUNCTION subj(n bigint) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT decode(md5(n::text) || md5((n + 7)::text), 'hex') $$;
INSERT INTO req
SELECT gen_random_uuid(), subj(g), 1, 1, decode(md5(g::text) || md5(g::text), 'hex'), now(), now() + '24 h'
FROM generate_series(1, 300000) AS g;
