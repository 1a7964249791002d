#!/usr/bin/env bash
# test_splits.sh -- data without a validation split, or with nothing to train on alone, train: the epoch of the least training loss is kept, all that
# would show validation is left out, and a stopped run goes on to the same bits.
# usage: tests/test_splits.sh [CC] [flags for the compiler...]; prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cc=${1:-cc}
shift || true
cd "$work" || exit 1
{ sources; echo "$root/tests/fixtures/tiny_net.c"; } |
    xargs -P 2 -n 4 "$cc" -std=c11 -O1 -ffp-contract=off -fopenmp "$@" $include -c || { fault "does not compile"; exit 1; }
"$cc" "$@" -fopenmp ./*.o -lz -lpng -ljpeg -lm -o tiny || exit 1
expect() {                                     # expect CODE TEXT COMMAND...
    local code=$1 text=$2 got
    shift 2
    "$@" >output 2>&1
    got=$?
    [ $got = "$code" ] || fault "exit code $got, expected $code: $*: $(head -3 output)"
    [ -z "$text" ] || grep -q -e "$text" output || fault "no '$text' from: $*: $(head -9 output)"
}
mkdir both alone half
for split in train test; do
    n=$([ $split = train ] && echo 57 || echo 20)
    bytes $((16 * n)) 3 256 | npy '|u1' "$n, 1, 4, 4" >both/${split}_image.npy
    bytes $((2 * n)) 4 4 | npy '|u1' "$n, 2" >both/${split}_digits.npy
done
cp both/train_* alone
cp both/train_* half
cp both/test_image.npy half/valid_image.npy

expect 0 'finished after 4 epochs; best: epoch [0-3], training loss [0-9.]*$' ./tiny train --data both --run a --epochs 4 --threads 1
grep -q 'warning: both has no validation split.*least training loss' output || fault "no warning: $(cat output)"
grep -q 'valid' <(grep -v warning output) && fault "validation is shown: $(cat output)"
grep -q '^epoch 0  train loss [0-9.]*  train error [0-9.]* %  rate' output || fault "the line of an epoch: $(cat output)"
grep -q '"valid_loss": null, "valid_error": null' a/log.jsonl || fault "log.jsonl: $(head -1 a/log.jsonl)"
[ -e a/best ] || fault "no best"
grep -qi 'nan\|validation error\|validation loss' a/report.html && fault "report.html shows a validation: $(grep -oi '.\{40\}\(nan\|validation error\).\{20\}' a/report.html | head -3)"
grep -q 'best training loss' a/report.html && grep -q 'test error' a/report.html || fault "report.html has no training loss, or no test"
expect 0 '"split": "test"' ./tiny eval --data both --run a --split test --json
expect 1 'valid_image.npy: there is no such file' ./tiny eval --data both --run a --split valid
expect 0 '' ./tiny report --run a --data both

# alone: nothing to test on either
expect 0 'finished after 4 epochs' ./tiny train --data alone --run b --epochs 4 --threads 2
grep -q 'training error' b/report.html || fault "report.html of a training split alone"
./tiny export --run a -o a.npz && ./tiny export --run b -o b.npz && cmp -s a.npz b.npz || fault "the test split, or threads, change the run"

# stopped and gone on, to the same bits; patience counts training losses
expect 0 'saved\.  To go on' ./tiny train --data both --run c --epochs 4 --threads 1 --max-time 0.001ms
for _ in 1 2 3 4; do ./tiny train --data both --run c --epochs 4 --threads 2 --resume --max-time 0.001ms >output 2>&1; done
expect 0 'finished' ./tiny train --data both --run c --epochs 4 --resume
./tiny export --run c -o c.npz && cmp -s a.npz c.npz || fault "gone on: other weights"
expect 0 'out of patience' ./tiny train --data both --run d --epochs 400 --threads 1 --set train.patience=2 --set train.rate=0.1
# half a split is none that was meant
expect 1 'half/valid_digits.npy: there is no such file' ./tiny train --data half --run x --epochs 1
[ $failed = 0 ] && echo "test_splits: fine"
exit $failed
