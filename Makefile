# The front door. meson builds, the scripts named here do the rest; each of them says how it is used.
BUILD = build
FUZZ_SECONDS = 60

.PHONY: run program all test lint asan fuzz corpus coverage bench install deps clean

run: program
	$(BUILD)/postern serve -c etc/demo.conf --foreground

program:
	packaging/deps build
	test -f $(BUILD)/build.ninja || meson setup $(BUILD)
	ninja -C $(BUILD) postern

all:
	packaging/deps build test
	test -f $(BUILD)/build.ninja || meson setup $(BUILD)
	ninja -C $(BUILD)

test: all
	test/run $(BUILD)

lint: all
	lint/run $(BUILD)

asan:
	packaging/deps build test
	test -f build-asan/build.ninja || meson setup build-asan -Db_sanitize=address,undefined
	test/run build-asan

fuzz:
	packaging/deps build fuzz
	test/fuzz/run --seconds $(FUZZ_SECONDS)

# Keeps of what `make fuzz` found what reaches new code, within a limit, for test/fuzz/corpus.
corpus:
	test/fuzz/run --keep

coverage:
	packaging/deps build test coverage
	test -f build-coverage/build.ninja || meson setup build-coverage -Db_coverage=true
	test/run build-coverage
	gcovr --root . --object-directory build-coverage --filter src/ --sort-uncovered --print-summary

bench: all
	bench/run

install: program
	meson install -C $(BUILD) --no-rebuild

deps:
	packaging/deps

clean:
	rm -rf build build-asan build-fuzz build-coverage
