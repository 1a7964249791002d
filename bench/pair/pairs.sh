#!/usr/bin/env bash
# pairs.sh -- two versions of spnc, net by net: each makes the net's C, and pair.sh does the steps of both in turn.
# usage: bench/pair/pairs.sh OLD_SPNC NEW_SPNC [PAIRS [NET ...]]
#   30 pairs, if not given, and the nine nets of Table 1; a NET is conv, ffn_spn-d2, rnn_spn-d4 or a model's file.  THREADS in the environment: 2.
# Prints a row for each net as soon as it is measured: first is the old version, second the new one, and a ratio above 1 says that the new one is
# faster.  Models have the values of their files, dropout too, and no tuned tiles.  What was stopped goes on with the nets that are left.
# Exit codes: 0 fine, 1 a net could not be compared (the others are), 2 wrong usage.
set -u
usage() { sed -n '/^# usage: /,/^# [A-Z]/ { /^# [A-Z]/!s/^# //p }' "$0"; }
[ "${1:-}" != --help ] || { usage; exit 0; }
[ $# -ge 2 ] || { usage >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2034
old=$1 new=$2 pairs=${3:-30} failed=0
shift $(($# < 3 ? $# : 3))
[ $# -gt 0 ] || set -- conv {ffn,rnn}_spn-d{1..4}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compare NET: its row
compare() {
    local model=$1 set=() side
    case $1 in
    *.yaml) ;;
    *-d[0-9]) model=$here/../../models/${1%-d*}.yaml set=(--set "d=${1#*-d}") ;;
    *) model=$here/../../models/$1.yaml ;;
    esac
    rm -rf "$work"/{old,new}
    for side in old new; do
        "${!side}" emit "$model" ${set[@]+"${set[@]}"} --tuning none -o "$work/$side" >/dev/null || return 1
    done
    "$here/pair.sh" --row "$1" "$work/old" "$work/new" "${THREADS:-2}" "$pairs"
}
python3 "$here/ratios.py" --head
for net; do compare "$net" || { echo "pairs: $net could not be compared" >&2; failed=1; }; done
exit $failed
