# begin.sh -- what shell tests begin with: . "$(dirname "$0")/begin.sh"
#
#   $root, $SPNC    the checkout, and the compiler (build/spnc there, unless given), both whole paths
#   $work           a folder of this test's own, gone when it ends
#   fault TEXT      says what is wrong and goes on; a test ends with exit $failed
#
# Programs of the test wait for their threads without spinning, because other tests may run beside it.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
SPNC=$(realpath -m "${SPNC:-$root/build/spnc}")
work=$(mktemp -d) || exit 74
trap 'rm -rf "$work"' EXIT
export OMP_WAIT_POLICY=passive
failed=0
fault() { echo "$(basename "$0" .sh): $*" >&2; failed=1; }
