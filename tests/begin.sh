# begin.sh -- what shell tests begin with: . "$(dirname "$0")/begin.sh"
#
#   $root, $SPNC    the checkout, and the compiler (build/spnc there, unless given), both whole paths
#   $work           a folder of this test's own, gone when it ends
#   fault TEXT      prints the error and goes on; a test ends with exit $failed
#   $include        where the headers of a program lie, as options of the compiler
#   run, npy, bytes, sources, with_clock, wait_for and what is waited for: see below
#
# A test that disturbs a program waits for a state that can be observed, never for a fixed time.
# Objects of the trainer are kept between tests in build/cache, so that each is compiled once; programs are built with -O0 unless a test trains for long.
. "$(dirname "$0")/environment.sh"
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
SPNC=$(realpath -m "${SPNC:-$root/build/spnc}")
work=$(mktemp -d) || exit 74
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$root/build/cache
export CFLAGS=${CFLAGS--O0}             # the bits are those of -O2, and small nets compile in a third of its time
include="-I$root/runtime -I$root/trainer"
failed=0
fault() { echo "$(basename "$0" .sh): $*" >&2; failed=1; }

# run COMMAND...: silent unless it fails, which is a fault.
run() { "$@" >"$work/output" 2>&1 || { fault "failed: $*"; tail -5 "$work/output" >&2; return 1; }; }
# npy TYPE SHAPE: a .npy file of the bytes that come in.  TYPE is numpy's, as '|u1'; SHAPE with commas.
npy() { printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': ($2), }"; cat; }
# For awk: draw(), a number from 0 below 1; start(SEED) before the first.  Every awk has other random numbers of its own; these are the same in all.
random='function start(seed) { x = 1 + (48271 * seed + 11) % 2147483646; for (k = 0; k < 16; k++) draw() } function draw() { x = 16807 * x % 2147483647; return x / 2147483647 } '
# bytes N SEED MOST: so many made-up bytes below MOST.
bytes() { printf "$(awk -v n="$1" -v seed="$2" -v most="$3" "$random"'BEGIN { start(seed); for (i = 0; i < n; i++) printf "\\%03o", int(most * draw()) }')"; }
# sources: the C files of a program but for NAME.c, one a line.
sources() { ls "$root"/runtime/*.c "$root"/trainer/*.c "$root"/trainer/{files,run,report,inspect}/*.c; }
# with_clock COMMAND...: programs that it builds have the clock of fixtures/clock.c, which SPN_CLOCK sets
with_clock() {
    [ -e "$work/clock.o" ] || cc -std=c11 -O1 -c "$root/tests/fixtures/clock.c" -o "$work/clock.o" || exit 1
    CC=$root/tests/fixtures/cc.sh LINK_WITH="$work/clock.o -Wl,--wrap=clock_gettime" "$@"
}

# ---- states that are waited for -----------------------------------------------------------------------------------------
# wait_for PID WHAT COMMAND...: until the command succeeds.  That the process has ended before, or five minutes are over, is a fault.
wait_for() {
    local pid=$1 what=$2 end=$((SECONDS + 300))
    shift 2
    until "$@" >/dev/null 2>&1; do
        if has_ended "$pid" && ! "$@" >/dev/null 2>&1; then fault "the program ended before $what"; return 1; fi
        [ $SECONDS -lt $end ] || { fault "waited five minutes for $what"; return 1; }
        sleep 0.01
    done
}
# stat_of PID: state, parent (one letter, a number), nothing if the process is no more
stat_of() { sed -n 's/^[0-9]* (.*) \(.\) \([0-9]*\) .*/\1 \2/p' "/proc/$1/stat" 2>/dev/null; }
stands_still() { [[ $(stat_of "$1") = T* ]]; }
has_ended() { local now; now=$(stat_of "$1"); [[ -z $now || $now = Z* ]]; }
# has_pending PID SIGNAL: a signal that a process which stands still has got, and will see when it goes on
has_pending() { (( 0x$(sed -n 's/^ShdPnd:[[:space:]]*//p' "/proc/$1/status") >> ($2 - 1) & 1 )); }
newer() { [ "$1" -nt "$2" ]; }
# child_of PID: the first of its children
child_of() { local p; for p in /proc/[0-9]*; do [[ $(stat_of "${p#/proc/}") != ?" $1" ]] || { echo "${p#/proc/}"; return 0; }; done; return 1; }
