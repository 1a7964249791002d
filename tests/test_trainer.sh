#!/usr/bin/env bash
# test_trainer.sh -- drives a whole trainer, the net of fixtures/tiny_net.c, as a user would: train, interrupt, resume,
# evaluate, export, predict, compare gradients; and every error of the command line.
# usage: tests/test_trainer.sh [CC] [flags for the compiler...]; prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cc=${1:-cc}
shift || true

# expect CODE TEXT COMMAND...: the exit code, and a text (a basic regular expression; none if empty) in the output
expect() {
    local code=$1 text=$2 got
    shift 2
    "$@" >"$work/output" 2>&1
    got=$?
    [ $got = "$code" ] || fault "exit code $got, expected $code: ${*//$work\//}: $(head -3 "$work/output")"
    [ -z "$text" ] || grep -q -e "$text" "$work/output" || fault "no '$text' from: ${*//$work\//}: $(head -3 "$work/output")"
}
same() { cmp -s "$1" "$2" || fault "differ: ${1#"$work"/} ${2#"$work"/}"; }
timeless() { sed 's/"seconds": [^,]*, "images_per_second": [^,]*,//' "$1"; }

# ---- nets and data -------------------------------------------------------------------------------------------------
build() {                                      # build NAME flags...
    local name=$1
    shift
    "$cc" -std=c11 -O2 -ffp-contract=off -fopenmp -Wall -Wextra -Wpedantic -Wshadow -Werror $include "$@" \
        "$root/tests/fixtures/tiny_net.c" "$work"/*.o -Wl,--wrap=clock_gettime -lz -lpng -ljpeg -lm -o "$work/$name" || { fault "$name does not compile"; exit 1; }
}
objects() { (cd "$work" && "$cc" -std=c11 -O2 -ffp-contract=off -fopenmp $include "$@" -c $(sources) "$root/tests/fixtures/clock.c") || exit 1; }
objects -DSPN_DOUBLE "$@"
build double -DSPN_DOUBLE "$@"
objects "$@"
build tiny "$@"
build wide -DTINY_LANES=16 "$@"
build wrong -DTINY_WRONG "$@"
build other '-DTINY_HASH="00000000000000ac"' '-DTINY_SETTINGS="units=9"' "$@"
build wild -DTINY_RATE=1e30 "$@"
tiny=$work/tiny

pixels() { bytes $((16 * $1)) "$2" 256; }
# labels of the same pixels, each followed by $3 zero bytes: one of four from two pixels being light or dark
labels() {
    printf "$(awk -v n="$1" -v s="$2" -v pad="$3" "$random"'BEGIN { start(s)
        for (i = 0; i < n; i++) {
            for (j = 0; j < 16; j++) p[j] = int(256 * draw()) > 127
            for (k = 0; k < 2; k++) {
                printf "\\%03o", 2 * p[k] + p[k + 5]
                for (z = 0; z < pad; z++) printf "\\000"
            }
        } }')"
}
data=$work/data
mkdir "$data" "$work/long"
pixels 57 31 | npy '|u1' '57, 1, 4, 4' >"$data/train_image.npy"
labels 57 31 7 | npy '<i8' '57, 2' >"$data/train_digits.npy"
pixels 23 32 | npy '|u1' '23, 1, 4, 4' >"$data/valid_image.npy"
labels 23 32 0 | npy '|u1' '23, 2' >"$data/valid_digits.npy"
pixels 17 33 | npy '|u1' '17, 1, 4, 4' >"$data/test_image.npy"
labels 17 33 3 | npy '<i4' '17, 2' >"$data/test_digits.npy"
cp "$data"/valid_* "$work/long"
pixels 500 4 >"$work/p"; labels 500 4 0 >"$work/l"
for _ in $(seq 200); do cat "$work/p"; done | npy '|u1' '100000, 1, 4, 4' >"$work/long/train_image.npy"
for _ in $(seq 200); do cat "$work/l"; done | npy '|u1' '100000, 2' >"$work/long/train_digits.npy"

# ---- training and its files --------------------------------------------------------------------------------------------
expect 0 'finished after 6 epochs' "$tiny" train --data "$data" --run "$work/deep/er/a" --threads 1
a=$work/deep/er/a
[ "$(wc -l <"$a/log.jsonl")" = 6 ] || fault "six epochs give $(wc -l <"$a/log.jsonl") lines of log"
grep -q '"epoch": 4,.*"rate": 0.00666' "$a/log.jsonl" || fault "the rate is not divided at epoch 4"
for key in epoch train_loss valid_loss valid_error rate grad_norm seconds images_per_second; do
    [ "$(grep -c "\"$key\": " "$a/log.jsonl")" = 6 ] || fault "log.jsonl lacks $key"
done
expect 0 'finished' "$tiny" train --data "$data" --run "$work/b" --threads 2
expect 0 '' "$tiny" export --last --run "$a" -o "$work/a.npz"
expect 0 '' "$tiny" export --last --run "$work/b" -o "$work/b.npz"
same "$work/a.npz" "$work/b.npz"               # any number of threads
expect 1 'has a checkpoint; --resume' "$tiny" train --data "$data" --run "$a"
expect 0 'finished' "$tiny" train --data "$data" --run "$a" --resume
expect 0 'finished after 8' "$tiny" train --data "$data" --run "$a" --resume --epochs 8
expect 0 'finished after 8' "$tiny" train --data "$data" --run "$work/c" --resume --epochs 8
for run in "$a" "$work/c"; do expect 0 '' "$tiny" export --last --run "$run" -o "$run.npz"; done
same "$a.npz" "$work/c.npz"
diff -q <(timeless "$a/log.jsonl") <(timeless "$work/c/log.jsonl") >/dev/null || fault "logs of a resumed run differ"
expect 1 'seed 1, --seed says 2' "$tiny" train --data "$data" --run "$a" --resume --seed 2
expect 1 "settings was 'units=8', is 'units=9'" "$work/other" train --data "$data" --run "$a" --resume
expect 1 'trains on 57 examples' "$tiny" train --data "$work/long" --run "$a" --resume
expect 0 '"examples": 17' "$work/other" eval --data "$data" --run "$a" --json
expect 1 'loss is\|norm of the gradient is' "$work/wild" train --data "$data" --run "$work/wild_run"

# Descriptors that the caller has closed: nothing that is printed gets into a file of the run, and --resume cuts none of its lines.
for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
    rm -rf "$work/closed"
    eval "\"$tiny\" train --data \"$data\" --run \"$work/closed\" --epochs 6 $closed" >/dev/null 2>&1 && eval "\"$tiny\" train --data \"$data\" --run \"$work/closed\" --resume --epochs 8 $closed" >/dev/null 2>&1 ||
        fault "training with $closed"
    diff -q <(timeless "$a/log.jsonl") <(timeless "$work/closed/log.jsonl") >/dev/null || fault "with $closed the log is $(cat "$work/closed/log.jsonl")"
    [ ! -s "$work/closed/lock" ] || fault "with $closed the lock holds $(cat "$work/closed/lock")"
done

# ---- interrupted at any step ---------------------------------------------------------------------------------------------
expect 0 'finished after 3' "$tiny" train --data "$work/long" --run "$work/whole" --epochs 3 --seed 7
pieces=(train --data "$work/long" --run "$work/pieces" --epochs 3 --seed 7 --resume)
# at UPDATE SIGNAL TEXT: the program sends itself the signal in that step, counted from where it resumes; TEXT is in its output then
at() {
    local signal code
    signal=$(kill -l "$2")
    { TINY_RAISE="$1 $signal" "$tiny" "${pieces[@]}" >"$work/output" 2>&1; code=$?; } 2>/dev/null
    [ $code = $((128 + signal)) ] && grep -q -e "$3" "$work/output" || fault "SIG$2 in step $1: exit code $code, expected '$3': $(tail -2 "$work/output")"
}
at 1 INT 'stopped by signal 2 in epoch 0 after 10 of 100000 examples; saved'            # the first step
at 2500 TERM 'stopped by signal 15 in epoch 0 after 25010 of 100000 examples; saved'
at 7499 INT 'stopped by signal 2 in epoch 0 after 100000 of 100000 examples; saved'     # the last one of an epoch, which is validated later
at 1 TERM 'stopped by signal 15 in epoch 1 after 10 of 100000 examples; saved'
at 2 USR1 "stopped by signal $(kill -l USR1) in epoch 1 after 30 of 100000 examples; saved"      # what a batch system sends before the end
at 5000 KILL 'going on at epoch 1, example 30'
at 1200 INT 'stopped by signal 2 in epoch 1 after 12030 of 100000 examples; saved'      # as if nothing had been killed
at 1 TERM 'pieces --resume$'
# Signals from outside come at any moment of a training that has begun: run.json is written when they are taken.
for signal in INT TERM KILL INT TERM; do
    touch "$work/began"
    "$tiny" "${pieces[@]}" >"$work/output" 2>&1 &
    wait_for $! "run.json" newer "$work/pieces/run.json" "$work/began"
    sleep "0.$((RANDOM % 3))"
    { kill -$signal $!; wait $!; } 2>/dev/null
    case $signal:$? in
        *:0 | KILL:137) ;;
        INT:130 | TERM:143) grep -q -e '; saved.*' "$work/output" && grep -q -e '--resume$' "$work/output" || fault "SIG$signal: neither saved nor told how to go on: $(tail -2 "$work/output")" ;;
        *) fault "exit code $? after SIG$signal: $(tail -2 "$work/output")" ;;
    esac
done
expect 0 'finished after 3' "$tiny" "${pieces[@]}"
for run in whole pieces; do expect 0 '' "$tiny" export --last --run "$work/$run" -o "$work/$run.npz"; done
same "$work/whole.npz" "$work/pieces.npz"
diff -q <(timeless "$work/whole/log.jsonl") <(timeless "$work/pieces/log.jsonl") >/dev/null || fault "logs of an interrupted run differ"
# A training that stands still in its first step has the folder to itself.
stop=$(kill -l STOP)
TINY_RAISE="1 $stop" "$tiny" train --data "$work/long" --run "$work/locked" --epochs 3 >/dev/null 2>&1 &
wait_for $! "its first step" stands_still $!
expect 1 'another training is running' "$tiny" train --data "$work/long" --run "$work/locked" --resume
kill -TERM $!; kill -CONT $!
wait $!
[ $? = 143 ] || fault "SIGTERM does not end with 143"

# ---- what a user sees and sets ---------------------------------------------------------------------------------------------
expect 0 'finished' "$tiny" train --data "$data" --run "$work/set" --set train.rate=0.02 --set train.every=0 --set=train.epochs=4 --seed 3
[ "$(grep -c '"rate": 0.02,' "$work/set/log.jsonl")" = 4 ] || fault "--set train.rate is not the rate"
grep -q '"rate": 0.02, .*"every": 0, "warm_up": 0, "epochs": 4, .*"seed": 3' "$work/set/run.json" || fault "run.json lacks the settings: $(cat "$work/set/run.json")"
expect 0 'finished after 4' "$tiny" train --data "$data" --run "$work/set" --resume
expect 0 'finished after 5' "$tiny" train --data "$data" --run "$work/set" --resume --epochs 5
[ "$(grep -c '"rate": 0.02,' "$work/set/log.jsonl")" = 5 ] || fault "a run that goes on forgets its --set"
expect 1 'has rate 0.02, --set says 0.03' "$tiny" train --data "$data" --run "$work/set" --resume --set train.rate=0.03
expect 1 'has seed 3, --seed says 4' "$tiny" train --data "$data" --run "$work/set" --resume --set train.seed=4
expect 2 'usage: [^ ]* COMMAND' "$tiny"
[ -z "$("$tiny" 2>/dev/null)" ] || fault "help that nobody wanted goes to the standard output"
expect 2 'did you mean train.rate' "$tiny" train --data "$data" --run "$work/new" --set train.rat=1
expect 2 'expected a number above 0' "$tiny" train --data "$data" --run "$work/new" --set train.rate=-1
expect 2 'train.seed is given twice, as 1 and as 2' "$tiny" train --data "$data" --run "$work/new" --set train.seed=1 --seed 2
expect 2 'expected a time above zero' "$tiny" train --data "$data" --run "$work/new" --max-time 5y
expect 2 'train needs --run' "$tiny" train --data "$data"
bad() { rm -rf "$work/bad"; cp -r "$data" "$work/bad"; }
bad; pixels 57 9 | npy '|u1' '57, 1, 4, 4' >"$work/bad/train_image.npy"
expect 1 'are not those of the run' "$tiny" train --data "$work/bad" --run "$work/set" --resume
expect 0 '' "$tiny" train --data "$data" --run "$work/still" --quiet
[ ! -s "$work/output" ] || fault "--quiet prints $(cat "$work/output")"
expect 0 '{"event": "end", "reason": "epochs"' "$tiny" train --data "$data" --run "$work/json" --json
[ "$(grep -c '^{"event": "epoch", "epoch": .*}$' "$work/output")" = 6 ] && ! grep -qv '^{.*}$' "$work/output" || fault "--json prints $(head -3 "$work/output")"
"$tiny" train --data "$data" --run "$work/pipe" | head -c 1 >/dev/null
[ "${PIPESTATUS[0]}" = 0 ] && [ "$(wc -l <"$work/pipe/log.jsonl")" = 6 ] || fault "a closed stdout ends a training"
if script -qc true /dev/null >/dev/null 2>&1; then   # a terminal of 80 columns, where the system gives us one
    # by a clock of which each reading takes 20 ms, ten images a step
    script -qc "stty cols 80; SPN_CLOCK=20 $tiny train --data $work/long --run $work/bar --max-time 1s --epochs 1000" /dev/null </dev/null >"$work/output"
    grep -q '0/1000 \[[#.]*\] 3 min left  500 examples/s  loss [0-9.]*  error [0-9.]* %' "$work/output" || fault "no bar: $(head -c 300 "$work/output")"
    tr '\r' '\n' <"$work/output" | sed 's/\x1b\[K//g' | grep examples/s | grep -v '^epoch' | awk 'length > 79 { exit 1 }' || fault "a bar wider than its terminal"
fi
# A clock of which each reading takes a millisecond, two readings a step: some 48 steps.
expect 0 'stopped after 0\.1 s (--max-time) in epoch 0 after 3[0-9]0 of 100000 examples; saved.  Validation: loss' env SPN_CLOCK=1 \
    "$tiny" train --data "$work/long" --run "$work/timed" --epochs 3 --seed 7 --max-time 100ms
expect 0 'stopped after' "$tiny" train --data "$work/long" --run "$work/timed" --resume --max-time 0.001ms
expect 0 'finished after 3' "$tiny" train --data "$work/long" --run "$work/timed" --resume
expect 0 '' "$tiny" export --last --run "$work/timed" -o "$work/timed.npz"
same "$work/whole.npz" "$work/timed.npz"
# Labels that follow from the pixels are learned by heart; without weights to move, the loss stays where it is.
expect 0 'the net learns: on one batch the loss fell' "$tiny" train --data "$data" --overfit-one-batch
expect 1 'does not fall' "$tiny" train --data "$data" --overfit-one-batch --set train.rate=1e-12
expect 2 "'rate' cannot be set at run time; did you mean train.rate?; what can" "$tiny" train --data "$data" --run "$work/none" --set rate=0.1
expect 2 "'train.optimiser' cannot be set at run time; what can" "$tiny" train --data "$data" --run "$work/none" --set train.optimiser=sgd
expect 0 'falls fastest near rate [0-9.e-]* (the model has 0.01).*Nothing was changed' "$tiny" train --data "$data" --lr-find
expect 0 '"event": "end", "suggestion": 0\.' "$tiny" train --data "$data" --lr-find --json
expect 1 'the loss explodes' "$tiny" train --data "$work/long" --run "$work/boom" --set train.rate=1

# ---- a checkpoint that is damaged, leftovers, and signals in a hurry -----------------------------------------------------------
cp -r "$work/whole" "$work/flip"
rm "$work/flip/last.previous"; cp "$work/flip/last" "$work/flip/last.previous"
printf 'x' | dd of="$work/flip/last" bs=1 seek=4000 conv=notrunc 2>/dev/null
touch "$work/flip/.spn-999999999-1.tmp" "$work/flip/last.new"
expect 0 'damaged.*taking the checkpoint before it' "$tiny" export --last --run "$work/flip" -o "$work/flip.npz"
same "$work/whole.npz" "$work/flip.npz"
expect 0 'damaged.*taking the checkpoint before it' "$tiny" train --data "$work/long" --run "$work/flip" --resume
[ "$(cd "$work/flip" && ls -A -I '*.png' -I report.html -I machine.json -I transforms.jsonl | tr '\n' ' ')" = 'best last.damaged last.previous lock log.jsonl messages.txt run.json ' ] || fault "after damage: $(ls -A "$work/flip")"
expect 0 'finished after 3' "$tiny" train --data "$work/long" --run "$work/flip" --resume
# The first signal stops after the step, another ends the program at once.  The program stops twice in its third step: before the first
# signal, and after it.  (Signals within a tenth of a second count as one, sent to a process and to its group.  One thread, so that this
# thread gets them.)
OMP_NUM_THREADS=1 TINY_RAISE="3 $stop $stop" "$tiny" train --data "$work/long" --run "$work/hurry" --epochs 3 >"$work/output" 2>&1 &
p=$!
wait_for $p "its third step" stands_still $p && kill -INT $p && kill -CONT $p && wait_for $p "a place after the signal" stands_still $p && sleep 0.2
kill -INT $p; kill -CONT $p
wait $p
[ $? = 130 ] && [ ! -e "$work/hurry/last" ] && ! grep -q saved "$work/output" || fault "a second signal does not end the program at once: $(cat "$work/output")"
expect 0 'finished after' "$tiny" train --data "$work/long" --run "$work/hurry" --resume --epochs 2

# A checkpoint whose checksums are right, but not its facts: refused by the field's name, on resuming only.
forged() {                                     # forged FROM TO: the facts' text FROM becomes TO, of the same length
    rm -rf "$work/forged"
    cp -r "$a" "$work/forged"
    python3 - "$work/forged/last" "$1" "$2" <<'END'
import struct, sys, zlib
path, was, now = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode()
b = bytearray(open(path, "rb").read())
head = struct.unpack_from("<Q", b, 16)[0]
at = bytes(b[:head]).index(was)
assert len(was) == len(now)
b[at:at + len(was)] = now
b[28:32] = bytes(4)
struct.pack_into("<I", b, 28, zlib.crc32(bytes(b[:head])))
open(path, "wb").write(b)
END
}
while IFS='|' read -r was now said; do
    forged "$was" "$now"
    expect 1 "forged/last: $said; the checkpoint is not one of a trainer" "$tiny" train --data "$data" --run "$work/forged" --resume
    expect 0 '' "$tiny" export --last --run "$work/forged" -o "$work/forged.npz"
done <<'END'
"epoch": 8|"epoch":-8|field 'epoch' is -8, expected a whole number from 0 to 1000000000
"position": 0|"position":-1|field 'position' is -1, expected a whole number from 0 to examples, which is 57
"position": 0|"position":58|field 'position' is 58, expected a whole number from 0 to examples, which is 57
"position": 0|"position": 7|field 'position' is 7, expected 0: epoch 8, 7 of 57 examples done in batches of 10
"steps": 0|"steps": 1|field 'steps' is 1, expected 0: epoch 8, 0 of 57 examples done in batches of 10
"updates": 48|"updates": 47|field 'updates' is 47, expected 48: epoch 8, 0 of 57 examples done in batches of 10
"epoch": 8|"epoch": 9|field 'updates' is 48, expected 54: epoch 9, 0 of 57 examples done in batches of 10
"examples": 57|"examples": -7|field 'examples' is -7, expected a whole number from 1 to 2147483647
"first": 4|"first":-4|field 'train.first' is -4, expected a whole number from 0 to 1000000000
"rate": 0.01|"rate":-0.01|field 'train.rate' is -0.01, expected a number from 0
"divide": 1.5|"divide":-1.5|field 'train.divide' is -1.5, expected a number above 0
"steps": 0, |"steps":"", |field 'steps' is a text, expected a whole number from 0 to examples, which is 57
"best_epoch": |"best-epoch": |the number 'best_epoch' is missing in its facts
END

# ---- looking at a net ------------------------------------------------------------------------------------------------
expect 0 '"error": {"digits": {"mean": 0\.[0-9]*, "positions": \[0\.[0-9]*, 0\.[0-9]*\]}}' "$tiny" eval --data "$data" --run "$a" --json
expect 0 'example 16' "$tiny" predict --data "$data" --run "$a" --index 16 --picture "$work/p.png"
[ "$(head -c 4 "$work/p.png" | tail -c 3)" = PNG ] || fault "no picture"
expect 0 '"transforms": {"A": \[\[' "$tiny" predict --data "$data" --run "$a" --count 12 --json
mkdir "$work/blind" && cp "$data/test_image.npy" "$work/blind"
expect 0 'digits' "$tiny" predict --data "$work/blind" --run "$a"
expect 1 'test_digits.npy: there is no such file' "$tiny" eval --data "$work/blind" --run "$a"
expect 0 '"model_hash": "00000000000000aa"' "$tiny" info --json
expect 0 'logits.weight *\[8\]\[14\]' "$tiny" info
expect 0 '^  parameters *[0-9.]* kB$' "$tiny" info
# bench, by the system's clock: figures, and a warning about a wide spread; by given times: these figures.
"$tiny" bench --threads 1 --json >"$work/bench.json" 2>"$work/bench.said" || fault "bench: exit code $?"
python3 - "$work/bench.json" "$work/bench.said" <<'END' || fault "bench says of a wide spread: $(cat "$work/bench.said")"
import json, sys
bench, said = json.load(open(sys.argv[1])), open(sys.argv[2]).read()
assert min(bench[k] for k in ("train_ms", "eval_ms", "peak_gflops", "rss_mb")) > 0 <= min(bench["train_spread"], bench["eval_spread"]), bench
for spread, what in (bench["train_spread"], "training steps"), (bench["eval_spread"], "forward passes"):
    assert (spread > 0.15) == (f"the spread is wide: half of the {what} took" in said), (bench, said)
END
# clocked NUMBERS-OF-SPN_CLOCK MS SPREAD TEXT: bench by that clock, of which a step takes one reading
clocked() {
    SPN_CLOCK=$1 "$tiny" bench --threads 1 --json >"$work/bench.json" 2>"$work/bench.said" || fault "bench by the clock '$1': exit code $?"
    python3 -c 'import json, sys
b = json.load(open(sys.argv[1]))
for what in "train", "eval":
    assert abs(b[what + "_ms"] - float(sys.argv[2])) < 1e-6 and abs(b[what + "_spread"] - float(sys.argv[3])) < 1e-6, b' "$work/bench.json" "$2" "$3" || fault "bench by the clock '$1': $(cat "$work/bench.json")"
    diff -q <(printf "$4") "$work/bench.said" >/dev/null || fault "bench by the clock '$1' says: $(cat "$work/bench.said")"
}
wide="tiny: bench: the spread is wide: half of the %s took 2 to 6 ms, the middle one 2; probably other programs, or a neighbour on the same machine, had a part of the processors\n"
clocked "2" 2 0 ""                                                      # quiet
clocked "2 2 2 2 2 2 90" 2 0 ""                                         # one step of seven is disturbed
clocked "2 2 2 2 6 6 6" 2 2 "${wide/\%s/training steps}${wide/\%s/forward passes}"
for net in tiny wide double; do expect 0 'check passed' "$work/$net" check; done
expect 0 '"passed": true' "$tiny" check --data "$data" --json
expect 1 'gradient of A.bias\[2\] (index 2)' "$work/wrong" check

# ---- weights and gradients -----------------------------------------------------------------------------------------------
for net in tiny wide double; do
    expect 0 '' "$work/$net" export --seed 3 -o "$work/$net.safetensors"
    expect 0 '' "$work/$net" export --seed 3 -o "$work/$net.npz"
    expect 0 '' "$work/$net" grad --weights "$work/$net.npz" --data "$data" --split test --first 10 -o "$work/$net.g.npz"
    expect 0 '' "$work/$net" grad --weights "$work/$net.safetensors" --data "$data" --first 10 --mode train -o "$work/$net.t.npz"
done
same "$work/tiny.npz" "$work/wide.npz"         # files do not depend on layouts
same "$work/tiny.g.npz" "$work/wide.g.npz"
same "$work/tiny.t.npz" "$work/wide.t.npz"
cmp -s "$work/tiny.g.npz" "$work/tiny.t.npz" && fault "train mode gives the values of eval mode"
expect 0 '' "$work/double" grad --weights "$work/tiny.npz" --data "$data" -o "$work/g.npz"
expect 0 '' "$tiny" grad --weights "$work/double.npz" --data "$data" -o "$work/g.npz"
expect 1 'test_digits\|hidden.weight' "$tiny" grad --weights "$work/g.npz" --data "$data" -o "$work/h.npz"
expect 1 'first 17' "$tiny" grad --weights "$work/tiny.npz" --data "$data" --first 17 -o "$work/h.npz"

# ---- wrong input and wrong usage ------------------------------------------------------------------------------------------
bad; printf '' | npy '|u1' '0, 1, 4, 4' >"$work/bad/test_image.npy"
expect 1 'test_image.npy' "$tiny" eval --data "$work/bad" --run "$a"
bad; pixels 17 33 | npy '|u1' '17, 1, 2, 8' >"$work/bad/test_image.npy"
expect 1 'found u1 \[17\]\[1\]\[2\]\[8\], expected u1 \[N\]\[1\]\[4\]\[4\]' "$tiny" eval --data "$work/bad" --run "$a"
bad; labels 17 33 3 | npy '<f4' '17, 2' >"$work/bad/test_digits.npy"
expect 1 'labels are integers' "$tiny" eval --data "$work/bad" --run "$a"
bad; labels 16 33 3 | npy '<i4' '16, 2' >"$work/bad/test_digits.npy"
expect 1 '16 examples, but' "$tiny" eval --data "$work/bad" --run "$a"
bad; { head -c 128 "$data/valid_digits.npy"; head -c 45 /dev/zero; printf '\004'; } >"$work/bad/valid_digits.npy"
expect 1 'label 4 of example 22 (position 1) is out of range' "$tiny" train --data "$work/bad" --run "$work/new"
bad; head -c 200 "$data/test_image.npy" >"$work/bad/test_image.npy"
expect 1 'test_image.npy' "$tiny" eval --data "$work/bad" --run "$a"
expect 1 'there is no checkpoint' "$tiny" eval --data "$data" --run "$work/nowhere"
mkdir "$work/torn"; head -c 3000 "$a/last" >"$work/torn/last"
expect 1 'torn/last' "$tiny" eval --data "$data" --run "$work/torn"
expect 1 'torn/last' "$tiny" train --data "$data" --run "$work/torn" --resume
expect 2 'usage' "$tiny"
expect 2 'did you mean train' "$tiny" trian
expect 2 'did you mean --version' "$tiny" --versoin
expect 0 '^tiny units=8$' "$tiny" --version
expect 0 '^model hash 00000000000000ac$' "$work/other" --version
expect 0 "^double, plain form, for .*; made by $("$SPNC" --version)$" "$work/double" --version
expect 2 'did you mean --threads' "$tiny" eval --data "$data" --thread 2
expect 2 'needs --data' "$tiny" eval --run "$a"
expect 2 '--epochs needs a value' "$tiny" train --data "$data" --run "$work/new" --epochs
expect 2 "got '1.5'" "$tiny" train --data "$data" --run "$work/new" --epochs 1.5
expect 2 "got 'best'" "$tiny" eval --data "$data" --run "$a" --split best
expect 2 'either --run DIR or --weights FILE' "$tiny" eval --data "$data"
expect 2 'ends in .npz or .safetensors' "$tiny" export -o "$work/w.pt"
expect 74 'nowhere' "$tiny" export -o "$work/nowhere/w.npz"
for command in train eval predict check grad export bench info; do expect 0 '^usage: tiny' "$tiny" $command --help; done

[ $failed = 0 ] && echo "test_trainer: fine"
exit $failed
