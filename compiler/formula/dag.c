/* dag.c -- nodes of formulas: equal ones are found by their hash, and the fixed list of simplifications.
 *
 *   numbers alone           -> their value in double, if it is finite
 *   x*1, 1*x, x/1, x-0      -> x                   x*-1, -1*x, x/-1    -> -x                --x      -> x
 *   a + -b, -b + a          -> a - b               a - -b              -> a + b             -a * -b  -> a*b
 *   x / c, c a power of 2   -> x * (1/c)           x**0, x**1, x**-1, x**0.5 -> 1, x, 1/x, sqrt(x)
 *   min(a, a), max(a, a)    -> a                   where(c, a, a)      -> a                 where(number, a, b) -> a or b
 *   where(not c, a, b)      -> where(c, b, a)      not not c           -> c                 c and c, c or c     -> c
 *
 * x + 0 and 0 * x stay: they change the bits of -0, of infinity and NaN. */
#include "formula/dag.h"
#include "rmath.h"

#include <math.h>
#include <string.h>

const Function function_table[FN_COUNT] = {
#define O(name, operands, sign, derivative) { #name, sign, operands, NULL, derivative, NULL, NULL, NULL },
#define F(name, operands, c, derivative, kink) { #name, NULL, operands, c, derivative, kink, NULL, NULL },
#include "formula/functions.def"
#define M(name, operands, attributes, formula) { #name, NULL, operands, NULL, NULL, NULL, attributes, formula },
#include "formula/functions.def"
};

int function_find(const char *name)
{
    for (int f = 0; f < FN_COUNT; f++)
        if ((function_table[f].derivative || function_table[f].formula) && !function_table[f].sign && strcmp(function_table[f].name, name) == 0)
            return f;
    return -1;
}

/* ---- nodes that are equal are one ---- */

Dag *dag_new(Arena *a)
{
    Dag *g = NEW(a, Dag);
    g->arena = a;
    return g;
}

static bool same(const Node *a, const Node *b)
{
    return a->kind == b->kind && memcmp(&a->number, &b->number, sizeof a->number) == 0 && a->input == b->input &&
           a->function == b->function && a->arg[0] == b->arg[0] && a->arg[1] == b->arg[1] && a->arg[2] == b->arg[2];
}

static uint64_t hash_of(const Node *n)
{
    uint64_t bits, h = (uint64_t)n->kind * 31 + (uint64_t)n->function;
    memcpy(&bits, &n->number, sizeof bits);
    h = (h ^ bits) * 0x9e3779b97f4a7c15u;
    h = (h ^ (uint64_t)(n->input + 2)) * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 3; i++)
        h = (h ^ (n->arg[i] ? (uint64_t)n->arg[i]->id + 1 : 0)) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static Node **place_of(Node **table, int room, const Node *n)
{
    int i = (int)(hash_of(n) & (uint64_t)(room - 1));
    while (table[i] && !same(table[i], n))
        i = (i + 1) & (room - 1);
    return &table[i];
}

static void grow(Dag *g)
{
    int room = g->room ? 2 * g->room : 64;
    Node **table = NEW_ARRAY(g->arena, Node *, room);
    for (int i = 0; i < g->nodes.count; i++)
        *place_of(table, room, g->nodes.items[i]) = g->nodes.items[i];
    g->table = table;
    g->room = room;
}

static Node *intern(Dag *g, const Node *wanted)
{
    if (2 * (g->nodes.count + 1) > g->room)
        grow(g);
    Node **at = place_of(g->table, g->room, wanted);
    if (!*at) {
        *at = NEW(g->arena, Node);
        **at = *wanted;
        (*at)->id = g->nodes.count;
        list_push(g->arena, &g->nodes, *at);
    }
    return *at;
}

Node *dag_number(Dag *g, double number) { return intern(g, &(Node){ .kind = NODE_NUMBER, .number = number }); }
Node *dag_input(Dag *g, int input) { return intern(g, &(Node){ .kind = NODE_INPUT, .input = input }); }

/* ---- questions ---- */

bool node_is(const Node *n, FunctionKind function) { return n->kind == NODE_CALL && n->function == function; }

bool node_is_number(const Node *n, double number) { return n->kind == NODE_NUMBER && memcmp(&n->number, &number, sizeof number) == 0; }

bool node_is_condition(const Node *n) { return n->kind == NODE_CALL && n->function >= FN_lt && n->function <= FN_not; }

int node_args(const Node *n) { return n->kind == NODE_CALL ? function_table[n->function].operands : 0; }

void dag_reach(const Node *root, bool *reached)
{
    if (reached[root->id])
        return;
    reached[root->id] = true;
    for (int i = 0; i < node_args(root); i++)
        dag_reach(root->arg[i], reached);
}

/* ---- values ---- */

double function_value(FunctionKind function, double a, double b, double c)
{
    switch (function) {
    case FN_add: return a + b;
    case FN_sub: return a - b;
    case FN_mul: return a * b;
    case FN_div: return a / b;
    case FN_neg: return -a;
    case FN_power: return b == 2 ? a * a : b == 3 ? a * a * a : b == 4 ? a * a * a * a : d_pow(a, b);
    case FN_lt: return a < b;
    case FN_le: return a <= b;
    case FN_gt: return a > b;
    case FN_ge: return a >= b;
    case FN_eq: return a == b;
    case FN_ne: return a != b;
    case FN_and: return a != 0 && b != 0;
    case FN_or: return a != 0 || b != 0;
    case FN_not: return a == 0;
    case FN_where: return a != 0 ? b : c;
    case FN_exp: return d_exp(a);
    case FN_log: return d_log(a);
    case FN_sqrt: return d_sqrt(a);
    case FN_abs: return d_abs(a);
    case FN_sin: return d_sin(a);
    case FN_cos: return d_cos(a);
    case FN_tanh: return d_tanh(a);
    case FN_sigmoid: return d_sigmoid(a);
    case FN_relu: return d_relu(a);
    case FN_erf: return d_erf(a);
    case FN_expm1: return d_expm1(a);
    case FN_log1p: return d_log1p(a);
    case FN_min: return d_lesser(a, b);
    case FN_max: return d_greater(a, b);
    case FN_sign: return d_sign(a);
    case FN_floor: return floor(a);
    case FN_fnma: return c - a * b;
    default: unreachable("a function without a value");
    }
}

/* ---- simplification: NULL where none applies ---- */

static Node *folded(Dag *g, FunctionKind f, Node *const arg[3])
{
    double x[3] = { 0 };
    for (int i = 0; i < function_table[f].operands; i++) {
        if (arg[i]->kind != NODE_NUMBER)
            return NULL;
        x[i] = arg[i]->number;
    }
    double value = function_value(f, x[0], x[1], x[2]);
    return isfinite(value) ? dag_number(g, value) : NULL;
}

/* True if n is a power of 2, or one negated, whose inverse is exact in float. */
static bool inverse_is_exact(const Node *n)
{
    int e;
    return n->kind == NODE_NUMBER && fabs(frexp(n->number, &e)) == 0.5 && e > -120 && e < 120;
}

static Node *simpler_sum(Dag *g, FunctionKind f, Node *a, Node *b)
{
    if (f == FN_add && node_is(b, FN_neg))
        return dag_call(g, FN_sub, a, b->arg[0], NULL);
    if (f == FN_add && node_is(a, FN_neg))
        return dag_call(g, FN_sub, b, a->arg[0], NULL);
    if (f == FN_sub && node_is(b, FN_neg))
        return dag_call(g, FN_add, a, b->arg[0], NULL);
    return f == FN_sub && node_is_number(b, 0) ? a : NULL;
}

static Node *simpler_product(Dag *g, FunctionKind f, Node *a, Node *b)
{
    if (node_is_number(b, 1))
        return a;
    if (node_is_number(b, -1))
        return dag_call(g, FN_neg, a, NULL, NULL);
    if (f == FN_div)
        return inverse_is_exact(b) ? dag_call(g, FN_mul, a, dag_number(g, 1 / b->number), NULL) : NULL;
    if (node_is_number(a, 1) || node_is_number(a, -1))
        return simpler_product(g, f, b, a);
    return node_is(a, FN_neg) && node_is(b, FN_neg) ? dag_call(g, FN_mul, a->arg[0], b->arg[0], NULL) : NULL;
}

static Node *simpler_power(Dag *g, Node *a, Node *b)
{
    if (b->kind != NODE_NUMBER)
        unreachable("a power that is no number");
    return b->number == 0     ? dag_number(g, 1)
           : b->number == 1   ? a
           : b->number == -1  ? dag_call(g, FN_div, dag_number(g, 1), a, NULL)
           : b->number == 0.5 ? dag_call(g, FN_sqrt, a, NULL, NULL)
                              : NULL;
}

static Node *simpler_where(Dag *g, Node *c, Node *a, Node *b)
{
    if (c->kind == NODE_NUMBER)
        return c->number != 0 ? a : b;
    if (a == b)
        return a;
    if (!node_is_condition(c))
        return dag_call(g, FN_where, dag_call(g, FN_ne, c, dag_number(g, 0), NULL), a, b);
    return node_is(c, FN_not) ? dag_call(g, FN_where, c->arg[0], b, a) : NULL;
}

static Node *simpler(Dag *g, FunctionKind f, Node *const arg[3])
{
    Node *value = folded(g, f, arg);
    if (value)
        return value;
    switch (f) {
    case FN_add:
    case FN_sub: return simpler_sum(g, f, arg[0], arg[1]);
    case FN_mul:
    case FN_div: return simpler_product(g, f, arg[0], arg[1]);
    case FN_power: return simpler_power(g, arg[0], arg[1]);
    case FN_where: return simpler_where(g, arg[0], arg[1], arg[2]);
    case FN_neg:
    case FN_not: return node_is(arg[0], f) ? arg[0]->arg[0] : NULL;
    case FN_and:
    case FN_or:
    case FN_min:
    case FN_max: return arg[0] == arg[1] ? arg[0] : NULL;
    default: return NULL;
    }
}

Node *dag_call(Dag *g, FunctionKind function, Node *a, Node *b, Node *c)
{
    Node *const arg[3] = { a, b, c };
    Node *value = simpler(g, function, arg);
    return value ? value : intern(g, &(Node){ .kind = NODE_CALL, .function = function, .arg = { a, b, c } });
}

/* ---- rebuilding ---- */

typedef struct {
    Dag *g;
    const Node *from;
    Node *to;    /* in the place of `from`; both NULL: powers become products */
    Node **made; /* by id of the old node; NULL: not yet */
} Rebuild;

static Node *power_product(Dag *g, Node *x, int times)
{
    Node *y = x;
    while (--times > 0)
        y = dag_call(g, FN_mul, y, x, NULL);
    return y;
}

static Node *rebuilt(Rebuild *r, Node *n)
{
    if (n == r->from)
        return r->to;
    if (n->kind != NODE_CALL)
        return n;
    int id = n->id;
    if (r->made[id])
        return r->made[id];
    Node *arg[3] = { NULL, NULL, NULL };
    for (int i = 0; i < node_args(n); i++)
        arg[i] = rebuilt(r, n->arg[i]);
    double power = n->function == FN_power ? n->arg[1]->number : 0;
    bool product = !r->from && (power == 2 || power == 3 || power == 4);
    r->made[id] = product ? power_product(r->g, arg[0], (int)power) : dag_call(r->g, n->function, arg[0], arg[1], arg[2]);
    return r->made[id];
}

static Node *rebuild(Dag *g, Node *root, const Node *from, Node *to)
{
    Rebuild r = { g, from, to, NEW_ARRAY(g->arena, Node *, g->nodes.count) };
    return rebuilt(&r, root);
}

Node *dag_replace(Dag *g, Node *root, const Node *from, Node *to) { return rebuild(g, root, from, to); }
Node *dag_lower(Dag *g, Node *root) { return rebuild(g, root, NULL, NULL); }
