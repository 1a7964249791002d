#!/usr/bin/env bash
# steps.sh -- 20 updates of every optimiser with every setting, in double, against PyTorch in float64 (oracle.py steps): what a model says
# under `train:` is taken out of nets of this folder, and a row of the table below put in its place.
# usage: tests/oracle/steps.sh PYTHON [TEXT]     rows that have TEXT in them, else all; PYTHON has torch, numpy and yaml
# SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
set -u
cd "$(dirname "$0")/../.." || exit 1
spnc=${SPNC:-$PWD/build/spnc} python=$1 rows=${2-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
while IFS='|' read -r net train; do
    [[ -n $net && "$net|$train" == *"$rows"* ]] || continue
    sed '/^train:/,$d' "tests/oracle/nets/$net.yaml" >"$work/$net.yaml"
    printf 'train: { %s, epochs: 40 }\n' "$train" >>"$work/$net.yaml"
    "$spnc" build "$work/$net.yaml" --precision double --batch 6 -o "$work/program" >"$work/output" 2>&1 &&
        "$python" tests/oracle/oracle.py steps "$work/$net.yaml" --batch 6 --program "$work/program/$net" --tolerance 1e-8 >"$work/output" 2>&1 ||
        { tail -40 "$work/output"; echo "steps.sh: $net: $train: FAILED"; failed=1; }
    rm -rf "$work/program"
done <<'END'
rezero|optimiser: { sgd: { rate: 0.05, momentum: 0.9, nesterov: true } }
options|optimiser: { sgd: { rate: 0.05, momentum: 0.9, nesterov: true } }, clip: { norm: 0.2 }, weight_decay: 1e-3
rezero|optimiser: { rmsprop: { rate: 1e-3, momentum: 0.9 } }
rezero|optimiser: { rmsprop: { rate: 1e-3, epsilon: 1e-8, epsilon_inside: false, centred: true } }
shared|optimiser: { rmsprop: { rate: 1e-3, momentum: 0.5, centred: true } }
rezero|optimiser: { adam: { rate: 1e-2, amsgrad: true } }
recurrent|optimiser: { adam: { rate: 1e-3, amsgrad: true } }
rezero|optimiser: { adamw: { rate: 1e-2, weight_decay: 0.1 } }
options|optimiser: { adamw: { rate: 1e-3, amsgrad: true } }, clip: { element: 0.05 }
rezero|optimiser: { adagrad: { rate: 0.05 } }
shared|optimiser: { adagrad: { rate: 0.05, epsilon: 1e-6 } }, weight_decay: 1e-3
rezero|optimiser: { sgd: { rate: 0.05 } }, schedule: { step: { divide: 2, every: 4, warm_up: 3 } }
rezero|optimiser: { adam: { rate: 1e-2 } }, schedule: { cosine: { final: 0.1, warm_up: 2 } }
rezero|optimiser: { sgd: { rate: 0.05, momentum: 0.9 } }, schedule: { exponential: { factor: 0.8 } }
rezero|optimiser: { sgd: { rate: 0.05 } }, schedule: { divide: 1.5, first: 5, every: 4, warm_up: 6 }
shared|optimiser: { sgd: { rate: 0.05, momentum: 0.9 } }, clip: { norm: 0.1 }, weight_decay: 1e-2, no_decay: [bias], nets: { features: { freeze: true }, fold: { rate_times: 0.1 } }
rezero|optimiser: { adamw: { rate: 1e-2, weight_decay: 0.1 } }, no_decay: [weights], nets: { branch: { rate_times: 0.1 }, b.f: { freeze: true }, c.amount: { weight_decay: 0.3, rate_times: 2 } }
rezero|optimiser: { sgd: { rate: 0.05, momentum: 0.9 } }, accumulate: 3
rezero|optimiser: { adam: { rate: 1e-2 } }, average: 0.9
shared|optimiser: { rmsprop: { rate: 1e-3 } }, accumulate: 2, average: 0.8, clip: { norm: 0.1 }, weight_decay: 1e-2, schedule: { cosine: { final: 0.1, warm_up: 2 } }
losses|optimiser: { sgd: { rate: 0.05, momentum: 0.9 } }, nets: { body.dense1: { freeze: true } }
recurrent|optimiser: { adamw: { rate: 1e-3 } }, accumulate: 2, average: 0.95, nets: { h: { freeze: true } }
END
exit $failed
