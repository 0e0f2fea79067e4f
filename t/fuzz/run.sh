#!/bin/bash
# SPDX-License-Identifier: ISC
# What `make fuzz` does: builds the harnesses with clang, libFuzzer and the
# address and undefined behaviour sanitizers in a directory of their own, and
# runs one after the other.  What is found stays there.
#
# usage: t/fuzz/run.sh SOURCE_DIRECTORY RUNS HARNESS...   (t/fuzz/NAME-fuzz)
# The harnesses are those of `make check`, which write down what they make.

set -eu
src=$(cd "$1" && pwd) runs=$2
shift 2
CC=${FUZZ_CC:-clang}
command -v "$CC" >/dev/null || {
	echo 'fuzz: there is no clang: apt-get install clang libclang-rt-14-dev' >&2
	exit 1
}
mkdir -p fuzz
cd fuzz
if [ ! -e Makefile ] || [ "$src/configure" -nt Makefile ]; then
	"$src/configure" --quiet --enable-sanitizers CC="$CC" \
		CFLAGS='-g -O2 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link'
fi
# An archive of nothing in the place of our own main().
rm -f main.a
ar rc main.a
make --quiet -j 2 "$@" FUZZ_MAIN=main.a LDFLAGS='-fsanitize=fuzzer'
# Short traces of who allocated: several times as fast.
export ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=16:malloc_context_size=4}
status=0
for harness; do
	name=$(basename "$harness" -fuzz)
	# Those that are made change with the sources.
	rm -rf "made/$name"
	mkdir -p "corpus/$name" "found/$name" "made/$name"
	"../$harness" --seeds "made/$name"
	seeds=("made/$name")
	[ ! -d "$src/t/fuzz/corpus/$name" ] || seeds+=("$src/t/fuzz/corpus/$name")
	echo "== $name"
	leaks=1
	case $name in
	# libconfig loses memory; to look for it each time costs too much.
	conf) leaks=0 longest=1024 ;;
	# A little more than the longest line, the largest frame.
	face | peer | reply | request) longest=70000 ;;
	frame) longest=98400 ;;
	*) longest=4096 ;;
	esac
	"./$harness" -detect_leaks=$leaks -runs="$runs" -max_len=$longest -timeout=20 -rss_limit_mb=4096 -verbosity=1 \
		-print_final_stats=1 -artifact_prefix="found/$name/" \
		"corpus/$name" "${seeds[@]}" >"$name.log" 2>&1 ||
		{ status=1; echo "fuzz: $name: FOUND, see $PWD/$name.log"; }
	grep -E '^stat::(number_of_executed|average_exec|new_units)|^Done' \
		"$name.log" || true
done
exit $status
