/* Formulas: what is read and refused, simplifications, gradients, kinks, shapes.  test_formula_c.c compiles what they become in C. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>

#include "formula/rows.h"
#include "formula_text.h"

static Arena *arena;
static char *said;

static void set_up(void) { arena = arena_new(); }
static void tear_down(void) { free(said); arena_free(arena); }
TestSuite(formula, .init = set_up, .fini = tear_down, .timeout = 600);

static const FormulaOperator operators[] = { { "relu", "{ relu: x }", "an operator" }, { "conv", "{ conv: x }", "an operator" }, { "max", "{ max: x }", "an operator" },
                                              { "head", "{ head: x }", "a net" } };

static const char *const values[] = { "x", "z", "w", "mask", "n.h", "max" };
static const char *const steps[] = { "t", "i" };

/* The formula after `v: `, or of that map's one entry, in a model with the parameters d (2), rate (0.5) and border (a word). */
static Formula *read_formula(const char *text)
{
    const char *model = arena_printf(arena, "params: { d: 2, rate: 0.5, border: zero }\nv: %s\n", text);
    size_t size;
    free(said);
    FILE *out = open_memstream(&said, &size);
    Diag *d = diag_new(arena, out, false, false);
    Yaml *y = read_yaml(arena, d, source_new(arena, "m", model, strlen(model)));
    Scope *scope = NEW(arena, Scope);
    cr_assert(y && expr_params(arena, d, yaml_get(y, "params"), NULL, 0, scope));
    const Yaml *v = yaml_get(y, "v");
    FormulaNames *names = NEW(arena, FormulaNames);
    *names = (FormulaNames){ scope, values, 6, steps, NULL, 2, operators, 4 };
    Formula *f = formula_read(arena, d, names, v->kind == YAML_MAP ? v->items[0] : v);
    cr_assert((f != NULL) == (diag_errors(d) == 0));
    fclose(out);
    return f;
}

static Formula *formula(const char *text)
{
    Formula *f = read_formula(text);
    cr_assert(f != NULL, "%s", said);
    return f;
}

static const char *const *names_of(const Formula *f)
{
    const char **names = NEW_ARRAY(arena, const char *, f->operand_count + 1);
    for (int i = 0; i < f->operand_count; i++)
        names[i] = f->operands[i].name ? f->operands[i].name : "number";
    return names;
}

static const char *text_of(const Formula *f, Node *n) { return n ? formula_text(arena, f->dag, n, names_of(f), "d", "y", NULL) : "none"; }

#define IS(text, wanted) do { const Formula *f_ = formula(text); const char *got_ = text_of(f_, f_->root); \
        cr_assert(strcmp(got_, wanted) == 0, "%s is %s", text, got_); } while (0)
#define CANONICAL(written, wanted) do { Text t_ = { .arena = arena }; formula_canonical(&t_, formula(written)); \
        cr_assert(strcmp(t_.text, wanted) == 0, "%s is %s", written, t_.text); } while (0)
#define REFUSED(text, column, part) do { cr_assert(read_formula(text) == NULL, "%s should be wrong", text); \
        cr_assert(strstr(said, arena_printf(arena, "m:2:%d: error: ", column)) != NULL, "%s", said); \
        cr_assert(strstr(said, part) != NULL, "%s", said); } while (0)

/* ---- reading ---- */

Test(formula, operands_are_numbered_in_reading_order)
{
    const Formula *f = formula("z * x + (1 - z) * n.h");
    cr_assert(f->operand_count == 3);
    cr_assert(strcmp(f->operands[0].name, "z") == 0 && f->operands[0].value == 1 && f->operands[0].at.column == 4);
    cr_assert(strcmp(f->operands[2].name, "n.h") == 0 && f->operands[2].value == 4 && f->operands[2].at.column == 22);
    f = formula("x");
    cr_assert(f->root->kind == NODE_INPUT && f->operand_count == 1);
    f = formula("'0.5'");
    cr_assert(f->root->kind == NODE_NUMBER && f->root->number == 0.5 && f->operand_count == 0);
    cr_assert(formula("max")->root->kind == NODE_INPUT);
}

Test(formula, numbers_and_params_are_reckoned_in_double)
{
    CANONICAL("x * (1 / 3)", "1=mul(#0,0x1.5555555555555p-2);");
    CANONICAL("x * $rate ** 2", "1=mul(#0,0x1p-2);");
    CANONICAL("x + 7 // $d % 2", "1=add(#0,0x1p+0);");
    CANONICAL("x * exp($d - 2)", "#0");
    CANONICAL("x + ceil(2.5) + max(1, $d)", "1=add(#0,0x1.8p+1);2=add(1,0x1p+1);");
    CANONICAL("where($d == 2, x, z)", "#0");
    CANONICAL("x * 2 * 3", "1=mul(#0,0x1p+1);2=mul(1,0x1.8p+1);");
    CANONICAL("3 * 0.5", "0x1.8p+0");
    REFUSED("x * log(0)", 8, "log is no finite number here");
    REFUSED("x / (2 - $d) * (1 / 0)", 22, "division by zero");
    REFUSED("x + 1e400", 8, "too large");
}

Test(formula, slices_and_steps_are_operands)
{
    const Formula *f = formula("x[$t] - x[2 * $t + 1] * x[$t] + x[3]");
    cr_assert(f->operand_count == 3 && f->operands[0].sliced && f->operands[0].a == 1 && f->operands[0].b == 0);
    cr_assert(f->operands[1].a == 2 && f->operands[1].b == 1 && f->operands[2].a == 0 && f->operands[2].b == 3);
    f = formula("x * 0.5 ** ($t + $i)");
    double number;
    Diag *d = diag_new(arena, stderr, false, false);
    cr_assert(f->operand_count == 2 && !f->operands[1].name && f->operands[1].value == -1);
    cr_assert(formula_step_number(f, d, 1, (const int64_t[]){ 2, 1 }, &number) && number == 0.125);
    f = formula("x[3 - $i]");
    cr_assert(f->operand_count == 1 && f->operands[0].a == -1 && f->operands[0].b == 3 && f->operands[0].repeat == 1);
    REFUSED("x[$i + $t]", 11, "moves with the step of one repeat, not of two");
    REFUSED("x[$t * $t]", 6, "a whole number or a * $t + b");
    REFUSED("x[-1]", 6, "an index counts from the start");
    REFUSED("x[z]", 6, "a whole number or a * $t + b");
    REFUSED("x / (1 / $t)", 11, "division by zero");
    REFUSED("y[1]", 4, "unknown value 'y'");
}

Test(formula, errors_say_what_there_is)
{
    REFUSED("x + y", 8, "unknown value 'y'");
    REFUSED("x + maks", 8, "did you mean 'mask'?");
    REFUSED("n.x + 1", 4, "did you mean 'n.h'?");
    REFUSED("relu", 4, "'relu' is an operator, not a value: write { relu: x }");
    REFUSED("x + erf", 8, "'erf' is a function, not a value: write erf(x)");
    REFUSED("x * d", 8, "the parameter is written '$d'");
    REFUSED("x * $e", 8, "unknown parameter 'e'");
    REFUSED("x * $border", 8, "text cannot be reckoned with");
    REFUSED("conv(x)", 4, "'conv' is an operator, not a function: write { conv: x }");
    REFUSED("x * head(x)", 8, "'head' is a net, not a function: write { head: x }");
    REFUSED("pow(x, 2)", 4, "a formula has no function 'pow': write x ** 2");
    REFUSED("x(2)", 4, "'x' is a value, not a function");
    REFUSED("sofplus(x)", 4, "did you mean 'softplus'?");
    REFUSED("ceil(x)", 4, "ceil takes numbers and $params alone: of a value write -floor(-x)");
    REFUSED("z * max(x)", 8, "max takes 2 operands, not 1: write max(a, b), or over axes { max: x }");
    REFUSED("exp(x, z)", 4, "exp takes 1 operand, not 2: write exp(x)");
    REFUSED("exp()", 4, "exp takes 1 operand, not 0");
    REFUSED("clip(x, 1)", 4, "clip takes 3 operands, not 2: write clip(x, low, high)");
    REFUSED("leaky_relu(x, z)", 18, "this must be a number, the same for all elements: leaky_relu(x, 0.01)");
    REFUSED("leaky_relu(x, 1, 2)", 4, "leaky_relu takes 1 or 2 operands, not 3: write leaky_relu(x, 0.01)");
    REFUSED("clip(x, 2, 1)", 15, "clip(x, low, high) has its lower bound first: 2 is above this");
    REFUSED("where(x, z)", 4, "where takes 3 operands, not 2: write where(condition, a, b)");
    REFUSED("where(1, 2, 3, 4)", 4, "where takes 3 operands, not 4");
    REFUSED("x ** z", 9, "'**' takes a number: to the power of a value, write exp(z * log(x))");
    REFUSED("2 ** x", 9, "'**' takes a number");
    REFUSED("x // 2", 6, "'//' takes numbers and $params alone: of values write floor(a / b)");
    REFUSED("x % 2", 6, "write a - b * floor(a / b)");
    REFUSED("x < z < w", 10, "comparisons do not chain");
    REFUSED("\"x + (1 - y)\"", 14, "unknown value 'y'");
}

Test(formula, size_is_limited)
{
    char *flat = arena_alloc(arena, 4 * 100000);
    for (int i = 0; i < 100000; i++)
        memcpy(flat + 4 * i, "x + ", 4);
    memcpy(flat + 4 * 99999, "x", 2);
    REFUSED(flat, 4, "a formula has at most 1000 operations");
    Text nested = { .arena = arena };
    for (int i = 0; i < 60; i++)
        text_printf(&nested, "gelu(");
    text_printf(&nested, "x%s", "))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))");
    const Formula *f = formula(nested.text);
    cr_assert(f->dag->nodes.count < 60 * 6 && strlen(text_of(f, f->root)) < 20000);
    cr_assert(formula_gradient(f, (const bool[]){ true }, true)->d[0] && f->dag->nodes.count < 60 * 60);
}

/* ---- simplification ---- */

Test(formula, simplifications_are_the_fixed_list)
{
    IS("x * 1", "x");
    IS("1 * x", "x");
    IS("x / 1", "x");
    IS("x - 0", "x");
    IS("x + 0", "x + 0");                       /* -0 + 0 is 0 */
    IS("0 + x", "0 + x");
    IS("0 * x", "0 * x");
    IS("0 - x", "0 - x");
    IS("x * -1", "-x");
    IS("\"-(-x)\"", "x");
    IS("x + -z", "x - z");
    IS("\"-x + z\"", "z - x");
    IS("x - -z", "x + z");
    IS("\"-x * -z\"", "x * z");
    IS("\"-x * z\"", "-x * z");
    IS("x / 4", "x * 0.25");
    IS("x / 3", "x / 3");
    IS("x ** 0", "1");
    IS("x ** 1", "x");
    IS("x ** -1", "1 / x");
    IS("x ** 0.5", "sqrt(x)");
    IS("x ** 2 + x ** 7", "x ** 2 + x ** 7");
    IS("min(x, x) + where(z, x, x)", "x + x");
    IS("where(z, x, 1)", "where(z != 0, x, 1)");
    IS("(x + z) + w", "x + z + w");
    IS("x + (z + w)", "x + (z + w)");
}

Test(formula, equal_parts_are_one)
{
    IS("exp(x) / (1 + exp(x))", "t1 = exp(x)\nt1 / (1 + t1)");
    CANONICAL("sigmoid(x) * z + sigmoid(x)", "1=sigmoid(#0);2=mul(1,#1);3=add(2,1);");
    CANONICAL("(x < z) * w", "1=lt(#0,#1);2=mul(1,#2);");
}

Test(formula, text_for_people_has_the_parentheses_it_needs)
{
    IS("\"-x ** 2 * (-x) ** 2\"", "-x ** 2 * (-x) ** 2");
    IS("(x ** 2) ** 3", "(x ** 2) ** 3");
    IS("x / (z * w) / (x + z)", "x / (z * w) / (x + z)");
    IS("x - (z - w)", "x - (z - w)");
    IS("(x < z) * (z >= 2)", "(x < z) * (z >= 2)");
    IS("x * (z < w)", "x * (z < w)");
    IS("x + 0.1 * z", "x + 0.1 * z");
}

/* ---- gradients ---- */

/* The gradients by all operands, in one text. */
static const char *gradients(const char *text, bool kept)
{
    const Formula *f = formula(text);
    bool wanted[INPUT_MAX];
    memset(wanted, true, sizeof wanted);
    const FormulaGradient *g = formula_gradient(f, wanted, kept);
    Text t = { .arena = arena };
    for (int i = 0; i < f->operand_count; i++)
        text_printf(&t, "%s%s", i ? "; " : "", text_of(f, g->d[i]));
    text_printf(&t, " |%s%s", g->reads_dy ? " d" : "", g->reads_result ? " y" : "");
    for (int i = 0; i < f->operand_count; i++)
        text_printf(&t, "%s%s", g->reads[i] ? " " : "", g->reads[i] ? f->operands[i].name : "");
    return t.text;
}

#define GRADIENT(text, kept, wanted) do { const char *got_ = gradients(text, kept); \
        cr_assert(strcmp(got_, wanted) == 0, "%s has the gradients %s", text, got_); } while (0)

Test(formula, gradients_read_as_in_a_textbook)
{
    GRADIENT("x", true, "d | d");
    GRADIENT("x + z", true, "d; d | d");
    GRADIENT("x - z", true, "d; -d | d");
    GRADIENT("x * z", true, "d * z; d * x | d x z");
    GRADIENT("x / z", true, "d / z; -(d * (y / z)) | d y z");
    GRADIENT("x / z", false, "d / z; -(d * (x / z / z)) | d x z");
    GRADIENT("tanh(x)", true, "d * (1 - y * y) | d y");
    GRADIENT("tanh(x)", false, "t1 = tanh(x)\nd * (1 - t1 * t1) | d x");
    GRADIENT("relu(x + z)", true, "where(y > 0, d, 0); where(y > 0, d, 0) | d y");
}

Test(formula, gradients_of_a_formula)
{
    GRADIENT("mask * x + (1 - mask) * z", true, "d * x - d * z; d * mask; d * (1 - mask) | d mask x z");
    GRADIENT("x ** 2", true, "d * (2 * x) | d x");
    GRADIENT("x ** 3", true, "d * (3 * x ** 2) | d x");
    GRADIENT("exp(x) * z", true, "d * z * exp(x); d * exp(x) | d x z");
    GRADIENT("sqrt(x)", true, "d / (2 * y) | d y");
    GRADIENT("log(x)", true, "d / x | d x");
    GRADIENT("abs(x)", true, "d * sign(x) | d x");
    GRADIENT("clip(x, -1, 1)", true, "where(max(x, -1) <= 1 and x >= -1, d, 0) | d x");
    GRADIENT("leaky_relu(x, 0.2)", true, "where(x > 0, d, d * 0.2) | d x");
    GRADIENT("max(x, z)", true, "where(x >= z, d, 0); where(x >= z, 0, d) | d x z");
    GRADIENT("where(mask > 0, x, z)", true, "none; where(mask > 0, d, 0); where(mask > 0, 0, d) | d mask");
    GRADIENT("floor(x) + sign(x) + (x < z) + x ** 0", true, "none; none |");
}

Test(formula, only_wanted_gradients_are_made)
{
    const Formula *f = formula("x * z + exp(w)");
    const FormulaGradient *g = formula_gradient(f, (const bool[]){ false, true, false }, true);
    cr_assert(g->d[0] == NULL && g->d[2] == NULL && strcmp(text_of(f, g->d[1]), "d * x") == 0);
    cr_assert(g->reads[0] && !g->reads[1] && !g->reads[2] && g->reads_dy && !g->reads_result);
}

Test(formula, a_function_masks_where_the_sign_of_its_result_tells_its_gradient)
{
    for (int k = 0; k < FN_COUNT; k++)
        cr_assert_eq(function_masks((FunctionKind)k), k == FN_relu, "%s", function_table[k].name);
}

/* Every row with a derivative, at places away from its kinks, against central differences. */
Test(formula, derivatives_are_those_of_central_differences)
{
    const double h = 1e-5;
    int rows = 0;
    for (int k = 0; k < FN_COUNT; k++) {
        if ((function_table[k].sign && k > FN_power) || (!function_table[k].derivative && !function_table[k].formula))
            continue;
        int least, most, operands = function_table[k].operands;
        function_takes((FunctionKind)k, &least, &most);
        const double attributes[] = { -0.7, 0.8 };
        Formula *f = k <= FN_power ? formula((const char *[]){ "x + z", "x - z", "x * z", "x / z", "\"-x\"", "x ** 2.5" }[k])
                                   : formula_function(arena, (FunctionKind)k, least > operands ? attributes : NULL);
        bool wanted[3] = { true, true, true };
        List kinks = { 0 };
        for (int kept = 0; kept < 2; kept++) {
            const FormulaGradient *g = formula_gradient(f, wanted, kept);
            formula_kinks(f, &kinks);
            for (uint64_t i = 0; i < 300; i++) {
                double x[3], up[3], down[3];
                for (int j = 0; j < 3; j++)
                    x[j] = (k == FN_log || k == FN_sqrt || k == FN_power || k == FN_div || k == FN_divide ? 0.3 : k == FN_log1p ? -0.7 : -4) + 8 * rng_uniform((uint64_t)k, 3 * i + (uint64_t)j);
                double y = node_value(f->root, x, 0, 0);
                for (int j = 0; j < f->operand_count; j++) {
                    memcpy(up, x, sizeof x);
                    memcpy(down, x, sizeof x);
                    up[j] += h;
                    down[j] -= h;
                    bool smooth = true;
                    for (int c = 0; c < kinks.count; c++)
                        smooth &= node_value(kinks.items[c], up, 0, 0) == node_value(kinks.items[c], down, 0, 0);
                    double slope = (node_value(f->root, up, 0, 0) - node_value(f->root, down, 0, 0)) / (2 * h), d = g->d[j] ? node_value(g->d[j], x, 1.5, y) : 0;
                    if (smooth)
                        cr_assert(fabs(d - 1.5 * slope) < 1e-7 * (1 + fabs(d)), "%s, operand %d, at %g %g %g: %g, not %g", function_table[k].name, j, x[0], x[1], x[2], d,
                                  1.5 * slope);
                }
            }
        }
        rows++;
    }
    cr_assert(rows == FN_COUNT - (FN_not - FN_power) - 1);        /* fnma has none */
}

/* The gradient of the one operand, or of operand `by`, at x, for dy = 1. */
static double slope_at(const char *text, int by, double x0, double x1)
{
    const Formula *f = formula(text);
    const double x[INPUT_MAX] = { x0, x1 };
    const FormulaGradient *g = formula_gradient(f, (const bool[INPUT_MAX]){ true, true }, true);
    return g->d[by] ? node_value(g->d[by], x, 1, node_value(f->root, x, 0, 0)) : 0;
}

/* The difference quotient of f by operand k; NAN where a kink lies between, or where another step gives another result. */
static double quotient(const Formula *f, const List *kinks, const double *at, int k)
{
    double slope[2];
    for (int i = 0; i < 2; i++) {
        double up[OPERANDS], down[OPERANDS], h = i ? 1e-5 : 2e-5;
        memcpy(up, at, sizeof up);
        memcpy(down, at, sizeof down);
        up[k] += h;
        down[k] -= h;
        for (int c = 0; c < kinks->count; c++)
            if (node_value(kinks->items[c], up, 0, 0) != node_value(kinks->items[c], down, 0, 0))
                return NAN;
        slope[i] = (node_value(f->root, up, 0, 0) - node_value(f->root, down, 0, 0)) / (2 * h);
    }
    return fabs(slope[0] - slope[1]) < 1e-6 * (1 + fabs(slope[1])) ? slope[1] : NAN;
}

Test(formula, random_formulas_have_the_value_of_their_text_and_the_gradient_of_their_difference)
{
    enum { FORMULAS = 3000 };
    const FormulaNames names = { .values = operand_names, .value_count = OPERANDS };
    int valued = 0, sloped = 0;
    uint64_t state = 1;
    for (int i = 0; i < FORMULAS; i++) {
        Arena *a = arena_new();
        Text t = { .arena = a };
        random_formula(&t, &state, 1 + i % 5);
        Yaml scalar = { .kind = YAML_SCALAR, .text = t.text };
        FILE *out = fopen("/dev/null", "w");
        Formula *f = formula_read(a, diag_new(a, out, false, false), &names, &scalar);
        fclose(out);
        if (f) {                 /* else a part of numbers alone is no number: log(0) */
            List kinks = { 0 };
            const FormulaGradient *g = formula_gradient(f, (const bool[]){ true, true, true, true }, i % 2);
            formula_kinks(f, &kinks);
            for (int s = 0; s < 10; s++) {
                double all[OPERANDS], x[OPERANDS] = { 0 };
                for (int k = 0; k < OPERANDS; k++)
                    all[k] = rng_uniform(9, (uint64_t)((i * 10 + s) * OPERANDS + k)) * 4 - 2;
                for (int k = 0; k < f->operand_count; k++)
                    x[k] = all[f->operands[k].value];
                double y = node_value(f->root, x, 0, 0), text = text_value(f->syntax, all);
                if (!isfinite(y) || !isfinite(text) || fabs(y) > 1e6)
                    continue;
                cr_assert(fabs(y - text) <= 1e-9 * (1 + fabs(y)), "%s: %.17g, not %.17g", t.text, y, text);
                valued++;
                for (int k = 0; k < f->operand_count; k++) {
                    double slope = quotient(f, &kinks, x, k), d = g->d[k] ? node_value(g->d[k], x, 1, y) : 0;
                    if (!isnan(slope) && fabs(slope) < 1e4 && isfinite(d)) {
                        cr_assert(fabs(d - slope) < 1e-5 * (1 + fabs(slope)), "%s by %s at %.17g %.17g %.17g %.17g: %.9g, not %.9g", t.text, f->operands[k].name, all[0],
                                  all[1], all[2], all[3], d, slope);
                        sloped++;
                    }
                }
            }
        }
        arena_free(a);
    }
    cr_assert(valued > FORMULAS * 5 && sloped > FORMULAS * 5, "%d values and %d gradients were compared", valued, sloped);
}

static bool same_bits(double a, double b) { return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b)); }

static Formula *random_one(const FormulaNames *names, uint64_t *state, int depth)
{
    Text t = { .arena = arena };
    random_formula(&t, state, depth);
    Yaml scalar = { .kind = YAML_SCALAR, .text = t.text };
    FILE *out = fopen("/dev/null", "w");
    Formula *f = formula_read(arena, diag_new(arena, out, false, false), names, &scalar);
    fclose(out);
    return f && f->root->kind == NODE_CALL ? f : NULL;
}

/* Of two formulas, the second of which reads the first's value as operand `at`: value and gradients in one are those of one after the other. */
static int compare_joined(const Formula *first, const Formula *last, int at, bool kept, const double *all)
{
    FormulaOperand operands[2 * OPERANDS];
    int first_place[OPERANDS], last_place[OPERANDS], count = 0;
    double x1[OPERANDS], x2[OPERANDS], x[2 * OPERANDS + 1];
    for (int k = 0; k < first->operand_count; k++)
        x[count] = x1[k] = all[first->operands[k].value], operands[count] = first->operands[k], first_place[k] = count++;
    for (int k = 0; k < last->operand_count; k++)
        if (k != at)
            x[count] = x2[k] = all[last->operands[k].value], operands[count] = last->operands[k], last_place[k] = count++;
    const bool wanted[OPERANDS] = { true, true, true, true };
    const FormulaJoin j = { first, last, at, first_place, last_place, operands, count, kept };
    const FormulaGradient *g1 = formula_gradient(first, wanted, true), *g2 = formula_gradient(last, wanted, true);
    const Formula *f = formula_join(arena, &j);
    const FormulaGradient *g = formula_join_gradient(f, &j, g1, g2);
    const double between = x2[at] = x[count] = node_value(first->root, x1, 0, 0), y = node_value(last->root, x2, 0, 0);
    cr_assert(same_bits(node_value(f->root, x, 0, 0), y));
    cr_assert(f->kept_count == kept && (!kept || same_bits(node_value(f->kept[0], x, 0, 0), between)));
    int part = 0;
    for (int k = 0; k < last->operand_count; k++)
        if (g2->d[k] && k != at) {
            cr_assert(g->parts[part].operand == last_place[k] && same_bits(node_value(g->parts[part].d, x, 0.7, y), node_value(g2->d[k], x2, 0.7, y)));
            part++;
        }
    for (int k = 0; k < first->operand_count && g2->d[at]; k++)
        if (g1->d[k]) {
            const double d = node_value(g2->d[at], x2, 0.7, y);
            cr_assert(g->parts[part].operand == first_place[k] && same_bits(node_value(g->parts[part].d, x, 0.7, y), node_value(g1->d[k], x1, d, between)));
            part++;
        }
    cr_assert(part == g->part_count);
    return part;
}

Test(formula, joined_formulas_have_the_bits_of_one_after_the_other)
{
    const FormulaNames names = { .values = operand_names, .value_count = OPERANDS };
    uint64_t state = 5;
    int compared = 0;
    for (int i = 0; i < 1500; i++) {
        const Formula *first = random_one(&names, &state, 1 + i % 3), *last = random_one(&names, &state, 1 + i % 4);
        for (int s = 0; first && last && last->operand_count && s < 4; s++) {
            double all[OPERANDS];
            for (int k = 0; k < OPERANDS; k++)
                all[k] = s ? rng_uniform(11, (uint64_t)((i * 4 + s) * OPERANDS + k)) * 4 - 2 : (double[]){ 0, -0.0, 1, INFINITY }[(i + k) % 4];
            compared += compare_joined(first, last, (i + s) % last->operand_count, i % 2, all);
        }
    }
    cr_assert(compared > 3000, "%d gradients were compared", compared);
}

Test(formula, kinks_have_the_gradients_of_the_language)
{
    cr_assert(slope_at("abs(x)", 0, 0, 0) == 0);
    cr_assert(slope_at("relu(x)", 0, 0, 0) == 0);
    cr_assert(slope_at("min(x, z)", 0, 1, 1) == 1 && slope_at("min(x, z)", 1, 1, 1) == 0);
    cr_assert(slope_at("max(x, z)", 0, 1, 1) == 1 && slope_at("max(x, z)", 1, 1, 1) == 0);
    cr_assert(slope_at("maximum(x, z)", 0, 1, 1) == 1 && slope_at("minimum(x, z)", 1, 1, 1) == 0);
    cr_assert(slope_at("clip(x, -1, 2)", 0, -1, 0) == 1 && slope_at("clip(x, -1, 2)", 0, 2, 0) == 1);
    cr_assert(slope_at("clip(x, -1, 2)", 0, -1.5, 0) == 0 && slope_at("clip(x, -1, 2)", 0, 2.5, 0) == 0);
    cr_assert(slope_at("relu6(x)", 0, 0, 0) == 0 && slope_at("relu6(x)", 0, 6, 0) == 0 && slope_at("relu6(x)", 0, 3, 0) == 1);
    cr_assert(slope_at("hard_sigmoid(x)", 0, -3, 0) == 0 && slope_at("hard_sigmoid(x)", 0, 3, 0) == 0);
    cr_assert(slope_at("leaky_relu(x, 0.2)", 0, 0, 0) == 0.2 && slope_at("leaky_relu(x)", 0, -1, 0) == 0.01);
    cr_assert(slope_at("elu(x)", 0, 0, 0) == 1 && slope_at("elu(x, 2)", 0, 0, 0) == 2);
    cr_assert(isinf(slope_at("sqrt(x)", 0, 0, 0)) && isinf(slope_at("log(x)", 0, 0, 0)) && isinf(slope_at("1 / x", 0, 0, 0)));
    cr_assert(slope_at("x ** 0", 0, 0, 0) == 0 && slope_at("x ** 2", 0, 0, 0) == 0);
}

Test(formula, the_branch_not_chosen_gives_no_nan)
{
    cr_assert(slope_at("where(x > 0, sqrt(x), 0)", 0, 0, 0) == 0);
    cr_assert(slope_at("where(x > 0, log(x) * z, z)", 0, 0, 3) == 0 && slope_at("where(x > 0, log(x) * z, z)", 1, 0, 3) == 1);
    cr_assert(slope_at("where(x > 0, sqrt(x), 0) + where(z > 0, sqrt(x), 0)", 0, 0, -1) == 0);
    cr_assert(slope_at("where(x > 0, where(x > 1, sqrt(x - 1), log(x)), 0)", 0, 1, 0) == 1);
    cr_assert(slope_at("where(x > 0, 1 / x, 2) * z", 0, 0, 1) == 0);
    cr_assert(slope_at("where(x, x / x, 1)", 0, 0, 0) == 0);
    cr_assert(isinf(slope_at("where(x >= 0, sqrt(x), 0)", 0, 0, 0)));
}

Test(formula, values_of_activations_are_those_of_pytorch)
{
    /* torch.nn.functional of float64, at -2.5, -0.3, 0.7, 21 */
    static const double at[] = { -2.5, -0.3, 0.7, 21 };
    const double selu_scale = 1.0507009873554804934, selu_alpha = 1.6732632423543772848;
    for (int i = 0; i < 4; i++) {
        double x = at[i];
        const struct { FunctionKind f; double value; } rows[] = {
            { FN_leaky_relu, x > 0 ? x : 0.01 * x }, { FN_elu, x > 0 ? x : expm1(x) }, { FN_selu, selu_scale * (x > 0 ? x : selu_alpha * expm1(x)) },
            { FN_gelu, x * 0.5 * (1 + erf(x / sqrt(2))) }, { FN_gelu_tanh, 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x))) },
            { FN_silu, x / (1 + exp(-x)) }, { FN_softplus, x > 20 ? x : log1p(exp(x)) }, { FN_hard_sigmoid, fmin(fmax(x + 3, 0), 6) / 6 },
            { FN_relu6, fmin(fmax(x, 0), 6) }, { FN_square, x * x }, { FN_negate, -x }, { FN_abs, fabs(x) }, { FN_relu, fmax(x, 0) },
        };
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
            double y = node_value(formula_function(arena, rows[k].f, NULL)->root, &x, 0, 0);
            cr_assert(fabs(y - rows[k].value) <= 4e-16 * fmax(1, fabs(y)), "%s(%g) is %.17g, not %.17g", function_table[rows[k].f].name, x, y, rows[k].value);
        }
    }
    const double nan = NAN;
    for (int k = FN_OWN; k < FN_COUNT; k++)
        if (function_table[k].operands == 1) {
            int least, most;
            function_takes((FunctionKind)k, &least, &most);
            const Formula *f = formula_function(arena, (FunctionKind)k, least > 1 ? (const double[]){ -1, 1 } : NULL);
            cr_assert(isnan(node_value(f->root, &nan, 0, 0)), "%s hides NaN", function_table[k].name);
        }
}

Test(formula, kinks_are_listed)
{
    const Formula *f = formula("relu(x) + abs(x - z) + where(w > 1, floor(z), min(x, 0)) + exp(x)");
    List kinks = { 0 };
    formula_kinks(f, &kinks);
    Text t = { .arena = arena };
    for (int i = 0; i < kinks.count; i++)
        text_printf(&t, "%s; ", text_of(f, kinks.items[i]));
    cr_assert(strcmp(t.text, "relu(x) > 0; sign(x - z); w > 1; floor(z); x <= 0; ") == 0, "%s", t.text);
}

/* ---- shapes ---- */

static bool shape(const char *text, const FormulaShape *operands, Shape *result)
{
    Formula *f = formula(text);
    char *first = said;
    size_t size;
    said = NULL;
    FILE *out = open_memstream(&said, &size);
    Diag *d = diag_new(arena, out, false, false);
    bool fine = formula_shape(f, arena, d, (Loc){ 0 }, operands, result);
    cr_assert(fine == (diag_errors(d) == 0));
    fclose(out);
    free(first);
    return fine;
}

static const FormulaShape none = { { 0 }, false, false, NULL }, chw = { { 3, { 20, 9, 9 } }, false, false, NULL }, ch = { { 3, { 20, 1, 1 } }, true, false, NULL },
                          w9 = { { 1, { 9 } }, false, false, NULL }, w4 = { { 1, { 4 } }, false, false, NULL }, w41 = { { 2, { 4, 1 } }, false, false, NULL };

Test(formula, shapes_broadcast_as_numpys)
{
    Shape s;
    cr_assert(shape("x * z + w", (const FormulaShape[]){ chw, ch, none }, &s) && s.rank == 3 && s.dim[0] == 20 && s.dim[1] == 9 && s.dim[2] == 9);
    cr_assert(shape("x + 1", (const FormulaShape[]){ none }, &s) && s.rank == 0 && *said == '\0');
    cr_assert(shape("where(x > 0, z, 2)", (const FormulaShape[]){ w9, chw }, &s) && s.rank == 3 && *said == '\0');
    cr_assert(shape("x * z[$t]", (const FormulaShape[]){ ch, chw }, &s) && s.rank == 3);
    cr_assert(shape("x * 0.5 ** $t", (const FormulaShape[]){ w9, none }, &s) && s.rank == 1 && s.dim[0] == 9);
    const Formula *f = formula_function(arena, FN_maximum, NULL);
    const FormulaShape both[] = { chw, w9 };
    cr_assert(formula_shape(f, arena, diag_new(arena, stderr, false, false), (Loc){ 0 }, both, &s) && s.rank == 3 && s.dim[0] == 20);
}

Test(formula, shapes_that_do_not_fit_are_shown_one_above_the_other)
{
    Shape s;
    const FormulaShape x = { { 3, { 20, 9, 100 } }, false, false, NULL }, z = { { 2, { 4, 100 } }, false, false, NULL };
    cr_assert(!shape("w + x * (z - 1)", (const FormulaShape[]){ none, x, z }, &s));
    cr_assert(strstr(said, "m:2:8: error: the shapes of 'x' and 'z - 1' do not fit: 9 meets 4, and neither is 1\n"
                           "    2 | v: w + x * (z - 1)\n"
                           "      |        ^~~~~~~~~~~\n"
                           "note: x      [20, 9, 100]\n"
                           "note: z - 1      [4, 100]\n"), "%s", said);
    cr_assert(!shape("where(x, 1, z)", (const FormulaShape[]){ w4, w9 }, &s) && strstr(said, "the shapes of 'x' and 'z' do not fit: 4 meets 9"), "%s", said);
}

Test(formula, shapes_that_grow_are_warned_about)
{
    Shape s;
    cr_assert(shape("x * z", (const FormulaShape[]){ w4, w41 }, &s) && s.rank == 2 && s.dim[1] == 4);
    cr_assert(strstr(said, "m:2:4: warning: the result, [4, 4], is larger than each operand (x [4], z [4, 1])"), "%s", said);
    FormulaShape meant = w41;
    meant.ones_meant = true;
    cr_assert(shape("x * z", (const FormulaShape[]){ w4, meant }, &s) && *said == '\0', "%s", said);
    FormulaShape stack = { { 1, { 9 } }, false, true, NULL };
    cr_assert(shape("x * z", (const FormulaShape[]){ chw, stack }, &s));
    cr_assert(strstr(said, "m:2:8: warning: 'z' has a number for each of 9 steps, and they meet the last axis of 'x', [20, 9, 9], not its steps"), "%s", said);
}

Test(formula, operators_of_two_values_warn_as_their_formula)
{
    size_t size;
    Shape s;
    free(said);
    FILE *out = open_memstream(&said, &size);
    const FormulaShape four = { { 1, { 4 } }, false, false, "a" }, column = { { 2, { 4, 1 } }, false, false, "c" };
    cr_assert(formula_shape(formula_function(arena, FN_subtract, NULL), arena, diag_new(arena, out, false, false), (Loc){ 0 }, (const FormulaShape[]){ four, column }, &s));
    fclose(out);
    cr_assert(strstr(said, "the result, [4, 4], is larger than each operand (a [4], c [4, 1])") != NULL, "%s", said);
}

Test(formula, operands_are_indexed_by_their_shape)
{
    int64_t stride[RANK_MAX];
    cr_assert(formula_access(&chw.shape, &chw.shape, stride) == ACCESS_SAME && stride[0] == 81 && stride[1] == 9 && stride[2] == 1);
    cr_assert(formula_access(&ch.shape, &chw.shape, stride) == ACCESS_CHANNEL && stride[0] == 1 && stride[1] == 0 && stride[2] == 0);
    cr_assert(formula_access(&none.shape, &chw.shape, stride) == ACCESS_ONE && stride[0] == 0 && stride[2] == 0);
    cr_assert(formula_access(&w9.shape, &chw.shape, stride) == ACCESS_BROADCAST && stride[0] == 0 && stride[1] == 0 && stride[2] == 1);
    cr_assert(formula_access(&w4.shape, &w4.shape, stride) == ACCESS_SAME);
    cr_assert(formula_access(&none.shape, &none.shape, stride) == ACCESS_SAME);
}
