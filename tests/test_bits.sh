#!/usr/bin/env bash
# test_bits.sh -- one net, thirty training steps with dropout: the weights have the same bytes for any number of threads, every target,
# compiler and -O level, and whether the run was interrupted; the plain form and double precision agree to rounding.  Of a net with many channels
# the gradients of one batch have the same bytes, however the groups are added up.
# SPNC: the spnc to test (default build/spnc).  A target that this processor lacks and a compiler that is not there are skipped, with a
# message.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
has() { grep -q -m1 -w "$1" /proc/cpuinfo 2>/dev/null; }

cat >bits.yaml <<'END'
model: bits
batch: 24
inputs: { image: { shape: [1, 14, 12], dtype: u8 } }
targets: { digits: { length: 2, classes: 4 } }
nets:
  look:
    - conv: { filters: 5, kernel: 3, padding: 1, act: relu }
    - conv: { filters: 17, kernel: 3, act: relu }
    - conv: { filters: 17, kernel: 3, groups: 17, dilation: [1, 2], padding: same }
    - dropout: 0.3
    - maxpool: 2
  read:
    - conv: { filters: 3, kernel: [2, 3], stride: [1, 2], padding: 1, act: relu }
    - dense: { units: 19, act: tanh }
    - dropout: 0.2
    - dense: 4
flow:
  - c: { look: image }
  - repeat: 2
    carry: { h: { gru: { units: 21, init: trained } } }
    do:
      - h: { gru: [c, h] }
      - A: { dense: h, units: 6, init: identity_affine }
      - crop: { spn: [image, A], size: [6, 7] }
      - digit: { read: crop }
loss: { cross_entropy: [digit, digits], epsilon: 1e-5 }
train:
  optimiser: { rmsprop: { rate: 2e-3, decay: 0.9, epsilon: 1e-6, epsilon_inside: true } }
  clip: { element: 1, norm: 2 }
  epochs: 6
  patience: 0
END

# ---- data: 113 examples, so that five steps are an epoch and the last batch is a partial one ---------------------------
mkdir data
for split in train:113:1 valid:40:2; do
    IFS=: read -r name count seed <<<"$split"
    bytes $((count * 168)) "$seed" 256 | npy '|u1' "$count, 1, 14, 12" >"data/${name}_image.npy"
    bytes $((count * 2)) "$seed" 4 | npy '|u1' "$count, 2" >"data/${name}_digits.npy"
done

# ---- programs ---------------------------------------------------------------------------------------------------------
# program NAME TARGET COMPILER LEVEL: built in folder NAME.  What reads files, reports and looks is compiled once for each compiler: no weight depends on it.
apart=(files inspect report)
program() {
    local name=$1 kept=kept_$3 folder
    run "$SPNC" emit bits.yaml -o "$name" --target "$2" || return
    [ ! -d "$kept" ] || cp -r "$kept/." "$name/trainer"
    run make -s -j2 -C "$name" CC="$3" CFLAGS="$4" || return
    for folder in "${apart[@]}"; do
        [ -d "$kept/$folder" ] || { mkdir -p "$kept/$folder" && cp "$name/trainer/$folder"/*.o "$kept/$folder"; }
    done
}
# built MODEL NAME options...: with the first compiler, and the objects that other tests have too
built() { run env CC="$first" CFLAGS=-O1 "$SPNC" build "$1.yaml" -o "$2" --target "$native" "${@:3}"; }
# trained NAME RUN options...: its weights after training, in RUN.npz
trained() {
    local name=$1 into=$2
    shift 2
    run "$name/bits" train --data data --run "$into" "$@" && run "$name/bits" export --last --run "$into" -o "$into.npz"
}
same() { cmp -s first.npz "$1.npz" && echo "same bits: $1" || fault "other bits: $1"; }

targets=generic
has avx2 && has fma && targets="avx2 generic" || echo "skipped: avx2"
has avx512bw && has avx512dq && has avx512vl && targets="avx512 $targets" || echo "skipped: avx512"
native=${targets%% *}
compilers=
for c in gcc clang; do
    command -v $c >/dev/null && compilers="$compilers $c" || echo "skipped: no $c"
done
set -- $compilers
[ $# -gt 0 ] || { fault "neither gcc nor clang"; exit 1; }
first=$1

program base "$native" "$first" -O2 && trained base first --threads 1 || exit 1
[ "$(wc -l <first/log.jsonl)" = 6 ] || fault "not six epochs"
run base/bits export -o start.npz
cmp -s first.npz start.npz && fault "training changed nothing"
for threads in 2 3; do trained base threads$threads --threads $threads && same threads$threads; done
trained base other_seed --seed 2 && { cmp -s first.npz other_seed.npz && fault "another seed gives the same weights"; }
trained base resumed --epochs 3 && trained base resumed --resume --epochs 6 && same resumed

for compiler in "$@"; do
    for target in $targets; do
        case $target in
        "$native") levels="-O1 -O2 -O3" ;;
        avx2) levels=-O3 ;;
        *) levels=-O1 ;;
        esac
        for level in $levels; do
            [ "$compiler $target $level" != "$first $native -O2" ] || continue
            name=${compiler}_$target$level
            program "$name" "$target" "$compiler" "$level" && trained "$name" "run_$name" --threads 2 && same "run_$name"
            rm -rf "$name"
        done
    done
done

# ---- many channels, few tiles: the terms of all groups are kept and multiplied at once -------------------------------------
# How many layers do so depends on the batch, of 16 none, of 64 (two pairs of groups) all but the last; groups without examples add nothing but zeros.
cat >deep.yaml <<'END'
model: deep
batch: 112
inputs: { image: { shape: [1, 11, 12], dtype: u8 } }
targets: { digit: { classes: 4 } }
nets:
  read:
    - conv: { filters: 96, kernel: 3, act: relu }
    - conv: { filters: 96, kernel: 3, act: relu }
    - conv: { filters: 36, kernel: 3, act: relu, bias: false }
    - conv: { filters: 48, kernel: 3, act: tanh }
    - dense: 4
flow: [ v: { read: image } ]
loss: { cross_entropy: [v, digit] }
END
for n in 16 64 104; do
    mkdir data$n
    bytes $((n * 132)) 3 256 | npy '|u1' "$n, 1, 11, 12" >data$n/test_image.npy
    bytes $n 4 4 | npy '|u1' "$n," >data$n/test_digit.npy
done
# gradients PROGRAM DATA OUT threads: of one batch, in OUT.npz
gradients() { run "$1/deep" grad --weights deep.npz --data "$2" --split test --threads "$4" -o "$3.npz"; }
for target in $targets; do built deep "deep_$target" --target "$target"; done
run "deep_$native/deep" export -o deep.npz
# keep PROGRAM COUNT: so many layers keep terms
keep() { [ "$(grep -c '"read_conv.", "products"' "$1/deep_inspect.c")" = "$2" ] || fault "$1: not $2 layers keep terms"; }
keep "deep_$native" 3
gradients "deep_$native" data104 deep_first 1
for target in $targets; do
    for threads in 1 2 3; do
        gradients "deep_$target" data104 deep_other $threads && cmp -s deep_first.npz deep_other.npz && echo "same bits: $target, $threads threads, many channels" ||
            fault "other bits: $target, $threads threads, many channels"
    done
done
for case in 16:0 64:2; do
    n=${case%:*}
    built deep deep$n --batch $n
    keep deep$n ${case#*:}
    gradients deep$n data$n few 1 && gradients "deep_$native" data$n many 2 && python3 - few.npz many.npz <<'END' && echo "same bits: $n examples alone, and in a batch of 112" ||
import sys, zipfile
few, many = (zipfile.ZipFile(name) for name in sys.argv[1:])
names = [n for n in few.namelist() if n.startswith("grad/")]
assert len(names) == 9 and all(few.read(n) == many.read(n) for n in names), [n for n in names if few.read(n) != many.read(n)]
assert all(len(set(few.read(n)[128:])) > 20 for n in names if "weight" in n), "a gradient is all alike"
END
        fault "$n examples alone have other gradients than in a batch of 112"
done

# ---- to rounding --------------------------------------------------------------------------------------------------------
losses() { sed 's/.*"train_loss": \([^,]*\),.*/\1/' "$1/log.jsonl"; }
# near A B FIRST LAST: the training losses of two runs; rounding grows from epoch to epoch, from FIRST to LAST at most
near() {
    paste <(losses "$1") <(losses "$2") | awk -v first="$3" -v last="$4" '{ d = ($1 - $2) / $2; if (d < 0) d = -d; printf "%.2g ", d
        if (!(d <= (NR == 1 ? first : last))) bad = 1 } END { exit bad || NR != 6 }' >near || fault "losses of $1 and $2 are too far apart"
    echo "$1 and $2: losses apart by $(cat near)"
}
built bits double --precision double && trained double run_double
built bits plain --precision double --plain && trained plain run_plain
built bits plain_float --plain && trained plain_float run_plain_float
near run_plain run_double 1e-12 1e-9
near first run_double 1e-6 1e-2
near run_plain_float run_double 1e-6 1e-2
exit $failed
