#!/usr/bin/env bash
# test_descriptors.sh -- spnc and spn-data whose caller has closed descriptors 0, 1 or 2: nothing that is printed gets into a file that they write.
# Trainers: test_trainer.sh.  SPNC: the spnc to test (default build/spnc), with spn-data beside it
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
data=$(dirname "$SPNC")/spn-data
cat >net.yaml <<'END'
model: net
inputs: { x: { shape: [3, 8] }, unused: { shape: [2] } }
targets: { y: { classes: 3 } }
flow: [ v: { dense: x, units: 3 } ]
loss: { cross_entropy: [v, y] }
END
sed 's/dense: x/dense: z/' net.yaml >wrong.yaml
emit="\"$SPNC\" emit net.yaml --force -o"       # with a warning
make="\"$data\" make --single --train 20 --valid 5 --test 5 --seed 1 -o"
run bash -c "$emit whole" && run bash -c "$make whole-data"
for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
    rm -rf out out-data
    bash -c "$emit out $closed" >/dev/null 2>&1 || fault "emit with $closed: exit code $?"
    bash -c "$make out-data $closed" >/dev/null 2>&1 || fault "make with $closed: exit code $?"
    diff -r whole out >/dev/null || fault "emit with $closed: another folder"
    diff -r whole-data out-data >/dev/null || fault "make with $closed: another folder"
    bash -c "\"$SPNC\" emit wrong.yaml -o refused $closed" >/dev/null 2>&1
    [ $? = 1 ] && [ ! -e refused ] || fault "a wrong model with $closed"
done
[ $failed = 0 ] && echo "test_descriptors: fine"
exit $failed
