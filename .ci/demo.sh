#!/usr/bin/env bash
# demo.sh -- data, a recurrent spatial transformer, a few minutes of training, a picture of where it looks: all in demo/.
# Real MNIST if SPN_MNIST names its folder, drawn digits otherwise.  Training that is not over after DEMO_SECONDS (200) is
# stopped as Ctrl-C would stop it; the best weights so far are what the picture is made with.
set -eu
cd "$(dirname "$0")/.."
folder=demo seconds=${DEMO_SECONDS:-200}
# Threads that wait sleep rather than spin: on a machine with other work to do, spinning costs several times the work itself.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
say() { printf '\n== %s\n' "$*"; }

rm -rf "$folder"
say "$folder/data: three digits in clutter, 100x100 (${SPN_MNIST:-drawn digits})"
build/spn-data make --train 30000 --valid 2000 --test 2000 -o "$folder/data"

say "$folder/rnn_spn: models/rnn_spn.yaml becomes C, and the C a program"
build/spnc build models/rnn_spn.yaml -o "$folder/rnn_spn"
wc -l "$folder/rnn_spn/rnn_spn.c"
program=$folder/rnn_spn/rnn_spn run=$folder/run

say "$folder/run: training, at most $seconds seconds; the share of wrong digits starts at 90 %"
status=0
timeout --foreground -s INT "$seconds" "$program" train --data "$folder/data" --run "$run" --epochs 20 || status=$?
case $status in 0 | 124 | 130) ;; *) exit $status ;; esac
[ -s "$run/log.jsonl" ] || { echo "demo: not one epoch in $seconds s; DEMO_SECONDS=600 make demo gives it more" >&2; exit 1; }

say "wrong digits on the validation split, epoch by epoch"
awk '{ e = $0; sub(/.*"valid_error": /, "", e); e = 100 * (e + 0)
       bar = ""; for (i = 0; i < e * 0.6; i++) bar = bar "#"; printf "%4d %6.2f %% %s\n", NR - 1, e, bar }' "$run/log.jsonl"

say "test split, and $folder/glimpses.png"
"$program" eval --run "$run" --data "$folder/data"
"$program" predict --run "$run" --data "$folder/data" --count 8 --picture "$folder/glimpses.png" >"$folder/glimpses.txt"
cat <<END

$folder/glimpses.png   each row: the image, the three places the net looked at, what it saw there and what it read
$folder/glimpses.txt   the same as numbers
$folder/rnn_spn/rnn_spn.c, models/rnn_spn.yaml   what was trained; $program --help says what else it can do
END
