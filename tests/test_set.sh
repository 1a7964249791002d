#!/usr/bin/env bash
# test_set.sh -- spn-data over an old set, killed or out of room at every call that writes: all files are the old ones, or all the new ones, or
# the set is refused; the next run mends it, and nothing is left.  Labels of other pictures never come to lie beside new ones.
# usage: tests/test_set.sh [CC] [flags for the compiler...]; prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cc=${1:-cc}
shift || true
cd "$work" || exit 1
"$cc" -std=c11 -O1 -ffp-contract=off -fopenmp "$@" $include "$root"/trainer/data/*.c "$root"/trainer/files/*.c "$root/tests/fixtures/faults.c" -lz -lpng -ljpeg -lm -o spn-data || {
    fault "does not compile"; exit 1; }

# pictures of 2 x 2 in two classes, whose first pixel is the class; B has other names and other pixels
for k in 0 1; do
    mkdir -p A/a$k B/b$k
    for i in 1 2 3 4; do
        printf 'P5 2 2 255\n%b' "\\00$k\\00$i\\003\\004" >A/a$k/$i.pgm
        printf 'P5 2 2 255\n%b' "\\010$k\\00$i\\003\\004" >B/b$k/$i.pgm
    done
done
sums() { (cd "$1" && cat ./*.npy ./*_classes.txt 2>/dev/null | cksum); }
set_of() { { ./spn-data pack "$1" -o "$2" --valid 2 --test 2 >said 2>&1; } 2>/dev/null; }
set_of A old && set_of B new || { fault "$(cat said)"; exit 1; }
[ "$(sums old)" != "$(sums new)" ] || fault "the two sets are one"
rm -rf D && cp -r old D
SPN_FAULT_CALLS=$work/calls set_of B D || fault "$(cat said)"
[ "$(sums D)" = "$(sums new)" ] || fault "over an old set another is made"
calls=$(cat calls)
[ "$calls" -gt 40 ] || fault "only $calls calls"

mixed=0
try() {                                        # try FAULT: what is there after it
    rm -rf D && cp -r old D
    SPN_FAULT=$1 set_of B D 2>/dev/null
    local code=$? now
    now=$(sums D)
    if [ -e D/.spn-incomplete ]; then
        mixed=$((mixed + 1))
        ./spn-data sheet D -o x.png >said 2>&1
        [ $? = 1 ] && grep -q 'stopped while it replaced this set' said || fault "$1: an incomplete set is read: $(cat said)"
    elif [ "$now" != "$(sums old)" ] && [ "$now" != "$(sums new)" ]; then
        fault "$1: old and new files lie side by side, and nothing says so: $(ls -A D)"
    fi
    case $1 in full*) [ $code = 74 ] || fault "$1: exit code $code: $(cat said)"
        [ -z "$(find D -name '*.tmp')" ] || fault "$1: left behind: $(ls -A D)" ;; esac
    set_of B D || fault "$1: the next run: $(cat said)"
    [ "$(sums D)" = "$(sums new)" ] && [ -z "$(find D -name '.spn-*')" ] || fault "$1: the next run leaves $(ls -A D)"
}
for ((n = 1; n <= calls; n++)); do try kill:$n; try full:$n; done
[ $mixed -gt 5 ] || fault "only $mixed times between two renames"

# SIGTERM between two renames waits for the last one, also where it reaches another thread: those are there since pictures were decoded.
renamed() { [ "$(sums D)" != "$(sums old)" ]; }
stopped=0
for ((n = calls; n > calls - 20; n--)); do
    rm -rf D && cp -r old D
    OMP_NUM_THREADS=3 SPN_FAULT=stop:$n ./spn-data pack B -o D --valid 2 --test 2 >said 2>&1 &
    pid=$!
    wait_for $pid "call $n" stands_still $pid || break
    renamed && stopped=$((stopped + 1))
    [ -e D/.spn-incomplete ] && marked=1 || marked=0
    kill -TERM $pid; kill -CONT $pid
    wait $pid
    [ -z "$(find D -name '.spn-*')" ] || fault "stop:$n: left behind: $(ls -A D)"
    now=$(sums D)
    [ "$now" = "$(sums new)" ] || { [ $marked = 0 ] && [ "$now" = "$(sums old)" ]; } || fault "stop:$n, then SIGTERM: neither the old nor the new set"
done
[ $stopped -gt 3 ] || fault "only $stopped times between two renames"

# ---- files of another set that would stay ---------------------------------------------------------------------------------------
expect() {
    local code=$1 text=$2 got
    shift 2
    "$@" >said 2>&1
    got=$?
    [ $got = "$code" ] && grep -q -e "$text" said || fault "exit code $got, expected $code and '$text': $*: $(cat said)"
}
rm -rf D && cp -r old D
expect 1 'D/.*_label.npy: is there already, and would stay beside another image' ./spn-data pack B -o D --target kind --valid 2 --test 2
[ "$(sums D)" = "$(sums old)" ] || fault "a refused set changes the old one"
expect 0 '' ./spn-data pack B -o D --input depth --target kind --valid 2 --test 2
mkdir flat && cp A/a0/*.pgm flat
expect 1 'would stay beside another image' ./spn-data pack flat -o D --valid 1 --test 1
[ -e D/label_classes.txt ] || fault "no list of classes"
printf 'a0/1.pgm,0\na0/2.pgm,1\na1/3.pgm,0\n' >t.csv
rm -rf D && cp -r old D
expect 0 '' ./spn-data pack A --labels t.csv -o D --valid 1 --test 1
[ ! -e D/label_classes.txt ] || fault "names of classes that are no more"
rm -rf D && cp -r old D
expect 1 'would stay beside another image' ./spn-data make --single --drawn --train 3 --valid 2 --test 2 -o D
expect 0 '' ./spn-data make --single --drawn --train 3 --valid 2 --test 2 -o E
expect 1 'E/.*_digit.npy: is there already' ./spn-data make --drawn --train 3 --valid 2 --test 2 -o E
expect 0 '' ./spn-data make --single --drawn --train 4 --valid 2 --test 2 -o E

# Places of the digits, on request: the images stay the same, and in each 28 x 28 pixels at a place lies a digit, on black or on clutter.
for more in '' --places; do expect 0 '' ./spn-data make --drawn $more --train 40 --valid 2 --test 2 -o "P$more"; done
cmp P/train_image.npy P--places/train_image.npy || fault "--places changes the images"
cmp P/test_digits.npy P--places/test_digits.npy || fault "--places changes the labels"
expect 1 '_places.npy: is there already' ./spn-data make --drawn --train 40 --valid 2 --test 2 -o P--places
expect 2 'covers its picture' ./spn-data make --single --places --train 4 --valid 2 --test 2 -o P
"$(sh "$root/tests/python.sh" numpy)" - <<'PYTHON' || fault "places"
import numpy as np
image, places = (np.load(f"P--places/train_{name}.npy") for name in ("image", "places"))
assert places.shape == (40, 3, 2) and places.dtype == np.int32 and places.min() >= 0 and places.max() <= 72
assert (np.diff(places[:, :, 1]) == 28).all() and len({tuple(p) for p in places[:, 0]}) > 20
at = lambda k, i: image[k, 0, places[k, i, 0]:, places[k, i, 1]:][:28, :28]
ink = np.mean([(at(k, i)[8:20, 8:20] > 128).mean() for k in range(40) for i in range(3)])        # where a digit is thickest
assert ink > 3 * (image > 128).mean(), (ink, (image > 128).mean())
PYTHON

# Temporary files of a process that lives are its own.
: >E/.spn-$$-0.tmp
sleep 0 & gone=$!
wait $gone
: >E/.spn-$gone-3.tmp
: >E/.spn-$gone-3.tmp.kept
expect 0 '' ./spn-data make --single --drawn --train 4 --valid 2 --test 2 -o E
[ -e E/.spn-$$-0.tmp ] && [ ! -e E/.spn-$gone-3.tmp ] && [ -e E/.spn-$gone-3.tmp.kept ] || fault "leftovers: $(ls -A E)"

[ $failed = 0 ] && echo "test_set: fine, $calls calls"
exit $failed
