#!/usr/bin/env bash
# test_house.sh -- every folder uses only those above it in docs/design.md, "The house", and a stage writes its own notes of an operator only; what
# is against this is noticed.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" os)
build=$(dirname "$SPNC")
"$python" "$root/tests/house.py" "$build" "$root" >"$work/said" || fault "$(cat "$work/said")"

# The same with a folder moved in the table: each of these uses is then against the order.
mkdir "$work/house"
ln -s "$root"/{compiler,runtime,trainer} "$work/house/"
mkdir "$work/house/docs"
# (what runtime/ has beside headers is for NAME.c alone)
for moved in compiler/base compiler/graph trainer/run runtime; do
    awk -v row="| \`$moved\` |" 'index($0, row) == 1 { kept = $0; next } { print } /^\| `trainer` \|/ { print kept }' "$root/docs/design.md" >"$work/house/docs/design.md"
    "$python" "$root/tests/house.py" "$build" "$work/house" >"$work/said" && fault "$moved may stand below all others"
    [ $moved = runtime ] || grep -q "uses .* of $moved/.*, which stands below it" "$work/said" || fault "no use of a symbol of $moved is noticed: $(head -3 "$work/said")"
    grep -q "includes $moved/.*, which stands below it" "$work/said" || fault "no include of $moved is noticed: $(head -3 "$work/said")"
done
# And with a stage that writes what another one has noted.
cp "$root/docs/design.md" "$work/house/docs/"
rm "$work/house/compiler" && cp -r "$root/compiler" "$work/house/"
echo 'void unfold(Op *op) { op->norms.host = NULL; }' >>"$work/house/compiler/emit/units.c"
"$python" "$root/tests/house.py" "$build" "$work/house" >"$work/said" && fault "emit may write notes of norms.c"
grep -q "^compiler/emit/units.c:[0-9]*: writes norms.host, which compiler/plan/norms.c may" "$work/said" || fault "not the write of a note: $(head -3 "$work/said")"
exit $failed
