#!/bin/bash
# test_replay.sh -- a NaN or an infinity in training: the operator is named, the batch is kept, and replay finds the same again.
# The rate is so high that the first update leaves weights whose products overflow.
. "$(dirname "$0")/environment.sh"
set -eu
spnc=${SPNC:-build/spnc}
data=${SPN_DATA:-$(dirname "$spnc")/spn-data}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "test_replay: $*" >&2; exit 1; }

"$spnc" build models/mnist.yaml -o "$folder/net"
"$data" make --single --drawn --train 200 --valid 100 --test 100 -o "$folder/data" >/dev/null
net=$folder/net/mnist
code=0
"$net" train --data "$folder/data" --run "$folder/run" --epochs 2 --set train.rate=1e19 --quiet 2>"$folder/said" || code=$?
[ $code = 1 ] || fail "training with overflowing weights ended with $code, not 1"
grep -q 'models/mnist.yaml:[0-9]*: classify_[a-z0-9_]* (forward) made the first bad number' "$folder/said" || fail "the culprit was not named: $(cat "$folder/said")"
grep -q 'read classify\.[a-z0-9]*\.weight: [0-9]* numbers from' "$folder/said" || fail "the ranges of what went in were not given"
code=0
"$net" replay "$folder/run/nonfinite.npz" >"$folder/again" || code=$?
[ $code = 1 ] || fail "replay ended with $code, not 1"
# training says also which row of the data file the example is, which a batch that was kept does not hold
sed "s/ ([0-9]* of [^)]*)//" "$folder/said" >"$folder/same"
grep -qxF "$(head -1 "$folder/again")" "$folder/same" || fail "replay named another culprit: $(head -1 "$folder/again")"

# A healthy batch: the same weights file with initial weights has nothing to find.
python3 - "$folder" <<'PYTHON'
import sys, zipfile
folder = sys.argv[1]
with zipfile.ZipFile(folder + "/run/nonfinite.npz") as old, zipfile.ZipFile(folder + "/zero.npz", "w") as new:
    new.comment = old.comment
    for name in old.namelist():
        data = old.read(name)
        if name.startswith("weights/"):
            header = 10 + int.from_bytes(data[8:10], "little")
            data = data[:header] + bytes(len(data) - header)
        new.writestr(name, data)
PYTHON
"$net" replay "$folder/zero.npz" | grep -q 'every number of this batch is finite' || fail "replay found something in a batch of zeros"
head -c 1000 "$folder/run/nonfinite.npz" >"$folder/cut.npz"
code=0
"$net" replay "$folder/cut.npz" 2>/dev/null || code=$?
[ $code = 1 ] || fail "a truncated file ended replay with $code, not 1"
