#!/usr/bin/env bash
# test_include.sh -- include: nets and params of other files, as if they were written in the model; messages and tables name the file of each line.
# usage: tests/test_include.sh; SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cp -r "$root/tests/errors/parts" "$work" && cd "$work" || exit 1
expect() {                                     # expect CODE TEXT COMMAND...
    local code=$1 text=$2 got
    shift 2
    "$@" >output 2>&1
    got=$?
    [ $got = "$code" ] || fault "exit code $got, expected $code: $*: $(head -3 output)"
    [ -z "$text" ] || grep -q -e "$text" output || fault "no '$text' from: $*: $(head -9 output)"
}
cat >net.yaml <<'END'
model: net
include: parts/blocks.yaml
batch: 20
inputs: { x: { shape: [1, 8, 8] } }
targets: { y: { classes: 3 } }
flow:
  - a: { block: x }
  - v: { read: a }
loss: { cross_entropy: [v, y] }
END
cat >whole.yaml <<'END'
model: net
params: { wide: 3, filters: $wide * 2 }
batch: 20
inputs: { x: { shape: [1, 8, 8] } }
targets: { y: { classes: 3 } }
nets:
  read: [{ dense: 3 }]
  block: [{ conv: { filters: $filters, kernel: $wide } }, relu]
flow:
  - a: { block: x }
  - v: { read: a }
loss: { cross_entropy: [v, y] }
END
hash() { "$SPNC" show "$@" --target avx2 | sed -n 's/.* hash //p'; }
said=$("$SPNC" check net.yaml 2>&1) && [ -z "$said" ] || fault "net.yaml: $said"
[ -n "$(hash net.yaml)" ] && [ "$(hash net.yaml)" = "$(hash whole.yaml)" ] || fault "the hash is not that of the model in one file"
[ "$(hash net.yaml --set wide=5)" = "$(hash whole.yaml --set wide=5)" ] || fault "--set does not reach what is included"

# the model's own parameter stands instead of the included one, and may be reckoned from others of the model
sed '/^batch/i params: { wide: $k + 2, k: 3 }' net.yaml >own.yaml
expect 1 "own.yaml:3:.*'k'" "$SPNC" check own.yaml                   # in one file, too, k stands below
sed '/^batch/i params: { k: 3, wide: $k + 2 }' net.yaml >own.yaml
sed 's/wide: 3,/k: 3, wide: $k + 2,/' whole.yaml >whole2.yaml
[ "$(hash own.yaml)" = "$(hash whole2.yaml)" ] || fault "the model's own parameters do not win: $("$SPNC" check own.yaml 2>&1)"
sed '/^batch/i params: { twice: $filters * 2 }' net.yaml | sed 's/{ read: a }/{ dense: a, units: $twice }/; s/classes: 3/classes: 12/' >twice.yaml
expect 0 '' "$SPNC" check twice.yaml

sed 's/wide: 3, //' parts/blocks.yaml >parts/without.yaml && sed 's|parts/blocks|parts/without|; /^batch/i params: { wide: 5 }' net.yaml >lent.yaml
[ "$(hash lent.yaml)" = "$(hash whole.yaml --set wide=5)" ] || fault "an included parameter does not see the model's"

# places: a mistake in an included file, and the lines of what it holds
cp parts/blocks.yaml good
sed -i 's/kernel: \$wide/kernal: $wide/' parts/blocks.yaml
expect 1 "^parts/blocks.yaml:4:40: error: conv has no attribute 'kernal'" "$SPNC" check net.yaml
echo '  x: [' >>parts/other.yaml
expect 1 '^parts/other.yaml:[34]:' "$SPNC" check net.yaml
grep -q "^parts/blocks.yaml:1:11: note: 'parts/other.yaml' is included here" output || fault "no note: $(cat output)"
cp "$root/tests/errors/parts/other.yaml" parts && cp good parts/blocks.yaml
for file in ring flow list; do
    sed "s/blocks/$file/" net.yaml >wrong.yaml
    case $file in ring) text="^parts/ring.yaml:1:10: error: 'parts/ring.yaml' includes itself" ;;
        flow) text="^parts/flow.yaml:1:1: error: unknown key 'flow' in an included file" ;; list) text="^parts/list.yaml:1:1: error: an included file must be a map" ;; esac
    expect 1 "$text" "$SPNC" check wrong.yaml
done
printf 'include: back.yaml\n' >parts/forth.yaml
printf 'include: forth.yaml\n' >parts/back.yaml
sed 's/blocks/forth/' net.yaml >wrong.yaml
expect 1 "^parts/back.yaml:1:10: error: 'parts/forth.yaml' includes itself, by way of others" "$SPNC" check wrong.yaml
printf 'params: { wide: 4 }\n' >parts/second.yaml
sed 's|include: .*|include: [parts/blocks.yaml, parts/second.yaml]|' net.yaml >wrong.yaml
expect 1 "^parts/second.yaml:1:11: error: 'wide' is defined twice" "$SPNC" check wrong.yaml
grep -q '^parts/blocks.yaml:2:11: note: the first definition is here' output || fault "no note: $(cat output)"
for i in {1..64}; do : >"parts/many$i.yaml" && echo 'nets: {}' >"parts/many$i.yaml"; done
sed "s|include: .*|include: [$(printf 'parts/many%d.yaml, ' {1..64})]|" net.yaml >wrong.yaml
expect 1 'a model is made of at most 64 files' "$SPNC" check wrong.yaml
expect 1 'a model that is no file in a folder cannot include others' "$SPNC" check <(cat net.yaml)
mkdir below && ln -s "$root/models/tiny.yaml" below/link.yaml && sed 's|parts/blocks|below/link|' net.yaml >wrong.yaml
expect 1 "'below/link.yaml' lies outside of the model's folder" "$SPNC" check wrong.yaml
(cd below && sed 's|include: |include: ../|' ../net.yaml >net.yaml && expect 1 "'../parts/blocks.yaml' lies outside" "$SPNC" check net.yaml)
expect 0 '^ *4 | *block: ' "$SPNC" explain net.yaml block.conv1

# a program has the text of all files, and says which one a line is in
run "$SPNC" build net.yaml --plain -o net || exit 1
expect 0 'parts/blocks.yaml:4' net/net profile --steps 1
grep -q ' net.yaml:8' output || grep -q 'parts/other.yaml:2' output || fault "profile: $(cat output)"

[ $failed = 0 ] && echo "test_include: fine"
exit $failed
