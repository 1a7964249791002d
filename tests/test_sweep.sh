#!/usr/bin/env bash
# test_sweep.sh -- a grid of trainings: every combination once, interrupted and resumed to the same bits, a table of the results.
# usage: tests/test_sweep.sh [CC] [flags for the compiler...]; prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cc=${1:-cc}
shift || true
python=$(sh "$root/tests/python.sh" numpy yaml)
expect() {                                     # expect CODE TEXT COMMAND...
    local code=$1 text=$2 got
    shift 2
    "$@" >output 2>&1
    got=$?
    [ $got = "$code" ] || fault "exit code $got, expected $code: $*: $(head -3 output)"
    [ -z "$text" ] || grep -q -e "$text" output || fault "no '$text' from: $*: $(head -9 output)"
}
cd "$work" || exit 1
{ sources; echo "$root"/tests/fixtures/tiny_net.c; echo "$root"/tests/fixtures/clock.c; } |
    xargs -P 2 -n 4 "$cc" -std=c11 -O1 -ffp-contract=off -fopenmp "$@" $include -c || { fault "does not compile"; exit 1; }
"$cc" "$@" -fopenmp ./*.o -Wl,--wrap=clock_gettime -lz -lpng -ljpeg -lm -o tiny || exit 1
"$python" - <<'PYTHON' || exit 1
import os
import numpy as np
rng = np.random.default_rng(2)
os.mkdir("data"); os.mkdir("long")
for folder, n in (("data", 60), ("long", 60000)):
    for split, m in (("train", n), ("valid", 40), ("test", 20)):
        x = rng.integers(0, 256, (m, 1, 4, 4)).astype("u1")
        np.save(f"{folder}/{split}_image.npy", x)
        np.save(f"{folder}/{split}_digits.npy", (x[:, 0, :2, 0] > 127) * 2 + (x[:, 0, :2, 1] > 127))
PYTHON
cat >grid <<'GRID'
# a small grid
train.rate: [0.01, 0.001]
seed: [1, 2, 3]
epochs: 4
GRID
# by a clock of which each reading takes 2 ms: so does each step, of one run and of two at once
expect 0 '6 runs in runs' env SPN_CLOCK=2 ./tiny sweep grid --data data --runs runs --threads 2
grep -q '^a step takes 2 ms with 2 threads, 1 ms if 2 run at once with 1 each: so 2 runs at a time$' output || fault "the choice: $(cat output)"
[ "$(ls -d runs/*/ | wc -l)" = 6 ] || fault "runs: $(ls runs)"
[ "$(grep -c '^rate 0.0*1, epochs 4  *3 / 3' output)" = 2 ] || fault "no table: $(cat output)"
"$python" - <<'PYTHON' || fault "sweep.json"
import json, statistics
t = json.load(open("runs/sweep.json"))
assert t["measure"] == "valid_error" and t["answers"] == 80 and [r["settings"] for r in t["rows"]] == ["rate 0.01, epochs 4", "rate 0.001, epochs 4"], t
for row in t["rows"]:
    best = []
    for run in row["runs"]:
        lines = [json.loads(l) for l in open(f"runs/{run['run']}/log.jsonl")]
        assert run["done"] and run["epochs"] == 4 == len(lines)
        best.append(min(l["valid_error"] for l in lines))
        assert run["best"] == best[-1] == lines[run["best_epoch"]]["valid_error"]
        assert json.load(open(f"runs/{run['run']}/run.json"))["train"]["rate"] == float(row["settings"].split()[1][:-1])
    assert abs(row["mean"] - statistics.mean(best)) < 1e-12 and abs(row["spread"] - statistics.stdev(best)) < 1e-12
    assert row["low"] < row["mean"] < row["high"]
PYTHON
grep -q '^| rate 0.001, epochs 4 | 3 / 3 | ' runs/sweep.md || fault "sweep.md: $(cat runs/sweep.md)"

# Once more: nothing is trained again; a run that is missing is made again, to the same bits.
for run in runs/*/; do ./tiny export --last --run "$run" -o "$(basename "$run").npz"; done
cp runs/rate-0.01_epochs-4_seed-2/log.jsonl before 2>/dev/null || fault "names of runs: $(ls runs)"
rm -r runs/rate-0.001_epochs-4_seed-3
expect 0 '3 / 3' ./tiny sweep grid --data data --runs runs --threads 1
cmp -s runs/rate-0.01_epochs-4_seed-2/log.jsonl before || fault "a finished run was trained again"
./tiny export --last --run runs/rate-0.001_epochs-4_seed-3 -o again.npz && cmp -s again.npz rate-0.001_epochs-4_seed-3.npz || fault "another run from the same settings"

# Interrupted while a training stands still in its fifth step: it gets the signal, saves when it goes on, and no other is begun.
printf 'rate: [0.01, 0.001]\nepochs: 2\n' >slow
TINY_RAISE="5 $(kill -l STOP)" ./tiny sweep slow --data long --runs cut --threads 1 >output 2>&1 &
sweep=$! training=
wait_for $sweep "a training" child_of $sweep && training=$(child_of $sweep) && wait_for $sweep "its fifth step" stands_still "$training" && kill -INT $sweep &&
    wait_for $sweep "the signal handed on" has_pending "$training" "$(kill -l INT)"
kill -CONT "$training" || kill $sweep
wait $sweep
code=$?
[ $code = 130 ] || fault "interrupted: exit code $code: $(cat output)"
grep -q 'stopped by signal 2; every training has saved' output && grep -q 'tiny sweep slow --data long --runs cut' output || fault "does not say how to go on: $(cat output)"
[ -e cut/rate-0.01_epochs-2/last ] || fault "an interrupted training has not saved: $(ls -R cut)"
[ ! -e cut/rate-0.001_epochs-2 ] || fault "a training was begun after the signal"
expect 0 '1 / 1' ./tiny sweep slow --data long --runs cut --threads 2
./tiny export --last --run cut/rate-0.01_epochs-2 -o cut.npz
./tiny train --data long --run whole --set train.rate=0.01 --epochs 2 --threads 2 >output 2>&1 && ./tiny export --last --run whole -o whole.npz
cmp -s cut.npz whole.npz || fault "an interrupted sweep has other bits"

# A value is what is read, not how it is spelt: the runs of another spelling of the same grid are these runs, in any YAML.
cat >again <<'GRID'
---
train:
  rate:
  - 1e-2        # 0.01
  - "0.0010"
seed: [
  01, 0x2,
  +3,           # the last comma may stand there
]
train.epochs: 4
GRID
expect 0 '^6 runs in runs' ./tiny sweep again --data data --runs runs --threads 1
[ "$(ls -d runs/*/ | wc -l)" = 6 ] || fault "another spelling makes other runs: $(ls runs)"
[ "$(grep -c ' 3 / 3' output)" = 2 ] && cmp -s runs/rate-0.01_epochs-4_seed-2/log.jsonl before || fault "another spelling: $(cat output)"
# Folders that an older version named by the spelling are found.
mv runs/rate-0.001_epochs-4_seed-3 runs/rate-1e-3_epochs-4_seed-3
printf 'rate: [1e-3]\nepochs: 4\nseed: 3\n' >old
expect 0 'rate-1e-3_epochs-4_seed-3: 4 epochs' ./tiny sweep old --data data --runs runs --threads 1
[ ! -e runs/rate-0.001_epochs-4_seed-3 ] || fault "a run of an older version is trained again"

# Where the measurement ends without an answer, that is said.  A training of one epoch has six steps, a measurement at least seven.
printf 'rate: [0.01, 0.001]\nepochs: 1\n' >few
expect 0 '^2 runs in few_runs' env SPN_CLOCK=2 TINY_RAISE="7 $(kill -l KILL)" ./tiny sweep few --data data --runs few_runs --threads 2
grep -q 'warning: 1 run at a time could not be measured (`tiny bench --threads 2`), so they go one after the other$' output || fault "an unmeasured step: $(cat output)"
grep -q 'a step takes' output && fault "a time that was not measured: $(cat output)"
[ "$(grep -c ' 1 / 1' output)" = 2 ] || fault "not trained without a measurement: $(cat output)"

# A value that stands in the list twice, in one spelling or two, is one run, and is named.
printf 'rate: [0.01, 1e-2, 0.01]\nseed: [1, 01, 0x2]\nepochs: [1]\n' >same
expect 0 '^2 runs in same_runs' ./tiny sweep same --data data --runs same_runs --threads 1
[ "$(cd same_runs && echo */)" = "rate-0.01_epochs-1_seed-1/ rate-0.01_epochs-1_seed-2/" ] || fault "one value in two spellings: $(ls same_runs)"
for text in 'same:1: train.rate: 0.01 stands there twice, also as 1e-2; it is trained once' 'same:1: train.rate: 0.01 stands there twice; it' 'same:2: train.seed: 1 stands there twice, also as 01;'; do
    grep -q "warning: $text" output || fault "no '$text' from a value in two spellings: $(cat output)"
done

# Two processes on one folder: what the other one trains is elsewhere and is not counted, unless --wait waits for it.  The other one is a training
# that stands still in its fifth step.
printf 'rate: 0.01\nepochs: 2\nseed: [1, 2]\n' >pair
TINY_RAISE="5 $(kill -l STOP)" ./tiny train --data data --run shared/rate-0.01_epochs-2_seed-1 --set train.rate=0.01 --epochs 2 --seed 1 >/dev/null 2>&1 &
other=$!
wait_for $other "its fifth step" stands_still $other
expect 0 'rate-0.01_epochs-2_seed-1: elsewhere: another process trains it' ./tiny sweep pair --data data --runs shared --threads 1
grep -q '^rate 0.01, epochs 2  *1 / 2' output && grep -q '^1 run is elsewhere, not in the table; --wait waits for it' output || fault "elsewhere: $(cat output)"
grep -q '"run": "rate-0.01_epochs-2_seed-1", "done": false, "elsewhere": true' shared/sweep.json || fault "elsewhere: $(cat shared/sweep.json)"
blocked() { grep -q flock "/proc/$1/wchan" || grep -qs ' FLOCK .*' <(grep -- '->' /proc/locks | grep " $1 "); }
./tiny sweep pair --data data --runs shared --threads 1 --wait >output 2>&1 &
sweep=$!
wait_for $sweep "it waits for the other" blocked $sweep
kill -CONT $other
wait $other || fault "the other training fails"
wait $sweep || fault "a sweep that waits fails: $(cat output)"
grep -q '^rate 0.01, epochs 2  *2 / 2' output && ! grep -q 'in the table' output || fault "it has not waited: $(cat output)"
# What the other one leaves unfinished is trained on; a signal ends the waiting.
rm -rf shared
TINY_RAISE="5 $(kill -l STOP)" ./tiny train --data data --run shared/rate-0.01_epochs-2_seed-1 --set train.rate=0.01 --epochs 2 --seed 1 >/dev/null 2>&1 &
other=$!
wait_for $other "its fifth step" stands_still $other
./tiny sweep pair --data data --runs shared --threads 1 --wait >output 2>&1 &
sweep=$!
wait_for $sweep "it waits for the other" blocked $sweep
kill -TERM $sweep
wait $sweep
[ $? = 143 ] || fault "a signal does not end the waiting: $(cat output)"
./tiny sweep pair --data data --runs shared --threads 1 --wait >output 2>&1 &
sweep=$!
wait_for $sweep "it waits for the other" blocked $sweep
{ kill -KILL $other; wait $other; } 2>/dev/null
wait $sweep || fault "a sweep that waits fails: $(cat output)"
grep -q '^rate 0.01, epochs 2  *2 / 2' output || fault "what another process has left is not trained: $(cat output)"

# What is wrong.
wrong() { printf '%b' "$3" >bad; expect "$1" "$2" ./tiny sweep bad --data data --runs none; }
wrong 1 "bad:1: got 'rate 0.1'" 'rate 0.1\n'
wrong 1 'a list that begins' 'rate: [0.1\n'
wrong 1 'bad:2: train.rate stands there twice' 'rate: 0.1\ntrain.rate: 0.2\n'
wrong 1 'expected a number' 'rate: [0.1, , 2]\n'
wrong 2 "bad:2: train.rate: got '1_0', expected a number above 0" '# x\nrate: [1, 1_0]\n'
wrong 2 "bad:1: train.seed: got '0x1ffffffffffffffff', expected a whole number from 0 to 18446744073709551615" 'seed: 0x1ffffffffffffffff\n'
wrong 1 "bad:1: '&' at the beginning of a word" 'rate: &a 0.1\n'
wrong 1 'no setting in it' '# nothing\n'
wrong 1 'more than 1000 runs' "seed: [$(seq -s, 64)]\nepochs: [$(seq -s, 64)]\n"
wrong 2 "bad:1: 'train.rat' cannot be set at run time; did you mean train.rate" 'train.rat: 1\n'
expect 1 'grid: found a file, expected a folder for the runs, or none' ./tiny sweep grid --data data --runs grid
mkdir barred && touch barred/rate-0.01_epochs-1_seed-1         # a file where a run's folder should be
printf 'rate: 0.01\nepochs: 1\nseed: [1, 2]\n' >two
expect 1 'rate-0.01_epochs-1_seed-1: ended with exit code 1' ./tiny sweep two --data data --runs barred --threads 1
grep -q '^rate 0.01, epochs 1  *1 / 2' output || fault "one run that fails spoils the other: $(cat output)"
rm barred/* -r && ln -s /proc/none barred/rate-0.01_epochs-1_seed-1   # no folder can be made there
expect 74 'rate-0.01_epochs-1_seed-1: ended with exit code 74' ./tiny sweep two --data data --runs barred --threads 1
expect 1 'nowhere: cannot be read' ./tiny sweep nowhere --data data --runs none
expect 2 'sweep needs --runs' ./tiny sweep grid --data data
expect 2 'takes one file' ./tiny sweep --data data --runs none
[ ! -e none ] || fault "a refused sweep left a folder"

[ $failed = 0 ] && echo "test_sweep: fine"
exit $failed
