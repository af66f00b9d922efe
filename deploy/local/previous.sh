# shellcheck shell=bash
# Finds the newest release in deploy/contract/releases.toml, and builds its binary.

# Sets `version` and `commit`.
find_release() {
    read -r version commit < <(sed -n 's/^"\(.*\)" = "\(.*\)"$/\1 \2/p' deploy/contract/releases.toml | tail -n 1)
    [ -n "$commit" ] || fail "deploy/contract/releases.toml names no release"
}

# Builds the release's binary from its commit, once. Sets `release_binary` to its path.
build_release() {
    local source=target/previous/$commit
    release_binary=$PWD/$source/temporary-pin
    [ ! -x "$release_binary" ] || return 0
    # A shallow clone may lack the commit.
    git cat-file -e "$commit^{commit}" 2>/dev/null || git fetch --quiet --depth 1 origin "$commit" ||
        fail "commit $commit, which is $version, is not in this clone: 'git fetch --unshallow', or 'git fetch origin $commit'"
    say "Building $version from its commit, for comparison (once; takes some minutes)"
    rm -rf "$source" && mkdir -p "$source"
    git archive "$commit" | tar -x -C "$source"
    # Use the same target directory, so that unchanged dependencies are not built again.
    run_child env CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}" \
        cargo build --quiet --locked --manifest-path "$source/Cargo.toml" --bin temporary-pin
    # Move the binary away: the next build of this tree writes to the same path.
    mv "${CARGO_TARGET_DIR:-target}/debug/temporary-pin" "$release_binary"
}
