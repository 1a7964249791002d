#!/usr/bin/env bash
# test_inject.sh -- 200 hostile models: refused with a place, or the C, the Makefile and the pages of their harmless twins.
# usage: tests/test_inject.sh [TRIALS [SEED]]      SPNC: the spnc to test (default build/spnc)
. "$(dirname "$0")/environment.sh"
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
exec python3 "$root/tests/inject.py" --spnc "${SPNC:-$root/build/spnc}" --trials "${1:-200}" --seed "${2:-1}"
