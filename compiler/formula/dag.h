/* dag.h -- the operations of a formula as a DAG: nodes that are equal are one node.
 *
 * A node is a number, an input, or a function of nodes.  All are made by `dag_call`, which simplifies by a fixed list, so two formulas that
 * differ in nothing but what the list takes away are the same nodes.  Each simplification keeps every bit (but NaN's sign and payload),
 * since a formula is evaluated as written, each operation rounded by itself. */
#ifndef SPNC_DAG_H
#define SPNC_DAG_H

#include "spnc.h"

typedef enum {
#define O(name, operands, sign, derivative) FN_##name,
#define F(name, operands, c, derivative, kink) FN_##name,
#include "formula/functions.def"
    FN_OWN,                                  /* functions that are nodes; from here on: those that are written with them */
    FN_before_macros = FN_OWN - 1,
#define M(name, operands, attributes, formula) FN_##name,
#include "formula/functions.def"
    FN_COUNT
} FunctionKind;

typedef struct {
    const char *name;        /* in formulas; an operator's is none of the language */
    const char *sign;        /* an operator: "+"; else NULL */
    int operands;
    const char *c;           /* name in C behind r_ and v_; NULL: an operator or `where` */
    const char *derivative, *kink;           /* derivative NULL, without a formula: not of the language */
    const char *attributes, *formula;        /* written with other functions; else NULL */
} Function;
extern const Function function_table[FN_COUNT];
/* The function of a name in a formula, or -1; operators have none. */
int function_find(const char *name);

typedef enum { NODE_NUMBER, NODE_INPUT, NODE_CALL } NodeKind;

/* Inputs from 0 on are the formula's operands; in a gradient there are also: */
enum { INPUT_DY = -1, INPUT_RESULT = -2 };

typedef struct Node Node;
struct Node {
    NodeKind kind;
    int id;                  /* from 0, in the order in which they were made: operands before what reads them */
    double number;
    int input;
    FunctionKind function;
    Node *arg[3];
};

typedef struct {
    Arena *arena;
    List nodes;              /* Node, by id */
    Node **table;            /* hashed; a power of two, or NULL while empty */
    int room;
} Dag;

Dag *dag_new(Arena *a);
Node *dag_number(Dag *g, double number);
Node *dag_input(Dag *g, int input);
/* function(a, b, c), those behind the function's operands NULL.  The condition of `where` may be any value and holds where that is not 0. */
Node *dag_call(Dag *g, FunctionKind function, Node *a, Node *b, Node *c);

bool node_is(const Node *n, FunctionKind function);
bool node_is_number(const Node *n, double number);       /* 0 is not -0 */
bool node_is_condition(const Node *n);                   /* a comparison, or and, or, not of such: 0 or 1, in vectors a mask */
int node_args(const Node *n);                            /* its operands; 0 of a number or an input */

/* Sets reached[id] for root and all below it; reached has an element for each node of g. */
void dag_reach(const Node *root, bool *reached);
/* root with `to` in the place of `from`. */
Node *dag_replace(Dag *g, Node *root, const Node *from, Node *to);
/* root with powers by 2, 3 and 4 as products from the left: what is emitted. */
Node *dag_lower(Dag *g, Node *root);
/* The function of numbers in double, by the functions of rmath.h; the same on every machine. */
double function_value(FunctionKind function, double x1, double x2, double x3);

#endif
