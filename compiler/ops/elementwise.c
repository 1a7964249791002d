/* elementwise.c -- functions of formulas as operators of their own: { leaky_relu: x, slope: 0.2 }.
 *
 * Each row gives the operator's attributes; the function is the row of the same name in formula/functions.def, which has its formula and
 * derivative.  make.c makes a formula of it, so none of these kinds is ever in the graph. */
#include "spnc.h"

#define NAME { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" }
static const AttrSpec plain[] = { NAME, { 0 } };
static const AttrSpec slope[] = { { "slope", ATTR_REAL, "0.01", -1e6, 1e6, NULL, "what a negative x is multiplied by" }, NAME, { 0 } };
static const AttrSpec alpha[] = { { "alpha", ATTR_REAL, "1", 0, 1e6, NULL, "minus the limit for small x" }, NAME, { 0 } };
static const AttrSpec bounds[] = { { "low", ATTR_REAL, NULL, -1e30, 1e30, NULL, "least value" }, { "high", ATTR_REAL, NULL, -1e30, 1e30, NULL, "largest value" }, NAME, { 0 } };
static const AttrSpec approximate[] = { { "approximate", ATTR_WORD, "none", 0, 0, "none tanh", "tanh: the approximation by tanh" }, NAME, { 0 } };

static bool infer(Model *m, Op *op) { (void)m, (void)op; unreachable("an elementwise operator is made a formula by make.c"); }
static void grad(Model *m, Op *op, Use dy) { (void)m, (void)op, (void)dy; }
static void facts(const Model *m, const Op *op, Fact *f) { (void)m, (void)op, (void)f; }

#define EXAMPLE(call) \
    "inputs: { x: { shape: [8] } }\n" \
    "targets: { y: { classes: 3 } }\n" \
    "flow:\n" \
    "  - a: { dense: x, units: 8, act: sigmoid }\n" \
    "  - b: { " call " }\n" \
    "  - v: { dense: b, units: 3 }\n" \
    "loss: { cross_entropy: [v, y] }\n"

/* ONE: of one value; TWO: of two, whose shapes fit as a formula's do. */
#define ONE(name, attrs, equation, about, call) \
    static const OpHelp help_##name = { about, "x of any shape -> the same shape", EXAMPLE(call) }; \
    const OpInfo op_##name = { #name, equation, 1, 1, NULL, true, attrs, infer, grad, facts, NULL, false, "f:f", &help_##name };
#define TWO(name, equation, about) \
    static const OpHelp help_##name = { about, "two values whose shapes fit as a formula's -> the shape that they are stretched to", EXAMPLE(#name ": [x, a]") }; \
    const OpInfo op_##name = { #name, equation, 2, 2, NULL, false, plain, infer, grad, facts, NULL, false, "f:f", &help_##name };

ONE(leaky_relu, slope, "y = x where x > 0, else slope x", "As relu, but a share of what is negative passes.", "leaky_relu: a, slope: 0.2")
ONE(elu, alpha, "y = x where x > 0, else alpha (exp(x) - 1)", "As relu, but smooth below 0, towards -alpha.", "elu: a")
ONE(selu, plain, "y = 1.0507 x where x > 0, else 1.0507 1.6733 (exp(x) - 1)", "The elu that keeps mean 0 and deviation 1 (Klambauer et al. 2017).", "selu: a")
ONE(gelu, approximate, "y = x (1 + erf(x / sqrt(2))) / 2", "x times the share of a normal distribution below it (Hendrycks and Gimpel 2016).", "gelu: a")
ONE(silu, plain, "y = x sigmoid(x)", "x times its sigmoid, also called swish.", "silu: a")
ONE(softplus, plain, "y = log(1 + exp(x))", "A smooth relu; x itself above 20.", "softplus: a")
ONE(hard_sigmoid, plain, "y = min(max(x + 3, 0), 6) / 6", "A sigmoid of three straight pieces.", "hard_sigmoid: a")
ONE(relu6, plain, "y = min(max(x, 0), 6)", "As relu, but 6 at most.", "relu6: a")
ONE(clip, bounds, "y = min(max(x, low), high)", "Keeps values within two bounds.", "clip: a, low: -1, high: 1")
ONE(square, plain, "y = x^2", "The square.", "square: a")
ONE(sqrt, plain, "y = sqrt(x)", "The square root; its slope at 0 is infinite.", "sqrt: a")
ONE(exp, plain, "y = exp(x)", "The exponential.", "exp: a")
ONE(log, plain, "y = log(x)", "The natural logarithm.", "log: a")
ONE(abs, plain, "y = |x|", "The magnitude; its slope at 0 is 0.", "abs: a")
ONE(negate, plain, "y = -x", "The negative.", "negate: a")
TWO(subtract, "y = x1 - x2", "The difference of two values.")
TWO(divide, "y = x1 / x2", "The quotient of two values.")
TWO(maximum, "y = max(x1, x2)", "The larger of two values; the first where they are equal.")
TWO(minimum, "y = min(x1, x2)", "The smaller of two values; the first where they are equal.")
