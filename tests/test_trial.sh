#!/usr/bin/env bash
# test_trial.sh -- train --overfit-one-batch: a sound net learns one batch under every optimiser at its default rate, and what cannot be learnt is found;
# train --lr-find on small batches.  usage: tests/test_trial.sh      SPNC names the compiler (build/spnc without it)
. "$(dirname "$0")/begin.sh"
export CFLAGS=-O1
cd "$work" || exit 74
mkdir data same
for split in train valid test; do
    bytes 160 3 256 | npy '|u1' '40, 4' >data/${split}_x.npy
    bytes 40 5 3 | npy '|u1' '40,' >data/${split}_y.npy
    bytes 160 3 1 | npy '|u1' '40, 4' >same/${split}_x.npy       # all examples are the same, their labels are not
    cp data/${split}_y.npy same
done
net() {         # net OPTIMISER: the program OPTIMISER/net
    cat >"$1.yaml" <<END
model: net
batch: 4
inputs: { x: { shape: [4], dtype: u8 } }
targets: { y: { classes: 3 } }
flow:
  - h: { dense: x, units: 24, act: tanh }
  - v: { dense: h, units: 3 }
loss: { cross_entropy: [v, y] }
train: { optimiser: $1 }
END
    run "$SPNC" build "$1.yaml" -o "$1"
}
optimisers=$(sed -n 's/^            "\([a-z]*\)", "\1", \1_keys.*/\1/p' "$root/compiler/read/optimisers.c")
[ "$(echo $optimisers | wc -w)" -ge 5 ] || fault "optimisers of the table: $optimisers"
for o in $optimisers; do
    net "$o" && run "$o/net" train --data data --overfit-one-batch && grep -q 'the net learns' "$work/output" || fault "$o at its rate: $(tail -1 "$work/output")"
    "$o/net" train --data same --overfit-one-batch >said 2>&1
    [ $? = 1 ] && grep -qE 'error: on one batch the loss (does not fall|falls, but does not come near zero).* in [0-9]{3} steps' said || fault "$o learns what cannot be learnt: $(tail -1 said)"
done
sgd/net train --data data --overfit-one-batch --set train.rate=1e-9 >said 2>&1
[ $? = 1 ] && grep -q 'error: on one batch the loss does not fall.* in 501 steps' said || fault "a rate of 1e-9: $(tail -1 said)"
sgd/net train --data data --overfit-one-batch --set train.rate=1e-3 >said 2>&1
[ $? = 1 ] && grep -q 'error: on one batch the loss still falls, but at this rate does not come soon near zero.* in 40000 steps' said || fault "a rate of 1e-3: $(tail -1 said)"
# a rate at which the loss falls, or that it falls at none: never one so small that nothing changes
for seed in 1 2 3 4 5 6; do
    rate=$(adam/net train --data data --lr-find --json --seed $seed 2>/dev/null | sed -n 's/.*"suggestion": \([^,]*\),.*/\1/p')
    case $rate in null) ;; *) awk "BEGIN { exit !($rate > 1e-5) }" || fault "seed $seed: rate $rate" ;; esac
done
# noise: what falls is the error of the first weights, and the loss does not come below that of one answer for all
mkdir noise
for split in train valid test; do
    bytes 16000 7 256 | npy '|u1' '4000, 4' >noise/${split}_x.npy
    bytes 4000 11 3 | npy '|u1' '4000,' >noise/${split}_y.npy
done
sed 's/^batch: .*/batch: 32/; s/units: 24/units: 64, init: { normal: 3 }/' adam.yaml >wide.yaml
run "$SPNC" build wide.yaml -o wide
warned=0
for seed in 1 2 3 4 5 6; do
    wide/net train --data noise --lr-find --seed $seed >said 2>&1
    if grep -qE 'warning: at no rate does the loss come below 1\.09[0-9]*, which one and the same answer for every example gives' said; then warned=$((warned + 1))
    else grep -q 'error: the loss falls at no rate' said || fault "noise, seed $seed: $(tail -1 said)"; fi
    wide/net train --data noise --lr-find --seed $seed --json 2>/dev/null | grep -q '"learns": false' || fault "noise, seed $seed: learns"
done
[ $warned -gt 0 ] || fault "the loss falls at first for no seed"
cp -r noise third
printf "$(bytes 16000 7 256 | od -An -v -tu1 -w4 | awk '{ printf "\\%03o", int(3 * $1 / 256) }')" | npy '|u1' '4000,' >third/train_y.npy
sed 's/^batch: .*/batch: 32/' adam.yaml >some.yaml
run "$SPNC" build some.yaml -o some
some/net train --data third --lr-find --json --seed 1 2>/dev/null | grep -q '"learns": true' || fault "what can be learnt is not"
sed 's/^loss: .*/loss: { cross_entropy: [v, y], smoothing: 0.1 }/' some.yaml >smooth.yaml
run "$SPNC" build smooth.yaml -o smooth
smooth/net train --data third --lr-find --json --seed 1 2>/dev/null | grep -q '"learns": null' || fault "a loss whose least is not counted is said to learn or not to"
[ $failed = 0 ] && echo "test_trial: fine"
exit $failed
