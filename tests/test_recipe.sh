#!/usr/bin/env bash
# test_recipe.sh -- the recipes of CONTRIBUTING.md for an optimiser, a loss, a schedule and an initialiser, followed in a copy of the
# sources: what they name is all that is needed for a net that trains with all four.  The trained weights are those of a few lines of
# Python.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
mkdir tree && tar -c -C "$root" CMakeLists.txt LICENSE compiler runtime trainer templates | tar -x -C tree || exit 74

# before FILE TEXT: what comes in stands before the first line of FILE that begins with TEXT
before() {
    awk -v at="$2" 'BEGIN { while ((getline line < "/dev/stdin") > 0) all = all line "\n" }
                    !done && index($0, at) == 1 { printf "%s", all; done = 1 }
                    { print }
                    END { exit !done }' "tree/$1" >edited && mv edited "tree/$1" || fault "$1 has no line '$2'"
}
# within FILE WAS BECOMES: the first WAS of FILE, a text within a line, becomes BECOMES
within() {
    awk -v was="$2" -v becomes="$3" '!done && (i = index($0, was)) {
                                         $0 = substr($0, 1, i - 1) becomes substr($0, i + length(was)); done = 1
                                     }
                                     { print }
                                     END { exit !done }' "tree/$1" >edited && mv edited "tree/$1" || fault "$1 has no '$2'"
}

# ---- an optimiser: signs, with three states, of which one is kept only where a setting is not 0 --------------------------
before compiler/read/optimisers.c 'const Optimiser optimisers[]' <<'END'
static const AttrSpec signs_keys[] = {
    { "rate", ATTR_REAL, "0.01", 0, 1e6, NULL, "learning rate" },
    { "keep", ATTR_REAL, "0.9", 0, 1, NULL, "share of the mean gradient that is kept" },
    { "brake", ATTR_REAL, "0", 0, 1, NULL, "factor of a step that turns back" },
    { "pull", ATTR_REAL, "0", 0, 1, NULL, "share of the way so far that each update adds" },
    { 0 },
};

END
before compiler/read/optimisers.c '    { .map = { 0 } },' <<'END'
    {
        .map = {
            "signs", "signs", signs_keys, "Steps of one size, by the sign of the mean gradient.",
            "m = keep m + (1 - keep) g;  s = rate sign(m) / t, times brake where sign(m) turns;  u = u + s;  w -= s + pull u",
            OPTIMISER_EXAMPLE("{ signs: { rate: 0.05, keep: 0.5 } }"),
        },
        .states = { { .name = "m" }, { .name = "l", .setting = "brake" }, { .name = "u" } },
        .counted = true,
    },
END
before runtime/optimiser.h '/* ---- the whole' <<'END'
static inline vec optimiser_sign(vec x)
{
    return v_sub(v_zero_unless(v_gt(x, v_zero()), v_set1(1)), v_zero_unless(v_lt(x, v_zero()), v_set1(1)));
}

/* m = keep m + (1 - keep) g;  s = rate sign(m) / t, times brake where sign(m) is not l;  l = sign(m);  u = u + s;  w = w - s - pull u;
 * t = update_count + 1.  Without brake l is NULL. */
static inline void optimiser_signs(real *w, const real *g, real *m, real *l, real *u, size_t n, OptimiserInput how, double rate,
                                   double keep, double brake, double pull, uint64_t update_count)
{
    vec step = v_set1((real)(rate / ((double)update_count + 1)));
    OPTIMISER_EACH(i, n) {
        vec weight = v_load(w + i), d = optimiser_input(g + i, weight, how);
        vec mean = v_fma(v_set1((real)keep), v_load(m + i), v_mul(v_set1((real)(1 - keep)), d));
        vec sign = optimiser_sign(mean), s = v_mul(step, sign);
        if (l) {
            s = v_select(v_eq(sign, v_load(l + i)), s, v_mul(s, v_set1((real)brake)));
            v_store(l + i, sign);
        }
        vec way = v_add(v_load(u + i), s);
        v_store(m + i, mean);
        v_store(u + i, way);
        v_store(w + i, v_fnma(v_set1((real)pull), way, v_sub(weight, s)));
    }
}

END

# ---- a loss: the mean of absolute differences -----------------------------------------------------------------------
before compiler/ops/ops.def '/* plumbing' <<'END'
LOSS(gap)
END
cat >>tree/compiler/ops/loss.c <<'END'

static const OpHelp help_gap = {
    "The mean of absolute differences, over examples and elements.  Stands under `loss`.",
    "[a, b]: two values of one shape; b may be a target with a shape",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { shape: [2] } }\n"
    "flow:\n"
    "  - v: { dense: x, units: 2 }\n"
    "loss: { gap: [v, y], weight: 0.5 }\n",
};
const OpInfo op_gap = { "gap", "loss = sum of |a - b|", 2, 2, NULL, false, weight_attrs, infer, grad, facts_none, NULL, false, "f:f",
                        &help_gap };
const LossInfo loss_gap = {
    .operands = { "prediction", "target" }, .form = "[a, b]", .takes = TAKES_REALS | TAKES_VALUES, .fits = fits_elements,
};
END
cat >tree/templates/loss/gap.c.in <<'END'
% -- gap: the sum of absolute differences of a and b; its mean is taken by `scale`.  Facts: op.size (elements).
% local da, db = op.inputs[1].grad, op.inputs[2].grad
% local wanted = (da and "real *da, " or "") .. (db and "real *db, " or "")
% if net.plain then
/* loss = sum over i of |a_i - b_i| */
static void ${op.name}_forward(real *loss, real *a, real *b)
{
    *loss = 0;
    for (int i = 0; i < ${op.size}; i++)
        *loss += a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
}
%   if da or db then

/* da = scale sign(a - b), db = -da; 0 for an example that is not there. */
static void ${op.name}_backward(${wanted}real *a, real *b, real scale, int present)
{
    for (int i = 0; i < ${op.size}; i++) {
        real d = present ? scale * (real)((a[i] > b[i]) - (a[i] < b[i])) : 0;
%     if da then
        da[i] = d;
%     end
%     if db then
        db[i] = -d;
%     end
    }
}
%   end
% else
/* loss = sum over i of |a_i - b_i|, in order of i, in every lane. */
static void ${op.name}_forward(real *loss, real *a, real *b)
{
    vec sum = v_set1(0);
    for (int i = 0; i < ${op.size} * L; i += L)
        sum = v_add(sum, v_abs(v_sub(v_load(a + i), v_load(b + i))));
    v_store(loss, sum);
}
%   if da or db then

/* da = scale sign(a - b), db = -da; 0 in the lanes from `present` on, which hold no example. */
static void ${op.name}_backward(${wanted}real *a, real *b, real scale, int present)
{
    const mask here = iv_lt(iv_iota(), iv_set1(present));
    for (int i = 0; i < ${op.size} * L; i += L) {
        vec x = v_load(a + i), y = v_load(b + i), s = v_set1(scale);
        vec d = v_sub(v_zero_unless(v_gt(x, y), s), v_zero_unless(v_lt(x, y), s));
%     if da then
        v_store(da + i, v_zero_unless(here, d));
%     end
%     if db then
        v_store(db + i, v_zero_unless(here, v_neg(d)));
%     end
    }
}
%   end
% end
END

# ---- a schedule: the rate rises over so many epochs -----------------------------------------------------------------
before compiler/read/schedules.c 'const Schedule schedules[]' <<'END'
#define RISE_FORM "{ rise: { over: 3 } }"
static const AttrSpec rise_keys[] = {
    { "over", ATTR_INT, NULL, 1, 1e6, NULL, "epochs until the rate is whole" },
    SCHEDULE_WARM_UP,
    { 0 },
};

END
before compiler/read/schedules.c '    { .map = { 0 } },' <<'END'
    {
        .map = {
            "rise", "rise", rise_keys, "The rate rises evenly over the first epochs.", "rate(epoch) = rate min(1, (epoch + 1) / over)",
            SCHEDULE_EXAMPLE(RISE_FORM),
        },
        .form = RISE_FORM,
    },
END
before runtime/schedule.h '#endif' <<'END'
/* rate * (epoch + 1) / over in the first `over` epochs, then rate */
static inline double schedule_rise(double rate, int epoch, int epochs, double over)
{
    (void)epochs;
    return epoch + 1 < over ? rate * (epoch + 1) / over : rate;
}

END

# ---- an initialiser: a rule that the trainer does not have yet ------------------------------------------------------
before compiler/read/initialisers.c '    { 0 },' <<'END'
    { .name = "stripes", .number = true, .help = "-a, 0, a in turn", .rule = "stripes", .value = given },
END
within runtime/net.h 'X(IDENTITY_AFFINE, identity_affine)' 'X(IDENTITY_AFFINE, identity_affine) X(STRIPES, stripes)'
before trainer/run/weights.c 'void weights_init' <<'END'
static void start_stripes(real *block, const NetParam *p, uint64_t key)
{
    (void)key;
    for (size_t i = 0; i < p->count; i++)
        block[weights_index(p, i)] = (real)(p->init_value * ((double)(i % 3) - 1));
}

END

# ---- and what a row of today may gain: a setting more ---------------------------------------------------------------
within compiler/read/optimisers.c '{ "nesterov",' '{ "extra", ATTR_REAL, "0.25", 0, 1, NULL, "nothing" }, { "nesterov",'

[ $failed = 0 ] || exit 1
run cmake -S tree -B tree/build -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-O0 || exit 1
run cmake --build tree/build -j2 --target spnc || exit 1
grep 'warning:' output && fault "the compiler has warnings"
spnc=$work/tree/build/spnc

# ---- what spnc says of them -----------------------------------------------------------------------------------------
for page in signs gap rise stripes; do
    "$spnc" ops | grep -q "^  $page " || fault "spnc ops does not list $page"
    "$spnc" ops $page >page || fault "spnc ops $page: exit code $?"
    sed -n '/^example$/,$ s/^    //p' page >$page.yaml
    run "$spnc" check $page.yaml
    "$spnc" schema | grep -q "\"$page\"" || fault "spnc schema does not know $page"
done
# says TEXT: the model on standard input has this error
says() { cat >wrong.yaml && ! "$spnc" check wrong.yaml >said 2>&1 && grep -qF "$1" said || fault "no '$1', but: $(cat said)"; }
sed 's/signs:/sings:/' signs.yaml |
    says "the optimiser is one of rmsprop, sgd, adam, adamw, adagrad, signs: { rmsprop: { rate: 5e-4 } }; did you mean 'signs'?"
sed 's/keep: 0.5/keep: 2/' signs.yaml | says "'keep' must be between 0 and 1, not 2"
sed 's/\[v, y\]/[v]/' gap.yaml | says "gap takes two: [prediction, target]"
sed 's/{ shape: \[2\] }/{ classes: 2 }/' gap.yaml | says "gap needs real numbers; 'y' holds labels"
sed 's/units: 2/units: 3/' gap.yaml | says "gap needs two values of one shape; these are 3 and 2"
sed 's/gap:/mea:/' gap.yaml | says "{ mean: value }, { weight_l2: NET }, { weight_l1: NET } or { gap: [a, b] }"
sed 's/{ over: 3 }/{}/' rise.yaml | says "a schedule needs 'over': { rise: { over: 3 } }"

# ---- models of today are what they were; what the new rows decide is in the hash ------------------------------------
for name in tiny autoencoder dense recurrent; do
    read -ra options <"$root/tests/identity/$name"
    (cd "$root" && "$spnc" check "${options[@]}" --stage identity) | cmp -s - <(sed 1,2d "$root/tests/identity/$name") ||
        fault "the identity of $name is another now"
done
sed 's/^  optimiser: .*/  optimiser: { sgd: { extra: 0.5 } }/' signs.yaml >extra.yaml
"$spnc" check extra.yaml --stage identity | grep -q '^sgd .* 1 extra=0.5 clip' ||
    fault "a setting that sgd has gained is not in the identity"
"$spnc" check signs.yaml --stage identity | grep -q '^signs { rate=0.05[0-9]* keep=0.5 brake=0 pull=0 } clip' ||
    fault "the settings of signs are not in the identity"
"$spnc" check rise.yaml --stage identity | grep -q ' schedule rise { over=3 warm_up=0 } decay' ||
    fault "the schedule is not in the identity"

# ---- a net with all of them: more parameters than a page of memory holds, a last group that is not full -------------
cat >thrown.yaml <<'END'
model: thrown
batch: 23
inputs: { x: { shape: [40] } }
targets: { z: { shape: [30] } }
flow:
  - h: { dense: x, units: 30, init: { stripes: 0.1 } }
loss: { gap: [h, z], weight: 0.5 }
train: { optimiser: { signs: { rate: 0.05, keep: 0.7, brake: 0.5, pull: 0.25 } }, schedule: { rise: { over: 3 } }, epochs: 5 }
END
python3 - <<'END'
import os, random, struct
random.seed(5)
os.makedirs("data")
for split, n in (("train", 23), ("valid", 4), ("test", 7)):
    for name, length in (("x", 40), ("z", 30)):
        head = ("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }" % (n, length)).ljust(117) + "\n"
        with open("data/%s_%s.npy" % (split, name), "wb") as f:
            f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
            f.write(struct.pack("<%df" % (n * length), *(random.uniform(-1, 1) for _ in range(n * length))))
END
run "$spnc" build thrown.yaml --precision double -o fast || exit 1
run "$spnc" build thrown.yaml --precision double --plain -o plain || exit 1
for form in fast plain; do
    run $form/thrown train --data data --run $form/run --quiet
    run $form/thrown export --run $form/run --last -o $form/trained.npz
    # interrupted after two epochs: the states are in the checkpoint, all three
    run $form/thrown train --data data --run $form/parts --epochs 2 --quiet
    run $form/thrown train --data data --run $form/parts --epochs 5 --resume --quiet
    run $form/thrown export --run $form/parts --last -o $form/parts.npz
    cmp -s $form/trained.npz $form/parts.npz || fault "$form: an interrupted run ends in other bits"
    run $form/thrown eval --data data --run $form/run --last --json && grep '^{' output >$form/eval.json
    run $form/thrown check
done
fast/thrown info --json >info.json
python3 -c 'import json; m = json.load(open("info.json"))["memory"]; assert m["optimiser"] == 3 * m["parameters"] > 0, m' ||
    fault "the optimiser's memory is not three times that of the parameters"
python3 - <<'END' || fault "the trained net is not what the formulas make"
import json, struct, zipfile
def read(data):
    n, = struct.unpack("<H", data[8:10])
    head = eval(data[10:10 + n])
    count = 1
    for size in head["shape"]:
        count *= size
    return head["shape"], list(struct.unpack("<%d%s" % (count, {"<f4": "f", "<f8": "d"}[head["descr"]]), data[10 + n:]))
def rows(name):
    shape, flat = read(open("data/%s.npy" % name, "rb").read())
    return [flat[i * shape[1]:(i + 1) * shape[1]] for i in range(shape[0])]
sign = lambda v: (v > 0) - (v < 0)
def forward(w, b, x): return [b[o] + sum(w[40 * o + i] * x[i] for i in range(40)) for o in range(30)]
def loss(w, b, xs, zs): return 0.5 * sum(abs(h - z) for x, t in zip(xs, zs) for h, z in zip(forward(w, b, x), t)) / (len(xs) * 30)

w, b = [0.1 * (i % 3 - 1) for i in range(1200)], [0.0] * 30
xs, zs = rows("train_x"), rows("train_z")
m, l, u, rates, losses = [0.0] * 1230, [0.0] * 1230, [0.0] * 1230, [], []
for epoch in range(5):
    losses.append(loss(w, b, xs, zs))
    g = [0.0] * 1230
    for x, z in zip(xs, zs):
        d = [0.5 * sign(h - t) / (23 * 30) for h, t in zip(forward(w, b, x), z)]
        for o in range(30):
            g[1200 + o] += d[o]
            for i in range(40):
                g[40 * o + i] += d[o] * x[i]
    rates.append(0.05 * min(1, (epoch + 1) / 3))
    both = w + b
    for k in range(1230):
        m[k] = 0.7 * m[k] + (1 - 0.7) * g[k]
        s = rates[-1] * sign(m[k]) / (epoch + 1) * (1 if sign(m[k]) == l[k] else 0.5)
        l[k], u[k] = sign(m[k]), u[k] + s
        both[k] -= s + 0.25 * u[k]
    w, b = both[:1200], both[1200:]
near = lambda a, c: abs(a - c) <= 1e-9 * max(1, abs(c))
for form in ("fast", "plain"):
    with zipfile.ZipFile(form + "/trained.npz") as f:
        have = {name[:-4]: read(f.read(name))[1] for name in f.namelist()}
    assert len(have["h.weight"]) == 1200 and all(map(near, have["h.weight"], w)), form + ": other weights"
    assert all(map(near, have["h.bias"], b)), form + ": another bias"
    log = [json.loads(line) for line in open(form + "/run/log.jsonl")]
    assert all(map(near, [e["rate"] for e in log], rates)), [e["rate"] for e in log]
    assert all(map(near, [e["train_loss"] for e in log], losses)), [e["train_loss"] for e in log]
    test = json.load(open(form + "/eval.json"))
    assert near(test["loss"], loss(w, b, rows("test_x"), rows("test_z"))) and test["error"] == {}, test
END

# ---- a run may set the schedule's number; a state that is not kept is no block --------------------------------------
run fast/thrown train --data data --run other --epochs 1 --set train.over=2 --quiet && grep -q '"rate": 0.025' other/log.jsonl ||
    fault "--set train.over=2: $(head -1 other/log.jsonl)"
sed 's/, brake: 0.5//' thrown.yaml >two.yaml
run "$spnc" emit two.yaml -o two && grep -q 'enum { STATES = 2 }' two/thrown.c &&
    grep -q 'optimiser_signs(b->weights, b->gradient, b->state\[0\], NULL, b->state\[1\], b->n' two/thrown-train.c ||
    fault "without brake: $(grep -h 'optimiser_signs\|STATES =' two/thrown.c two/thrown-train.c)"
[ $failed = 0 ] && echo "test_recipe: fine"
exit $failed
