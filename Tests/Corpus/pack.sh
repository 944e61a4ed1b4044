#!/bin/sh
# Makes <run>.tar.xz of every run of a labelled corpus: its logs under logs/, what is known of it under truth/.
#
#     pack.sh CORPUS
#
# The same corpus gives the same archives. etcd.log is left out: pgvigil does not read it.
set -eu
corpus=${1:?the folder with one folder a run}
here=$(cd "$(dirname "$0")" && pwd)

for run in "$corpus"/*/; do
    name=$(basename "$run")
    (cd "$run" && find . -type f ! -name etcd.log | sort) |
        tar -C "$run" -T - --owner=0 --group=0 --numeric-owner --mode=0644 --mtime='2026-03-02 00:00Z' \
            --transform='s,^\./\(README\.md\|truth\),truth/\1,' --transform='s,^\./,logs/,' -cf - |
        xz -9e > "$here/$name.tar.xz"
done
