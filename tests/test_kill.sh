#!/usr/bin/env bash
# test_kill.sh -- kills trainers and fills their disks, and demands that nothing is lost: every resumed run must
# end with the weights, to the bit, and the log, of an uninterrupted run.
#   every call    SIGKILL at each open, write, sync, close and rename of an epoch; the same calls with a full disk, once
#                 for a while and once for good (fixtures/faults.c)
#   first steps   SIGKILL at the calls of a run that begins with another's weights, and the same command again
#   random        SIGKILL at random moments after a save, then --resume, on one thread or two, and (long) on the generic target
# The optimiser and its settings are drawn from the table that `spnc ops` prints; an update is for two or three batches, so that kills are inside
# of one too, and there may be an average of the weights.
# usage: tests/test_kill.sh [KILLS [SEED]]    random kills: 30 if not given; from 1000 on every call is tried on every target.  SEED: of all that is
# drawn, the day's date if not given; it is printed.
# SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
spnc=$SPNC
kills=${1:-30} seed=${2:-$(date +%Y%m%d)}
RANDOM=$seed

# Sets optimiser, one of the table (not by a subshell, whose RANDOM has another seed); of its settings those that are off by themselves are drawn, half of them on: { adam: { amsgrad: true } }
draw_optimiser() {
    local names name key value on=
    mapfile -t names < <("$spnc" ops | awk '/^optimisers$/ { on = 1; next } /^$/ { on = 0 } on { print $1 }')
    name=${names[RANDOM % ${#names[@]}]}
    while read -r key value; do
        [ $((RANDOM % 2)) = 0 ] || on="$on, $key: $value"
        [[ $key != nesterov || $on != *nesterov* || $on = *momentum* ]] || on="$on, momentum: 0.9"
    done < <("$spnc" ops "$name" | awk '/^keys$/ { on = 1; next } /^example$/ { on = 0 } !on { next } / 0 unless given/ { print key, 0.9 } / false unless given/ { print key, "true" }
                                        /^  [a-z]/ { key = $1 }')
    optimiser="{ $name: {${on#,} } }"
}
# The net, with what was drawn.
draw() {
    draw_optimiser
    accumulate=$((2 + RANDOM % 2)) average=$((RANDOM % 2))
    echo "test_kill: seed $seed: $optimiser, an update for $accumulate batches$([ $average = 0 ] || echo ", an average of the weights")"
    cat >"$work/net.yaml" <<END
model: net
batch: 16
inputs: { image: { shape: [1, 28, 28], dtype: u8 } }
targets: { digit: { classes: 10 } }
flow:
  - c: { conv: image, filters: 4, kernel: 3 }
  - n: { batch_norm: c, act: relu }
  - p: { maxpool: n, size: 4 }
  - d: { dropout: p, rate: 0.25 }
  - k: { dense: d, units: 12, act: relu }
  - scores: { dense: k, units: 10 }
loss: { cross_entropy: [scores, digit] }
train: { optimiser: $optimiser, accumulate: $accumulate, average: 0.$((9 * average)) }
END
}

# A trainer of digits with steps below a millisecond, its file system in the test's hands.
build() {                                      # build TARGET
    cc -std=c11 -O1 -Wall -Wextra -Wpedantic $include -c "$root/tests/fixtures/faults.c" -o "$work/faults.o" &&
        CC=$root/tests/fixtures/cc.sh LINK_WITH=$work/faults.o "$spnc" build "$work/net.yaml" --target "$1" -o "$work/$1.d" >"$work/output" 2>&1 &&
        ln -s "$work/$1.d/net" "$work/$1" ||
        { cat "$work/output"; echo "test_kill: no trainer for $1"; exit 1; }
}

data=$work/data
"$(dirname "$spnc")/spn-data" make --single --train 40 --valid 30 --test 10 --seed 1 -o "$data" >"$work/output" 2>&1 ||
    { cat "$work/output"; echo "test_kill: no data"; exit 1; }

# train TARGET RUN THREADS options...: goes on, or starts
train() {
    local target=$1 run=$2 threads=$3
    shift 3
    "$work/$target" train --data "$data" --run "$run" --threads "$threads" --resume "$@" >"$work/output" 2>&1
}
weights() { "$work/native" export --last --run "$1" -o "$1.npz" || fault "${1##*/}: no weights"; }
timeless() { sed 's/"seconds": [^,]*, "images_per_second": [^,]*,//' "$1/log.jsonl"; }
undisturbed() {                                # undisturbed RUN REFERENCE WHAT: the same weights, the same log
    weights "$1"
    cmp -s "$1.npz" "$2.npz" || fault "$3: other weights than an undisturbed run"
    diff -q <(timeless "$1") <(timeless "$2") >/dev/null || fault "$3: another log than an undisturbed run"
}
whole() {                                      # whole WHAT: no checkpoint was damaged, nothing half written is left
    ! grep -q 'damaged\|cut short\|the checkpoint before it' "$work/output" || fault "$1: $(cat "$work/output")"
    [ -z "$(find "$run" -name '.spn-*' -o -name 'last.new')" ] || fault "$1: leaves $(ls -A "$run")"
}

# ---- at every call ---------------------------------------------------------------------------------------------------
# One epoch from a checkpoint on, with a save after every step, and a new best at its end: the first epoch of all that has one, but for the very first.
# With some of what is drawn there is none: then another is drawn.
for try in {1..8}; do
    draw
    build native
    train native "$work/survey" 2 --epochs 30 || fault "thirty epochs: $(cat "$work/output")"
    last=$(awk 'NR > 1 && /"best": true/ { print NR; exit }' "$work/survey/log.jsonl")
    [ -z "$last" ] || break
    [ $try -lt 8 ] || { fault "of eight optimisers none makes an epoch of thirty better than the first"; exit 1; }
    rm -rf "$work/survey" "$work/native" "$work/native.d"
done
targets=native
[ "$kills" -lt 1000 ] || { build generic; targets="native generic"; }
every_call() {                                 # every_call TARGET
    local target=$1 base=$work/base whole_run=$work/$1.reference calls n code what
    rm -rf "$base"
    train "$target" "$base" 1 --epochs $((last - 1)) || fault "the base of the faults: $(cat "$work/output")"
    cp -r "$base" "$whole_run"
    SPN_FAULT_CALLS=$work/calls train "$target" "$whole_run" 1 --epochs "$last" --save-every 0.001ms || fault "the undisturbed run: $(cat "$work/output")"
    weights "$whole_run"
    calls=$(cat "$work/calls")
    [ "$calls" -gt 40 ] && tail -1 "$whole_run/log.jsonl" | grep -q '"best": true' || fault "$calls calls to disturb, or no new best"
    for what in kill full full-for-good; do
        for n in $(seq 1 "$calls"); do
            [ $what != full-for-good ] || [ "$kills" -ge 1000 ] || [ $((n % 5)) = 0 ] || continue
            run=$work/run
            rm -rf "$run"
            cp -r "$base" "$run"
            case $what in
                kill) { SPN_FAULT=kill:$n train "$target" "$run" 1 --epochs "$last" --save-every 0.001ms; code=$?; } 2>/dev/null ;;
                full) SPN_FAULT=full:$n:7 train "$target" "$run" 1 --epochs "$last" --save-every 0.001ms; code=$? ;;
                *) SPN_FAULT=full:$n train "$target" "$run" 1 --epochs "$last" --save-every 0.001ms; code=$? ;;
            esac
            case $what:$code in
                kill:137) ;;
                full*:0 | full*:74)            # a disk that fails must be spoken of; a last save that failed is exit code 74
                    grep -q 'No space left' "$work/output" || fault "call $n, $what: nothing said"
                    # exit code 0 only where the last save was through and nothing but the report or its pictures was lost
                    [ $what:$code != full-for-good:0 ] || ! grep 'No space left' "$work/output" | grep -qvE 'report|\.png|transforms|machine' ||
                        fault "call $n: a full disk and exit code 0: $(cat "$work/output")"
                    [ $code = 74 ] || undisturbed "$run" "$whole_run" "call $n, $what" ;;
                *) fault "call $n of $calls, $what: exit code $code: $(tail -2 "$work/output")" ;;
            esac
            train "$target" "$run" 2 --epochs "$last" || fault "call $n, $what: does not go on: $(tail -2 "$work/output")"
            whole "call $n, $what"
            undisturbed "$run" "$whole_run" "call $n, $what, gone on"
        done
    done
    echo "test_kill: $target: $calls calls killed, and on a full disk"
}
for target in $targets; do every_call "$target"; done

# ---- from the weights of another run ----------------------------------------------------------------------------------
first_steps() {                                # first_steps TARGET
    local target=$1 whole_run=$work/$1.begun calls n every=3
    local begin=(1 --epochs 1 --save-every 0.001ms --seed 9 --init "$work/base.npz" --only "$only")
    [ "$kills" -lt 1000 ] || every=1
    SPN_FAULT_CALLS=$work/calls train "$target" "$whole_run" "${begin[@]}" || fault "a run with --init: $(cat "$work/output")"
    weights "$whole_run"
    calls=$(cat "$work/calls")
    for n in $(seq 1 $every "$calls"); do
        run=$work/run
        rm -rf "$run"
        { SPN_FAULT=kill:$n train "$target" "$run" "${begin[@]}"; code=$?; } 2>/dev/null
        [ $code = 137 ] || fault "--init, call $n of $calls: exit code $code: $(tail -2 "$work/output")"
        train "$target" "$run" "${begin[@]}" || fault "--init, call $n: does not go on: $(tail -2 "$work/output")"
        whole "--init, call $n"
        undisturbed "$run" "$whole_run" "--init, call $n, gone on"
    done
    echo "test_kill: $target: a run with --init killed at $(((calls + every - 1) / every)) of $calls calls"
}
weights "$work/base"
only=c
for target in $targets; do first_steps "$target"; done
train native "$work/unlike" 1 --epochs 1 --seed 9 && weights "$work/unlike" && ! cmp -s "$work/unlike.npz" "$work/native.begun.npz" || fault "--init changes nothing"

# ---- at random moments -----------------------------------------------------------------------------------------------
epochs=40 runs=1 killed=0 run=$work/random.1
train native "$work/reference" 2 --epochs $epochs || fault "the undisturbed run: $(cat "$work/output")"
weights "$work/reference"
moved_on() { newer "$run/last" "$work/began" || has_ended $!; }       # so that every machine comes to the end
while [ $killed -lt "$kills" ]; do
    set -- $targets
    shift $((RANDOM % $#))
    touch "$work/began"
    "$work/$1" train --data "$data" --run "$run" --threads $((1 + RANDOM % 2)) --resume --epochs $epochs \
        --save-every $((1 + RANDOM % 20))ms >"$work/output" 2>&1 &
    wait_for $! "a save" moved_on
    sleep "0.$(printf '%03d' $((RANDOM % 100)))"
    { kill -KILL $!; wait $!; } 2>/dev/null
    code=$?
    ! grep -q 'damaged\|cut short\|the checkpoint before it' "$work/output" || fault "kill $killed: $(cat "$work/output")"
    case $code in
        137) killed=$((killed + 1)) ;;
        0)
            whole "run $runs"
            undisturbed "$run" "$work/reference" "run $runs"
            rm -rf "$run" "$run.npz"
            runs=$((runs + 1)) run=$work/random.$runs ;;
        *) fault "exit code $code: $(tail -2 "$work/output")"; break ;;
    esac
    [ $((killed % 100)) != 0 ] || [ $code != 137 ] || echo "test_kill: $killed kills, $runs runs, $(wc -l <"$run/log.jsonl") epochs of this one"
done
train native "$run" 1 --epochs $epochs || fault "the last run does not end: $(cat "$work/output")"
whole "the last run"
undisturbed "$run" "$work/reference" "the last run"
echo "test_kill: $killed random kills in $runs runs"

[ $failed = 0 ] && echo "test_kill: fine"
exit $failed
