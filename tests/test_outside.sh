#!/usr/bin/env bash
# test_outside.sh -- operators from outside of spnc: those of docs/operators and tests/operators do all that a built-in one does; docs/operators.md's
# commands; the model hash; every message about a description (tests/operators/errors.txt).
# usage: tests/test_outside.sh [--update]     --update writes errors.txt anew.  SPNC: the spnc to test (default build/spnc).
# A target that this processor lacks is skipped, with a message.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
[ -x "$SPNC" ] || { echo "test_outside: there is no $SPNC" >&2; exit 1; }
run() { "$@" >output 2>&1 || { fault "failed: $*"; tail -5 output >&2; return 1; }; }
python=$(sh "$root/tests/python.sh" numpy)

# ---- messages: one mistake after the other in a copy of a good operator ------------------------------------------------------
cat >leaky.yaml <<'END'
model: leaky
inputs: { x: { shape: [8] } }
targets: { y: { classes: 3 } }
flow:
  - h: { leaky: x }
  - v: { dense: h, units: 3 }
loss: { cross_entropy: [v, y] }
END
sed 's/leaky: x/mix: [x, x], gain: 1/' leaky.yaml >mix.yaml

# wrong OPERATOR EXPRESSION: the description edited by sed, and the output of spnc check
wrong() {
    rm -rf ops && mkdir ops && cp "$root"/docs/operators/leaky* "$root"/tests/operators/mix*.in "$root"/tests/operators/mix.op.lua ops
    sed -i "$2" "ops/$1.op.lua"
    echo "## $1: $2"
    "$SPNC" check "${1%_relu}.yaml" --templates ops 2>&1
    [ $? = 1 ] || fault "$1: $2: exit code is not 1"
}
{
    # the file
    wrong leaky '1i return {'
    wrong leaky 's/^return {/local t = {/; $a local x = t.shape.dims'
    wrong leaky 's/^return {/local t = {/'
    wrong leaky '1i while true do end'
    wrong leaky '1i local s = "x" while true do s = s .. s end'
    wrong leaky '1i os.exit(1)'
    wrong leaky '1i slope = 1'
    wrong leaky '1i refuse("never")'
    wrong leaky '1i error({})'
    # its fields
    wrong leaky '/about =/d'
    wrong leaky 's/about =/abuot =/'
    wrong leaky 's/about = "[^"]*"/about = 3/'
    wrong leaky 's/about = "/&\\27[31m/'
    wrong leaky 's/about = "[^"]*"/about = ""/'
    wrong leaky 's/^return {/& 7,/'
    wrong leaky 's/main = "slope"/main = "slop"/'
    wrong leaky 's/flat = true/flat = "yes"/'
    wrong leaky 's/flat = true/inputs = 31/'
    wrong leaky 's/backward = { "y" }/backward = { "z" }/'
    wrong leaky 's/backward = { "y" }/backward = { "y", "y" }/'
    wrong leaky 's/backward = { "y" }/backward = { "x" }/'
    wrong leaky 's/flat = true/weights = { "x" }/'
    wrong leaky 's/flat = true/choice = "y"/'
    # attributes
    wrong leaky 's/name = "slope"/name = "1st"/'
    wrong leaky 's/name = "slope"/name = "name"/'
    wrong leaky 's/type = "real"/type = "float"/'
    wrong leaky 's/type = "real"/type = "act"/'
    wrong leaky 's/default = 0.01/default = 2/'
    wrong leaky 's/min = 0, //'
    wrong leaky 's/max = 1/max = 1\/0/'
    wrong leaky 's/max = 1/max = -1/'
    wrong leaky 's/max = 1/maximum = 1/'
    wrong leaky 's/default = 0.01/&, optional = true/'
    wrong leaky 's/{ name = "slope".*/3,/'
    wrong leaky 's/{ name = "slope".*/&&/'
    wrong mix 's/choices = { "sum", "difference" }/choices = { "a b" }/'
    wrong mix 's/choices = { "sum", "difference" }/choices = {}/'
    # parameters, and what is kept
    wrong mix 's/{ normal = 0.5 }/"normal"/'
    wrong mix 's/name = "b", init/name = "a", init/'
    wrong mix 's/name = "total"/name = "y"/'
    wrong mix 's/init = { normal = 0.5 }/present = "gain"/'
    wrong mix 's/backward = { "gate", "total", "a" }/backward = { "a", "gate" }/'
    wrong mix 's/parameters = {/&{ name = "c" }, {}, {},/'
    wrong mix 's/backward = {.*/backward = { "x", "x1", "x2", "x", "y", "gate", "total", "a", "x" },/'
    wrong mix 's/weights = {.*/weights = { "a" },/'
    # its functions, called for a model
    wrong leaky 's/return op.x.dims/return op.x.dim/'
    wrong leaky 's/return op.x.dims/return op.attrs.slop/'
    wrong leaky 's/return op.x.dims/return 3/'
    wrong leaky 's/return op.x.dims/return { 8, 0 }/'
    wrong leaky 's/return op.x.dims/return { 1, 1, 1, 1, 1, 1, 1 }/'
    wrong leaky 's/return op.x.dims/return { 100000, 100000 }/'
    wrong leaky 's/return op.x.dims/refuse("eight is too many for " .. op.x.shape)/'
    wrong leaky 's/return op.x.dims/error("no idea")/'
    wrong leaky 's/return op.x.dims/return { axis(1, #op.x.dims) }/'
    wrong leaky 's/return op.x.dims/return sizes(op.x, places(op.x, { 0, -1 }), true)/'
    wrong leaky 's/flat = true/facts = function(op) return 3 end/'
    wrong leaky 's/flat = true/facts = function(op) return { ["a b"] = 3 } end/'
    wrong leaky 's/flat = true/facts = function(op) return { rows = "three" } end/'
    wrong leaky 's/flat = true/facts = function(op) return { rows = { 1, 2.5 } } end/'
    wrong mix 's/return 3 \* op.y.size/return -1/'
    wrong mix 's/return { 1 } end/return "one" end/'
    # beside it
    echo '## a template that is not there'
    rm -rf ops && mkdir ops && cp "$root"/docs/operators/leaky* ops && rm ops/leaky_fast.c.in
    "$SPNC" check leaky.yaml --templates ops 2>&1
    for name in conv adam ones int repeat; do
        echo "## a description called $name"
        rm -rf ops && mkdir ops && cp "$root/docs/operators/leaky.op.lua" "ops/$name.op.lua"
        "$SPNC" ops --templates ops 2>&1 | grep -v '^  '
    done
    echo '## no folder'
    "$SPNC" check leaky.yaml --templates nowhere 2>&1
    echo '## unreadable to a program: --json'
    wrong leaky 's/default = 0.01/default = 2/' >/dev/null
    "$SPNC" check leaky.yaml --templates ops --json 2>&1
} >messages
if [ "${1:-}" = --update ]; then
    cp messages "$root/tests/operators/errors.txt"
    exit $failed
fi
diff "$root/tests/operators/errors.txt" messages || fault "the messages have changed; $0 --update writes them down"

# ---- the model hash: the operator's files are part of it, and of no other model's ---------------------------------------------
hash() { "$SPNC" show "$@" --target avx2 | sed -n 's/.* hash //p'; }
cp -r "$root/docs/operators" mine
first=$(hash mine/digits.yaml --templates mine)
[ -n "$first" ] && [ "$first" = "$(hash mine/digits.yaml --templates "$root/docs/operators")" ] || fault "the hash depends on the folder's name"
for file in leaky.op.lua space_to_depth_plain.c.in channel_scale_fast.c.in; do
    cp "$root/docs/operators/$file" mine
    sed -i '1s/$/ (another)/' "mine/$file"
    [ "$first" != "$(hash mine/digits.yaml --templates mine)" ] || fault "another $file, and the hash stays"
    cp "$root/docs/operators/$file" mine
done
cp "$root"/tests/operators/*.in "$root"/tests/operators/*.op.lua mine
[ "$first" = "$(hash mine/digits.yaml --templates mine)" ] || fault "an operator that the model does not use changes its hash"
mixed=$(hash "$root/tests/operators/mixed.yaml" --templates mine)
echo '% -- included' >>mine/mix_common.c.in
[ "$mixed" != "$(hash "$root/tests/operators/mixed.yaml" --templates mine)" ] || fault "an included template is not part of the hash"
[ "$(hash "$root/models/tiny.yaml")" = "$(hash "$root/models/tiny.yaml" --templates mine)" ] || fault "a model without outside operators has another hash"

# ---- operators: in the model, by its path from the model ----------------------------------------------------------------------------
sed '1a operators: mine' leaky.yaml >beside.yaml
mkdir deep && sed '1a operators: ../mine' leaky.yaml >deep/beside.yaml
[ "$(hash beside.yaml)" = "$(hash leaky.yaml --templates mine)" ] && [ "$(hash beside.yaml)" = "$(hash deep/beside.yaml)" ] || fault "operators: in the model has another hash than --templates"
cp -r mine other && sed -i 's/return op.x.dims/return 3/' other/leaky.op.lua && sed -i 1d other/mix.op.lua
"$SPNC" check beside.yaml --templates other >output 2>&1 && fault "the folder of --templates does not come first"
grep -q "other/leaky.op.lua" output || fault "not from the folder of --templates: $(cat output)"
sed 's/mine/other/; s/leaky: x/relu: x/' beside.yaml >spoilt.yaml
said=$("$SPNC" check spoilt.yaml 2>&1) && [ -z "$said" ] || fault "a broken description spoils a model that does not mention it: $said"
sed 's/leaky: x/leeky: x/' beside.yaml >near.yaml
"$SPNC" check near.yaml 2>&1 | grep -q "did you mean 'leaky'" || fault "an operator of the folder is not suggested"
# one that bears the name of a newer operator in C stands instead of it
mkdir newer && for file in mine/leaky*; do sed 's/leaky/selu/g' "$file" >"newer/selu${file#mine/leaky}"; done
sed '1a operators: newer' leaky.yaml | sed 's/leaky: x/selu: x, slope: 0.5/' >newer.yaml
"$SPNC" check newer.yaml >output 2>&1 && grep -q "newer/selu.op.lua:1: warning: spnc has an operator 'selu' too: the one described here is used" output || fault "newer.yaml: $(cat output)"
run "$SPNC" emit beside.yaml -o beside && grep -q leaky beside/leaky.c || fault "the templates of operators: are not found"

# ---- every command about operators lists these ----------------------------------------------------------------------------------
known() { local text=$1; shift; "$SPNC" "$@" >output 2>&1; grep -q -e "$text" output || fault "no '$text' from: spnc $*: $(head -3 output)"; }
known '^  space_to_depth  *Makes channels of the pixels' ops --templates mine
known '^  y = x where x > 0, else slope x$' ops leaky --templates mine
known "no operator or net is called 'leeky'; did you mean 'leaky'" check <(sed 's/leaky/leeky/' leaky.yaml) --templates mine
known '"slope"' schema --templates mine
known '^  op.parameters\[i\]$\|^op.parameters\[i\]$' templates channel_scale_fast --templates mine
known '^  mix_fast.c.in  *mix, fast form' templates --templates mine
known '^  equation  y = x where' explain mine/digits.yaml look.leaky1 --templates mine
known 'is no template of spnc' templates mix_fast --templates mine -o copies
for page in leaky space_to_depth channel_scale; do
    "$SPNC" ops $page --templates mine | sed -n '/^example$/,$ s/^    //p' >example.yaml
    run "$SPNC" check example.yaml --templates mine
done

# ---- values and gradients: every target has the same bytes, plain agrees, differences agree ------------------------------------
[ -n "$python" ] || { echo "test_outside: no Python with numpy; the programs are not compared"; exit $failed; }
"$python" - <<'END'
import numpy as np
r = np.random.default_rng(7)
for split, n in ("train", 30), ("valid", 5), ("test", 5):
    np.save(f"{split}_image.npy", r.integers(0, 256, (n, 1, 14, 12), "u1")), np.save(f"{split}_digits.npy", r.integers(0, 4, (n, 2), "i4"))
    np.save(f"{split}_x.npy", r.normal(size=(n, 6)).astype("f4")), np.save(f"{split}_y.npy", r.normal(size=(n, 5)).astype("f4"))
    np.save(f"{split}_z.npy", r.normal(size=(n, 1)).astype("f4"))
END
export CFLAGS=-O0
# built MODEL FOLDER OPTIONS...: FOLDER of the work folder
built() { run env CFLAGS="$CFLAGS -Wall -Wextra -Wpedantic -Wshadow -Werror" "$SPNC" build "$1" --templates mine -o "$2" --target "${@:3}"; }
gradient() { local c; for c in "$1"/*; do [ -f "$c" ] && [ -x "$c" ] && run "$c" grad --weights "$2.npz" --data . --split train --first 20 -o "$1.npz"; done; }
cp "$root/tests/operators/mix_common.c.in" mine
built mine/digits.yaml generic generic && built mine/digits.yaml plain generic --plain && built "$root/tests/operators/mixed.yaml" mixed generic &&
    built "$root/tests/operators/mixed.yaml" mixed_plain generic --plain || exit 1
run generic/digits export --seed 3 -o digits.npz
run mixed/mixed export --seed 3 -o mixed_w.npz
gradient generic digits
gradient plain digits
gradient mixed mixed_w
gradient mixed_plain mixed_w
for program in generic/digits plain/digits mixed/mixed mixed_plain/mixed; do run $program check --data .; done
for target in avx2 avx512; do
    grep -q -m1 -w "${target/avx512/avx512f}" /proc/cpuinfo || { echo "test_outside: $target: not this processor's, skipped"; continue; }
    built mine/digits.yaml $target $target && gradient $target digits && { cmp -s generic.npz $target.npz || fault "$target has other bytes than generic"; }
done
"$python" - <<'END' || fault "the plain form has other numbers than the fast form"
import sys
import numpy as np
for fast, plain in ("generic", "plain"), ("mixed", "mixed_plain"):
    a, b = np.load(fast + ".npz"), np.load(plain + ".npz")
    for k in a:
        worst = np.abs(a[k].astype("f8") - b[k]).max() / (np.abs(a[k]).max() + 1e-12)
        if not worst < 3e-5:
            sys.exit(f"{fast}: {k} differs by {worst:.2g} of its largest")
    print(fast, len(a.files), "arrays")
END
# ---- as a library and a package: operators of the model's own folder, every form; the example answers as grad does -----------------
{ sed '1a operators: mine' mine/digits.yaml; echo 'outputs: [digit]'; } >own.yaml
run generic/digits grad --weights digits.npz --data . --split test --first 0 -o own.npz
# library FOLDER OPTION...: the library of own.yaml
library() {
    run "$SPNC" emit own.yaml --weights digits.npz -o "$@" && run make -C "$1" example CFLAGS="-O0 -Wall -Wextra" || return
    "$1/example" test_image.npy >said 2>&1 && "$python" - said own.npz <<'END' || fault "the library $* does not answer as grad: $(head -3 said)"
import re, sys
import numpy as np
said = [float(x) for x in re.findall(r"(?<= )-?[0-9.e+-]+(?=[ \n])", re.sub(r"example \d+, digit:", "", open(sys.argv[1]).read()))]
want = np.load(sys.argv[2])["out/digit"][:5].ravel()
assert len(said) == len(want) and np.allclose(said, want, rtol=1e-5, atol=1e-5), (said, want)
END
}
library lanes --for inference --batch 16 --form lanes --target generic
library one --for inference --batch 5 --form latency --target generic
library textbook --for inference --batch 16 --plain --target generic
[ "$(uname -m)" != x86_64 ] || library everywhere --for inference --batch 16 --target portable
library packed --for python --batch 16 && [ -s packed/pyproject.toml ] || fault "no package"

run "$SPNC" build leaky.yaml --templates mine --debug -o debugged && run debugged/leaky check

# ---- docs/operators.md: its commands, as they stand there; its listings are what the commands before them print -------------------
mkdir bin docs && ln -s "$SPNC" bin/spnc && cp -r "$root/docs/operators" docs
{ echo 'set -eu'; awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on' "$root/docs/operators.md"; } >lesson.sh
run env PATH="$work/bin:$PATH" bash lesson.sh && grep -q '^check passed' output || fault "docs/operators.md: $(tail -3 output)"
SPNC=$SPNC "$root/docs/dumps.py" "$root/docs/operators.md" --check || fault "docs/operators.md shows what is no more"

[ $failed = 0 ] && echo "test_outside: fine"
exit $failed
