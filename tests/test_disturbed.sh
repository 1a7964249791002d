#!/usr/bin/env bash
# test_disturbed.sh -- a training that other programs disturb: its folder is moved, replaced or deleted, its lock is deleted, its data are cut
# short; and weights that become infinite.  What was good stays good, and nothing is said to be saved that is not.
# usage: tests/test_disturbed.sh [CC] [flags for the compiler...]; prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cc=${1:-cc}
shift || true
python=$(sh "$root/tests/python.sh" numpy)
expect() {                                     # expect CODE TEXT COMMAND...
    local code=$1 text=$2 got
    shift 2
    "$@" >output 2>&1
    got=$?
    [ $got = "$code" ] || fault "exit code $got, expected $code: $*: $(head -3 output)"
    [ -z "$text" ] || grep -q -e "$text" output || fault "no '$text' from: $*: $(head -9 output)"
}
cd "$work" || exit 1
{ sources; echo "$root"/tests/fixtures/tiny_net.c; } | xargs -P 2 -n 4 "$cc" -std=c11 -O1 -ffp-contract=off -fopenmp "$@" $include -c || { fault "does not compile"; exit 1; }
"$cc" "$@" -fopenmp ./*.o -lz -lpng -ljpeg -lm -o tiny || exit 1
"$python" - <<'PYTHON' || exit 1
import os
import numpy as np
rng = np.random.default_rng(2)
os.mkdir("data")
for split, n in (("train", 3000), ("valid", 3000), ("test", 20)):
    x = rng.integers(0, 256, (n, 1, 4, 4)).astype("u1")
    np.save(f"data/{split}_image.npy", x)
    np.save(f"data/{split}_digits.npy", (x[:, 0, :2, 0] > 127) * 2 + (x[:, 0, :2, 1] > 127))
PYTHON
stop=$(kill -l STOP) other=
# stands STEP RUN [options...]: a training that stands still in that step; its process is $other
stands() {
    local step=$1 run=$2
    shift 2
    TINY_RAISE="$step $stop" ./tiny train --data data --run "$run" --epochs 2 "$@" >said 2>&1 &
    other=$!
    wait_for $other "its step" stands_still $other
}
# goes_on CODE TEXT: it goes on, and ends so
goes_on() {
    local code
    kill -CONT $other
    wait $other
    code=$?
    [ $code = "$1" ] || fault "exit code $code, expected $1: $(tail -3 said)"
    [ -z "$2" ] || grep -q -e "$2" said || fault "no '$2': $(cat said)"
}
weights() { ./tiny export --last --run "$1" -o "$1.npz" >output 2>&1 || fault "no weights in $1: $(cat output)"; }
same() { weights "$1"; cmp -s "$1.npz" "$2.npz" || fault "$3: other weights than an undisturbed run"; }
for seed in 1 2; do expect 0 'finished after 2' ./tiny train --data data --run whole$seed --epochs 2 --seed $seed; weights whole$seed; done

# ---- its folder ------------------------------------------------------------------------------------------------------
stands 5 run --seed 1 --save-every 0.001ms
mv run moved
expect 0 'finished after 2' ./tiny train --data data --run run --epochs 2 --seed 2
goes_on 0 'finished after 2'
same moved whole1 "the training whose folder was moved"
same run whole2 "the training in a folder of the same name"
[ "$(wc -l <moved/log.jsonl)/$(wc -l <run/log.jsonl)" = 2/2 ] || fault "logs of $(wc -l moved/log.jsonl run/log.jsonl)"
[ -e moved/report.html ] && [ -z "$(find . -name '.spn-*' -o -name last.new)" ] || fault "left: $(ls -A moved run)"

rm -rf run moved
stands 5 run --seed 1
mv run "moved away"
kill -TERM $other
goes_on 143 "saved.  To go on:"
grep -q -e "--run '.*/moved away' --resume" said || fault "the place that it says: $(tail -1 said)"
mv "moved away" run
expect 0 'finished after 2' ./tiny train --data data --run run --epochs 2 --resume

# A pipe in the place of any file of a run's folder: nothing waits for its other end.
for file in lock log.jsonl messages.txt run.json machine.json last last.previous best report.html curves.png glimpses.jsonl; do
    rm -rf piped && cp -r run piped && rm -f "piped/$file" && mkfifo "piped/$file"
    timeout 120 ./tiny train --data data --run piped --epochs 3 --resume >said 2>&1 </dev/null
    got=$?
    case $file in
    lock | log.jsonl) [ $got = 1 ] && grep -q "piped/$file: expected a regular file or none, got a pipe or a device" said || fault "a pipe as $file: exit code $got: $(cat said)" ;;
    *) [ $got != 124 ] && [ $got -lt 128 ] || fault "a pipe as $file: exit code $got: $(cat said)" ;;
    esac
done
same run whole1 "moved, stopped and gone on"

rm -rf run
stands 5 run --seed 1
rm run/lock
expect 1 'another training is running in this folder' ./tiny train --data data --run run --resume
goes_on 0 'finished after 2'
same run whole1 "without its lock"

rm -rf run
stands 5 run --seed 1
rm -rf run
goes_on 74 'could not be saved'
mkdir run
expect 0 'finished after 2' ./tiny train --data data --run run --epochs 2 --resume
same run whole1 "after its folder was deleted"

# A link that stands for the folder, or for a checkpoint in it, is followed as ever.
rm -rf run real && mkdir real elsewhere && ln -s real run && ln -s ../elsewhere/best real/best && : >elsewhere/best && rm elsewhere/best
: >elsewhere/best
stands 5 run --seed 1 --resume
rm run && ln -s nowhere run
goes_on 0 'finished after 2'
same real whole1 "by a link"
[ -L real/best ] && [ -s elsewhere/best ] || fault "a link in the folder: $(ls -l real elsewhere)"
rm -rf run real elsewhere

# ---- its data --------------------------------------------------------------------------------------------------------
cp -r data good
# cut FILE BYTES: cut short in place
cut() { truncate -s "$2" "data/$1"; }
whole_again() { rm -rf data; cp -r good data; }
for bytes in 128 10000 48127 0; do             # a read behind the end; of the last page; nothing left
    rm -rf run
    stands 5 run --seed 1
    cut train_image.npy $bytes
    goes_on 74 'data/train_image.npy: another program cut this file short.*Epoch 0, update 4 is saved; --resume goes on'
    whole_again
    expect 0 'finished after 2' ./tiny train --data data --run run --epochs 2 --resume
    same run whole1 "data of $bytes bytes"
done
rm -rf run
stands 300 run --seed 1                        # the last step of an epoch: then comes validation
cut valid_image.npy 20000
goes_on 74 'data/valid_image.npy: another program cut this file short.*is saved'
whole_again
expect 0 'finished after 2' ./tiny train --data data --run run --epochs 2 --resume
same run whole1 "cut before validation"
rm -rf run                                     # another file of the same name does not matter
stands 5 run --seed 1
cp data/train_image.npy data/new && truncate -s 200 data/new && mv data/new data/train_image.npy
goes_on 0 'finished after 2'
whole_again
same run whole1 "replaced data"

# ---- its weights -----------------------------------------------------------------------------------------------------
# An update that leaves infinite weights is never saved, however often that is wished.
expect 1 'after update 1: the parameter .* is -*inf, so it is not saved.  There is no checkpoint yet; lower the rate' \
    ./tiny train --data data --run run --epochs 2 --set train.rate=1e39 --save-every 0.001ms --resume --run bad
[ ! -e bad/last ] && [ ! -e bad/best ] || fault "infinite weights are saved: $(ls bad)"

[ $failed = 0 ] && echo "test_disturbed: fine"
exit $failed
