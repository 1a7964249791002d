#!/usr/bin/env bash
# test_dropout.sh -- dropout rates that a run sets: the bits of a program built with that rate, kept over an interruption and in every
# record of the run; which rates can be set and their names; the error of a program without the layers; a sweep over them.
# SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
spnc=$SPNC
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
cat >net.yaml <<'YAML'
model: net
params: { dropout: 0.25, half: 0.5, late: 0.1, off: 0, width: 0.2, ramp: 2 }
inputs: { x: { shape: [8], dtype: f32 } }
targets: { y: { classes: 3 } }
nets:
  read:
    - dense: { units: 16, act: relu }
    - dropout: { rate: $dropout, ramp: $ramp }
    - dense: { units: 16, act: relu }
    - dropout: $dropout * $half
    - dropout: { rate: "min($late, 0.5)", name: last }
    - dropout: $off
    - dropout: 0
    - dropout: { rate: $width, name: wide }
    - dense: 3
flow:
  - z: { read: x }
  - scaled: { dropout: z, rate: 0.1 * $width }
loss: { cross_entropy: [scaled, y] }
batch: 20
train: { optimiser: { adam: { rate: 0.01 } }, epochs: 4, patience: 0, seed: 3 }
YAML
"$python" - <<'PYTHON' || exit 1
import os
import numpy as np
rng = np.random.default_rng(5)
os.mkdir("data")
for split, n in (("train", 130), ("valid", 60), ("test", 60)):
    x = rng.normal(size=(n, 8)).astype("f4")
    np.save(f"data/{split}_x.npy", x)
    np.save(f"data/{split}_y.npy", x[:, :3].argmax(1).astype("i4"))
PYTHON

build() {                                      # build FOLDER options...
    local out=$1
    shift
    "$spnc" build net.yaml "$@" -o "$out" >output 2>&1 || { cat output; exit 1; }
}
build a
build b --set dropout=0.4 --set half=0.75
build none --set dropout=0 --set late=0
build plain --plain
train() { local program=$1 run=$2; shift 2; "$program/net" train --data data --run "$run" --threads 1 --quiet "$@"; }
# the same parameters to the bit; files of different programs differ in the model hash
same() { "$python" -c 'import sys, numpy as np; a, b = map(np.load, sys.argv[1:]); sys.exit(any(a[k].tobytes() != b[k].tobytes() for k in a.files))' "$1.npz" "$2.npz"; }
weights() { "a/net" export --last --run "$1" -o "$1.npz" || fault "$1: no weights"; }

# ---- which there are ----------------------------------------------------------------------------------------------------
# dropout begins every product that reads it; half stands behind; late is under min; width is not read by rates alone
./a/net info --json >info.json
"$python" - <<'PYTHON' || fault "rates: $(cat info.json)"
import json
assert json.load(open("info.json"))["dropout"] == {"dropout": 0.25, "read.last.rate": 0.1, "off": 0, "read.dropout5.rate": 0, "read.wide.rate": 0.2,
                                                   "scaled.rate": 0.1 * 0.2}
PYTHON
grep -q 'dropout_at(batch, (DropoutUse){ .rate = 0.5 \* dropout_rate, .place = 1, ' a/net.c && grep -q '^static double dropout_rate = 0.25; ' a/net.c || fault "the C does not say its rates"

# ---- the same bits as of a program that was built so ------------------------------------------------------------------------
train a yaml && weights yaml
expect 0 '' train a set --set dropout=0.4
expect 0 '' train a again --set dropout=0.25 --set read.last.rate=0.1
expect 0 '' train plain textbook --set dropout=0.4 --set read.wide.rate=0
expect 0 '' train a lanes --set dropout=0.4 --set read.wide.rate=0
weights set && weights again
same yaml again || fault "the model's own rate, set, gives other bits"
same yaml set && fault "a rate that is set changes nothing"
build other --set dropout=0.4
train other built && ./other/net export --last --run built -o built.npz
same set built || fault "a rate that is set gives other bits than one that is compiled in"
cat yaml/log.jsonl lanes/log.jsonl textbook/log.jsonl >logs
"$python" - <<'PYTHON' || fault "the plain form drops other elements"
import json
lines = [json.loads(l) for l in open("logs")]
for fast, plain in zip(lines[4:8], lines[8:]):
    assert abs(fast["train_loss"] - plain["train_loss"]) < 1e-4 * fast["train_loss"], (fast, plain)
PYTHON
expect 0 '' train a zero --set dropout=0 --set read.last.rate=0
expect 0 '' train none removed
weights zero && ./none/net export --last --run removed -o removed.npz
same zero removed || fault "rate 0 gives other bits than a model without the layers"

# ---- over channels: another net; over elements: the usual one ------------------------------------------------------------------
hash_of() { "$spnc" show "$1" --json | grep -o '"hash":"[0-9a-f]*"'; }
for over in elements channels; do sed "s/dropout: { rate: \$dropout,/& over: $over,/" net.yaml >"$over.yaml"; done
[ "$(hash_of net.yaml)" = "$(hash_of elements.yaml)" ] || fault "over: elements is another net"
[ "$(hash_of net.yaml)" != "$(hash_of channels.yaml)" ] || fault "over: channels is the same net"

# ---- kept -------------------------------------------------------------------------------------------------------------------
expect 0 '' train a cut --set dropout=0.4 --max-time 0.001ms
for _ in 1 2 3; do expect 0 '' train a cut --resume --max-time 0.001ms; done
expect 0 '' ./a/net train --data data --run cut --resume --threads 2 --quiet
weights cut
same cut set || fault "interrupted and gone on: other bits"
grep -q '"dropout": {"dropout": 0.4, ' cut/run.json || fault "run.json: $(cat cut/run.json)"
expect 1 'the run has dropout 0.4, --set says 0.1' train a cut --resume --set dropout=0.1
expect 0 '' train a cut --resume --set dropout=0.4
grep -q '>dropout</.*0.4<' cut/report.html || fault "the report does not say the rate"
expect 0 'settings that differ' ./a/net compare yaml cut --data data
[ "$(grep -A4 'settings that differ' output | tr -s ' \n' ' ')" = 'settings that differ dropout 1 0.25 2 0.4 ' ] || fault "compare: $(cat output)"
[ "$(grep -c 'only 1 wrong' output)" = 1 ] && ! grep -q examples: output || fault "compare: with one label an example, labels and examples are the same: $(cat output)"
expect 0 '"dropout": {"dropout": 0.4' ./a/net compare yaml cut --data data --json

# a step that went wrong is run again with its own rates
"$python" -c 'import numpy as np; x = np.load("data/train_x.npy"); x[7] = 3e38; import shutil; shutil.copytree("data", "bad"); np.save("bad/train_x.npy", x)'
expect 1 'made the first bad number' ./a/net train --data bad --run wrong --threads 1 --set dropout=0.4
"$python" -c 'import json, zipfile; f = json.loads(zipfile.ZipFile("wrong/nonfinite.npz").comment); assert f["dropout"]["dropout"] == 0.4 and f["mode"] == "train", f' ||
    fault "the dump lacks the rates"
expect 1 'made the first bad number' ./a/net replay wrong/nonfinite.npz

# ---- refused ------------------------------------------------------------------------------------------------------------------
refused() { expect 2 "$1" train a none.run --set "$2"; }
refused "dropout: got '1', expected a share to drop, from 0 to 0.999" dropout=1
refused "dropout: got '-0.1'" dropout=-0.1
refused "dropout: got 'nan'" dropout=nan
refused "dropout: got ''" dropout=
refused 'did you mean dropout?' dropuot=0.3
refused 'half. cannot be set at run time: it is a parameter that the program was compiled with.*Another value is another program: spnc build net.yaml --set half=' half=0.3
refused 'halves. cannot be set at run time; what can' halves=0.3
refused 'built with off 0, which leaves its layers out; build it with a rate above 0: spnc build net.yaml --set off=0.2' off=0.3
refused 'built with rate 0.*give the layer a rate above 0 in net.yaml' read.dropout5.rate=0.3
expect 2 'dropout is given twice' train a none.run --set dropout=0.3 --set dropout=0.2
expect 2 'spnc build net.yaml --set dropout=0.2' train none none.run --set dropout=0.1
expect 0 '' train a fine --set off=0 --epochs 1
[ ! -e none.run ] || fault "a refused start left a folder"

# ---- a sweep -------------------------------------------------------------------------------------------------------------------
printf 'dropout: [0, 0.4]\nrate: [0.01, 0.003]\nseed: [3, 4]\nepochs: 4\n' >grid
expect 0 '8 runs in runs' ./a/net sweep grid --data data --runs runs --threads 1
[ "$(grep -c '^dropout 0\(.4\)\?, rate 0.0[013]*, epochs 4  *2 / 2 ' output)" = 4 ] || fault "no table: $(cat output)"
weights runs/dropout-0.4_rate-0.01_epochs-4_seed-3
same set runs/dropout-0.4_rate-0.01_epochs-4_seed-3 || fault "a run of a sweep has other bits"
expect 2 'spnc build net.yaml --set off=0.2' ./a/net sweep <(echo 'off: [0, 0.2]') --data data --runs none.run

[ $failed = 0 ] && echo "test_dropout: fine"
exit $failed
