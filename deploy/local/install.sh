# shellcheck shell=bash
# Finds the programs that the scripts of this folder need, and installs those that are missing.

# Installs the named things if they are missing: compiler, cxx, postgres, redis, rust, curl, jq, node, python, protoc,
# java_grpc or go_grpc.
need() {
    local thing missing=()
    for thing in "$@"; do
        "has_$thing" || missing+=("$thing")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "Missing here: ${missing[*]}"
    [ "${missing[*]}" = rust ] || find_package_manager "${missing[@]}"
    for thing in "${missing[@]}"; do
        if [ "$thing" = rust ]; then install_rust; else install_package "$thing"; fi
        "has_$thing" || fail "$thing was installed, but still cannot be found"
    done
}

has_compiler() { command -v cc >/dev/null; }
has_jq() { command -v jq >/dev/null; }
has_cxx() { command -v c++ >/dev/null; }
has_curl() { command -v curl >/dev/null; }
has_node() { command -v node >/dev/null && command -v npm >/dev/null; }
has_protoc() { command -v protoc >/dev/null; }
has_java_grpc() {
    local jar
    while read -r jar; do [ -e "/usr/share/java/$jar.jar" ] || return 1; done <docs/examples/java/debian/jars.txt
    command -v javac >/dev/null && command -v grpc_java_plugin >/dev/null
}
has_go_grpc() {
    command -v go >/dev/null && command -v protoc-gen-go >/dev/null && command -v protoc-gen-go-grpc >/dev/null &&
        [ -d /usr/share/gocode/src/google.golang.org/grpc ] && [ -d /usr/share/gocode/src/gopkg.in/yaml.v3 ]
}
has_python() { python3 -c 'import ensurepip, venv' 2>/dev/null; }
has_redis() { [ -n "${REDIS_URL:-}" ] || redis_program >/dev/null; }
has_postgres() { [ -n "${DATABASE_URL:-}" ] || postgres_programs >/dev/null; }

# Puts a cargo that is new enough first in PATH: the system's, otherwise rustup's.
has_rust() {
    local path
    for path in "$PATH" "${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"; do
        if printf '%s\n' "$(rust_version)" "$(PATH=$path cargo --version 2>/dev/null | cut -d ' ' -f 2)" | sort -CV; then
            PATH=$path
            return
        fi
    done
    return 1
}

rust_version() { sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml; }

redis_program() { command -v redis-server || command -v valkey-server; }

# The directory of Postgres' server programs, which many systems keep out of PATH.
postgres_programs() {
    local initdb
    for initdb in "$(command -v initdb)" /usr/lib/postgresql/*/bin/initdb /usr/lib/postgresql*/bin/initdb \
        /usr/pgsql-*/bin/initdb /{opt/homebrew,usr/local}/opt/postgresql*/bin/initdb; do
        if [ -x "$initdb" ] && [ -x "${initdb%/*}/postgres" ] && [ -x "${initdb%/*}/pg_ctl" ]; then
            echo "${initdb%/*}"
            return
        fi
    done
    return 1
}

# Builds a cargo subcommand of this version into target/tools, unless it is there.
cargo_tool() {
    local tools=$PWD/target/tools
    [ "$("$1" --version 2>/dev/null | grep -o '[0-9.]*$')" = "$2" ] && return
    say "Building $1 $2 (some minutes, once)"
    cargo install --quiet --locked --root "$tools" --target-dir "$tools/build" "$1" --version "$2"
    rm -rf "$tools/build"
}

install_rust() {
    local version script
    version=$(rust_version)
    if command -v rustup >/dev/null; then
        say "Installing Rust $version beside the toolchains that rustup has"
        rustup --quiet toolchain install "$version" --profile minimal
    else
        need curl
        say "Installing rustup and Rust $version into ~/.cargo and ~/.rustup (your shell's start files are left alone)"
        script=$(curl --proto '=https' --tlsv1.2 -sSf https://static.rust-lang.org/rustup/rustup-init.sh) ||
            by_hand "rustup cannot be fetched" rust
        RUSTUP_INIT_SKIP_PATH_CHECK=yes \
            sh -s -- -y --quiet --no-modify-path --profile minimal --default-toolchain "$version" <<<"$script" >/dev/null ||
            by_hand "rustup failed" rust
    fi
    export RUSTUP_TOOLCHAIN=$version
}

# Sets `manager` to the system's package manager, and `sudo` if the package manager needs it. The arguments are the missing
# things, for the message if there is no package manager.
find_package_manager() {
    sudo=
    for manager in apt-get dnf pacman zypper brew none; do
        command -v "$manager" >/dev/null && break
    done
    [ "$manager" != none ] || by_hand "this system's package manager is not known here" "$@"
    if [ "$manager" != brew ] && [ "$(id -u)" -ne 0 ]; then
        sudo=sudo
        command -v sudo >/dev/null || by_hand "installing needs root, and there is no sudo" "$@"
    fi
}

install_package() {
    local thing=$1 names command
    case $manager in
        apt-get) command='apt-get install -y -qq --no-install-recommends' ;;
        dnf) command='dnf install -y -q' ;;
        pacman) command='pacman -Sy --noconfirm --needed' ;;
        zypper) command='zypper --non-interactive --quiet install' ;;
        brew) command='brew install --quiet' ;;
    esac
    case $manager:$thing in
        apt-get:compiler) names='gcc libc6-dev' ;;
        apt-get:cxx) names=g++ ;;
        apt-get:curl) names='curl ca-certificates' ;;
        *:node) names='nodejs npm' ;;
        apt-get:python) names='python3 python3-venv' ;;
        apt-get:redis) names=redis-server ;;
        apt-get:protoc) names=protobuf-compiler ;;
        apt-get:java_grpc) names=$(cat docs/examples/java/debian-packages.txt) ;;
        apt-get:go_grpc) names="$(cat docs/examples/go/debian-packages.txt) golang-gopkg-yaml.v3-dev" ;;
        dnf:redis) names=/usr/bin/redis-server ;; # Redis or Valkey, as the release has it
        pacman:redis) names=valkey ;;
        dnf:postgres | zypper:postgres) names=postgresql-server ;;
        *:postgres) names=postgresql ;;
        dnf:cxx | zypper:cxx) names=gcc-c++ ;;
        *:compiler | *:cxx) names=gcc ;;
        pacman:python) names=python ;;
        *:python) names=python3 ;;
        *) names=$thing ;;
    esac
    # shellcheck disable=SC2086 # words are meant to be split
    {
        if [ "$manager" = apt-get ] && [ -z "${package_lists_are_fresh:-}" ]; then
            say "Running: ${sudo:+$sudo }apt-get update"
            $sudo apt-get update -qq || say "That failed; trying with the package lists as they are"
            package_lists_are_fresh=yes
        fi
        say "Running: ${sudo:+$sudo }$command $names"
        $sudo env DEBIAN_FRONTEND=noninteractive $command $names >/dev/null || by_hand "that failed" "$thing"
    }
}

by_hand() {
    local why=$1 thing
    shift
    {
        printf '%s: %s. Please install by hand, then run this again:\n' "${0##*/}" "$why"
        for thing in "$@"; do
            case $thing in
                compiler) echo "- a C compiler and linker, called 'cc' (gcc or clang, with the C library's headers)" ;;
                cxx) echo "- a C++ compiler, called 'c++' (g++ or clang++)" ;;
                postgres) echo "- PostgreSQL's server, 14 or newer, with 'initdb' in PATH; or name a running one in DATABASE_URL" ;;
                redis) echo "- Redis, 6.2 or newer, with 'redis-server' in PATH; or name a running one in REDIS_URL" ;;
                rust) echo "- Rust, $(rust_version) or newer, with 'cargo' in PATH (https://rustup.rs)" ;;
                python) echo "- Python 3 with its venv module" ;;
                protoc) echo "- the protobuf compiler, 3.15 or newer, with 'protoc' in PATH" ;;
                java_grpc) echo "- gRPC for Java as Debian 12 packages it: docs/examples/java/debian-packages.txt" ;;
                go_grpc) echo "- gRPC and YAML for Go as Debian 12 packages them: docs/examples/go/debian-packages.txt, golang-gopkg-yaml.v3-dev" ;;
                node) echo "- Node.js, 18 or newer, with npm" ;;
                *) echo "- $thing" ;;
            esac
        done
    } >&2
    exit 1
}
