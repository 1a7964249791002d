#!/usr/bin/env bash
# test_pages.sh -- the models in docs: each compiles; and the lines of nets beside those of their twins in Keras.
# A listing of YAML that begins with `model:` is a model; one that begins with a comment that is a path, as `# parts/blocks.yaml`, is that file.
# In a table whose last column is `spnc` that column is an entry of a flow, a loss or a training: each stands in a model of a few inputs.
# usage: tests/test_pages.sh; SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 1
for page in language from-pytorch; do
    mkdir $page && awk -v folder=$page '
        /^```/ { if (out) close(out); open = !open && $0 == "```yaml"; out = ""; next }
        open && !out { out = folder "/" ($0 ~ /^# [a-z0-9_\/]+\.yaml$/ ? substr($0, 3) : $0 ~ /^model: / ? $2 ".yaml" : "rest")
                       path = out; sub(/\/[^\/]*$/, "", path); system("mkdir -p " path) }
        open { print >out }' "$root/docs/$page.md"
    models=$(grep -l '^model: ' $page/*.yaml)
    [ "$(wc -w <<<"$models")" -ge 3 ] || fault "docs/$page.md has $(wc -w <<<"$models") models"
    for model in $models; do
        said=$("$SPNC" check "$model" 2>&1) || fault "docs/$page.md, $model: $said"
    done
done
awk '/^\|.*\| spnc \|$/ { on = 1; next }
    !/^\|/ { on = 0 }
    on && !/^\| ---/ { line = $0; sub(/ *\|$/, "", line); if (n = match(line, /`[^`]*`$/)) print substr(line, n + 1, RLENGTH - 2) }' "$root/docs/from-pytorch.md" >rows
[ "$(wc -l <rows)" -ge 40 ] || fault "docs/from-pytorch.md has $(wc -l <rows) lines in its tables"
while IFS= read -r row; do
    entry="  - $row" loss='loss: { cross_entropy: [out, y] }' train=
    case $row in loss:*) entry= loss=$row ;; train:*) entry= train=$row ;; esac
    cat >row.yaml <<END
model: row
inputs: { x: { shape: [4, 8, 8] }, z: { shape: [4, 8, 8] }, v: { shape: [16] }, s: { shape: [12, 5] } }
targets: { y: { classes: 3 }, t: { shape: [3] } }
flow:
  - out: { dense: v, units: 3 }
$entry
$loss
$train
END
    "$SPNC" check row.yaml >said 2>&1 || fault "docs/from-pytorch.md: $row: $(cat said)"
done <rows

# ---- nets beside their twins in Keras: at most a fifth more lines, the one over rows none
python3 "$root/tests/oracle/keras_twins.py" count >counted || fault "a model has more than a fifth more lines than its twin in Keras: $(cat counted)"
grep -vxFf "$root/docs/from-pytorch.md" counted && fault "docs/from-pytorch.md has other numbers of lines: tests/oracle/keras_twins.py count"
[ "$(wc -l <counted)" = 15 ] && grep -q '^| \[gru_rows\].*| 10 | \[10\]' counted || fault "lines counted: $(cat counted)"

[ $failed = 0 ] && echo "test_pages: fine"
exit $failed
