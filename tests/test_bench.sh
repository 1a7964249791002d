#!/usr/bin/env bash
# test_bench.sh -- bench/ works from any folder: every script shows its usage, every path that the texts name is there, the published tables are what
# follows from the published figures, medians and their intervals are right, and two programs are compared whatever version of spnc built
# them.
# SPNC: the spnc to test (default build/spnc).
. "$(dirname "$0")/begin.sh"
export CFLAGS=-O0
cd "$work" || exit 74

# a compiler that compiles the same source, with the same headers and options, once
compiler=${CC:-cc}
mkdir kept
cat >compiler <<END
#!/usr/bin/env bash
[[ " \$* " =~ " -c -o "([^ ]*)" " ]] || exec $compiler "\$@"
object=\${BASH_REMATCH[1]}
read -r options _ < <({ echo "\$*"; cat "\${!#}"; find . -name '*.h' | sort | xargs cat; } | md5sum)
kept=$work/kept/\$options
[ -f "\$kept" ] || { $compiler "\$@" && cp "\$object" "\$kept"; } || exit 1
[ -f "\$object" ] || cp "\$kept" "\$object"
END
chmod +x compiler
export CC=$work/compiler

# ---- each script from a folder that is not the checkout
for script in harness/{step_times.py,peers.py,make_env.sh} pair/{pair.sh,pairs.sh,ratios.py} probes/{where,scaling,roofline,ahead}.py table1/table1.py; do
    "$root/bench/$script" --help >said 2>&1 && grep -q '^usage: ' said || fault "$script --help: $(tail -2 said)"
done

# ---- no text names a file of bench/ that is not there
grep -rhoE '(^|[^a-zA-Z0-9_/])(\.\./)?bench/[a-z0-9_./]+' "$root"/{README.md,CONTRIBUTING.md,Makefile,docs,bench,compiler,runtime,trainer,templates,.ci,tests} |
    sed 's/.*\(bench\/.*[a-z0-9_/]\).*/\1/' | sort -u >named
while read -r path; do compgen -G "$root/$path*" >/dev/null || fault "$path is named, but not there"; done <named
[ "$(wc -l <named)" -gt 20 ] || fault "only $(wc -l <named) paths of bench/ found"

# ---- statistics; tables and charts of the committed figures
python3 - "$root" <<'END' || fault "statistics or tables"
import importlib, json, pathlib, sys, tempfile
root = pathlib.Path(sys.argv[1])
sys.path[:0] = [str(root / "bench/probes"), str(root / "bench/harness")]
from stats import geometric, median, median_interval
assert median([3, 1, 2]) == 2 and median([4, 1, 2, 3]) == 2.5 and median(iter([5.0])) == 5
assert geometric([1, None, 4]) == 2 and geometric([]) is None
# The largest k with 2 P(binomial(n, 1/2) < k) <= 0.05, from published tables of the sign test: 1 of 6, 2 of 10, 6 of 20, 10 of 30, 40 of 100.
for n, k in (6, 1), (10, 2), (20, 6), (30, 10), (100, 40):
    assert median_interval(range(n - 1, -1, -1)) == (k - 1, n - k), (n, k)
assert median_interval([1, 2, 3, 4, 5]) is None
page = (root / "docs/performance.md").read_text()
for name in "where", "scaling", "roofline":
    table = importlib.import_module(name).table(json.loads((root / f"bench/results/{name}.json").read_text()))
    assert f"<!-- {name}: written by bench/probes/{name}.py -->\n{table}<!-- /{name} -->" in page, f"docs/performance.md is not what {name}.json says"
import step_times
for folder in root / "bench/results", root / "bench/results/epyc":
    with tempfile.TemporaryDirectory() as new:
        step_times.write(json.loads((folder / "step_times.json").read_text()), pathlib.Path(new))
        for published in [*folder.glob("step_times.*"), *folder.glob("curves.svg")]:
            assert published.read_text() == pathlib.Path(new, published.name).read_text(), f"{published} is not what step_times.json says"
# models with a twin: each has its file and its class, and a table of their own
import ast, nets
classes = next(n.value for n in ast.parse((root / "bench/harness/twins.py").read_text()).body if isinstance(n, ast.Assign) and n.targets[0].id == "TWINS")
assert [k.value for k in classes.keys] == list(nets.TWINS) and all((root / path).exists() for path in nets.TWINS.values())
figure = {"train_ms": 10.0, "eval_ms": 4.0, "train_spread": 0, "eval_spread": 0, "rss_mb": 100.0, "wide": False}
ours, eager, last = figure | {"step_gflop": 1.0, "peak_gflops": 200.0, "build_s": 2.0}, figure | {"train_ms": 60.0, "rss_mb": 600.0, "import_mb": 200.0}, figure | {"train_ms": 50.0, "rss_mb": 650.0, "import_mb": 200.0}
found = {"stem": "twins", "rows": {"mlp": {"ours": ours, "eager": eager, "channels_last": last}}, "machine": {"cpu": "a processor", "processors": 2, "system": "Linux"},
         "versions": {}, "threads": 2, "batch": 100, "dropout": 0.0, "date": "today", "rounds": 1}
lines = step_times.table(found).splitlines()
for line in "| ours against the best in float32, training step | 5.0x | 5.0x |", "| ours, times its multiply-adds at the peak | 2.00 |  |", "| memory of ours by the least of theirs, each above its import | 0.25 | 0.25 |":
    assert line in lines, (line, lines)
# recurrent ones: the bound is 1 GFLOP at 200 GFLOP/s, and 20 MB at 20 GB/s
found |= {"stem": "recurrent", "rows": {"gru_rows": {"ours": ours | {"update_bytes": 20e6, "read_gb_s": 20.0}, "eager": eager, "compile": last}}}
lines = step_times.table(found).splitlines()
for line in "| the bound: these, and the update's bytes at the read rate | 6.00 |  |", "| ours, times the bound | 1.67 |  |", "| the best of PyTorch, times the bound | 8.33 |  |":
    assert line in lines, (line, lines)
assert set(nets.RECURRENT) <= set(nets.TWINS)
END

# ---- two layouts of a folder: that of today, and a flat runtime/ with other names and other structs, as an older spnc wrote it
"$SPNC" emit "$root/models/tiny.yaml" --tuning none -o today >said 2>&1 || fault "emit: $(cat said)"
mkdir -p older/runtime
cp today/tiny.c today/tiny_inspect.c today/tiny-train.c older
find today/runtime today/trainer -name '*.[ch]' -exec cp -t older/runtime {} +
mv older/runtime/net.h older/runtime/spn.h && mv older/runtime/clock.h older/runtime/profile.h
sed -i -E 's|#include "([a-z_0-9]+/)+|#include "|; s|#include "net\.h"|#include "spn.h"|; s|#include "clock\.h"|#include "profile.h"|' older/tiny.c older/tiny_inspect.c older/tiny-train.c older/runtime/*
sed -i 's|^    char \*dir;|    double other[3];\n&|' older/runtime/data.h
sed -i 's|^    int count;  .*real examples|    double other;\n&|' older/runtime/spn.h
[ "$(cat older/runtime/*.h | grep -c 'double other')" = 2 ] || fault "the older folder has the structs of today"
{ echo '# Made by spnc' && grep '^FLAGS = ' today/Makefile && cat <<'END'; } >older/Makefile
CFLAGS ?= -O2
OBJECTS = tiny.o tiny-train.o $(patsubst %.c,%.o,$(wildcard runtime/*.c))
tiny: $(OBJECTS)
	$(CC) $(CFLAGS) $(FLAGS) -o $@ $(OBJECTS) -lpng -ljpeg -lz -lm
%.o: %.c
	$(CC) $(CFLAGS) $(FLAGS) -Iruntime -c -o $@ $<
END
for order in "older today" "today older"; do
    # shellcheck disable=SC2086
    "$root/bench/pair/pair.sh" $order 1 6 >said 2>&1 || fault "pair.sh $order: $(cat said)"
    [ "$(grep -cE '^(training step|forward pass)  *first .* first / second [0-9.]+ \(95 % interval: [0-9.]+ to [0-9.]+; half of them ' said)" = 2 ] || fault "pair.sh $order: $(cat said)"
done
find older today -name '*.o' | grep -q . && fault "pair.sh compiles in the folders themselves"

# ---- what does not go together
refused() { "$root/bench/pair/pair.sh" "$1" today 1 1 >said 2>&1; [ $? = 1 ] && grep -q "$2" said || fault "pair.sh $1: $(cat said)"; }
refused . 'is no folder that spnc has made'
sed -i 's/data_made_up/data_of_nothing/' older/runtime/data.h
refused older 'older has not what side.c calls'
for n in 3 4; do
    echo "int side_open(int threads) { return $n * threads; } void side_step(long i) { (void)i; } void side_forward(void) { }" >side$n.c
    "${CC:-cc}" -shared -fPIC -o side$n.so side$n.c || fault "side$n.c"
done
"${CC:-cc}" -D_GNU_SOURCE -o pair "$root/bench/pair/pair.c" -ldl || fault "pair.c"
./pair 1 1 ./side3.so ./side4.so >said 2>&1
[ $? = 1 ] && grep -q 'batches of 3 examples, the second of 4' said || fault "batches of different sizes: $(cat said)"
[ "$(./pair 2 5 ./side3.so ./side3.so | grep -cE '^([0-9]+\.[0-9]{9} ?){4}$')" = 5 ] || fault "pair does not print a line a pair"

# ---- two versions of spnc, net by net
"$root/bench/pair/pairs.sh" "$SPNC" "$SPNC" 6 "$root/models/tiny.yaml" no-such-net >said 2>&1
[ $? = 1 ] && grep -q 'no-such-net could not be compared' said || fault "pairs.sh: $(cat said)"
grep -qE '^\| [^ ]*tiny.yaml \| [0-9.]+, [0-9.]+ \| [0-9.]+ \| [0-9.]+ to [0-9.]+ \| [0-9.]+, [0-9.]+ \| [0-9.]+ \| [0-9.]+ to [0-9.]+ \|$' said || fault "pairs.sh: $(cat said)"

[ $failed = 0 ] && echo "test_bench: fine"
exit $failed
