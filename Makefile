# The front door: what is behind it is Meson (meson.build) and the scripts in tools/.
#
#   make run [CAPTURE=my.pcap]    make test    make help

BUILD = build
CAPTURE = tests/golden/demo.pcap
PREFIX = /usr/local
DESTDIR =
FUZZ_SECONDS = 60

help:
	@echo "make run [CAPTURE=FILE]   build, read the bundled capture (or yours) and show the report"
	@echo "make build                the program at $(BUILD)/weir"
	@echo "make test                 every test; the last line is: N passed, N failed"
	@echo "make prove                the long counts too; log in $(BUILD)/prove.log"
	@echo "make bench                cost beside tcpdump, nfpcapd, tcpflow and tshark"
	@echo "make fuzz                 every fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)"
	@echo "make lint                 the rules of docs/STYLE.md that a machine can check"
	@echo "make format               clang-format over src, fuzz and bench"
	@echo "make install              PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)"
	@echo "make clean                removes $(BUILD)/"

setup:
	@tools/setup

build: setup
	@test -f $(BUILD)/build.ninja || CC=$${CC:-gcc} meson setup $(BUILD)
	@ninja -C $(BUILD) weir
	@tools/fetch_duckdb $(BUILD)/lib

run: build
	@tools/run_capture $(BUILD) "$(CAPTURE)"

test:
	@tools/setup --test
	@python3 tools/run_tests.py --build $(BUILD)

prove:
	@tools/setup --test
	@mkdir -p $(BUILD)
	@bash -o pipefail -c 'python3 tools/run_tests.py --build $(BUILD) --long 2>&1 | tee $(BUILD)/prove.log'

bench: build
	@tools/setup --bench
	@WEIR="$(abspath $(BUILD))/weir" python3 bench/run.py

fuzz:
	@tools/setup --test
	@python3 tools/run_tests.py --build $(BUILD) --fuzz-seconds $(FUZZ_SECONDS) fuzz

lint:
	@python3 tools/tidy.py

format:
	@python3 tools/tidy.py --format

install: build
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/lib/weir"
	install -m 755 $(BUILD)/weir "$(DESTDIR)$(PREFIX)/bin/weir"
	install -m 644 $(BUILD)/lib/libduckdb.so "$(DESTDIR)$(PREFIX)/lib/weir/libduckdb.so"

clean:
	rm -rf $(BUILD)

.PHONY: help setup build run test prove bench fuzz lint format install clean
