#!/usr/bin/env bash
# test_guide.sh -- docs/training.md's commands, all of them as they stand there, and the output that the page describes.
# SPNC: the spnc to test (default build/spnc).
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
export CFLAGS=-O1                                                        # trains for long
expect() { grep -q -e "$1" said || fault "no '$1'"; }

mkdir build && ln -s "$SPNC" build/spnc && ln -s "$(dirname "$SPNC")/spn-data" build/spn-data && ln -s "$root/models" models
{ echo 'set -eu -o pipefail'; awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on' "$root/docs/training.md"; } >lesson.sh
bash lesson.sh >said 2>&1 || fault "docs/training.md stops: $(tail -5 said)"
expect 'the net learns: on one batch'
expect 'the loss falls fastest near rate'
expect 'finished after 6 epochs'
expect '^  dropout  *0.25'                                              # among what a run can set
expect 'weights.safetensors: 4 of 8 parameters taken'
expect 'only 1 wrong .* p '
expect '^rate 0.001, dropout 0.25.* 2 / 2 '
[ "$(wc -l <guide/run/log.jsonl)" = 6 ] || fault "the run that went on has $(wc -l <guide/run/log.jsonl) epochs in its log"
for file in digits.png packed/valid_digit.npy run/report.html run/run.json run/last run/last.previous run/best weights.npz seen.npz seen.png grid/sweep.md grid/sweep.json; do
    [ -s "guide/$file" ] || fault "no $file"
done
[ $failed = 0 ] && echo "test_guide: fine" || tail -12 said
exit $failed
