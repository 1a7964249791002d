#!/usr/bin/env bash
# test_mutate.sh -- damaged checkpoints, .npz, .npy, .safetensors, IDX, PNG, JPEG and PNM files under the address and undefined-behaviour
# sanitizers: each is refused with a reason, or loaded, and nothing is found.
# usage: tests/test_mutate.sh [COUNT [SEED]]    2400 files, seed 1, if not given
. "$(dirname "$0")/begin.sh"
mkdir "$work/files" && cd "$work" || exit 1
flags="-std=c11 -O1 -g -ffp-contract=off -fopenmp -fsanitize=address,undefined -fno-sanitize-recover=undefined -Wall -Wextra -Wpedantic -Wshadow -Werror"
# shellcheck disable=SC2086
printf '%s\n' "$root"/trainer/{files/{array_io,container,array_file,array_npz,array_safetensors,json,text,pixels,decode,decode_png,decode_jpeg,decode_pnm,picture,nearest},run/{checkpoint,field,names,run,run_file,transfer,settings,weights,data,torn},inspect/{image_file,stream}}.c \
    "$root/trainer/data/idx.c" "$root/runtime/ranks.c" "$root/tests/fixtures/tiny_net.c" "$root/tests/mutate.c" |
    xargs -P 2 -n 3 cc $flags $include -I"$root/tests" -c && cc $flags ./*.o -lz -lpng -ljpeg -lm -o mutate || { echo "test_mutate: does not compile"; exit 1; }
# Memory that fail() leaves where it does not end the program is no leak.  256 MB is more than any of these files may need.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=256 UBSAN_OPTIONS=print_stacktrace=1
if ! ./mutate "${1:-2400}" "${2:-1}" files >output 2>&1; then
    tr '\r' '\n' <output | tail -60
    kept=$(mktemp -d) && cp -r files/. "$kept" && echo "test_mutate: a finding; the files are kept in $kept"
    exit 1
fi
tr '\r' '\n' <output | grep '^mutate:'
