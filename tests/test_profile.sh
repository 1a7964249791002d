#!/usr/bin/env bash
# test_profile.sh -- a profile adds up: rows to the step, multiply-adds to those of bench, rates to times, lines to the model; by a clock
# that the test sets (fixtures/clock.c) to the millisecond.  The peak's chains are all in the machine's code.
# (Times that lie apart, or a disturbed peak: test_times.c, on given times.  bench by a given clock: test_trainer.sh.)
. "$(dirname "$0")/begin.sh"
export CFLAGS=-O1                                                        # measures for long
set -e
spnc=$SPNC folder=$work
cd "$root"
fail() { echo "test_profile: $*" >&2; exit 1; }

cat >"$folder/sums.yaml" <<'YAML'
model: sums
batch: 64
inputs:
  image: { shape: [8, 20, 20] }
targets:
  digit: { classes: 10 }
nets:
  net:
    - conv: { filters: 32, kernel: 3, act: relu, winograd: never }
    - maxpool: 3
    - conv: { filters: 32, kernel: 3, act: relu }
    - dense: { units: 512, act: tanh }
    - dense: 10
flow:
  - scores: { net: image }
loss: { cross_entropy: [scores, digit] }
train:
  optimiser: { sgd: { rate: 1e-3 } }
  epochs: 1
YAML
with_clock "$spnc" build "$folder/sums.yaml" -o "$folder/net"
net=$folder/net/sums
CFLAGS=-O0 bench/pair/pair.sh "$folder/net" "$folder/net" 1 3 >"$folder/pair" || fail "bench/pair/pair.sh: exit code $?"
grep -q '^training step  *first .* first / second [0-9.]* ' "$folder/pair" || fail "bench/pair/pair.sh: $(cat "$folder/pair")"
# by the system's clock, and by one of which each reading takes 2 ms
"$net" profile --threads 2 --steps 30 --json >"$folder/profile.json"
SPN_CLOCK=2 "$net" profile --threads 1 --steps 10 --json >"$folder/clocked.json"
SPN_CLOCK=2 "$net" bench --threads 1 --json >"$folder/bench.json"
python3 - "$folder" <<'PYTHON'
import json, sys
folder = sys.argv[1]
p, clocked, b = (json.load(open(folder + "/" + name)) for name in ("profile.json", "clocked.json", "bench.json"))
lines = open(folder + "/sums.yaml").read().split("\n")
near = lambda x, y: abs(x - y) <= 1e-9 * abs(y)
rows, waits = p["rows"], [r for r in p["rows"] if r["pass"] == "wait"]
for r in clocked["rows"]:                      # a row ends with a reading
    assert near(r["ms"], 2 * r["calls"]), r
total = sum(r["ms"] for r in clocked["rows"])
assert near(clocked["step_ms"], total + 2 + 2 / 10), f"rows add up to {total} of {clocked['step_ms']} ms"       # one reading begins a step, one ends all ten
assert near(clocked["step_without_clocks_ms"], 2 / 10) and near(b["train_ms"], 2) and near(b["eval_ms"], 2) and b["train_spread"] < 1e-9, (clocked, b)
assert near(clocked["thread_work_ms"][0], total - sum(r["ms"] for r in clocked["rows"] if r["pass"] == "wait")), clocked["thread_work_ms"]
total = sum(r["ms"] for r in rows)
assert total <= p["step_ms"] * 1.0001 and min(r["ms"] for r in rows) >= 0 < total, f"rows add up to {total} of {p['step_ms']} ms"
work = sum(p["thread_work_ms"]) / p["threads"]
assert len(p["thread_work_ms"]) == 2 and abs(work + sum(r["ms"] for r in waits) - total) < 1e-6 * total, "work and waiting are not the step"
macs = sum(r["macs"] for r in rows)
assert abs(2e-9 * macs - b["step_gflop"]) < 1e-9 * b["step_gflop"], f"{2e-9 * macs} GFLOP, but bench says {b['step_gflop']}"
assert {r["pass"] for r in rows} >= {"load", "prepare", "forward", "backward", "weights", "fold", "finish", "update", "wait"}, "a pass is missing"
assert [(r["name"], r["pass"]) for r in rows] == [(r["name"], r["pass"]) for r in clocked["rows"]]
for r in rows:
    if r["pass"] not in ("wait", "update"):
        assert 0 < r["line"] <= len(lines) and r["calls"] > 0, f"{r['name']}: line {r['line']}, {r['calls']} calls"
        word = "image" if r["pass"] == "load" and "digit" not in r["name"] else "conv" if "conv" in r["name"] else "dense" if "dense" in r["name"] else ""
        assert word in lines[r["line"] - 1], f"{r['name']} is not what stands in line {r['line']}: {lines[r['line'] - 1]}"
# a round of the peak: a thousand times twelve multiply-adds in each lane of a vector
peak = 1000 * 12 * 2 * {"avx512": 16, "avx2": 8, "generic": 1}[clocked["target"]] / 2e-3 * 1e-9
assert near(clocked["peak_gflops"], peak) and near(b["peak_gflops"], peak), (peak, clocked["peak_gflops"], b)
for profile in p, clocked:
    assert profile["peak_gflops"] > 0
    for r in profile["rows"]:
        rate = lambda amount: amount / r["ms"] * 1e-6 if r["ms"] else 0
        assert near(r["gflops"], rate(2 * r["macs"])) and near(r["gbytes_per_second"], rate(r["bytes"])), r
        assert near(r["peak_share"], rate(2 * r["products"]) / profile["peak_gflops"]), r
conv2 = next(r for r in rows if r["name"] == "net_conv2" and r["pass"] == "forward")
assert conv2["products"] < conv2["macs"], "Winograd's algorithm saves nothing"
PYTHON
"$net" profile --threads 1 --steps 2 >"$folder/text"
grep -q 'thread 0: works' "$folder/text" || fail "the table does not say how long threads work: $(cat "$folder/text")"
grep -q "net_conv1 .*$folder/sums.yaml:9\$" "$folder/text" || fail "the table does not name the line of net_conv1: $(cat "$folder/text")"

# The roofline's counts: a full batch of a direct forward pass has a vector of multiply-adds for 16 of them, and a pool has none.
if grep -q 'Target avx512' "$folder/net/Makefile"; then
    python3 - "$folder" <<'PYTHON'
import json, pathlib, sys
sys.path.insert(0, "bench/probes")
import roofline
folder = pathlib.Path(sys.argv[1])
rows, counted = json.load(open(folder / "profile.json"))["rows"], roofline.counts(folder / "net", "sums")
forward = {r["name"]: (r, c) for r, c in zip(rows, counted) if r["pass"] == "forward"}
for name, more in ("net_conv1", 0), ("net_dense1", 0.05):            # beside the sums: nothing; a tanh
    row, vectors = forward[name]
    share = vectors["multiply_adds"] * 16 / row["macs"]
    assert abs(share - 1 - more / 2) < more / 2 + 1e-9, f"{name}: {vectors['multiply_adds']} vectors are not {row['macs']} multiply-adds"
    assert vectors["arithmetic"] >= vectors["multiply_adds"] and min(vectors["loads"], vectors["stores"]) > 0, f"{name}: {vectors}"
pool, vectors = forward["net_maxpool1"]
assert vectors["multiply_adds"] == 0 and vectors["loads"] >= 4 * 32 * 6 * 6 * 9, f"a 3x3 pool of 4 groups reads {vectors['loads']} vectors"
PYTHON
fi

# All twelve chains are in the code.
if command -v objdump >/dev/null && grep -q 'Target avx' "$folder/net/Makefile"; then
    chains=$(objdump -d "$folder/net/trainer/inspect/peak.o" | grep -c vfmadd)
    [ "$chains" -ge 12 ] || fail "the peak is measured by $chains multiply-adds, not 12"
fi
code=0
"$net" profile --steps 0 2>/dev/null || code=$?
[ $code = 2 ] || fail "--steps 0 ended with $code, not 2"

# Threads that wait spin briefly, unless the user sets it: what libgomp has read, by its own account.
waits() {    # waits NUMBER [environment...]
    local want=$1
    shift
    env -u GOMP_SPINCOUNT -u OMP_WAIT_POLICY OMP_DISPLAY_ENV=verbose "$@" "$net" info >"$folder/text" 2>"$folder/has" || fail "info: $(cat "$folder/has")"
    grep -q "GOMP_SPINCOUNT = '$want'" "$folder/has"
}
if env OMP_DISPLAY_ENV=verbose "$net" info 2>&1 >/dev/null | grep -q GOMP_SPINCOUNT; then
    waits 1000 || fail "threads wait as long as OpenMP likes"
    waits 7 GOMP_SPINCOUNT=7 || fail "the user's GOMP_SPINCOUNT is lost"
    if waits 1000 OMP_WAIT_POLICY=active; then fail "the user's OMP_WAIT_POLICY is overruled"; fi
fi
# The program is not started a second time, so it can be called through a loader.
loader=$(ldd "$net" 2>/dev/null | awk '$1 ~ /\/ld-/ { print $1 }')
if [ -x "$loader" ]; then
    "$net" info --json >"$folder/text" && "$loader" "$net" info --json | cmp -s - "$folder/text" || fail "called through $loader it is another program"
fi
