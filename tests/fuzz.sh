#!/usr/bin/env bash
# fuzz.sh -- libFuzzer on the compiler, from reader to emitted C, under the address and undefined-behaviour sanitizers.
# usage: tests/fuzz.sh [SECONDS [FOLDER]]      60 seconds, build/fuzz, if not given; needs clang and its fuzzer runtime, and build/spnc
# Seeds are tests/corpus, the models, and tests/errors. FOLDER keeps what was found: corpus/, and in findings/ what ended the fuzzer.
# A finding goes to tests/corpus with its fix; test_fuzz.c replays that folder in every run of the tests.
# Exit codes: 0 nothing found, 1 a finding, 74 no clang or no fuzzer runtime, or it was stopped.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
seconds=${1:-60} folder=${2:-$root/build/fuzz}
mkdir -p "$folder"/{objects,corpus,findings} && cd "$folder" || exit 74
flags="-std=gnu11 -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -Wall -Wextra -Wpedantic -Wshadow -Werror $(pkg-config --cflags yaml-0.1 lua5.4 zlib)"
if ! echo 'int LLVMFuzzerTestOneInput(const char *b, unsigned long n) { return b && n > 9 ? 0 : 0; }' |
    clang -x c -fsanitize=fuzzer,address - -o objects/probe 2>/dev/null; then
    echo "fuzz: needs clang with libFuzzer (Debian: apt install clang libclang-rt-dev)"
    exit 74
fi
objects=()
while read -r source; do
    object=${source#"$root"/}
    object=objects/$(echo "${object%.c}" | tr / -).o
    objects+=("$object")
    [ "$object" -nt "$source" ] && [ -z "$(find "$root/compiler" -name '*.h' -newer "$object" -o -name '*.def' -newer "$object")" ] || printf '%s\n' "$source" "$object"
done < <(find "$root/compiler" -name '*.c' ! -name main.c; ls "$root"/build/embedded_*.c "$root"/tests/fuzz_{model,mutator}.c
    sed -n 's/^set(READERS \(.*\))/\1/p' "$root/CMakeLists.txt" | tr ' ' '\n' | sed "s|^|$root/|") >objects/stale
# shellcheck disable=SC2086
xargs -r -P 2 -n 2 sh -c 'clang '"$flags"' -I"$0/compiler" -I"$0/runtime" -I"$0/trainer" -c "$1" -o "$2"' "$root" <objects/stale &&
    clang -fsanitize=fuzzer,address,undefined "${objects[@]}" $(pkg-config --libs yaml-0.1 lua5.4 zlib) -lm -o fuzz_model || exit 1
# the language's words, each in quotes
grep -rhoE '^(OP|LOSS)\([a-z_0-9]+' "$root/compiler/ops/ops.def" | sed 's/.*(//; s/.*/"&"/' >words
grep -ohE '"[a-z_]{2,16}"' "$root"/compiler/{graph,read,ops}/*.c | sort -u >>words
printf '"%s"\n' ': { ' ' }' '[' ']' ', ' '\x0a  - ' '\x0a    ' '$d' '$t' '//' 'floor(' 'min(' '0' '1' '3' '-1' '1e9' '4096' '2147483648' >>words
UBSAN_OPTIONS=print_stacktrace=1 ./fuzz_model -dict=words -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=1536 -print_final_stats=1 \
    -artifact_prefix=findings/ corpus "$root/tests/corpus" "$root/models" "$root/tests/errors" "$root/tests/oracle/nets" "$root/tests/golden" >log 2>&1
code=$?
tail -n 40 log | grep -E '^(stat::|SUMMARY|DONE|Done|fuzz_model)|ERROR'
[ $code = 0 ] || [ -n "$(ls findings)" ] || { echo "fuzz: stopped before its time, no finding; exit code $code of the fuzzer"; exit 74; }
[ $code = 0 ] || echo "fuzz: a finding in $folder/findings; $folder/log has its trace"
[ $code = 0 ] || exit 1
