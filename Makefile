# The two commands a newcomer needs are `make demo` and `make test`; both install what is missing first.
SHELL := /bin/bash
BINARY := .build/release/pgvigil
PACKAGES := libpcre2-dev libsqlite3-dev libcurl4-openssl-dev zlib1g-dev libzstd-dev liblzma-dev libbz2-dev liblz4-dev
TEST_PACKAGES := sqlite3 gzip zstd xz-utils bzip2 lz4 python3 fail2ban \
	postgresql-15 postgresql-15-pgaudit pgbouncer libc-ares2 haproxy \
	util-linux iproute2 nftables ipset iptables firewalld ufw systemd \
	prometheus-alertmanager prometheus curl openssl procps python3-venv
BENCH_PACKAGES := ripgrep python3 python3-venv sqlite3 fail2ban pgbadger valgrind

.PHONY: build demo test corpus torture fuzz lint bench clean packages test-packages

build: packages
	swift build -c release --static-swift-stdlib --product pgvigil

# The main job on the logs of samples/: events in a store, alerts, and the block list at the end of the input.
demo: build
	rm -f demo.db demo.db-wal demo.db-shm
	$(BINARY) replay --store demo.db samples
	@echo; echo "# pgvigil alerts --severity high"
	$(BINARY) alerts --store demo.db --severity high
	@echo; echo "# pgvigil blocklist --format plain, while the attacks went on and at the end of the input"
	$(BINARY) blocklist --store demo.db --format plain --at 2026-03-02T14:30:00Z
	@echo; $(BINARY) blocklist --store demo.db --format fail2ban --at 2026-03-03T08:30:00Z

test: packages test-packages lint
	Tests/Lab/get-victorialogs.sh .build/victorialogs
	@.build/sigma/bin/python -c 'import sigma' 2>/dev/null || { python3 -m venv .build/sigma && \
		.build/sigma/bin/pip install --quiet --disable-pip-version-check pysigma; }
	swift build --build-tests
	swift test --skip-build
	.build/debug/pgvigil patterns check
	$(MAKE) --no-print-directory corpus
	python3 Tests/Torture/torture.py .build/debug/pgvigil --kills 20 --size 300k --seed 4
	python3 Tests/Torture/limits.py .build/debug/pgvigil --size 200K
	python3 Tests/Torture/forgery.py .build/debug/pgvigil --rounds 40

# What pgvigil finds in the logs of Tests/Corpus beside what is known to be in them; fails when the two differ.
corpus: packages
	swift build --product pgvigil
	python3 Tests/Corpus/table.py .build/debug/pgvigil
	python3 Tests/Corpus/alerts.py .build/debug/pgvigil

# Kills `watch` thousands of times while its log is rotated, fills its disk, locks its store, and compares with a replay;
# writes what attackers may write, and lines of 10 GB.
torture: build
	python3 Tests/Torture/forgery.py $(BINARY) --rounds 2000 --all-output
	python3 Tests/Torture/limits.py $(BINARY) --size 64M
	python3 Tests/Torture/limits.py $(BINARY) --size 5G --only 'without end'
	for seed in 1 2 3 4 5; do python3 Tests/Torture/torture.py $(BINARY) --kills 400 --size 3M --seed $$seed || exit 1; done
	for seed in 6 7 8; do python3 Tests/Torture/torture.py $(BINARY) --kills 200 --size 2M --seed $$seed --faults || exit 1; done

# Looks for inputs that break what must hold for any, SECONDS for each property; goes on from what it found before.
SECONDS := 300
FUZZ := ASAN_OPTIONS=detect_leaks=0 .build/fuzz/release/fuzz
fuzz: packages
	ASAN_OPTIONS=detect_leaks=0 swift build -c release --package-path Tests/Fuzz --scratch-path .build/fuzz --sanitize address -Xswiftc -sanitize-coverage=edge,indirect-calls,trace-cmp,inline-8bit-counters,pc-table \
		-Xlinker $$(ls $$(dirname $$(readlink -f $$(command -v swift)))/../lib/clang/*/lib/linux/libclang_rt.fuzzer_no_main-$$(uname -m).a)
	$(FUZZ) --seeds .build/fuzz/inputs
	@for property in records rows sql patterns configuration rules archives texts; do \
		$(FUZZ) $$property -max_total_time=$(SECONDS) -timeout=20 -rss_limit_mb=2048 -detect_leaks=0 -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=.build/fuzz/broken- .build/fuzz/inputs/$$property || exit 1; done

lint:
	swift format lint --strict --recursive Package.swift Sources Tests Plugins

# Speed beside other programs, how live `watch` is, how cost grows, and questions to ten million events: half an hour.
bench: build
	@dpkg -s $(BENCH_PACKAGES) >/dev/null 2>&1 || $(MAKE) --no-print-directory install NAMES="$(BENCH_PACKAGES)"
	@.build/bench/bin/python -c 'import duckdb' 2>/dev/null || { python3 -m venv .build/bench && \
		.build/bench/bin/pip install --quiet --disable-pip-version-check duckdb; }
	python3 Benchmarks/compare.py $(BINARY) --peers --instructions --python .build/bench/bin/python
	python3 Benchmarks/live.py $(BINARY)
	python3 Benchmarks/scale.py $(BINARY)
	python3 Benchmarks/queries.py $(BINARY)

packages:
	@dpkg -s $(PACKAGES) >/dev/null 2>&1 || $(MAKE) --no-print-directory install NAMES="$(PACKAGES)"

test-packages:
	@dpkg -s $(TEST_PACKAGES) >/dev/null 2>&1 || $(MAKE) --no-print-directory install NAMES="$(TEST_PACKAGES)"
	@for server in postgresql crowdsec; do Tests/Lab/beside.sh $$server .build/lab || exit 1; done

.PHONY: install
install:
	@root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	$$root apt-get update -qq && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(NAMES)

clean:
	rm -rf .build demo.db*
