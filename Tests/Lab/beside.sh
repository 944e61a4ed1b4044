#!/usr/bin/env bash
# Unpacks servers that cannot or should not be installed, for tests; nothing of the system is changed.
#   beside.sh postgresql DIR    PostgreSQL 17 of Debian 13, with the C library that it needs
#   beside.sh crowdsec DIR      CrowdSec of Debian 12; installed, it would register with a server on the internet
# A second call finds what the first left.
set -euo pipefail
what=${1:?usage: beside.sh postgresql|crowdsec DIR}
dir=$(realpath -m "${2:?usage: beside.sh postgresql|crowdsec DIR}")/$what
case $what in
postgresql)
    suite=trixie
    # Of the program's libraries all, since none of the system's fits another C library.
    packages="postgresql-17 postgresql-client-17 tzdata libc6 libgcc-s1 libstdc++6 libgssapi-krb5-2 libkrb5-3 libk5crypto3
        libkrb5support0 libcom-err2 libkeyutils1 libicu76 libldap2 libsasl2-2 liblz4-1 libpam0g libaudit1 libcap-ng0
        libpq5 libselinux1 libpcre2-8-0 libssl3t64 libsystemd0 libcap2 libuuid1 libxml2 libxslt1.1 libzstd1 libxxhash0
        liblzma5 libgcrypt20 libgpg-error0 zlib1g" ;;
crowdsec)
    suite=bookworm
    packages=crowdsec ;;
*) echo "beside.sh: $what is not known" >&2; exit 2 ;;
esac
# One at a time; who waits finds it ready.
mkdir -p "$(dirname "$dir")"
exec 9>"$dir.lock"
flock 9
[[ -e $dir/ready ]] && exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$dir"
mkdir -p "$dir" "$work"/{lists/partial,debs}
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 2>/dev/null | grep -m1 -E '/debian/?$' || true)
[[ -n $mirror ]] || { echo "beside.sh: no Debian mirror in the system's apt sources" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/$suite.list"
apt=(-o "Dir::Etc::sourcelist=$work/$suite.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
apt-get "${apt[@]}" -qq update
# shellcheck disable=SC2086
(cd "$work/debs" && apt-get "${apt[@]}" -qq download $packages)
for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$dir"; done
if [[ $what == postgresql ]]; then
    # Started by their own loader. initdb asks for `postgres` beside it, so that name must run as well.
    programs=$dir/usr/lib/postgresql/17/bin
    for program in postgres initdb; do
        mv "$programs/$program" "$programs/$program.elf"
        cat >"$programs/$program" <<'SCRIPT'
#!/bin/sh
root=${0%/usr/lib/postgresql/17/bin/*}
libraries=$(echo "$root"/usr/lib/*-linux-gnu)
loader=$(echo "$libraries"/ld-linux-*.so.*)
exec "$loader" --library-path "$libraries" --argv0 "$0" "$0.elf" "$@"
SCRIPT
        chmod 755 "$programs/$program"
    done
    rm -rf "$dir"/usr/share/{doc,man,locale,postgresql/17/man}
fi
touch "$dir/ready"
