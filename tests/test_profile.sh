#!/bin/bash
# test_profile.sh -- a profile adds up: rows to the step, multiply-adds to those of bench, lines to the model; and no kernel is faster
# than the peak, whose chains are all in the machine's code.
set -eu
spnc=${SPNC:-build/spnc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
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
"$spnc" build "$folder/sums.yaml" -o "$folder/net"
net=$folder/net/sums
CFLAGS=-O0 bench/pair/pair.sh "$folder/net" "$folder/net" 1 3 >"$folder/pair" || fail "bench/pair/pair.sh: exit code $?"
grep -q '^training step  *first .* first / second [0-9.]* ' "$folder/pair" || fail "bench/pair/pair.sh: $(cat "$folder/pair")"
"$net" profile --threads 2 --steps 30 --json >"$folder/profile.json"
"$net" bench --threads 1 --json >"$folder/bench.json"
python3 - "$folder" <<'PYTHON'
import json, sys
folder = sys.argv[1]
p, b = (json.load(open(folder + "/" + name)) for name in ("profile.json", "bench.json"))
lines = open(folder + "/sums.yaml").read().split("\n")
rows, waits = p["rows"], [r for r in p["rows"] if r["pass"] == "wait"]
total = sum(r["ms"] for r in rows)
assert total <= p["step_ms"] * 1.0001 and total >= 0.5 * p["step_ms"], f"rows add up to {total} of {p['step_ms']} ms"
work = sum(p["thread_work_ms"]) / p["threads"]
assert len(p["thread_work_ms"]) == 2 and abs(work + sum(r["ms"] for r in waits) - total) < 1e-6 * total, "work and waiting are not the step"
macs = sum(r["macs"] for r in rows)
assert abs(2e-9 * macs - b["step_gflop"]) < 1e-9 * b["step_gflop"], f"{2e-9 * macs} GFLOP, but bench says {b['step_gflop']}"
assert {r["pass"] for r in rows} >= {"load", "prepare", "forward", "backward", "weights", "fold", "finish", "update", "wait"}, "a pass is missing"
for r in rows:
    if r["pass"] not in ("wait", "update"):
        assert 0 < r["line"] <= len(lines) and r["calls"] > 0, f"{r['name']}: line {r['line']}, {r['calls']} calls"
        word = "image" if r["pass"] == "load" and "digit" not in r["name"] else "conv" if "conv" in r["name"] else "dense" if "dense" in r["name"] else ""
        assert word in lines[r["line"] - 1], f"{r['name']} is not what stands in line {r['line']}: {lines[r['line'] - 1]}"
conv2 = next(r for r in rows if r["name"] == "net_conv2" and r["pass"] == "forward")
assert conv2["products"] < conv2["macs"], "Winograd's algorithm saves nothing"
fastest = max((r for r in rows if r["macs"] == r["products"] and r["macs"] > 1e7), key=lambda r: r["gflops"])
assert 0 < fastest["gflops"] <= p["peak_gflops"], f"{fastest['name']} ({fastest['pass']}) reaches {fastest['gflops']:.0f} GFLOP/s, the peak is {p['peak_gflops']:.0f}"
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

# A bench that is stopped for as long as a step takes, again and again, says that its figures are no good.  It runs for uneven times in between: stopped as
# regularly as its steps end, it would have them all equally long.
"$net" bench --threads 1 >"$folder/text" 2>"$folder/disturbed" &
python3 - $! "$folder/bench.json" <<'PYTHON'
import json, os, random, signal, sys, time
process, step = int(sys.argv[1]), json.load(open(sys.argv[2]))["train_ms"] * 1e-3 + 0.001
random.seed(1)
try:
    while True:
        os.kill(process, signal.SIGSTOP)
        time.sleep(step)
        os.kill(process, signal.SIGCONT)
        time.sleep(random.uniform(0.5, 5) * step)
        if open(f"/proc/{process}/stat").read().rpartition(")")[2].split()[0] == "Z":
            break
except (ProcessLookupError, FileNotFoundError):
    pass
PYTHON
wait $! || fail "bench, disturbed: exit code $?: $(cat "$folder/disturbed")"
grep -q 'bench: the spread is wide: half of the training steps took [0-9.]* to [0-9.]* ms, the middle one [0-9.]*;' "$folder/disturbed" || fail "bench did not notice that it was disturbed: $(cat "$folder/text" "$folder/disturbed")"

# Threads that wait spin briefly, unless the user says how.
waits() {    # waits VARIABLE=VALUE [environment...]: whether a running program has it
    local seen=1 want=$1 p
    shift
    env -u GOMP_SPINCOUNT -u OMP_WAIT_POLICY "$@" "$net" bench --threads 2 >"$folder/text" 2>&1 &
    p=$!
    for _ in $(seq 20); do
        { tr '\0' '\n' <"/proc/$p/environ" | grep -qx "$want"; } 2>/dev/null && { seen=0; break; }
        sleep 0.02
    done
    wait $p || fail "bench: $(cat "$folder/text")"
    return $seen
}
waits GOMP_SPINCOUNT=1000 || fail "threads wait as long as OpenMP likes"
waits GOMP_SPINCOUNT=7 GOMP_SPINCOUNT=7 || fail "the user's GOMP_SPINCOUNT is lost"
if waits GOMP_SPINCOUNT=1000 OMP_WAIT_POLICY=active; then fail "the user's OMP_WAIT_POLICY is overruled"; fi
