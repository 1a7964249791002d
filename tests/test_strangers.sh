#!/usr/bin/env bash
# test_strangers.sh -- files of strangers given to a program that spnc builds: arrays of every rank where a picture is expected, an .npz that would
# grow to gigabytes, names with the escapes of a terminal.
# usage: tests/test_strangers.sh; SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 1
python=$(sh "$root/tests/python.sh" numpy yaml)
shapes='1:[8] 3:[3, 4, 8] grey:[1, 4, 8] 4:[3, 2, 8, 8]'
for name in 1 3 grey 4; do
    shape=$(sed "s/.*\b$name:\(\[[^]]*\]\).*/\1/" <<<"$shapes")
    printf 'model: r%s\nbatch: 4\ninputs: { x: { shape: %s, dtype: u8 } }\ntargets: { y: { classes: 4 } }\nflow:\n  - v: { dense: x, units: 4 }\nloss: { cross_entropy: [v, y] }\n' \
        "$name" "$shape" >"r$name.yaml"
    CFLAGS="-O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined" run "$SPNC" build "r$name.yaml" -o "r$name" || exit 1
    run "r$name/r$name" export --seed 1 -o "r$name.npz"
done
cat >ranks.py <<'PYTHON'
import itertools, subprocess, sys
import numpy as np
inputs = {"1": (8,), "3": (3, 4, 8), "grey": (1, 4, 8), "4": (3, 2, 8, 8)}
shapes = [(), (0,), (8,), (5, 8), (1, 8), (4, 8), (4, 5), (8, 8), (2, 4, 8), (0, 4, 8), (3, 4, 8), (1, 4, 8), (5, 3, 4, 8), (2, 1, 4, 8), (3, 2, 8, 8), (2, 3, 2, 8, 8), (1,) * 8, (7, 5)]
failed = 0
for (name, want), shape, fit in itertools.product(inputs.items(), shapes, (False, True)):
    np.save("a.npy", np.arange(int(np.prod(shape)), dtype="u1").reshape(shape))
    plane = len(want) == 2 or (len(want) == 3 and want[0] == 1)
    picture = fit and len(shape) == 2 and len(want) in (2, 3) and 0 not in shape
    right = shape == want or (shape[1:] == want and shape[0] > 0) or (plane and shape == want[-2:]) or picture
    r = subprocess.run([f"r{name}/r{name}", "predict", "a.npy", "--weights", f"r{name}.npz", "--threads", "1"] + ["--fit"] * fit, capture_output=True, text=True)
    if r.returncode != (0 if right else 1) or "Sanitizer" in r.stderr or "runtime error" in r.stderr or (not right and "expected" not in r.stderr):
        print(f"test_strangers: a.npy {shape} for {want}, fit {fit}: exit code {r.returncode}: {r.stderr[:300]}", file=sys.stderr)
        failed = 1
sys.exit(failed)
PYTHON
"$python" ranks.py || failed=1

# ---- .npz: what it would unpack to is not what is unpacked ----------------------------------------------------------------------
"$python" - <<'PYTHON' || exit 1
import zipfile, zlib, struct, io
import numpy as np
good = dict(np.load("r1.npz"))
def deflated(name, extra):
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for k, a in good.items():
            f = io.BytesIO(); np.save(f, a); z.writestr(k + ".npy", f.getvalue())
        for k, head, size in extra:
            with z.open(k, "w", force_zip64=True) as out:
                out.write(head)
                for _ in range(size >> 20): out.write(bytes(1 << 20))
def head(shape):
    f = io.BytesIO(); np.lib.format.write_array_header_1_0(f, {"descr": "<f4", "fortran_order": False, "shape": shape}); return f.getvalue()
G = 1 << 30
deflated("beside.npz", [("more.npy", head((G // 4,)), G), ("notes.txt", b"", G)])
del good["v.weight"]
deflated("instead.npz", [("v.weight.npy", head((G // 4,)), G)])
PYTHON
limits() { (ulimit -v 600000; "$@") >output 2>&1; }
run "$SPNC" build r1.yaml --force -o plain || exit 1
"$python" - <<'PYTHON' || exit 1
import os
import numpy as np
os.mkdir("data")
for s in ("train", "valid", "test"): np.save(f"data/{s}_x.npy", np.zeros((4, 8), "u1")); np.save(f"data/{s}_y.npy", np.zeros(4, "u1"))
PYTHON
[ "$(stat -c %s beside.npz)" -lt 8000000 ] || fault "the .npz is not small"
limits plain/r1 train --data data --run run --epochs 1 --threads 1 --init beside.npz || fault "--init: $(cat output)"
grep -q '2 of 2 parameters taken' output && grep -q '^    more$' output && grep -q 'notes.txt: no .npy' output || fault "--init: $(cat output)"
limits plain/r1 eval --data data --weights beside.npz && fault "an array too many"
grep -q 'the net has no parameter more' output || fault "eval: $(cat output)"
limits plain/r1 eval --data data --weights instead.npz && fault "another shape"
grep -q 'v.weight has shape \[268435456\], expected \[4\]\[8\]' output || fault "eval: $(cat output)"

# ---- names --------------------------------------------------------------------------------------------------------------------
name=$'a\x1b]0;title\x07b\xc2\x9b31m\r.npy'
"$python" -c 'import numpy, sys; numpy.save(sys.argv[1], numpy.zeros(8, "u1"))' "$name" 2>/dev/null || cp a.npy "$name"
plain/r1 predict "$name" --weights r1.npz >output 2>&1 || fault "predict: $(cat -v output)"
for command in "predict $name --weights r1.npz" "predict $name --weights r2.npz" "eval --data $name --weights r1.npz" "eval --data data --weights $name.npz" "train --data data --run run2 --init $name.npz"; do
    # shellcheck disable=SC2086
    plain/r1 $command >output 2>&1
    LC_ALL=C grep -q -e $'\x1b' -e $'\x07' -e $'\r' -e $'\xc2\x9b' output && fault "a name reaches the terminal with its escapes: $(cat -v output)"
done
"$(dirname "$SPNC")/spn-data" pack "$name" -o x >output 2>&1
LC_ALL=C grep -q -e $'\x1b' -e $'\xc2\x9b' output && fault "spn-data: $(cat -v output)"
cp r1.yaml "$name.yaml"
sed -i 's/dense/denze/' "$name.yaml"
"$SPNC" check "$name.yaml" >output 2>&1
LC_ALL=C grep -q -e $'\x1b' -e $'\xc2\x9b' -e $'\x07' output && fault "spnc: $(cat -v output)"
for command in "ops $name" "check r1.yaml --stage $name" "check r1.yaml --target $name" "check r1.yaml --$name" "$name" "explain r1.yaml $name"; do
    # shellcheck disable=SC2086
    "$SPNC" $command >output 2>&1
    LC_ALL=C grep -q -e $'\x1b' -e $'\xc2\x9b' -e $'\x07' output && fault "spnc: $(cat -v output)"
done
# ---- arrays of bytes for an input of f4, and big endian ones: refused with what to do ----------------------------------------------
printf 'model: real\nbatch: 4\ninputs: { x: { shape: [4, 8] } }\ntargets: { y: { classes: 4 } }\nflow:\n  - v: { dense: x, units: 4 }\nloss: { cross_entropy: [v, y] }\n' >real.yaml
run "$SPNC" build real.yaml -o real || exit 1
run real/real export --seed 1 -o real.npz
"$python" - <<'PYTHON' || exit 1
import os
import numpy as np
np.save("plane.npy", np.zeros((5, 8), "u1")); np.save("bytes.npy", np.zeros((3, 4, 8), "u1")); np.save("f4be.npy", np.zeros((4, 8), ">f4"))
np.save("u2be.npy", np.zeros((9, 4, 8), ">u2")); np.save("f8be.npy", np.zeros((9, 4, 8), ">f8"))
for name, x, y in (("u1", "u1", "u1"), ("fbe", ">f4", "u1"), ("ibe", "<f4", ">i4"), ("ube", "<f4", ">u2")):
    os.mkdir(name)
    for s in ("train", "valid", "test"): np.save(f"{name}/{s}_x.npy", np.zeros((9, 4, 8), x)); np.save(f"{name}/{s}_y.npy", np.zeros(9, y))
PYTHON
refuses() { local says=$1; shift; "$@" >output 2>&1; [ $? = 1 ] && grep -qF -- "$says" output || fault "$*: expected '$says': $(cat output)"; }
refuses '--fit takes it as a grey picture of 0 to 255' real/real predict plane.npy --weights real.npz
run real/real predict plane.npy --weights real.npz --fit
for fit in '' --fit; do refuses "(a / 255).astype('f4') makes 0 to 1 of them" real/real predict bytes.npy --weights real.npz $fit; done
refuses "(a / 255).astype('f4') makes 0 to 1 of them" real/real eval --data u1 --weights real.npz
refuses "found dtype '>f4', expected little endian; convert it with a.astype('<f4')" real/real predict f4be.npy --weights real.npz
for set in fbe:f4 ibe:i4 ube:u2; do
    refuses "found dtype '>${set#*:}', expected little endian; convert it with a.astype('<${set#*:}')" real/real eval --data ${set%:*} --weights real.npz
done
for file in u2be:u2 f8be:f8; do
    refuses "found dtype '>${file#*:}', expected little endian; convert it with a.astype('<${file#*:}')" "$(dirname "$SPNC")/spn-data" pack ${file%:*}.npy -o x
done
refuses "found dtype '>i4', expected little endian" "$(dirname "$SPNC")/spn-data" pack ibe/train_x.npy --labels ibe/train_y.npy -o x

# One name has one spelling in all messages.
name=$'n\x1b[7m\xe2\x80\xae\xff\xc2\x9b\xd8\x9c' spelt='n\x1b[7m\u202e\xff\u009b\u061c'
for command in "$SPNC check $name" "$SPNC ops $name" "$SPNC --$name" "$(dirname "$SPNC")/spn-data pack $name" "$(dirname "$SPNC")/spn-data pack --$name" \
               "plain/r1 eval --data data --weights $name" "plain/r1 train --data data --run run2 --init $name" "plain/r1 train --data $name --run run2" "plain/r1 --$name"; do
    $command >output 2>&1
    grep -qaF "$spelt" output || fault "${command%% *}: a name is spelt in a way of its own: $(cat -v output)"
done
plain/r1 train --data data --run "$name" --epochs 1 --threads 1 >output 2>&1
cp -r "$name" "$name.2"
for command in "report --run $name --data data" "compare $name $name.2 --data data" "predict --data data --run $name -o $name.npz"; do
    plain/r1 $command >output 2>&1 || fault "$command: $(cat -v output)"
    grep -qaF "$spelt" output && ! LC_ALL=C grep -q $'\x1b' output || fault "${command%% *}: a folder is spelt in a way of its own: $(cat -v output)"
done
run2="it's \$HOME"
plain/r1 train --data data --run "$run2" --epochs 3 --max-time 0.0001ms >output 2>&1
sed -n 's/^    //p' output | tail -1 >line.sh
sh -c "set -- $(sed 's/^[^ ]*//' line.sh); printf '%s\n' \"\$@\"" | grep -qxF "$run2" || fault "the line that goes on: $(cat line.sh output)"
[ $failed = 0 ] && echo "test_strangers: fine"
exit $failed
