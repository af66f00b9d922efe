# shellcheck shell=bash
# Builds and starts the sandbox, for `run`, `start` and `test`.

sandbox=${CARGO_TARGET_DIR:-target}/debug/sandbox
grpc_address= # start_sandbox sets these three
http_address=
tls_address=

build_sandbox() {
    say "Building the sandbox (the first time, this takes some minutes)"
    run_child cargo build --locked --package sandbox
}

# Starts the sandbox as a child with these arguments, and waits until it serves.
start_sandbox() {
    local ready
    say "Starting the sandbox"
    # nohup: a sandbox in the background outlives the terminal.
    start_child nohup "$sandbox" serve "$@" >"$run_directory/sandbox.out" 2>"$run_directory/sandbox.log"
    wait_until_ready
    grpc_address=${ready#*grpc=} && grpc_address=${grpc_address%% *}
    http_address=${ready#*http=} && http_address=${http_address%% *}
    tls_address=${ready#*tls=} && tls_address=${tls_address%% *}
}

# Waits for the line `ready grpc=HOST:PORT http=HOST:PORT tls=HOST:PORT`.
wait_until_ready() {
    for _ in $(seq 300); do
        ready=$(grep '^ready ' "$run_directory/sandbox.out" || true)
        [ -z "$ready" ] || return 0
        kill -0 "$child" 2>/dev/null || break
        sleep 0.2
    done
    tail -n 30 "$run_directory/sandbox.log" >&2
    fail "the sandbox did not start; the end of its log is above"
}

# The file that describes a sandbox in the background. Other programs read it too.
address_file() {
    [[ $1 =~ ^[a-z0-9][a-z0-9-]*$ ]] || fail "--name: small letters, digits and hyphens"
    echo "target/local/$1.env"
}

# The start time of a process. Together with its id it identifies the process, even if the id is reused.
start_time() { { cut -d ' ' -f 22 "/proc/$1/stat" || LC_ALL=C ps -o lstart= -p "$1"; } 2>/dev/null; }

# Reads one line of an address file.
read_address() { sed -n "s/^SANDBOX_$2=//p" "$1"; }

still_runs() {
    local pid
    [ -e "$1" ] || return 1
    pid=$(read_address "$1" PID) && [ -n "$pid" ] && [ "$(start_time "$pid")" = "$(read_address "$1" BEGAN)" ]
}
