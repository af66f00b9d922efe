# Short names for the scripts in deploy/local. Each script explains itself with --help or in its first lines.

# List the commands.
default:
    @just --list

# Serve a made-up world in the foreground and play the demo.
run *ARGS:
    deploy/local/run {{ARGS}}

# Run every test; arguments go to `cargo test`.
test *ARGS:
    deploy/local/test {{ARGS}}

# Start a sandbox in the background, for the tests of a frontend.
start *ARGS:
    deploy/local/start {{ARGS}}

# Stop the sandbox that `start` left running.
stop *ARGS:
    deploy/local/stop {{ARGS}}

# Run every check of CI.
ci:
    bash .ci/run

# Format the code.
fmt:
    cargo fmt

# Check the documents: links, tables, names, changelog.
check-docs *ARGS:
    deploy/local/check-docs {{ARGS}}

# Play the contract cases with four runners.
contract *ARGS:
    deploy/local/contract {{ARGS}}

# Test with the tokens of npm's oidc-provider.
provider *ARGS:
    deploy/local/provider {{ARGS}}

# Do what the documents say, against sandboxes of their own.
examples:
    deploy/local/examples

# Run this version beside the newest release.
compatibility:
    deploy/local/compatibility

# Write what is made from proto/.
descriptors *ARGS:
    deploy/local/descriptors {{ARGS}}

# Write .sqlx, what Postgres says of each checked query.
sqlx-prepare *ARGS:
    deploy/local/sqlx-prepare {{ARGS}}

# Make certificates for development.
certificates *ARGS:
    deploy/local/certificates {{ARGS}}

# Measure the service beside its limits.
bench *ARGS:
    deploy/local/bench {{ARGS}}

# Measure ways to build the service.
build-figures *ARGS:
    deploy/local/build-figures {{ARGS}}

# Fuzz the parsers.
fuzz *ARGS:
    deploy/local/fuzz {{ARGS}}

# Measure what the time of a refusal tells.
no-oracle *ARGS:
    deploy/local/no-oracle {{ARGS}}

# Search dumps for a PIN, a CPR number and a mobile number.
dump-trials:
    deploy/local/dump-trials
