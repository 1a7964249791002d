/* formula_text.h -- an evaluator of formulas from their text alone: no node, no row of functions.def, no function of vmath.h; and a source of random ones. */
#ifndef FORMULA_TEXT_H
#define FORMULA_TEXT_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formula/formula.h"
#include "rng.h"

enum { OPERANDS = 4 };
static const char *const operand_names[OPERANDS] = { "x", "z", "w", "m" };

static double text_min(double a, double b) { return isnan(a) || isnan(b) ? NAN : b < a ? b : a; }
static double text_max(double a, double b) { return isnan(a) || isnan(b) ? NAN : b > a ? b : a; }
static double text_sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double text_selu(double x) { return 1.0507009873554804934193349852946 * (x > 0 ? x : 1.6732632423543772848170429916717 * (exp(x) - 1)); }

static bool reads_word(const Syntax *n)
{
    bool any = n->kind == SYNTAX_WORD;
    for (int i = 0; i < n->count; i++)
        any |= reads_word(n->items[i]);
    return any;
}

/* The value of a formula's text in double; x: by operand_names. */
static double text_value(const Syntax *n, const double *x)
{
    double v[3] = { 0 };
    for (int i = 0; i < n->count && i < 3; i++)
        v[i] = text_value(n->items[i], x);
    double a = v[0], b = v[1];
#define NAMED(w) (strcmp(n->word, w) == 0)
    if (n->kind == SYNTAX_NUMBER)
        return strtod(n->word, NULL);
    for (int i = 0; n->kind == SYNTAX_WORD && i < OPERANDS; i++)
        if (NAMED(operand_names[i]))
            return x[i];
    if (n->kind == SYNTAX_SIGN)
        return NAMED("-") ? (a == 0 && !reads_word(n) ? 0 : -a) : a;       /* a whole zero has no sign */
    if (n->kind == SYNTAX_PAIR)
        return NAMED("+") ? a + b : NAMED("-") ? a - b : NAMED("*") ? a * b : NAMED("/") ? a / b : NAMED("**") ? pow(a, b) : NAMED("<") ? a < b
             : NAMED("<=") ? a <= b : NAMED(">") ? a > b : NAMED(">=") ? a >= b : NAMED("==") ? a == b : NAMED("!=") ? a != b : NAN;
    return NAMED("exp") ? exp(a) : NAMED("log") ? log(a) : NAMED("sqrt") ? sqrt(a) : NAMED("abs") ? fabs(a) : NAMED("sin") ? sin(a) : NAMED("cos") ? cos(a)
         : NAMED("tanh") ? tanh(a) : NAMED("sigmoid") ? text_sigmoid(a) : NAMED("relu") ? text_max(a, 0) : NAMED("softplus") ? (a > 30 ? a : log1p(exp(a)))
         : NAMED("erf") ? erf(a) : NAMED("min") || NAMED("minimum") ? text_min(a, b) : NAMED("max") || NAMED("maximum") ? text_max(a, b)
         : NAMED("sign") ? (a > 0) - (a < 0) : NAMED("floor") ? floor(a) : NAMED("clip") ? text_min(text_max(a, b), v[2]) : NAMED("where") ? (a != 0 ? b : v[2])
         : NAMED("leaky_relu") ? (a > 0 ? a : a * (n->count > 1 ? b : 0.01)) : NAMED("elu") ? (a > 0 ? a : expm1(a)) : NAMED("selu") ? text_selu(a)
         : NAMED("gelu") ? a / 2 * (1 + erf(a / sqrt(2))) : NAMED("gelu_tanh") ? a / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (a + 0.044715 * pow(a, 3))))
         : NAMED("silu") ? a * text_sigmoid(a) : NAMED("hard_sigmoid") ? text_min(text_max(a + 3, 0), 6) / 6 : NAMED("relu6") ? text_min(text_max(a, 0), 6)
         : NAMED("square") ? a * a : NAMED("negate") ? -a : NAMED("subtract") ? a - b : NAMED("divide") ? a / b : NAMED("expm1") ? expm1(a)
         : NAMED("log1p") ? log1p(a) : NAN;
#undef NAMED
}

/* The value of a node in double: a walk that shares nothing between its parts. */
static double node_value(const Node *n, const double *x, double dy, double y)
{
    double v[3] = { 0 };
    if (n->kind == NODE_NUMBER)
        return n->number;
    if (n->kind == NODE_INPUT)
        return n->input == INPUT_DY ? dy : n->input == INPUT_RESULT ? y : x[n->input];
    for (int i = 0; i < node_args(n); i++)
        v[i] = node_value(n->arg[i], x, dy, y);
    return function_value(n->function, v[0], v[1], v[2]);
}

static inline uint64_t text_next(uint64_t *state) { return rng_bits(77, (*state)++) >> 16; }

/* Appends a random formula over operand_names whose parts are nested `depth` deep; it has parentheses wherever they may be needed. */
static inline void random_formula(Text *t, uint64_t *state, int depth)
{
    static const char *const one[] = { "exp(%", "log(%", "sqrt(%", "abs(%", "sin(%", "cos(%", "tanh(%", "sigmoid(%", "relu(%", "softplus(%", "erf(%", "sign(%", "floor(%",
                                       "elu(%", "selu(%", "gelu(%", "gelu_tanh(%", "silu(%", "hard_sigmoid(%", "relu6(%", "square(%", "negate(%", "expm1(%", "leaky_relu(%",
                                       "leaky_relu(%, 0.2", "clip(%, -0.5, 1.5", "-(%", "((%) ** 2", "((%) ** 3", "((%) ** -1", "((%) ** 0.5", "((%) ** 1", "((%) / 4", "(2 * (%)", "((%) - 0" };
    static const char *const two[] = { "(% + %", "(% - %", "(% * %", "(% / %", "min(%, %", "max(%, %", "(% < %", "(% >= %", "where(% > %, 0.5, 1", "subtract(%, %", "(% * -%", "(% - -%" };
    static const char *const numbers[] = { "1", "0", "0.1", "2", "-1", ".5", "3" };
    uint64_t kind = text_next(state) % 8;
    if (depth == 0) {
        bool number = kind == 0;
        text_printf(t, "%s", number ? numbers[text_next(state) % 7] : operand_names[text_next(state) % OPERANDS]);
        return;
    }
    const char *form = kind < 3 ? one[text_next(state) % (sizeof one / sizeof *one)] : kind < 7 ? two[text_next(state) % (sizeof two / sizeof *two)] : "where(% > %, %, %";
    for (; *form; form++)
        if (*form == '%')
            random_formula(t, state, depth - 1 - (int)(text_next(state) % 2) * (depth > 1));
        else
            text_add(t, form, 1);
    text_add(t, ")", 1);
}

#endif
