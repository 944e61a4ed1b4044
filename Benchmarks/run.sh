#!/usr/bin/env bash
# Replays a generated log beside ripgrep's search for two patterns in the same file, in turn, five times, and prints the
# median of each and their ratio (above 1: pgvigil is faster). Usage: Benchmarks/run.sh [BINARY] [SIZE] [PROFILE] [LOG]
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${1:-.build/release/pgvigil}
size=${2:-1G}
profile=${3:-busy}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
log=${4:-$folder/$profile.csv}
[ -e "$log" ] || python3 Benchmarks/make-log.py --size "$size" --profile "$profile" --seed 7 --out "$log"
cat "$log" > /dev/null # into the page cache

seconds() { # runs a command, prints wall seconds and peak kilobytes
    python3 - "$@" <<'PY'
import resource, subprocess, sys, time
start = time.monotonic()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
print(time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PY
}

for _ in 1 2 3 4 5; do
    seconds rg -c '28P01|statement: (CREATE|ALTER|DROP|GRANT|REVOKE)' "$log" >> "$folder/rg"
    rm -f "$folder"/store.db*
    seconds "$binary" replay --store "$folder/store.db" "$log" >> "$folder/pgvigil"
done
python3 - "$folder" "$log" "$profile" <<'PY'
import os, statistics, sys
folder, log, profile = sys.argv[1:]
def read(name):
    rows = [tuple(map(float, line.split())) for line in open(f"{folder}/{name}")]
    return statistics.median(r[0] for r in rows), max(r[1] for r in rows)
(rg, _), (own, memory) = read("rg"), read("pgvigil")
size = os.path.getsize(log)
print(f"{profile}, {size / 1e9:.2f} GB, medians of five runs in turn")
print(f"  ripgrep, two patterns   {rg:6.2f} s  {size / rg / 1e6:7.0f} MB/s")
print(f"  pgvigil replay, 2 cores {own:6.2f} s  {size / own / 1e6:7.0f} MB/s  peak {memory / 1000:.0f} MB")
print(f"  ratio (ripgrep's time / ours): {rg / own:.2f}")
PY
