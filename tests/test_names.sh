#!/usr/bin/env bash
# test_names.sh -- names of classes: what predict and the report show of them, where they come from, and names that are not UTF-8 wherever JSON or a
# page is written.
# usage: tests/test_names.sh; SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" numpy)
expect() {                                     # expect CODE TEXT COMMAND...
    local code=$1 text=$2 got
    shift 2
    "$@" >output 2>&1
    got=$?
    [ $got = "$code" ] || fault "exit code $got, expected $code: $*: $(head -3 output)"
    [ -z "$text" ] || grep -a -q -e "$text" output || fault "no '$text' from: $*: $(head -9 output)"
}
cd "$work" || exit 1
"$python" - <<'PYTHON' || exit 1
import os
for k, name in enumerate((b"ant", b"b<i> & \"c\"", b"caf\xe9", "zoë".encode())):
    os.makedirs(b"pictures/" + name)
    for i in range(8):
        with open(b"pictures/%s/p\xff%d.pgm" % (name, i), "wb") as f:
            f.write(b"P5 4 4 255\n" + bytes((60 * k + i + j) % 256 for j in range(16)))
PYTHON
cat >kinds.yaml <<'END'
model: kinds
batch: 8
inputs: { image: { shape: [1, 4, 4], dtype: u8 } }
targets: { label: { classes: 4 } }
flow:
  - v: { dense: image, units: 4 }
loss: { cross_entropy: [v, label] }
train: { optimiser: { sgd: { rate: 0.1 } }, epochs: 2 }
END
pack=$(dirname "$SPNC")/spn-data odd=$'odd\xe9' kinds=kinds/kinds
expect 0 'warning: the name of class 2, .*, is not UTF-8 (byte 0xe9): .*convmv' "$pack" pack pictures --valid 0.2 --test 0.2 -o data
printf 'p\377.pgm,caf\351\nq.pgm,ant\n' >table.csv
cp pictures/ant/p*0.pgm $'pictures/p\xff.pgm' && cp pictures/ant/p*1.pgm pictures/q.pgm
expect 0 'is not UTF-8 (byte 0xe9): .*iconv' "$pack" pack pictures --labels table.csv -o table
rm pictures/*.pgm
expect 0 '' "$SPNC" build kinds.yaml -o kinds
cp -r data "$odd"
expect 0 finished $kinds train --data "$odd" --run "run$odd"
expect 0 '' $kinds predict --data "$odd" --run "run$odd" --count 9
grep -a -q -e '^  label  [^0-9 ].* (0\.[0-9]*)   label [^0-9]' output || fault "no names: $(cat output)"
expect 0 '' $kinds predict pictures/ant --run "run$odd"
grep -a -q -e '^  label  [^0-9 ].* (0\.[0-9]*)$' output || fault "pictures: no names: $(cat output)"
cat pictures/ant/p*0.pgm | $kinds predict - --run "run$odd" >output && grep -a -q '^  label  [^0-9 ]' output || fault "standard input: no names: $(cat output)"

# ---- a run that goes on keeps the names that it has learnt --------------------------------------------------------------
cp -r data renamed && cp -r "run$odd" run_on && sed -i '1s/.*/wasp/' renamed/label_classes.txt
expect 0 "class 0 is 'wasp', but in run_on it is 'ant'" $kinds train --data renamed --run run_on --resume --epochs 99 --max-time 0.01
grep -q '"ant"' run_on/run.json && ! grep -q wasp run_on/run.json || fault "the names of a run became those of other data"

# ---- JSON and pages are valid, whatever bytes names have ---------------------------------------------------------------
$kinds predict --data "$odd" --run "run$odd" --count 9 --json >1.json
$kinds predict pictures/* --run "run$odd" --json >2.json
$kinds info --json >3.json
$kinds compare "run$odd" "run$odd" --data "$odd" --json >4.json
$kinds eval --data "$odd" --run "run$odd" --json >5.json
$kinds export --run "run$odd" -o "w$odd.npz" >output && $kinds train --data "$odd" --run "init$odd" --init "w$odd.npz" --json >6.json
printf 'train.rate: [0.1]\n' >"grid$odd"
$kinds sweep "grid$odd" --data "$odd" --runs "runs$odd" --threads 1 >output || fault "sweep: $(cat output)"
cp kinds.yaml "kinds$odd.yaml"
"$SPNC" show "kinds$odd.yaml" --json >7.json && "$SPNC" check "nothing$odd.yaml" --json 2>8.json
"$python" - <<'PYTHON' || fault "names in JSON and pages"
import glob
import json
import os
import xml.etree.ElementTree as ET
for path in glob.glob(b"[0-9].json") + glob.glob(b"*odd*/*.json") + glob.glob(b"*odd*/*.jsonl"):
    with open(path, "rb") as f:
        lines = f.read().decode("utf-8").splitlines()
    assert lines, path
    for line in lines:
        json.loads(line)
pages = glob.glob(b"*odd*/report.html") + glob.glob(b"runsodd*/*/report.html")
assert len(pages) > 1, pages
for path in pages:
    with open(path, "rb") as f:
        page = f.read().decode("utf-8")
    ET.fromstring(page)
    assert "caf\ufffd" in page and "b&lt;i&gt; &amp; &quot;c&quot;" in page and "zoë" in page, path
names = ["ant", "b<i> & \"c\"", "caf\ufffd", "zoë"]
with open(b"runodd\xe9/run.json", encoding="utf-8") as f:
    assert json.load(f)["classes"] == {"label": names}
with open("1.json", encoding="utf-8") as f:
    examples = json.load(f)["examples"]
assert len(examples) > 4
for e in examples:
    t = e["targets"]["label"]
    assert t["names"] == [names[k] for k in t["read"]] and t["label_names"] == [names[k] for k in t["labels"]], t
with open("2.json", encoding="utf-8") as f:
    examples = json.load(f)["examples"]
assert len(examples) == 32
for e in examples:
    t = e["targets"]["label"]
    assert "/p\ufffd" in e["file"] and t["names"] == [names[k] for k in t["read"]] and "label_names" not in t, t
PYTHON

# ---- whose names -------------------------------------------------------------------------------------------------------
# Without a run the data's; without either numbers; of a run without names the data's.  Where both differ, a warning.
expect 0 '' $kinds predict --data data --weights "w$odd.npz" --count 4
grep -a -q '^  label  [^0-9 ]' output || fault "names of the data: $(cat output)"
expect 0 '^  label  [0-3] (' $kinds predict pictures/ant --weights "w$odd.npz"
sed 's/"classes": .*"train"/"train"/' "run$odd/run.json" >run.json && cp run.json "run$odd/run.json"
expect 0 '^  label  [0-3] (' $kinds predict pictures/ant --run "run$odd"
expect 0 '^  label  [^0-9 ]' $kinds predict --data data --run "run$odd" --count 4
for bytes in 0 1 100 -5; do                      # one that ends in the middle
    head -c "$bytes" run.json >"run$odd/run.json"
    expect 0 '^  label  [0-3] (' $kinds predict pictures/ant --run "run$odd"
    [ "$(grep -a -c 'warning: .*/run.json: .*hat it says is passed over$' output)" = 1 ] || fault "no warning of a run.json that ends after $bytes bytes: $(cat output)"
done
expect 0 finished $kinds train --data data --run other
sed -i '1s/.*/bee/' data/label_classes.txt
for command in "eval" "predict --count 2" "report"; do
    # shellcheck disable=SC2086
    expect 0 "warning: data/label_classes.txt: class 0 is 'bee', but in other it is 'ant': the labels there are not the classes that the net has learnt" \
        $kinds $command --data data --run other
done
printf 'one\ntwo\n' >data/label_classes.txt
expect 0 "warning: data/label_classes.txt: 2 lines, but 'label' of .* has 4 classes; numbers are shown" $kinds predict --data data --weights "w$odd.npz" --count 1
grep -q '^  label  [0-3] (' output || fault "names of another net: $(cat output)"
[ $failed = 0 ] && echo "test_names: fine"
exit $failed
