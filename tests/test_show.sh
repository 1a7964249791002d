#!/bin/bash
# test_show.sh -- seeing a net: show as text, JSON, graph and page; explain; the map from YAML to C and back; a changed line of YAML changes
# its own part of the C alone.  The graph is drawn by dot and the page opened in Chromium where they are installed (CHROMIUM names it).
. "$(dirname "$0")/environment.sh"
set -eu
spnc=${SPNC:-build/spnc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "test_show: $*" >&2; exit 1; }
says() { grep -qF -- "$2" "$1" || fail "'$2' is not in $1: $(head -c 3000 "$1")"; }

# A net used twice, and the paper's net in miniature.
shared=tests/oracle/nets/shared.yaml
"$spnc" show models/tiny.yaml >"$folder/text"
for word in front_conv1 19,044 "in all" 16,936 "memory map" "without reuse" classify_maxpool1_winner; do says "$folder/text" "$word"; done
"$spnc" show models/rnn_spn.yaml >"$folder/text"
says "$folder/text" "winograd 6+6+5+5 x 6+6+5+5, then relu"

# Scaling: the phases are those of the plan, the work is that of the net, and pieces decide what more threads gain.
"$spnc" check models/rnn_spn.yaml --batch 128 --stage plan >"$folder/plan"
"$spnc" show models/rnn_spn.yaml --batch 128 --json >"$folder/net.json"
"$spnc" show models/rnn_spn.yaml --batch 128 --scaling --json >"$folder/128.json"
"$spnc" emit models/rnn_spn.yaml --batch 128 -o "$folder/128" && "$spnc" emit models/conv.yaml --batch 1024 -o "$folder/conv1024"
says "$folder/128/rnn_spn.c" "rnn_spn.yaml:42: classify.dropout1 is left out, since its rate is 0."
says "$folder/128/rnn_spn.c" "front_conv1, relu and front_maxpool2 (line 34) in one"
! grep -q '^/\* ---- .*models/' "$folder/128/rnn_spn.c" || fail "heads of operators say more of the path than the file"
"$spnc" check models/conv.yaml --batch 1024 --stage plan >"$folder/conv1024.plan"
"$spnc" show models/conv.yaml --batch 1024 --scaling --json >"$folder/conv1024.json"
"$spnc" show models/rnn_spn.yaml --batch 1024 --scaling --json >"$folder/1024.json"
"$spnc" show models/conv.yaml --batch 16 --scaling --json >"$folder/16.json"
python3 - "$folder" <<'PYTHON'
import json, math, re, sys
at = {n: json.load(open(f"{sys.argv[1]}/{n}.json")) for n in ("net", "128", "1024", "16", "conv1024")}
phases, plan = at["128"]["phases"], open(sys.argv[1] + "/plan").read()
assert len(phases) == at["net"]["phases"] + 1 and phases[-1]["pass"] == "update", "the phases are not those of the plan, and the update"

def operators(line):                                    # of a phase of the plan, each once
    return list(dict.fromkeys(w.rstrip("'") for w in line.split(":", 1)[1].split() if w not in ("'", "weights", "products", "prepare", "finish", "again")))

def check(found, plan, folder, name):                   # operators as in the plan, work as in `profile`, pieces as in the C
    rows, counted = {}, 0
    c, inspect = open(f"{folder}/{name}.c").read(), open(f"{folder}/{name}_inspect.c").read()
    for row in re.findall(r'\{ ("[^"]*", "[^"]*", \.phase[^}]*)\}', inspect.split("NetRow rows[]")[1].split("\n};")[0]):
        member = dict(re.findall(r"\.(\w+) = ([^,\s]+)", row))
        rows.setdefault(int(member["phase"]), []).append((float(member.get("products", 0)), float(member.get("bytes", 0))))
    lines = [line for line in plan.splitlines() if line.startswith("  phase ")]
    folds = iter(re.findall(r"^    fold\([^;]*, (\d+), \d\);$", c.split("/* ==== 6 backward")[1], re.M))
    for i, p in enumerate(found["phases"]):
        for k, key in enumerate(("products", "bytes")):
            want = sum(row[k] for row in rows[i])
            assert abs(p[key] - want) <= 1e-9 * want, (i, p, want)
        if p["pass"] == "update":
            continue
        assert operators(lines[i]) == p["operators"].split(", "), (lines[i], p["operators"])
        if p["operators"].startswith("fold_"):
            assert p["pieces"] == math.ceil(int(next(folds)) / (8 * 16)), (i, p)
        elif p["whole_batch"]:
            words = lines[i].split(":", 1)[1]
            turn = next((t for t in ("prepare", "products", "finish", "weights") if f" {t} " in words), "backward" if "'" in words else "forward")
            ends = {"weights": "transpose|weights", "products": "products|weights"}.get(turn, turn)          # a dense layer transposes dy, then makes the gradient
            body = next(filter(None, (re.search(rf"^(?:static )?void {p['operators']}_{end}\(.*?^}}", c, re.S | re.M) for end in ends.split("|")))).group(0)
            begins = re.findall(r"#pragma omp for[^\n]*\n *for \(int \w+ = 0; \w+ < (\d+); \w+\+\+\)", body)
            assert p["pieces"] == int(begins[-1]), (i, p, begins)
            inside = sum("nowait" not in loop for loop in re.findall(r"#pragma omp for[^\n]*", body))
            assert p["barriers"] - inside * p["steps"] in (0, p["steps"]), (i, p, inside)
            counted += 1
    return counted

def update_barriers(folder):                            # of an update: what the functions of optimiser.h that it calls wait for, and the end of the step
    c, header = open(f"{folder}/rnn_spn-train.c").read(), open(f"{folder}/runtime/optimiser.h").read()
    bodies = dict(re.findall(r"^static inline [\w ]*?(optimiser_\w+)\([^{}]*^\{(.*?)^\}", header, re.S | re.M))
    loop = r'omp barrier|OPTIMISER_EACH|omp for [^"]*(?<!nowait)"'
    called = re.findall(r"(optimiser_\w+)\(", re.search(r"^double optimiser_update\(.*?^}", c, re.S | re.M).group(0))[1:]
    assert called, "optimiser_update calls nothing of optimiser.h"
    def waits(name):                                    # with those of the functions that it calls
        return len(re.findall(loop, bodies[name])) + sum(waits(inner) for inner in re.findall(r"(optimiser_\w+)\(", bodies[name]) if inner in bodies and inner != name)
    return 1 + sum(waits(name) for name in called)

assert phases[-1]["barriers"] == update_barriers(sys.argv[1] + "/128") > 2, (phases[-1], update_barriers(sys.argv[1] + "/128"))
assert check(at["128"], plan, sys.argv[1] + "/128", "rnn_spn") > 10
assert check(at["conv1024"], open(sys.argv[1] + "/conv1024.plan").read(), sys.argv[1] + "/conv1024", "conv") > 5
products = sum(p["products"] for p in phases)
net = at["net"]["batch"] * (at["net"]["forward_macs"] + at["net"]["backward_macs"])
assert 0.2 * net < products < net, f"{products} products, but {net} multiply-adds: Winograd's algorithm saves some, not all"
for p in phases:
    if not p["whole_batch"]:
        t = 3 if p["runs"] == "all steps at once" else 1
        assert p["pieces"] == 8 * t, p
        for i, n in enumerate((1, 2, 4, 8, 16, 32, 64)):
            want = p["ms"][0] * math.ceil(p["pieces"] / n) / p["pieces"] + 1e3 * p["barriers"] * at["128"]["barrier_seconds"] * math.log2(n)
            assert abs(p["ms"][i] - want) <= 1e-6 * want, (p, n, want)
last = max(i for i, p in enumerate(phases) if p["pass"] == "backward" and not p["whole_batch"])
waiting = phases[last + 1:last + 4]                     # products that no operator waits for: done by threads without a group
assert [p["operators"] for p in waiting] == ["A", "h_from_state", "h_from_input"] and phases[last]["barriers"] == 0, phases[last:last + 4]
assert all(p["ms"][6] - 1e3 * p["barriers"] * at["128"]["barrier_seconds"] * 6 < 1e-9 < p["ms"][0] for p in waiting), waiting
for a in at.values():
    times = [t["ms"] for t in a.get("threads", [])]
    assert not times or all(abs(t - sum(p["ms"][i] for p in a["phases"])) < 1e-6 * t for i, t in enumerate(times)), "phases do not add up"
    assert not times or sum(p["barriers"] for p in a["phases"]) == a["barriers"]
gain = {n: {t["threads"]: t["speedup"] for t in at[n]["threads"]} for n in ("128", "1024", "16")}
assert gain["128"][8] > 6.5 and gain["1024"][64] > 2 * gain["128"][64] and gain["1024"][64] > 45, gain
assert gain["16"][64] < 2.5, "one group is one thread's work"
PYTHON
"$spnc" show models/conv.yaml --batch 16 --scaling >"$folder/text"
says "$folder/text" "1 group of 16 examples, at most 1 piece in a phase; --batch 1024 has 64 groups"
says "$folder/text" "What stands in the way of 64 threads"
for wrong in "check --scaling" "show --scaling --html" "show --scaling --plain"; do
    status=0; "$spnc" ${wrong%% *} models/tiny.yaml ${wrong#* } >"$folder/text" 2>&1 || status=$?
    [ $status -eq 2 ] || fail "$wrong: exit $status"
done

for model in models/tiny.yaml models/two_glimpse.yaml $shared; do
    "$spnc" show $model --json -o "$folder/net.json"
    "$spnc" show $model --dot -o "$folder/net.dot"
    "$spnc" show $model --html -o "$folder/net.html"
    "$spnc" emit $model -o "$folder/${model##*/}"
    ! command -v dot >/dev/null || [ -z "$(dot -Tsvg "$folder/net.dot" 2>&1 >"$folder/net.svg")" ] || fail "dot does not take the graph of $model"
    [ $model = $shared ] || says "$folder/net.dot" "before step 0"
    python3 - "$folder" "$folder/${model##*/}" $model <<'PYTHON'
import glob, json, re, sys
folder, emitted, model = sys.argv[1:]
net = json.load(open(folder + "/net.json"))
assert sum(l["macs"] for l in net["layers"]) == net["forward_macs"], "multiply-adds of the layers are not those of the net"
assert sum(l["parameters"] for l in net["layers"]) == net["parameters"], "parameters of the layers are not those of the net"
assert net["memory"]["values"] <= net["memory"]["without_reuse"]
for a in net["map"]:                                    # no two values at one place at one time
    for b in net["map"]:
        if a is not b and a["first"] <= b["last"] and b["first"] <= a["last"]:
            assert a["at"] + a["bytes"] <= b["at"] or b["at"] + b["bytes"] <= a["at"] or "h" in (a["name"], b["name"]), (a, b)
the_map = json.load(open(glob.glob(emitted + "/*.map.json")[0]))
c = open(emitted + "/" + the_map["c"]).read().split("\n")
yaml = open(model).read().split("\n")
forward = [o for o in the_map["operators"] if any(l["name"] == o["name"] for l in net["layers"])]
assert len(forward) == len(net["layers"])
called = set()
for o in the_map["operators"]:
    first, last = o["c"]
    functions, kind = re.match(r"/\* ---- (\w+): (\w+) ", c[first - 1]).groups()
    assert kind == o["op"] and o["functions"] and o["calls"], o
    head = "\n".join(c[first - 1:o["functions"][0]["c"][0]])       # functions of one operator, or of several, all of which are named
    own = functions == o["name"] and " %s:%d" % (model.split("/")[-1], o["yaml"][0]) in c[first - 1]
    place = (functions, "v." + o["writes"]) if kind == "fill" else (o["name"],)         # what it fills
    assert own or any("%s (line %d)" % (name, o["yaml"][0]) in head for name in place), o
    for f in o["functions"]:
        assert f["symbol"] + "(" in c[f["c"][0] - 1] and c[f["c"][1] - 1] == "}" and first < f["c"][0] <= f["c"][1] <= last, f
    for line in o["calls"]:
        assert c[line - 1].strip().startswith((functions + "_", "fold(")), (o["name"], line)
        assert line not in called, (o["name"], line)                # each call is one operator's
        called.add(line)
        assert [line, line, o["yaml"][0]] in the_map["c_to_yaml"]
    assert o["c"] in the_map["yaml_to_c"][str(o["yaml"][0])]
for p in the_map["parameters"]:
    assert p["symbol"] in c[p["c"] - 1]
for p in the_map["values"]:
    assert p["symbol"].startswith("v.") and re.search(r"[*]%s;" % p["symbol"][2:], c[p["c"] - 1]), p
PYTHON
done
says "$folder/net.dot" "same weights"
says "$folder/net.html" 'class="same"'

explained() { "$spnc" explain "$@" >"$folder/why" 2>&1 || fail "explain $*: $(cat "$folder/why")"; }
explained models/rnn_spn.yaml front_conv2
for word in "rows: (24 - 3) / 1 + 1 = 22" "0.21 of the multiplications" "front.conv2.weight [20x20x3x3]" "gradient of its parameters: phase" front_conv2_backward "phase 0"; do says "$folder/why" "$word"; done
explained models/rnn_spn.yaml front.conv1
says "$folder/why" "in one pass: the map between them is never stored"
explained models/rnn_spn.yaml h.weight_ih
says "$folder/why" "computed once, before repeat1"
explained tests/oracle/nets/bidirectional.yaml row                        # a name in two repeats: both
for word in "ahead (repeat1" "ahead (backwards"; do says "$folder/why" "$word"; done
explained models/rnn_spn.yaml digit
says "$folder/why" "classify_dense2"
explained models/rnn_spn.yaml --set dropout=0.2 classify_dropout1         # joined by the pool: the operator that does it, and why
grep -q "classify_dropout1 is applied where classify_conv1 stores its result" "$folder/why" || fail "explain classify_dropout1: $(cat "$folder/why")"
explained models/rnn_spn.yaml --set dropout=0.2 classify_dropout3
grep -q "the gradient of classify_dropout3 draws no mask" "$folder/why" && ! grep -q "nobody needs it" "$folder/why" || fail "explain classify_dropout3: $(cat "$folder/why")"
code=0; "$spnc" explain models/rnn_spn.yaml front_conv9 2>"$folder/why" || code=$?
[ $code = 1 ] || fail "an unknown name ended with $code"
says "$folder/why" "did you mean 'front_conv"
code=0; "$spnc" explain models/rnn_spn.yaml conv1 2>"$folder/why" || code=$?
[ $code = 1 ] && says "$folder/why" "front.conv1 or classify.conv1"

# One layer's filters: the sections of the layers before it stay as they are; a line of comment moves line numbers and nothing else.
mkdir "$folder/same"
cp models/tiny.yaml "$folder/same/tiny.yaml"
edit() { sed "$1" models/tiny.yaml >"$folder/same/tiny.yaml"; (cd "$folder/same" && "$spnc_here" emit tiny.yaml --target avx2 -o "$2"); }
spnc_here=$(realpath "$spnc")
edit "" a; edit "s/filters: 8/filters: 9/" b; edit "12s/^/# one more line\n/" c
python3 - "$folder/same" <<'PYTHON'
import json, re, sys
def sections(which):
    m = json.load(open(sys.argv[1] + "/" + which + "/tiny.map.json"))
    c = open(sys.argv[1] + "/" + which + "/tiny.c").read().split("\n")
    return {o["name"]: "\n".join(c[o["c"][0] - 1:o["c"][1]]) for o in m["operators"]}
a, b, c = (sections(w) for w in "abc")
assert a.keys() == b.keys() == c.keys()
changed = {n for n in a if a[n] != b[n]}
assert changed == {"classify_conv1", "classify_dense1"}, changed      # the layer, and the one that reads it
numbers = lambda s: re.sub(r"tiny\.yaml:\d+|\(line \d+\)", "", s)
assert all(numbers(a[n]) == numbers(c[n]) for n in a) and any(a[n] != c[n] for n in a)
PYTHON

# A layer whose name ends another's has calls of its own.
cat >"$folder/ends.yaml" <<'YAML'
model: ends
inputs: { x: { shape: [1, 6, 6] } }
targets: { y: { classes: 3 } }
flow:
  - inner: { conv: x, filters: 2, kernel: 3 }
  - r: { conv: inner, filters: 2, kernel: 3 }
  - z: { dense: r, units: 3 }
loss: { cross_entropy: [z, y] }
YAML
"$spnc" emit "$folder/ends.yaml" --plain -o "$folder/ends" && "$spnc" emit "$folder/ends.yaml" -o "$folder/ends_fast"
for form in ends ends_fast; do
    python3 - "$folder/$form" <<'PYTHON' || fail "the map mixes up names"
import json, sys
found = json.load(open(sys.argv[1] + "/ends.map.json"))
calls = {o["name"]: set(o["calls"]) for o in found["operators"]}
assert calls["inner"] and calls["r"] and not calls["inner"] & calls["r"], calls
PYTHON
done

for page in performance compiler design cluster; do
    SPNC=$spnc_here docs/dumps.py docs/$page.md --check || fail "docs/$page.md shows what is no more"
done

# Whatever a stranger put into names, settings and the path stays text.
bad="$folder/x<script>alert(1)<script>\"'&.yaml"
sed -e "s|^about:.*|about: \"</title><script>alert(2)</script><img src=x onerror=alert(3)>\"|" -e "s|^params: {|params: { note: \"\\\\\"><svg onload=alert(4)>\", |" \
    -e "s|^flow:|# </pre></script><script>alert(5)</script>\nflow: # --><b>|" models/tiny.yaml >"$bad"
"$spnc" show "$bad" --html -o "$folder/bad.html" 2>/dev/null
"$spnc" show "$bad" --dot -o "$folder/bad.dot" 2>/dev/null
! command -v dot >/dev/null || dot -Tsvg "$folder/bad.dot" >/dev/null || fail "dot does not take a hostile name"
"$spnc" emit "$bad" -o "$folder/bad" 2>/dev/null
python3 - "$folder" <<'PYTHON'
import glob, html.parser, json, sys
json.load(open(glob.glob(sys.argv[1] + "/bad/*.map.json")[0]))
text = open(sys.argv[1] + "/bad.html").read()
class Reader(html.parser.HTMLParser):
    tags, wrong, depth = {}, [], []
    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.wrong += [a for a, v in attrs if a.startswith("on") or "http:" in (v or "") or "https:" in (v or "") or (a == "href" and not v.startswith("#"))]
        if tag not in ("meta",):
            self.depth.append(tag)
    def handle_endtag(self, tag):
        while self.depth and self.depth[-1] in ("path", "rect") and self.depth[-1] != tag:
            self.depth.pop()
        assert self.depth and self.depth[-1] == tag, (self.depth[-3:], tag, self.getpos())
        self.depth.pop()
    def handle_startendtag(self, tag, attrs): self.handle_starttag(tag, attrs); self.depth.pop()
r = Reader()
r.feed(text)
assert not r.wrong and r.tags["script"] == 1 and "img" not in r.tags, (r.wrong, r.tags)
assert "alert(2)" in text and "alert(5)" not in text.split("<script>")[1]
PYTHON

# In a browser: arrows walk, Enter's link opens and Escape closes, focus goes along and comes back.
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -n "$chromium" ]; then
    for page in "$folder/bad.html" "$folder/net.html"; do
        python3 tests/keys.py "$chromium" "$page" >"$folder/keys" || fail "by keyboard: $(cat "$folder/keys")"
    done
fi
