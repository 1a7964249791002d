# begin.sh -- what shell tests begin with: . "$(dirname "$0")/begin.sh"
#
#   $root, $SPNC    the checkout, and the compiler (build/spnc there, unless given), both whole paths
#   $work           a folder of this test's own, gone when it ends
#   fault TEXT      says what is wrong and goes on; a test ends with exit $failed
#   $include        where the headers of a program lie, as options of the compiler
#   run, npy, bytes, sources, share_objects see below
#
# Programs of the test wait for their threads without spinning, because other tests may run beside it.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
SPNC=$(realpath -m "${SPNC:-$root/build/spnc}")
work=$(mktemp -d) || exit 74
trap 'rm -rf "$work"' EXIT
export OMP_WAIT_POLICY=passive
include="-I$root/runtime -I$root/trainer"
failed=0
fault() { echo "$(basename "$0" .sh): $*" >&2; failed=1; }

# run COMMAND...: silent unless it fails, which is a fault.
run() { "$@" >"$work/output" 2>&1 || { fault "failed: $*"; tail -5 "$work/output" >&2; return 1; }; }
# npy TYPE SHAPE: a .npy file of the bytes that come in.  TYPE is numpy's, as '|u1'; SHAPE with commas.
npy() { printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': ($2), }"; cat; }
# bytes N SEED MOST: so many made-up bytes below MOST.
bytes() { printf "$(awk -v n="$1" -v seed="$2" -v most="$3" 'BEGIN { srand(seed); for (i = 0; i < n; i++) printf "\\%03o", int(most * rand()) }')"; }
# sources: the C files of a program but for NAME.c, one a line.
sources() { ls "$root"/runtime/*.c "$root"/trainer/*.c "$root"/trainer/{files,run,report,inspect}/*.c; }
# share_objects FROM TO [NAME...]: what FROM, a generated folder, has compiled of spnc's own sources stands in TO too, but for NAME.o.
share_objects() {
    local from=$1 to=$2 name
    shift 2
    (cd "$from" && find runtime trainer -name '*.o' -print0 | tar -c --null -T - -f -) | tar -x -m -f - -C "$to"
    for name; do find "$to" -name "$name.o" -delete; done
}
