#!/usr/bin/env bash
# test_mpi.sh -- several processes by MPI: the same weights, log and evaluation for any number of ranks and threads as of one process, resumed on another number of
# ranks too; what ranks must have in common; signals; a rank that is killed; a disk that is lost; a NaN.
# usage: tests/test_mpi.sh [KILLS]    kills of a rank at a random moment: 1 if not given; from 10 on all numbers of ranks are tried too
# Skipped, with a message, where there is no mpirun or mpicc.  SPNC: the spnc to test (default build/spnc).
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
kills=${1:-1}
if ! command -v mpirun >/dev/null || ! command -v mpicc >/dev/null; then
    echo "test_mpi: skipped: no mpirun or mpicc here (make deps installs Open MPI)"
    exit 0
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_odls_base_sigkill_timeout=0    # seconds that Open MPI waits, twice, for ranks to end after one of them has
export OMPI_MCA_btl=self,vader OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_mpi_yield_when_idle=1

# Every kind of sum over the batch, of weights that ranks divide among them and of short ones, of rows that are whole vectors and of others: parts of slices, by Winograd's algorithm and directly; chains
# of dense layers, once, in a loop and over all its steps, two of one operand (wide, and the product of the GRU with `all`), two of one gradient (v and w), and of an embedding; a batch norm; labels of
# two targets; a frozen weight.  Seven groups, the last not full; the last batch of an epoch has but two.
cat >net.yaml <<'END'
model: net
batch: 100
inputs: { image: { shape: [1, 12, 12], dtype: u8 }, words: { shape: [4], dtype: i32, classes: 9 }, more: { shape: [3] } }
targets: { kind: { classes: 3 }, part: { length: 3, classes: 4 } }
nets:
  look:
    - conv: { filters: 15, kernel: 3, bias: false }
    - batch_norm: { act: relu }
    - conv: { filters: 15, kernel: 3, act: relu }
    - conv: { filters: 8, kernel: 5, act: relu }
    - maxpool: 2
  read:
    - conv: { filters: 3, kernel: 2, act: relu }
    - dropout: 0.1
    - dense: 4
flow:
  - c: { look: image }
  - e: { embedding: words, units: 3 }
  - all: { concat: [{ flatten: c }, { flatten: e }, more] }
  - repeat: 3
    carry: { h: { gru: { units: 8 } } }
    do:
      - h: { gru: [all, h] }
      - A: { dense: h, units: 6, init: identity_affine }
      - crop: { spn: [image, A], downsample: 2 }
      - digit: { read: crop }
  - z: { last: h }
  - wide: { dense: all, units: 24 }
  - fixed: { dense: all, units: 40 }
  - v: { dense: { concat: [z, wide, fixed] }, units: 3 }
  - w: { dense: more, units: 3 }
  - sum: v + w
loss:
  - { cross_entropy: [sum, kind] }
  - { cross_entropy: [digit, part] }
  - { weight_l2: look, weight: 1e-4 }
train: { optimiser: { adam: { rate: 0.01 } }, clip: { norm: 1, element: 0.01 }, nets: { fixed: { freeze: true } }, accumulate: 2, average: 0.5, epochs: 3, patience: 0 }
END
# data FOLDER SEED: 130 examples to train on, 30 to validate with
numbers() { awk -v n="$1" -v seed="$2" -v most="$3" "$random"'BEGIN { start(seed); for (i = 0; i < n; i++) printf "\\%03o\\000\\000\\000", int(most * draw()) }'; }
data() {
    mkdir "$1"
    local split n
    for split in train valid; do
        n=$([ $split = train ] && echo 130 || echo 30)
        bytes $((n * 144)) "$2" 256 | npy '|u1' "$n, 1, 12, 12" >"$1/${split}_image.npy"
        printf "$(numbers $((n * 4)) $(($2 + 1)) 9)" | npy '<i4' "$n, 4" >"$1/${split}_words.npy"
        printf "$(numbers "$n" $(($2 + 2)) 3)" | npy '<i4' "$n," >"$1/${split}_kind.npy"
        printf "$(numbers $((n * 3)) $(($2 + 3)) 4)" | npy '<i4' "$n, 3" >"$1/${split}_part.npy"
        awk -v n="$n" 'BEGIN { for (i = 0; i < 3 * n; i++) printf i % 5 ? "\\000\\000\\200\\077" : "\\000\\000\\000\\277" }' >more
        printf "$(cat more)" | npy '<f4' "$n, 3" >"$1/${split}_more.npy"
    done
}
data data 1
data other 8

run "$SPNC" build net.yaml -o one || exit 1
run "$SPNC" build net.yaml --mpi -o many || exit 1
"$SPNC" build net.yaml --mpi --plain -o plain 2>errors; [ $? = 2 ] && grep -q 'leave out --plain' errors || fault "--mpi --plain: $(cat errors)"
! nm one/net | grep -qi mpi_ || fault "a program built without --mpi calls MPI"
cmp -s <(sed -n 's/^const char net_hash/&/p' one/net-train.c) <(sed -n 's/^const char net_hash/&/p' many/net-train.c) || fault "--mpi changes the model hash"

# Sums that wait keep little in memory, though a batch's parts of these weights take many times what its values do.
cat >heavy.yaml <<'END'
model: heavy
batch: 100
inputs: { image: { shape: [1, 4, 4] } }
targets: { kind: { classes: 3 } }
nets:
  front: [{ conv: { filters: 64, kernel: 5, padding: 2 } }, { conv: { filters: 64, kernel: 5, padding: 2 } }, { conv: { filters: 64, kernel: 5, padding: 2 } }]
  read: [{ conv: { filters: 64, kernel: 5, padding: 2 } }, { conv: { filters: 64, kernel: 5, padding: 2 } }, { dense: 3 }]
flow:
  - c: { front: image }
  - repeat: 2
    carry: { h: { gru: { units: 4 } } }
    do:
      - h: { gru: [{ flatten: c }, h] }
      - A: { dense: h, units: 6, init: identity_affine }
      - crop: { spn: [image, A], downsample: 1 }
      - v: { read: crop }
loss: { cross_entropy: [{ last: v }, kind] }
END
memory() { "$SPNC" emit heavy.yaml --tuning none "$@" -o heavy >/dev/null && sed -n 's/^#define MEMORY ((size_t)\([0-9]*\)).*/\1/p' heavy/heavy.c; }
of_one=$(memory) of_many=$(memory --mpi)
[ "${of_one:-0}" -gt 0 ] && [ "${of_many:-0}" -gt 0 ] && [ "$of_many" -le $((of_one * 5 / 4)) ] || fault "with --mpi a batch needs $of_many numbers, without $of_one"

# mpi RANKS options...: the program, on so many ranks; what it says to out and errors
mpi() { local ranks=$1; shift; timeout 300 mpirun -n "$ranks" many/net "$@" >out 2>errors; }
weights() { one/net export --last --run "$1" -o "$1.npz" >/dev/null || fault "$1: no weights"; }
timeless() { sed 's/"seconds": [^,]*, "images_per_second": [^,]*,//' "$1/log.jsonl"; }
same() {                                       # same RUN REFERENCE WHAT
    weights "$1"
    cmp -s "$1.npz" "$2.npz" || fault "$3: other weights than one process"
    cmp -s <(timeless "$1") <(timeless "$2") || fault "$3: another log than one process: $(timeless "$1" | diff - <(timeless "$2") | head -3)"
}

# ---- the same bits -------------------------------------------------------------------------------------------------------
run one/net train --data data --run whole --threads 1
weights whole
one/net eval --data data --run whole --split valid --json >whole.json
all="2:2 7:1"
[ "$kills" -lt 10 ] || all="1:1 1:2 2:1 2:2 3:1 3:2 4:1 4:2 7:1 7:2"
for how in $all; do
    ranks=${how%:*} threads=${how#*:}
    mpi "$ranks" train --data data --run "run$how" --threads "$threads" || fault "$ranks ranks: $(tail -3 errors)"
    same "run$how" whole "$ranks ranks of $threads threads"
    [ "$(grep -c '^epoch' out)" = 3 ] || fault "$ranks ranks: the lines of epochs are not those of one rank: $(cat out)"
done
mpi 3 eval --data data --run whole --split valid --json && cmp -s out whole.json || fault "eval on three ranks: $(cat out errors | head -3)"

# ---- going on with another number of ranks ----------------------------------------------------------------------------------
mpi 2 train --data data --run on --epochs 1 --threads 1 && mpi 3 train --data data --run on --resume --epochs 3 --threads 1 || fault "going on: $(tail -3 errors)"
same on whole "one epoch on two ranks, two on three"

# ---- bytes and messages on paper, and counted ------------------------------------------------------------------------------
# Four steps, without a validation split, send what `show --scaling --ranks` has for each, two of them the weights too; and for the checkpoints of two epochs the optimiser's state.
run mpicc -shared -fPIC "$root/tests/fixtures/pmpi.c" -o pmpi.so -ldl
run mpicc -shared -fPIC -DMOST=1 "$root/tests/fixtures/pmpi.c" -o short.so -ldl
mkdir only && cp data/train_* only/
timeout 300 mpirun -n 2 -x LD_PRELOAD="$work/short.so" many/net train --data only --run short --epochs 1 --threads 1 >out 2>errors && fault "a count with room for one message ends well"
grep -q 'pmpi: more than MOST .* under way' errors || fault "a count with room for one message: $(head -5 errors)"
"$SPNC" show net.yaml --scaling --ranks 2,3,7,9 >paper || fault "show --scaling --ranks: exit code $?"
grep -q '^ *9 *-' paper || fault "nine ranks for seven groups, on paper"
for ranks in 2 3; do
    rm -f counted
    timeout 300 mpirun -n $ranks -x LD_PRELOAD="$work/pmpi.so" -x SPN_PMPI="$work/counted" many/net train --data only --run "only$ranks" --epochs 2 --threads 1 >out 2>errors || fault "counted: $(tail -3 errors)"
    "$SPNC" show net.yaml --scaling --ranks $ranks >paper || fault "show --scaling --ranks: exit code $?"
    [ "$(awk '{ n += $5 } END { print n }' counted)" = 0 ] || fault "$ranks ranks receive into a place that another message has yet to fill: $(cat counted)"
    is=$(awk '{ b += $1; m += $2 } END { print b, m }' OFMT=%.15g CONVFMT=%.15g counted)
    should=$(awk -v r=$ranks '$1 == r { b += 4 * $3; m += 4 * $4 } $1 == "weights" { b -= 2 * $2; m -= 2 * $3 } /^For a checkpoint/ { b += 2 * $4; m += 2 * $(NF - 1) } END { print b, m }' OFMT=%.15g CONVFMT=%.15g paper)
    [ "$is" = "$should" ] || fault "$ranks ranks send $is bytes and messages, on paper $should"
    # Under way while phases are computed (gcc's loops are seen): operands of dense layers, and nodes of all folds but those of the first layer, which the last phase makes.  In conv2's row stand also
    # the slices of the sum by Winograd's algorithm, 9216 numbers, which are gathered at once.
    nm many/net | grep -q GOMP_loop_nonmonotonic_dynamic_start || continue
    is=$(awk '{ b += $3 } END { print b }' OFMT=%.15g counted)
    should=$(awk -v r=$ranks '/one chain|parts of slices/ && $1 != "e.weight" && $1 !~ /conv1/ || $1 ~ /^read.conv1/ { b += $2 } END { print 4 * (b - (r - 1) * 4 * 9216) }' OFMT=%.15g paper)
    [ "$is" = "$should" ] || fault "$ranks ranks: $is bytes are under way while something is computed, not $should"
done
for wrong in "--ranks 2" "--scaling --ranks 0" "--scaling --ranks 2,,3" "--scaling --network 1,2" "--scaling --ranks 2 --network 1" "--scaling --ranks 2 --json"; do
    # shellcheck disable=SC2086
    "$SPNC" show net.yaml $wrong >out 2>&1
    [ $? = 2 ] || fault "show $wrong is taken"
done

# ---- the start ----------------------------------------------------------------------------------------------------------------
says() { grep -q "$1" errors || fault "expected '$1': $(head -5 errors)"; }
mpi 8 train --data data --run no && fault "eight ranks for seven groups"
says 'at most mpirun -n 7'
mpi 2 train --data data --run whole && fault "a folder with a checkpoint was taken"
[ "$(grep -c 'this folder has a checkpoint' errors)" = 1 ] || fault "not once: $(cat errors)"
mpi 2 predict --data data --run whole && fault "predict on two ranks"
says 'for one process'
printf 'seed: [1]\n' >grid.yaml
mpi 2 sweep grid.yaml --data data --runs runs && fault "a sweep on two ranks"
says 'sweep is for one process; start it without mpirun'
many/net sweep grid.yaml --data data --runs runs --threads 1 >out 2>errors && one/net export --last --run runs/*/ -o swept.npz >/dev/null && cmp -s swept.npz whole.npz || fault "a sweep of a program for several ranks: $(tail -3 errors)"
timeout 300 mpirun -n 1 many/net train --data data --run no --threads 1 : -n 1 many/net train --data other --run no --threads 1 >out 2>errors && fault "two folders of data"
says 'rank 1 on host .*: not the same train examples'
timeout 300 mpirun -n 2 many/net train --data data --run no --threads 1 : -n 1 many/net train --data data --run no --seed 7 --threads 1 >out 2>errors && fault "two seeds"
says 'rank 2 on host .*: not the same train.seed as the first rank: 7, there '
timeout 300 mpirun -n 1 many/net train --data data --run no --threads 1 : -n 1 many/net train --data data --run no --max-time 9s --threads 1 >out 2>errors && fault "two ends"
says 'rank 1 on host .*: not the same --max-time as the first rank: 9 s, there 0 s'
mkdir less && cp data/train_* less/
timeout 300 mpirun -n 1 many/net train --data less --run no --threads 1 : -n 1 many/net train --data data --run no --threads 1 >out 2>errors && fault "a split that one rank has"
says 'rank 1 on host .*: not the same number of valid examples as the first rank: 30, there none'
timeout 300 mpirun -n 1 many/net train --data data --run no --threads 1 : -n 1 many/net train --data nothing --run no --threads 1 >out 2>errors && fault "a rank without data"
says 'rank 1 on host .*nothing'
[ ! -e no/last ] || fault "a run that did not start has a checkpoint"

mpi 2 train --data data --run timed --max-time 0.000001s --threads 1 && [ "$(grep -c 'stopped after .*--max-time.* 100 of 130' out)" = 1 ] || fault "--max-time: $(cat out errors)"

# A message of more than 2^31 numbers: of its type alone.
run mpicc -std=c11 -DSPN_MPI $include "$root/tests/fixtures/mpi_types.c" "$root/runtime/ranks.c" -o mpi_types && run mpirun -n 1 ./mpi_types

# ---- trouble ---------------------------------------------------------------------------------------------------------------------
# begin RUN RANKS: a long training in the background, which saves after every step; its pid in $pid
begin() {
    touch before
    mpirun -n "$2" many/net train --data data --run "$1" --threads 1 --epochs 100000 --save-every 0.001ms --resume >out 2>errors &
    pid=$!
    wait_for $pid "a checkpoint" newer "$1/last" before
}
# finished RUN WHAT: goes on to the end of the next epoch but one, on three ranks; the reference is one process that nothing disturbs
finished() {
    local epochs=$(($(wc -l <"$1/log.jsonl") + 2))
    run rm -rf reference
    run one/net train --data data --run reference --epochs "$epochs" --threads 2
    weights reference
    mpi 3 train --data data --run "$1" --resume --epochs "$epochs" --threads 1 || fault "$2: does not go on: $(tail -3 errors)"
    same "$1" reference "$2"
}
ranks_of() { local p; for p in /proc/[0-9]*; do [[ $(stat_of "${p#/proc/}") != ?" $1" ]] || echo "${p#/proc/}"; done; }

begin stop 2
one/net train --data data --run stop --resume >out.2 2>&1 && fault "a second training in the folder"
grep -q 'another training is running' out.2 || fault "a second training: $(cat out.2)"
kill -USR1 $pid
wait $pid
code=$?
[ $code = 138 ] && [ "$(grep -c 'stopped by signal 10' errors)" = 1 ] || fault "SIGUSR1: exit code $code: $(cat errors)"

# A rank that alone gets SIGTERM stops all; from ten kills on, mpirun gets it, which waits for so many seconds, twice.
begin stop 3
victim=$(ranks_of $pid | sed -n 2p)
[ "$kills" -lt 10 ] || { kill -INT "$victim"; wait $pid; export OMPI_MCA_odls_base_sigkill_timeout=10; begin stop 3; victim=$pid; }
kill -TERM "$victim"
wait $pid
code=$?
[ $code != 0 ] && [ "$(grep -c 'stopped by signal 15' errors)" = 1 ] || fault "SIGTERM: exit code $code: $(cat errors)"
export OMPI_MCA_odls_base_sigkill_timeout=0
finished stop "stopped by SIGUSR1, then by SIGTERM"

for k in $(seq "$kills"); do
    begin "kill$k" 4
    sleep "0.0$((RANDOM % 100))"
    victim=$(ranks_of $pid | sed -n "$((RANDOM % 4 + 1))p")
    kill -KILL "$victim" 2>/dev/null
    wait $pid
    code=$?
    [ $code != 0 ] || fault "a rank was killed, and the job ends with exit code 0"
    grep -q 'rank . with PID .* on node' errors || fault "nobody says which rank was killed: $(cat errors)"
    finished "kill$k" "a rank was killed"
done

cp -r data torn
mpirun -n 2 many/net train --data torn --run torn.run --threads 1 --epochs 100000 --save-every 0.001ms >out 2>errors &
pid=$!
wait_for $pid "its first checkpoint" [ -e torn.run/last ]
truncate -s 300 torn/train_image.npy
wait $pid
code=$?
[ $code = 74 ] && grep -q 'rank . on host .*train_image.npy: another program cut this file short' errors || fault "a file cut short: exit code $code: $(cat errors)"

# a NaN among the examples; the first epoch has all of them in the order of the seed
cp -r data nan
printf '\000\000\300\177' | dd of=nan/train_more.npy bs=1 seek=$((128 + 12 * 77)) conv=notrunc 2>dd
mpi 2 train --data nan --run nan.run --threads 1 && fault "a NaN in the data"
[ "$(grep -c 'example 77' errors)" = 1 ] || fault "a NaN in the data: $(cat errors)"
grep -q 'rank . on host .*train_more.npy' errors || fault "a NaN in the data has no rank: $(cat errors)"
# ... which the second rank alone has: the others end too, and it is named
for command in "train --run nan.run" "eval --run whole --split train"; do
    # shellcheck disable=SC2086
    timeout 300 mpirun -n 1 many/net $command --data data --threads 1 : -n 1 many/net $command --data nan --threads 1 >out 2>errors
    code=$?
    [ $code = 1 ] && [ "$(grep -c 'rank 1 on host .*nan/.*example 77.*is NaN' errors)" = 1 ] || fault "$command: a NaN that one rank has: exit code $code: $(cat errors)"
done
mpi 2 train --data data --run huge --threads 1 --set train.rate=1e30 && fault "a rate of 1e30"
grep -q 'rank . on host .*is no number' errors && grep -q 'lower the rate' errors || fault "a rate of 1e30: $(cat errors)"

exit $failed
