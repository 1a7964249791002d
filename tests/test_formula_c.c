/* What formulas become in C: compiled by gcc and clang in float and double, for this processor and in plain C; the plain form, the fast
 * form and the DAG's own values must agree in every bit, and a second evaluator, of the text alone and with libm's functions, must be
 * near. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <unistd.h>

#include "formula_text.h"
#include "spnc_run.h"
#include "temporary.h"

TestSuite(formula_c, .timeout = 900);

enum { SAMPLES = 64, OUTPUTS = OPERANDS + 1 };                 /* outputs: the value, the gradients */

static const char *const texts[] = {
    "m * z + (1 - m) * x", "x + exp(0.5 * z) * w", "0.5 * (exp(x) + z * z - 1 - x)", "relu(x + z)", "max(x, z) - min(w, 0.5)", "where(m > 0, x / z, log(x))",
    "where(x, z, w) + where(1 - m, 1, 2) / 3", "(x < z) / (1 + (z >= w)) + (x == z) - (w != 1)", "abs(x) * sign(z) + floor(w * 2.5)", "sin(x) * cos(z) - sqrt(abs(w))",
    "tanh(x) * sigmoid(z) + softplus(w)", "x ** 2 + z ** 3 - w ** 4 + abs(m) ** 2.5 + x ** -2", "clip(x, -0.5, 0.75) + relu6(z) * hard_sigmoid(w)",
    "leaky_relu(x) + leaky_relu(z, 0.2) + elu(w) + selu(m)", "gelu(x) * gelu_tanh(z) - silu(w)", "erf(x) + expm1(z) * log1p(abs(w))", "-x * -(z - w) / (x - -z)",
    "-x ** 2 + (-z) ** 2 - (x - (z - w))", "x / 4 + z / 3 * (w / -8)", "square(x) + negate(z) - subtract(x, divide(z, w)) + maximum(x, minimum(z, w))",
    "where(x > 0, sqrt(x), 0) + where(z > 0, sqrt(x), 0)", "where(x > 0, where(x > 1, sqrt(x - 1), log(x)), z)", "max(x * z, max(x, z)) + min(min(x, 1), 2)",
    "(x < z) + (z < w) * (x < z)", "x", "x * 0.1 + 1e10", "exp(-(x - z) ** 2 / (2 * w * w)) / (abs(w) + 1e-3)",
    "((x + z) * (x - z) + (z + w) * (z - w)) * ((x + w) * (x - w) + (z * 0.123456789 + w * 0.987654321)) / ((x * x + z * z + w * w) * 0.333333333 + 1)",
};
enum { WRITTEN = sizeof texts / sizeof *texts, RANDOM = 16, TEXTS = WRITTEN + RANDOM };

typedef struct { Formula *formula; FormulaGradient *gradient; Node *root[OUTPUTS]; int output[OUTPUTS], roots; } Case;

/* False: a part of numbers alone is no number. */
static bool read_case(Arena *a, Case *c, const char *text, FILE *errors)
{
    static const FormulaNames names = { .values = operand_names, .value_count = OPERANDS };
    Yaml scalar = { .kind = YAML_SCALAR, .text = text };
    c->formula = formula_read(a, diag_new(a, errors, false, false), &names, &scalar);
    if (!c->formula)
        return false;
    c->gradient = formula_gradient(c->formula, (const bool[OPERANDS]){ true, true, true, true }, true);
    c->roots = 0;
    c->root[0] = c->formula->root;
    c->output[c->roots++] = 0;
    for (int i = 0; i < c->formula->operand_count; i++)
        if (c->gradient->d[i]) {
            c->root[c->roots] = c->gradient->d[i];
            c->output[c->roots++] = 1 + i;
        }
    return true;
}

/* Those written above, then random ones. */
static void read_cases(Arena *a, Case cases[TEXTS])
{
    FILE *null = fopen("/dev/null", "w");
    uint64_t state = 1;
    for (int i = 0; i < TEXTS;) {
        Text t = { .arena = a };
        if (i >= WRITTEN)
            random_formula(&t, &state, 2 + i % 3);
        bool fine = read_case(a, &cases[i], i < WRITTEN ? texts[i] : t.text, i < WRITTEN ? stderr : null);
        cr_assert(fine || i >= WRITTEN, "%s", texts[i]);
        i += fine;
    }
    fclose(null);
}

/* ---- the program ---- */

/* name_value(out, x, dy) and name_gradient(out, x, dy, y), of one lane or of sixteen. */
static void function_text(Arena *a, Text *t, const Case *c, int number, bool plain)
{
    const char *operand[OPERANDS], *value[OUTPUTS];
    for (int i = 0; i < OPERANDS; i++)
        operand[i] = arena_printf(a, plain ? "x[%d * L]" : "v_load(x + %d * L)", i);
    FormulaC names = { operand, plain ? "dy[0]" : "v_load(dy)", plain ? "y[0]" : "v_load(y)", "t", "    " };
    for (int pass = 0; pass < 2; pass++) {
        int from = pass, count = pass ? c->roots - 1 : 1;
        if (count == 0)
            continue;
        text_printf(t, "static void %s%d_%d(real *out, real *x, real *dy, real *y)\n{\n    (void)x, (void)dy, (void)y;\n", plain ? "plain" : "fast", number, pass);
        formula_lines(t, c->formula->dag, c->root + from, count, plain, &names, value);
        for (int k = 0; k < count; k++)
            text_printf(t, plain ? "    out[%d * L] = %s;\n" : "    v_store(out + %d * L, %s);\n", c->output[from + k], value[k]);
        text_printf(t, "}\n");
    }
}

static const char head[] = "#include <stdio.h>\n#include \"vmath.h\"\n";

/* Each formula on all samples: fast on sixteen, plain on each; what differs is told; the plain results go to stdout. */
static const char tail[] =
    "int main(int argc, char **argv)\n"
    "{\n"
    "    FILE *in = argc > 1 ? fopen(argv[1], \"rb\") : NULL, *out = argc > 2 ? fopen(argv[2], \"wb\") : NULL;\n"
    "    static _Alignas(64) real x[4 * L], dy[L], y[L], fast[5 * L], plain[5 * L];\n"
    "    static double sample[5 * L];\n"
    "    for (int c = 0; in && out && c < CASES; c++)\n"
    "        for (int s = 0; s < SAMPLES; s += L) {\n"
    "            if (fread(sample, sizeof sample, 1, in) != 1) return 3;\n"
    "            for (int i = 0; i < 4 * L; i++) x[i] = (real)sample[i];\n"
    "            for (int i = 0; i < L; i++) dy[i] = (real)sample[4 * L + i];\n"
    "            memset(fast, 0, sizeof fast), memset(plain, 0, sizeof plain);\n"
    "            for (int l = 0; l < L; l++) one[c][0](plain + l, x + l, dy + l, y + l);\n"
    "            many[c][0](fast, x, dy, y);\n"
    "            memcpy(y, plain, sizeof y);\n"
    "            for (int l = 0; one[c][1] && l < L; l++) one[c][1](plain + l, x + l, dy + l, y + l);\n"
    "            if (many[c][1]) many[c][1](fast, x, dy, y);\n"
    "            for (int i = 0; i < 5 * L; i++) {\n"
    "                double number = plain[i] != plain[i] ? (double)NAN : (double)plain[i];\n"
    "                if (memcmp(&fast[i], &plain[i], sizeof(real)) != 0 && !(fast[i] != fast[i] && plain[i] != plain[i])) {\n"
    "                    printf(\"formula %d, output %d: fast %a, plain %a\\n\", c, i / L, (double)fast[i], number);\n"
    "                    return 1;\n"
    "                }\n"
    "                fwrite(&number, sizeof number, 1, out);\n"
    "            }\n"
    "        }\n"
    "    return in && out && fclose(out) == 0 ? 0 : 3;\n"
    "}\n";

static void table_text(Text *t, const Case *c, const char *table, const char *name)
{
    text_printf(t, "static void (*const %s[][2])(real *, real *, real *, real *) = {\n", table);
    for (int i = 0; i < TEXTS; i++) {
        text_printf(t, "    { %s%d_0, ", name, i);
        text_printf(t, c[i].roots > 1 ? "%s%d_1 },\n" : "NULL },\n", name, i);
    }
    text_printf(t, "};\n");
}

static void write_program(Arena *a, const Case *c, const char *path)
{
    Text t = { .arena = a };
    text_printf(&t, "%senum { CASES = %d, SAMPLES = %d };\n", head, TEXTS, SAMPLES);
    for (int i = 0; i < TEXTS; i++)
        for (int plain = 0; plain < 2; plain++)
            function_text(a, &t, &c[i], i, plain);
    table_text(&t, c, "many", "fast");
    table_text(&t, c, "one", "plain");
    text_add(&t, tail, strlen(tail));
    FILE *f = fopen(path, "w");
    cr_assert(f && fwrite(t.text, t.length, 1, f) == 1 && fclose(f) == 0);
    for (const char *line = t.text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        cr_assert(strcspn(line, "\n") <= 150, "a long line: %.*s", (int)strcspn(line, "\n"), line);
}

/* ---- the samples ---- */

/* Everyday numbers; in the last sixteen also zeros, ties, infinities, NaN. */
static double sample(int c, int s, int operand)
{
    static const double odd[] = { 0, -0.0, 1, -1, 0.5, 0.75, -0.5, 6, -3, 3, INFINITY, -INFINITY, NAN, 1e30, 1e-40, 20.5 };
    uint64_t at = (uint64_t)((c * SAMPLES + s) * 8 + operand);
    if (s >= SAMPLES - 16 && operand < OPERANDS)
        return odd[(rng_bits(4, at) >> 20) % 16];
    return (float)(rng_uniform(5, at) * 6 - 3);
}

static void write_samples(const char *path)
{
    FILE *f = fopen(path, "wb");
    cr_assert(f);
    for (int c = 0; c < TEXTS; c++)
        for (int s = 0; s < SAMPLES; s += 16)
            for (int operand = 0; operand <= OPERANDS; operand++)
                for (int l = 0; l < 16; l++) {
                    double x = sample(c, s + l, operand);
                    cr_assert(fwrite(&x, sizeof x, 1, f) == 1);
                }
    cr_assert(fclose(f) == 0);
}

static const char *text_of(const Case *c) { return c->formula->syntax->of->text; }

/* The outputs of the program in double beside both. */
static void compare(const Case *cases, const char *path)
{
    FILE *f = fopen(path, "rb");
    double out[OUTPUTS][16];
    cr_assert(f);
    for (int c = 0; c < TEXTS; c++)
        for (int s = 0; s < SAMPLES; s += 16) {
            cr_assert(fread(out, sizeof out, 1, f) == 1);
            for (int l = 0; l < 16; l++) {
                const Formula *g = cases[c].formula;
                double x[OPERANDS], all[OPERANDS], dy = sample(c, s + l, OPERANDS), y;
                for (int i = 0; i < OPERANDS; i++) {
                    all[i] = sample(c, s + l, i);
                    x[i] = sample(c, s + l, i);
                }
                y = node_value(g->root, x, 0, 0);
                for (int k = 0; k < cases[c].roots; k++) {
                    double got = out[cases[c].output[k]][l], wanted = node_value(cases[c].root[k], x, dy, y);
                    cr_assert(memcmp(&got, &wanted, sizeof got) == 0 || (isnan(got) && isnan(wanted)), "%s, output %d: %a, not %a", text_of(&cases[c]), k, got, wanted);
                }
                double near[OPERANDS];
                for (int i = 0; i < g->operand_count; i++)
                    near[g->operands[i].value] = all[i];
                double text = text_value(g->syntax, near);
                if (s < SAMPLES - 16 && !isnan(text))
                    cr_assert(c >= WRITTEN || fabs(text - y) <= 1e-13 * (1 + fabs(y)) || text == y, "%s: %.17g, not %.17g", text_of(&cases[c]), y, text);
                if (s < SAMPLES - 16 && c < WRITTEN)
                    cr_assert(isnan(text) == isnan(y), "%s: %g, not %g", text_of(&cases[c]), y, text);
            }
        }
    cr_assert(fgetc(f) == EOF);
    fclose(f);
}

Test(formula_c, both_forms_and_the_dag_agree_in_every_bit)
{
    static const char *const builds[][3] = {
        { "gcc", "-march=native", "-DSPN_DOUBLE" }, { "gcc", "-march=native", "-USPN_DOUBLE" },
        { "clang", "-DSPN_GENERIC", "-DSPN_DOUBLE" }, { "clang", "-DSPN_GENERIC", "-USPN_DOUBLE" },
    };
    Arena *a = arena_new();
    Case cases[TEXTS];
    char folder[TEMPORARY_ROOM];
    temporary_folder(folder);
    const char *source = arena_printf(a, "%s/f.c", folder), *program = arena_printf(a, "%s/f", folder), *in = arena_printf(a, "%s/in", folder);
    read_cases(a, cases);
    write_program(a, cases, source);
    write_samples(in);
    int built = 0;
    for (size_t b = 0; b < sizeof builds / sizeof *builds; b++) {
        const char *out = arena_printf(a, "%s/out%d", folder, (int)b);
        Run r = run_program((const char *const[]){ builds[b][0], "-std=c11", "-D_DEFAULT_SOURCE", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow",
                                                   "-Wno-unused-function", "-Werror", "-Iruntime", builds[b][1], builds[b][2], source, "-o", program, "-lm", NULL }, NULL);
        if (r.status == 127)
            continue;
        cr_assert(r.status == 0, "%s %s %s: %s", builds[b][0], builds[b][1], builds[b][2], r.err);
        r = run_program((const char *const[]){ program, in, out, NULL }, NULL);
        cr_assert(r.status == 0, "%s %s %s: %s", builds[b][0], builds[b][1], builds[b][2], r.out);
        if (strcmp(builds[b][2], "-DSPN_DOUBLE") == 0)
            compare(cases, out);
        built++;
        if (b >= 2)
            cr_assert(run_program((const char *const[]){ "cmp", "-s", out, arena_printf(a, "%s/out%d", folder, (int)b - 2), NULL }, NULL).status != 1,
                      "%s %s differs from gcc", builds[b][0], builds[b][2]);
    }
    cr_assert(built > 0);
    run_program((const char *const[]){ "rm", "-r", folder, NULL }, NULL);
    arena_free(a);
}

/* ---- what it looks like ---- */

static const char *lines_of(Arena *a, const char *text, bool plain, bool gradient)
{
    Case c;
    cr_assert(read_case(a, &c, text, stderr));
    Text t = { .arena = a };
    const char *value[OUTPUTS], *operands[OPERANDS];
    for (int i = 0; i < c.formula->operand_count; i++)
        operands[i] = arena_printf(a, plain ? "%s[i]" : "v_load(%s + i)", c.formula->operands[i].name);
    FormulaC names = { operands, plain ? "dy[i]" : "v_load(dy + i)", plain ? "y[i]" : "v_load(y + i)", "t", "" };
    int from = gradient, count = gradient ? c.roots - 1 : 1;
    formula_lines(&t, c.formula->dag, c.root + from, count, plain, &names, value);
    for (int k = 0; k < count; k++)
        text_printf(&t, "= %s\n", value[k]);
    return t.text;
}

#define LOOKS(text, plain, gradient, wanted) do { const char *got_ = lines_of(a, text, plain, gradient); \
        cr_assert(strcmp(got_, wanted) == 0, "%s becomes\n%s", text, got_); } while (0)

Test(formula_c, the_plain_form_is_the_formula_itself)
{
    Arena *a = arena_new();
    LOOKS("m * z + (1 - m) * x", true, false, "const real t1 = m[i];\n= t1 * z[i] + (1 - t1) * x[i]\n");
    LOOKS("x + exp(0.5 * z) * w", true, false, "= x[i] + r_exp((real)0.5 * z[i]) * w[i]\n");
    LOOKS("-x ** 2", true, false, "const real t1 = x[i];\n= -(t1 * t1)\n");
    LOOKS("where(x > 0, z, 1)", true, false, "= x[i] > 0 ? z[i] : (real)1\n");
    LOOKS("(x < z) * w", true, false, "= (real)(x[i] < z[i]) * w[i]\n");
    LOOKS("max(x, z) + min(x, 2)", true, false, "const real t1 = x[i];\n= r_greater(t1, z[i]) + r_min(2, t1)\n");
    LOOKS("tanh(x)", true, true, "const real t1 = y[i];\n= dy[i] * (1 - t1 * t1)\n");
    LOOKS("where(x > 0, z, w)", true, true, "const int t1 = x[i] > 0;\nconst real t2 = dy[i];\n= t1 ? t2 : (real)0\n= t1 ? (real)0 : t2\n");
    arena_free(a);
}

Test(formula_c, the_fast_form_is_an_operation_a_line)
{
    Arena *a = arena_new();
    LOOKS("m * z + (1 - m) * x", false, false,
          "const vec t1 = v_load(m + i);\n"
          "const vec t2 = v_mul(t1, v_load(z + i));\n"
          "const vec t3 = v_sub(v_set1(1), t1);\n"
          "const vec t4 = v_mul(t3, v_load(x + i));\n"
          "const vec t5 = v_add(t2, t4);\n"
          "= t5\n");
    LOOKS("where(x > 0, z, w)", false, true,
          "const mask t1 = v_gt(v_load(x + i), v_set1(0));\n"
          "const vec t2 = v_load(dy + i);\n"
          "const vec t3 = v_zero_unless(t1, t2);\n"
          "const vec t4 = v_zero_unless(m_not(t1), t2);\n"
          "= t3\n= t4\n");
    LOOKS("relu(x) * 0.1", false, false, "const vec t1 = v_relu(v_load(x + i));\nconst vec t2 = v_mul(t1, v_set1((real)0.1));\n= t2\n");
    LOOKS("x", false, false, "= v_load(x + i)\n");
    arena_free(a);
}
