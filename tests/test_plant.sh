#!/usr/bin/env bash
# test_plant.sh -- a NaN planted in every operator and pass of emitted nets (plant.py): the trainer stops, and it and `replay` name
# that operator and that pass.
# usage: tests/test_plant.sh [NET...]    nets of tests/oracle/nets; options and samplers if not given.  SPNC names the compiler.
. "$(dirname "$0")/environment.sh"
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
spnc=${SPNC:-$root/build/spnc}
python=$(sh "$root/tests/python.sh" numpy yaml)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
[ $# -gt 0 ] || set -- options samplers
for net in "$@"; do
    model=$root/tests/oracle/nets/$net.yaml
    "$spnc" emit "$model" --batch 6 -o "$work/$net" >"$work/output" && "$python" "$root/tests/plant.py" write "$work/$net/$net.c" >>"$work/output" &&
        make -C "$work/$net" CFLAGS=-O1 >>"$work/output" 2>&1 && "$python" "$root/tests/oracle/make_data.py" "$model" -o "$work/$net/data" &&
        for file in "$work/$net"/data/test_*; do cp "$file" "${file/\/test_//valid_}"; done &&
        "$python" "$root/tests/plant.py" run "$work/$net/$net" "$work/$net/data" || { cat "$work/output"; failed=1; }
done
[ $failed = 0 ] && echo "test_plant: fine"
exit $failed
