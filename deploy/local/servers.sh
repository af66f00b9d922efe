# shellcheck shell=bash
# Starts a private Postgres and Redis for one run, on free loopback ports. Their data is removed at the end. Other servers on
# this machine are neither used nor disturbed.

run_directory= # data and logs of this run
account=       # the account that Postgres runs as; empty: the current account

# Starts Postgres and Redis. If the environment names a server, uses that server instead.
start_servers() {
    make_run_directory
    if [ -n "${DATABASE_URL:-}" ]; then say "Using the Postgres that DATABASE_URL names"; else start_postgres; fi
    if [ -n "${REDIS_URL:-}" ]; then say "Using the Redis that REDIS_URL names"; else start_redis; fi
}

stop_servers() {
    [ -n "$run_directory" ] || return 0
    stop_redis
    stop_postgres
    rm -rf "$run_directory"
}

# Postgres refuses to run as root, so it runs under another account. This account must be able to reach the data. It cannot if the
# clone is in a home directory that others may not enter, for example.
make_run_directory() {
    local parent
    [ "$(id -u)" -ne 0 ] || account=$(postgres_account)
    for parent in "$PWD/target/local" "${TMPDIR:-/tmp}" /var/tmp; do
        mkdir -p "$parent"
        run_directory=$(mktemp -d "$parent/temporary-pin.XXXXXX")
        [ -z "$account" ] || chmod 711 "$run_directory"
        as_postgres test -x "$run_directory" && return
        rmdir "$run_directory"
    done
    run_directory=
    fail "account $account, which runs Postgres, can enter none of $PWD/target/local, ${TMPDIR:-/tmp}, /var/tmp"
}

postgres_account() {
    local name
    for name in postgres nobody; do
        id "$name" >/dev/null 2>&1 && echo "$name" && return
    done
    fail "Postgres does not run as root, and there is no account 'postgres' or 'nobody' to run it as"
}

as_postgres() (
    cd / # the account may not be allowed to enter the current directory
    if [ -z "$account" ]; then
        exec "$@"
    elif command -v setpriv >/dev/null; then
        exec setpriv --reuid "$account" --regid "$(id -g "$account")" --clear-groups "$@"
    else
        # shellcheck disable=SC2016 # for the inner shell to expand
        exec su -s /bin/sh "$account" -c '"$0" "$@"' -- "$@"
    fi
)

# Flushes nothing to disk unless `durable` is set, because the data is deleted at the end. Transactions are isolated as in
# production.
start_postgres() {
    local programs data=$run_directory/postgres log=$run_directory/postgres.log port options
    programs=$(postgres_programs)
    say "Starting a private Postgres ($("$programs/postgres" --version))"
    mkdir "$data"
    : >"$log"
    [ -z "$account" ] || chown "$account" "$data" "$log"
    as_postgres "$programs/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C --no-sync >>"$log" 2>&1 ||
        fail "initdb failed: $(tail -n 5 "$log")"
    for port in $(free_ports); do
        options="-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories= -c max_connections=300"
        options+=" -c synchronous_commit=on"
        [ -n "${durable:-}" ] || options+=" -c fsync=off -c full_page_writes=off"
        if as_postgres "$programs/pg_ctl" -D "$data" -l "$log" -w -t 60 -o "$options" start >/dev/null 2>&1; then
            export DATABASE_URL=postgres://postgres@127.0.0.1:$port/postgres
            as_postgres head -n 1 "$data/postmaster.pid" >"$run_directory/postgres.pid"
            return
        fi
    done
    fail "Postgres did not start: $(tail -n 5 "$log")"
}

stop_postgres() {
    local data=$run_directory/postgres
    as_postgres test -s "$data/postmaster.pid" || return 0
    as_postgres "$(postgres_programs)/pg_ctl" -D "$data" -w -m immediate stop >/dev/null 2>&1 || true
}

start_redis() {
    local program version log=$run_directory/redis.log port
    program=$(redis_program)
    version=$("$program" --version)
    say "Starting a private Redis (${version%% sha=*})"
    for port in $(free_ports); do
        rm -f "$run_directory/redis.pid"
        "$program" --bind 127.0.0.1 --port "$port" --dir "$run_directory" --save "" --appendonly no \
            --maxmemory-policy noeviction --daemonize yes --pidfile "$run_directory/redis.pid" --logfile "$log" >/dev/null
        if is_our_redis "$port"; then
            export REDIS_URL=redis://127.0.0.1:$port
            return
        fi
    done
    fail "Redis did not start: $(tail -n 5 "$log")"
}

# Waits until Redis answers, and checks that its process id is that of our pid file: another server may have taken the port.
is_our_redis() {
    local pid
    for _ in $(seq 50); do
        sleep 0.1
        if ! { pid=$(cat "$run_directory/redis.pid") && kill -0 "$pid"; }; then continue; fi
        { printf 'INFO server\r\nQUIT\r\n' >&3 && grep -q "^process_id:$pid" <&3; } 3<>"/dev/tcp/127.0.0.1/$port" &&
            return
    done 2>/dev/null
    return 1
}

stop_redis() {
    local pid
    pid=$(cat "$run_directory/redis.pid" 2>/dev/null) && kill -TERM "$pid" 2>/dev/null || return 0
    for _ in $(seq 50); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
}

# Prints a few free ports. If another process takes a port before the caller uses it, the caller tries the next port.
free_ports() {
    local port
    for _ in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 12000))
        is_taken "$port" || echo "$port"
    done
}

is_taken() { (: 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
