# shellcheck shell=bash
# Shared by the scripts in this folder, which source it and call `set_up`.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=deploy/local/install.sh
source deploy/local/install.sh
# shellcheck source=deploy/local/servers.sh
source deploy/local/servers.sh

say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Installs what is missing, and makes sure that everything started later is stopped at the end.
set_up() {
    trap clean_up EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    need compiler postgres redis rust
    # The checked SQL is in .sqlx: a build needs no database.
    export SQLX_OFFLINE=${SQLX_OFFLINE:-true}
}

clean_up() {
    local status=$?
    trap '' HUP INT TERM
    stop_child
    stop_servers
    exit "$status"
}

# A child runs in its own process group, so that it can be stopped together with its children. The script waits for it in
# the background, because bash runs a trap only after a foreground command has ended.
child=
start_child() {
    set -m
    "$@" </dev/null &
    child=$!
    set +m
}

wait_child() {
    local status=0
    wait "$child" || status=$?
    child=
    return "$status"
}

run_child() {
    start_child "$@"
    wait_child
}

stop_child() {
    local group=$child
    child=
    [ -n "$group" ] && kill -TERM -- "-$group" 2>/dev/null || return 0
    for _ in $(seq 100); do
        kill -0 -- "-$group" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL -- "-$group" 2>/dev/null || true
}
