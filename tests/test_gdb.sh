#!/usr/bin/env bash
# test_gdb.sh -- gdb shows tensors of a running program, in lanes and plain, and the numbers are those of `dump`.
# SPNC: the spnc to test (default build/spnc).  Without gdb the test is skipped, with a message.
. "$(dirname "$0")/begin.sh"
command -v gdb >/dev/null && gdb -nh -q -batch -ex 'python print(1)' 2>/dev/null | grep -q 1 || { echo "skipped: no gdb with Python"; exit 0; }
cd "$work" || exit 74
export DEBUGINFOD_URLS=
python=$(sh "$root/tests/python.sh" numpy yaml)
gdb -nh -q -batch -ex run -ex 'print $_exitcode' /bin/true 2>&1 | grep -q '= 0' || { echo "skipped: gdb may not run programs here"; exit 0; }

mkdir data
"$python" - <<'END'
import numpy as np
r = np.random.default_rng(2)
np.save("data/test_image.npy", (r.random((23, 1, 100, 100)) ** 40 * 255).astype("u1"))
np.save("data/test_digits.npy", r.integers(0, 10, (23, 3)).astype("i4"))
END
"$SPNC" emit "$root/models/tiny.yaml" --batch 23 -o fast >/dev/null && make -s -j2 -C fast CFLAGS="-O0 -g" || exit 1
"$SPNC" build "$root/models/tiny.yaml" --batch 23 --debug -o debug || exit 1
fast/tiny export --seed 5 -o w.npz
for form in fast debug; do
    image=$([ $form = fast ] && echo 'v.image_bytes[$g].of' || echo 'v.image[$n].of')        # as the sampler reads it
    # a break in the loss, when the forward pass is over; then in a function of an operator
    (cd $form && gdb -nh -q -batch -iex 'add-auto-load-safe-path .' -ex 'set width 0' -ex 'break loss' -ex 'run eval --weights ../w.npz --data ../data --threads 2' \
        -ex 'set spn-example 18' -ex 'set spn-step 1' -ex 'set spn-format numbers' -ex 'echo @A\n' -ex 'p v.A[$s]' -ex 'echo @crop\n' -ex 'p v.crop[$s]' \
        -ex 'set spn-format shades' -ex 'echo @shades\n' -ex 'p v.crop[$s]' -ex 'echo @list\n' -ex 'info spn' -ex 'echo @bias\n' -ex 'set spn-format numbers' \
        -ex 'p weights->A_bias' -ex 'delete' -ex 'break h_backward' -ex 'break crop_forward' -ex 'run' -ex 'echo @image\n' -ex "p $image" ./tiny) >$form.said 2>&1
    fast/tiny dump --layer A --weights w.npz --data data --first 0 -o A.npy >/dev/null
    fast/tiny dump --layer crop --weights w.npz --data data --first 0 -o crop.npy >/dev/null
    "$python" - $form <<'END' || { fault "$form: $(head -20 $form.said)"; }
import re, sys
import numpy as np
parts = dict(p.split("\n", 1) for p in re.split(r"^@", open(sys.argv[1] + ".said").read(), flags=re.M)[1:])
numbers = lambda text: np.array([float(x) for x in re.findall(r"-?[0-9.]+(?:e[-+]?[0-9]+)?", "\n".join(l for l in text.split("\n") if re.match("  [ -]*[0-9]", l)))])
near = lambda a, b: a.size == b.size and np.allclose(a, b.ravel(), rtol=2e-3, atol=1e-5)
A, crop, image = np.load("A.npy"), np.load("crop.npy"), np.load("data/test_image.npy") / 255
assert "6, example 18, step 1" in parts["A"] and near(numbers(parts["A"]), A[18, 1]), parts["A"]
assert "1x20x20, example 18, step 1" in parts["crop"] and near(numbers(parts["crop"]), crop[18, 1])
rows = re.findall(r"^  \|(.*)\|$", parts["shades"], flags=re.M)
assert len(rows) == 20 and all(len(r) == 40 for r in rows)
dark = np.array([[r[2 * j] for j in range(20)] for r in rows]) == " "
assert (dark == (crop[18, 1, 0] / abs(crop[18, 1]).max() * 9.999 < 1)).all()
listed = dict(re.split(" +", l, maxsplit=1) for l in parts["list"].strip().split("\n"))
assert listed["v.crop[$s]"] == "3 steps of 1x20x20" and listed["v.front_maxpool1[$%s]%s" % (("g", "") if sys.argv[1] == "fast" else ("n", ""))] == "1x25x25", listed
assert ("*scratch->front_conv1" in listed) == (sys.argv[1] == "fast") and (listed.get("*scratch->front_conv1") or listed["v.front_conv1[$n]"]) == "4x23x23", listed
assert near(numbers(parts["bias"])[:6], np.array([1, 0, 0, 0, 1, 0.]))
assert "1x100x100, example 18" in parts["image"] and near(numbers(parts["image"]), image[18])
END
done
# without the script: a group at a step, all lanes; in any function, since no other thing is called v
(cd fast && gdb -nh -q -batch -iex 'set auto-load no' -ex 'set width 0' -ex 'rbreak ^crop_forward' -ex 'run grad --weights ../w.npz --data ../data --first 0 --threads 1 -o grad.npz' -ex 'set print repeats 100' \
    -ex 'set print elements 0' -ex 'echo @A\n' -ex 'p v.A[0]' -ex 'ptype v.A[0]' ./tiny) >bare.said 2>&1
"$python" - <<'END' || fault "without the script: $(head -20 bare.said)"
import re
import numpy as np
said = open("bare.said").read().split("@A\n")[1]
seen = np.array([float(x) for x in re.findall(r"-?[0-9.]+(?:e[-+]?[0-9]+)?", said.split("\n")[0].split("=", 1)[1])])
assert np.allclose(seen.reshape(6, 16), np.load("A.npy")[:16, 0].T, rtol=1e-5, atol=1e-7), said
assert re.search(r"type = (float|real) \[6\]\[16\]", said), said
END
[ $failed = 0 ] && echo "test_gdb: fine"
exit $failed
