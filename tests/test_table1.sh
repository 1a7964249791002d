#!/usr/bin/env bash
# test_table1.sh -- `make table1` in miniature: a row of few examples and two epochs, stopped and killed, at chosen places and at random moments.
# Demands the bits of an uninterrupted run, one evaluation of the test split, documents that follow from the JSON alone,
# and the same of the committed ones.
# usage: tests/test_table1.sh [SEED of the moments]; prints what failed and exits 1.  The programs are those of build/.
. "$(dirname "$0")/begin.sh"
export CFLAGS=-O1                                                        # trains for long
RANDOM=${1:-1}

tiny=(--sizes "2000,200,200" --drawn --threads 1 --epochs 2)
table1() { python3 "$root/bench/table1/table1.py" "${tiny[@]}" "$@" >"$work/output" 2>&1; }
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[0][sys.argv[2]])' "$1" "$2"; }

# ---- a row, undisturbed
a=$work/a out=$work/out
mkdir -p "$out" && cp "$root/README.md" "$out"
row=(--rows rnn_spn-d4 --set dropout=0.2)
table1 "${row[@]}" --runs "$a" --out "$out" || { cat "$work/output"; fault "exit code $?"; exit 1; }
python3 - "$out" "$a" <<'END' || fault "rows.json"
import gzip, json, pathlib, sys
out, runs = map(pathlib.Path, sys.argv[1:])
rows = json.loads((out / "bench/table1/rows.json").read_text())
assert len(rows) == 1, rows
e = rows[0]
log = [json.loads(l) for l in gzip.decompress((out / "bench/table1/logs" / e["log"]).read_bytes()).splitlines()]
best = min(log, key=lambda l: l["valid_error"])
assert (e["model"], e["d"], e["seed"], e["epochs"], e["settings"]["dropout"]) == ("rnn_spn", 4, 1, 2, "0.2"), e
assert e["valid_error"] == best["valid_error"] and e["best_epoch"] == best["epoch"], (e, best)
assert e["parameters"] == 1504928 and e["test_digits"] == 600 and e["data"]["digits"] == "drawn", e
assert e["interval"][0] < e["test_error"] < e["interval"][1] and 0.01 < e["interval"][1] - e["interval"][0] < 0.1, e
assert abs(sum(e["test_positions"]) / 3 - e["test_error"]) < 1e-12
assert abs(e["seconds"] - sum(l["seconds"] for l in log)) < 0.06 and e["machine"]["processor"]
assert e["command"] == 'make table1 ROWS=rnn_spn-d4 SET="dropout=0.2" EPOCHS=2', e["command"]
assert len(e["model_hash"]) == 16 and len(e["weights_sha256"]) == 64
run = json.loads((runs / e["row"] / e["model_hash"] / "seed1/run.json").read_text())
assert not list(pathlib.Path(run["data"]).glob("test_*")), "the test split lies where the training can see it"
page, readme = (out / "docs/table1.md").read_text(), (out / "README.md").read_text()
assert "| RNN-SPN, spnc |  |  |  | %.2f |" % (100 * e["test_error"]) in page
assert "| RNN-SPN, spnc |  |  |  | %.2f |" % (100 * e["test_error"]) in readme
assert (out / "docs/table1" / e["log"].replace(".log.jsonl.gz", ".png")).read_bytes()[1:4] == b"PNG"
assert "<polyline" in (out / "docs/table1/curves.svg").read_text()
a = e["attention"]
assert 0.5 < a["scale"] < 1.5 and 0 <= a["nearest"] <= a["holds"] <= 1 and e["right_images"]["count"] == 200, a
assert [epoch for epoch, _ in e["scales"]] in ([1, 2], [1], [2]) and all(0.5 < s < 1.5 for _, s in e["scales"]), e["scales"]      # an epoch may be too short to be seen
assert "## Where the nets look" in page and "| RNN-SPN d=4 | " in page.split("## Where the nets look")[1]
END

# ---- what is said of attention, on given transforms, places and answers
python3 - "$root/bench/table1" <<'END' || fault "claims.py"
import sys
sys.path.insert(0, sys.argv[1])
import claims as c
near = lambda x, y: abs(x - y) < 1e-12
assert near(c.scale([0.5, 0, 9, 0, 0.5, 9]), 0.5) and near(c.scale([0, -0.25, 0, 1, 0, 0]), 0.5)             # a turn changes nothing
assert c.centre((0, 0)) == (13.5 / 49.5 - 1,) * 2 and near(sum(c.centre((36, 36))), 0) and c.centre((72, 0))[1] > 0 > c.centre((72, 0))[0]
box = [0.5, 0, 0.25, 0, 0.1, -0.5]                       # x from -0.25 to 0.75, y from -0.6 to -0.4
assert [c.holds(box, p) for p in ((0.7, -0.59), (-0.2, -0.41), (0.8, -0.5), (0.25, -0.39))] == [True, True, False, False]
assert [c.holds([0, -0.5, 0, 0.1, 0, 0], p) for p in ((0.45, 0.05), (0.05, 0.45))] == [True, False]          # turned by 90 degrees
assert not c.holds([0] * 6, (0, 0))
places = [[(36, 8), (36, 36), (36, 64)]]
look = lambda *x: {"transforms": {"A": [[0.3, 0, m, 0, 0.3, 0] for m in x]}, "targets": {"digits": {"read": [1, 2, 3], "labels": [1, 2, 3 if x[0] < 0 else 4]}}}
assert c.in_order([look(-0.56, 0, 0.56)], places) == (1, 1)
assert c.in_order([look(0.56, 0, -0.56), look(-0.35, 0, 0.1)], places * 2) == (3 / 6, 3 / 6)
assert near(c.mean_scale([look(0, 1, 2)]), 0.3)
right = c.right_images([look(-1, 0, 1), look(1, 0, 1)] * 5)
assert right["count"] == 10 and c.bits_of(right) == [1, 0] * 5
all_right = c.right_images([look(-1, 0, 1)] * 10)
assert c.mcnemar(right, right) == (0, 0, 1) and c.mcnemar(all_right, right)[:2] == (5, 0) and near(c.mcnemar(all_right, right)[2], 2 / 2 ** 5)
END

# ---- called again: nothing is trained, nothing evaluated
hash=$(field "$out/bench/table1/rows.json" model_hash)
base=$a/rnn_spn-d4/$hash
touch -d '2001-01-01' "$base/seed1/last" "$base/seed1.json"
cp -r "$out" "$work/before"
for arguments in "--rows rnn_spn-d4 --set dropout=0.2" "--docs"; do
    # shellcheck disable=SC2086
    table1 $arguments --runs "$a" --out "$out" || fault "$arguments, again: $(cat "$work/output")"
    diff -r "$out" "$work/before" || fault "$arguments, again: other files"
done
[ "$(date -r "$base/seed1/last" +%Y)$(date -r "$base/seed1.json" +%Y)" = 20012001 ] || fault "called again, it trains or evaluates again"

# ---- the documents follow from the JSON and the logs
rm "$out/docs/table1/curves.svg"
sed -i 's/| RNN-SPN, spnc .*/| RNN-SPN, spnc | 0.01 | 0.01 | 0.01 | 0.01 |/' "$out/docs/table1.md" "$out/README.md"
table1 --docs --runs "$work/none" --out "$out" || fault "--docs: $(cat "$work/output")"
diff -r "$out" "$work/before" || fault "--docs leaves what was typed by hand"

# ---- in another folder, stopped and killed: the same bits as in the row
b=$work/b stops=0
program=$b/rnn_spn-d4/$hash/program run=$b/rnn_spn-d4/$hash/seed1
mkdir -p "$b/rnn_spn-d4/$hash" && cp -r "$a/data" "$a/data.json" "$b" && cp -a "$base/program" "$program"
# The trainer of this folder can be made to stop before a call to its file system (fixtures/faults.c).
run cc -std=c11 -O1 -I"$program/runtime" -I"$program/trainer" -c "$root/tests/fixtures/faults.c" -o "$work/faults.o" && rm "$program/rnn_spn" &&
    run env LINK_WITH="$work/faults.o" make -s -C "$program" CC="$root/tests/fixtures/cc.sh" || exit 1
begin() { python3 "$root/bench/table1/table1.py" "${tiny[@]}" "${row[@]}" --runs "$b" --out "$out" >"$work/output" 2>&1 & table=$!; }
strike() { { kill -"$1" $table; [ "$1" != KILL ] || wait $table; code=$?; } 2>/dev/null; }
ended() {                                      # ended SIGNAL: that table1 has got; its trainer, if it still runs, saves and ends
    [ "$1" = KILL ] || { wait $table; code=$?; }
    [ $code != 0 ] || return 1
    stops=$((stops + 1))
    [ $code = $((128 + $(kill -l "$1"))) ] || fault "stopped by $1: exit code $code: $(cat "$work/output")"
    wait_for $$ "the end of the trainer" python3 -c 'import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)' "$b/lock"
}
trainer_waits() { trainer=$(child_of $table) && stands_still "$trainer"; }
# at CALL SIGNAL TEXT: sends the signal to table1 while the trainer is stopped before that call; the trainer gets it too, saves and prints
# TEXT
at() {
    SPN_FAULT=stop:$1 begin
    wait_for $table "call $1 of its trainer" trainer_waits && strike "$2"; wait_for "$trainer" "the signal handed on" has_pending "$trainer" "$(kill -l TERM)"
    kill -CONT "$trainer" && ended "$2" && grep -q "stopped by signal 15 in $3 examples; saved" "$work/output" || fault "SIG$2 at call $1: $(cat "$work/output")"
}
at 1 TERM 'epoch 0 after 0 of 2000'            # it is about to write run.json
at 3 KILL 'epoch 0 after 0 of 2000'
at 9 TERM 'epoch 1 after 0 of 2000'            # the end of an epoch
at 2 KILL 'epoch 1 after 0 of 2000'
begun() { newer "$run/run.json" "$work/began" || has_ended $table; }
for signal in TERM KILL TERM KILL; do          # and at any moment of a training that goes on, while it does
    touch "$work/began"
    begin
    wait_for $table "run.json" begun
    sleep "$((RANDOM % 2)).$((RANDOM % 10))"
    strike $signal
    ended $signal || break
done
table1 "${row[@]}" --runs "$b" --out "$out" || fault "going on after $stops stops: $(cat "$work/output")"
diff -r "$out" "$work/before" || fault "a repeated row changes the files"
timeless() { sed 's/"seconds": [^,]*, "images_per_second": [^,]*,//' "$1/rnn_spn-d4/$hash/seed1/log.jsonl"; }
cmp -s "$base/seed1.npz" "$b/rnn_spn-d4/$hash/seed1.npz" || fault "$stops stops: other weights"
diff <(timeless "$a") <(timeless "$b") || fault "$stops stops: another log"

# ---- a row that was trained on another kind of processor: recorded that this one gave the same bits
cp -r "$out" "$work/elsewhere" && sed -i 's/"processor": "[^"]*"/"processor": "Z80"/' "$work/elsewhere/bench/table1/rows.json"
for i in 1 2; do table1 --docs --runs "$b" --out "$work/elsewhere" || fault "--docs: $(cat "$work/output")"; done
[ "$(grep -c '^- RNN-SPN d=4, commit' "$work/elsewhere/docs/table1.md")" = 1 ] && grep -q 'Trained once more' "$work/elsewhere/docs/table1.md" || fault "a repeat elsewhere is not said"
grep -q 'Trained once more' "$out/docs/table1.md" && fault "a repeat on the same kind of processor is said"

# ---- other bits than the row's are refused
sed -i 's/"weights_sha256": ".\{8\}/"weights_sha256": "00000000/' "$out/bench/table1/rows.json"
python3 - "$b/rnn_spn-d4/$hash/seed1.json" <<'END'
import json, sys
facts = json.load(open(sys.argv[1]))
del facts["test"]
json.dump(facts, open(sys.argv[1], "w"))
END
# ---- a run that began anew changes nothing until it has as many epochs as the one in the JSON
for epochs in 57 1; do
    rm -rf "$work/farther" && cp -r "$work/before" "$work/farther"
    sed -i -e 's/"test_error": [^,]*,/"test_error": null,/' -e "s/\"epochs\": 2,/\"epochs\": $epochs,/" "$work/farther/bench/table1/rows.json"
    table1 --docs --runs "$b" --out "$work/farther" || fault "--docs: $(cat "$work/output")"
    grep -q "\"epochs\": $((epochs > 2 ? epochs : 2))," "$work/farther/bench/table1/rows.json" || fault "an unfinished run of 2 epochs beside one of $epochs"
done
table1 "${row[@]}" --runs "$b" --out "$out"
[ $? = 1 ] && grep -q 'weights .* but 00000000' "$work/output" || fault "other bits pass: $(cat "$work/output")"

# ---- an experiment sees the validation split alone, and is no row
table1 --rows rnn_spn-d4 --choose dropout=0.2,0.0 --runs "$a" --out "$work/chosen" || fault "--choose: $(cat "$work/output")"
python3 - "$work/chosen/bench/table1" <<'END' || fault "experiments.json"
import json, pathlib, sys
table1 = pathlib.Path(sys.argv[1])
(e,) = json.loads((table1 / "experiments.json").read_text())
assert [t["value"] for t in e["tried"]] == ["0.2", "0.0"] and all(t["finished"] and t["epochs"] == 2 for t in e["tried"]), e
assert e["chosen"] == min(e["tried"], key=lambda t: t["valid_error"])["value"]
assert [r["settings"]["dropout"] for r in json.loads((table1 / "rows.json").read_text())] == ["0.2"]
END
grep -q '### dropout, on RNN-SPN d=4' "$work/chosen/docs/table1.md" || fault "no experiment in the document"
[ "$(grep -l '"test": {' "$a"/rnn_spn-d4/*/seed1.json)" = "$base/seed1.json" ] || fault "an experiment was evaluated on the test split"

# ---- a step beyond the paper is evaluated like a row, and stands apart
table1 --rows beyond-clutter --runs "$a" --out "$work/chosen" || fault "beyond-clutter: $(cat "$work/output")"
python3 - "$work/chosen" "$root/bench/table1" <<'END' || fault "beyond.json"
import json, pathlib, sys
out = pathlib.Path(sys.argv[1])
sys.path.insert(0, sys.argv[2])
import table1
(e,) = json.loads((out / "bench/table1/beyond.json").read_text())
assert (e["row"], e["model"], e["test_digits"], e["epochs"]) == ("beyond-clutter", "rnn_spn_today", 600, 2), e
assert {k: e["settings"][k] for k in ("shift", "pieces", "over", "dropout")} == {"shift": "3", "pieces": "4", "over": "elements", "dropout": "0.2"}, e
assert e["command"] == "make table1 ROWS=beyond-clutter EPOCHS=2", e["command"]
assert [r["row"] for r in json.loads((out / "bench/table1/rows.json").read_text())] == ["rnn_spn-d4"]
page = (out / "docs/table1.md").read_text()
before, beyond = page.split("## Beyond the paper")
assert "| + " + table1.LADDERS["rnn_spn-d3"].steps["beyond-clutter"][0] + " | %.2f |" % (100 * e["test_error"]) in beyond and table1.LADDERS["rnn_spn-d3"].steps["beyond-clutter"][0] not in before
assert "beyond-clutter" not in before.split("Machines:")[0]
for ladder in table1.LADDERS.values():              # one thing more in each step, and nothing that is not brought
    settings = [ladder.plain, *map(table1.settings_of, ladder.steps)]
    for (name, (what, brought)), before, after in zip(ladder.steps.items(), settings, settings[1:]):
        assert {k: v for k, v in after.items() if before.get(k) != v} == brought and set(after) == set(ladder.plain), name
END

# ---- other seeds and longer runs of a row stand beside it, each a run of its own, and never take its place in the table
python3 - "$out" "$root/bench/table1" "$work/beside" <<'END' || fault "seeds and longer runs"
import copy, json, pathlib, shutil, sys
out, beside = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[3])
sys.path.insert(0, sys.argv[2])
import table1, table1_md
assert [table1.Run.part_of("rnn_spn-d4", 2, n) for n in (2, 100, 300)] == ["seed2", "seed2", "seed2-300"]
assert table1.Run.part_of("beyond-moved", 1, 41) == "seed1-41"
assert table1.Run(out, "rnn_spn-d4", "0123456789abcdef", "seed12-300").seed == 12
(e,) = json.loads((out / "bench/table1/rows.json").read_text())
second, longer, better = (copy.deepcopy(e) for _ in range(3))
second |= {"seed": 2, "test_error": e["test_error"] + 0.02, "valid_error": 0.0}
longer["train"]["epochs"], longer["valid_error"], longer["epochs"] = 300, e["valid_error"] + 0.1, 2
better["train"]["epochs"], better["valid_error"], better["epochs"] = 200, e["valid_error"] - 0.1, 2
rows = [e, second, longer]
assert len({table1.Results.identity(r) for r in rows + [better]}) == 4
assert table1_md.in_table(rows) == {"rnn_spn-d4": e} and table1_md.in_table(rows + [better]) == {"rnn_spn-d4": better}
line = table1_md.seeds(rows).splitlines()[-1]
assert line == "| RNN-SPN d=4 | %.2f (seed 1), %.2f (seed 2) | %.2f | 2.3 |" % tuple(100 * (e["test_error"] + x) for x in (0, 0.02, 0.01)), line
assert table1_md.seeds([e, longer]) == ""
# collect: a finished run of more epochs takes no finished run's place
shutil.copytree(out / "bench", beside / "bench")
runs, part = beside / "runs", table1.Run.part_of("rnn_spn-d4", 1, 300)
base = runs / "rnn_spn-d4" / e["model_hash"]
(base / part).mkdir(parents=True)
(base / part / "log.jsonl").write_text(json.dumps({"epoch": 0, "valid_error": 0.5, "seconds": 1}) + "\n")
(base / (part + ".json")).write_text(json.dumps({"is_row": True, "model": "rnn_spn", "d": 4, "parameters": 1, "commit": "", "data": {}, "settings": {}, "command": "", "epochs": 300}))
results = table1.Results(beside, runs)
results.collect()
assert [(r["train"]["epochs"], r["epochs"]) for r in results.rows] == [(e["train"]["epochs"], e["epochs"]), (300, 1)], results.rows
assert results.rows[1]["log"] == f"rnn_spn-d4-{e['model_hash'][:8]}-seed1-300.log.jsonl.gz" and (beside / "bench/table1/logs" / results.rows[1]["log"]).exists()
END

# ---- the committed documents are those of the committed JSON
mkdir -p "$work/own/bench" "$work/own/docs"
cp -r "$root/bench/table1" "$work/own/bench" && cp -r "$root/README.md" "$work/own" && cp -r "$root"/docs/table1* "$work/own/docs"
table1 --docs --runs "$work/none" --out "$work/own" || fault "the committed JSON: $(cat "$work/output")"
for f in README.md docs/table1.md docs/table1/curves.svg bench/table1/rows.json bench/table1/beyond.json bench/table1/experiments.json; do
    cmp "$root/$f" "$work/own/$f" || fault "$f is not what the JSON says: make table1-docs"
done

# ---- mistakes
python3 "$root/bench/table1/table1.py" --rows rnn_spn-d5 >"$work/output" 2>&1
[ $? = 2 ] && grep -q "unknown row 'rnn_spn-d5'" "$work/output" || fault "a row that is none"
python3 "$root/bench/table1/table1.py" --rows beyond-moved --choose dropout=0.0,0.2 >"$work/output" 2>&1
[ $? = 2 ] && grep -q "choose is for rows of the table" "$work/output" || fault "a choice on a step beyond the paper"
env -u SPN_MNIST python3 "$root/bench/table1/table1.py" --runs "$work/c" --out "$work/c" >"$work/output" 2>&1
[ $? = 1 ] && grep -q 'set SPN_MNIST' "$work/output" || fault "without MNIST"
table1 --runs "$a" --out "$work/c" --data-seed 7
[ $? = 1 ] && grep -q 'with seed 7' "$work/output" || fault "other data than asked for"
[ "$(make --no-print-directory -C "$root" -n table1 ROWS="conv rnn_spn-d1" RUNS=x SET=a=1 | tail -1)" = \
    'python3 bench/table1/table1.py --rows "conv rnn_spn-d1" --runs "x" --set "a=1"' ] || fault "make table1: $(make --no-print-directory -C "$root" -n table1 ROWS="conv rnn_spn-d1" RUNS=x SET=a=1 | tail -1)"

[ $failed = 0 ] && echo "test_table1: fine ($stops stops)"
exit $failed
