/* formula.h -- formulas: what the stages of the compiler need of this folder.
 *
 *   formula.c   text -> Formula: numbered operands and a DAG over them        shapes.c    broadcasting
 *   gradient.c  the DAGs of its gradients, and where its kinks are            print.c     text for people, for the hash, and for plain C
 *   rows.c      functions that are written with others (functions.def)        lines.c     C lines
 *   join.c      two formulas, one of which reads the other's result, as one
 *
 * An operand is a value that the formula reads: how it is indexed (as the result, by channel, broadcast) is its reader's matter.  All
 * memory is the arena's. */
#ifndef SPNC_FORMULA_H
#define SPNC_FORMULA_H

#include "formula/dag.h"
#include "read/expr.h"

enum { FORMULA_MAX = 1000 };                 /* operations, names and numbers of one formula */

/* ---- formula.c --------------------------------------------------------------------------------- */

/* What stands in braces, not in a formula: "relu", how it is written with an operand, "{ relu: x }", and what it is, "an operator" or "a net". */
typedef struct { const char *name, *form, *what; } FormulaOperator;

/* The names that a formula may read. */
typedef struct {
    Scope *scope;                            /* $params; NULL: none */
    const char *const *values;               /* values of the flow, dots in them as written */
    int value_count;
    const char *const *steps;                /* names of steps, those of the innermost repeat first; none outside a repeat */
    const int *step_repeats;                 /* of each the repeat that counts it, 0 the innermost; NULL: each its own */
    int step_count;
    const FormulaOperator *operators; /* words of the text that name operators and nets */
    int operator_count;
} FormulaNames;

typedef struct {
    const char *name;                        /* as written: "u.gate"; NULL: a number of the step, below */
    int value;                               /* its place in FormulaNames.values; -1: a number of the step */
    Loc at;                                  /* where it is read first */
    bool sliced;                             /* x[a * step + b], or x[b] (a = 0); bounds are the reader's to check */
    int64_t a, b;
    int repeat;                              /* a != 0: the repeat that counts the step, by FormulaNames.step_repeats */
    const Syntax *number;                    /* of numbers, $params and steps alone: formula_step_number() gives it for each step */
} FormulaOperand;

/* A name or a slice in the text, and the operand that it is. */
typedef struct { const Syntax *at; int operand; } FormulaRead;

typedef struct Formula Formula;
typedef struct { const char *name; const Formula *of; } FormulaStep;     /* name = its formula */
struct Formula {
    Dag *dag;
    Node *root;                              /* inputs are operands by number */
    FormulaOperand *operands;
    int operand_count;
    const Syntax *syntax;                    /* NULL: made by formula_function() or formula_join() */
    const FormulaNames *names;
    List reads;                              /* FormulaRead: those of the text, in its order */
    /* Of a joined formula: values on its way that are stored too, with names; the formulas that it was made of, that of the result last. */
    Node **kept;
    const char **kept_names;
    int kept_count;
    FormulaStep *steps;
    int step_count;                          /* 0: not joined */
};

/* The formula of a scalar's text, or NULL after reporting at the exact column: syntax, an unknown value or function (nearest name; the
 * operator of that name), a wrong number of operands, `**` with a power that is no number, `//` and `%` of values, an attribute that is no
 * number.  Parts of numbers and $params alone are reckoned as parameters are and rounded once; such parts with a step become one operand
 * each.  A single name is its operand alone (root is an input), a number alone a NODE_NUMBER. */
Formula *formula_read(Arena *a, Diag *d, const FormulaNames *names, const Yaml *scalar);

/* function(operand 0, operand 1, ..., attributes...) as a formula: an activation of an `act:`, an elementwise operator.  attributes: in
 * the order of its row in functions.def, NULL: the defaults. */
Formula *formula_function(Arena *a, FunctionKind function, const double *attributes);

/* True if the row's derivative is 1 where the result is positive, 0 elsewhere. */
bool function_masks(FunctionKind function);

/* The number of the operand, one of a step, at the given steps (by FormulaNames.steps), in double.  False after reporting. */
bool formula_step_number(const Formula *f, Diag *d, int operand, const int64_t *steps, double *number);

/* ---- shapes.c ---------------------------------------------------------------------------------- */

typedef struct {
    Shape shape;                             /* of an example; of a slice: without its first axis; of a step's number: [] */
    bool ones_meant;                         /* its 1s were written so: constant, parameter, reshape, keep: true */
    bool stacked;                            /* [T], a stack of scalars of a repeat */
    const char *name;                        /* for warnings; NULL: the name that it has in the formula */
} FormulaShape;

/* The shape of f's result by numpy's rule: aligned at the right, 1 stretches.  Operands by number.  False after reporting which parts do
 * not fit, with both shapes aligned; `at`: where the formula stands, if it has no text.  Warns where the result is larger than every operand, and where [T] meets [..., T]. */
bool formula_shape(const Formula *f, Arena *a, Diag *d, Loc at, const FormulaShape *operands, Shape *result);

/* How an operand is indexed by the elements of the result: as the result is; by its first dimension; it is one number; or any other way.
 * stride[i]: reals of the operand from one index of the result's dimension i to the next, 0 where it is stretched. */
typedef enum { ACCESS_SAME, ACCESS_CHANNEL, ACCESS_ONE, ACCESS_BROADCAST } FormulaAccess;
FormulaAccess formula_access(const Shape *operand, const Shape *result, int64_t stride[RANK_MAX]);

/* ---- gradient.c -------------------------------------------------------------------------------- */

/* What the gradients of the operands are made of.  Inputs of the nodes: operands, INPUT_DY and INPUT_RESULT.  Nothing is kept between
 * forward and backward but operands and the result; all else is computed again.  The result is read where that saves reading an operand or
 * computing a function. */
typedef struct { Node *d; int operand; } FormulaPart;
typedef struct FormulaGradient {
    Node **d;                                /* by operand: dL/d(operand), before a broadcast operand's sum; NULL: none reaches it.  Of a joined
                                                formula NULL */
    FormulaPart *parts;                      /* those that are computed, in the order in which the operator writes them; an operand of a joined
                                                formula may have several */
    int part_count;
    bool *reads;                             /* by operand, then by Formula.kept: its value is read */
    int functions;                           /* those that cost: exp, log and the like */
    bool reads_dy, reads_result;
} FormulaGradient;

/* wanted: by operand; result_kept: the result may be read.  Nodes are added to f->dag.  `parts` has all that reach an operand. */
FormulaGradient *formula_gradient(const Formula *f, const bool *wanted, bool result_kept);

/* The gradient whose `parts` are given, nodes over operands, kept values (behind the operands), dy and the result: what it reads. */
FormulaGradient *formula_gradient_of(const Formula *f, FormulaPart *parts, int count);

/* Appends to `kinks` the nodes whose value decides in which smooth piece f is: where one differs between two arguments, a difference of
 * f's values tells nothing of the gradient. */
void formula_kinks(const Formula *f, List *kinks);

/* The kinks of a formula as what is there after a forward pass tells them. */
typedef struct FormulaKinks {
    Node **nodes;                            /* over operands and INPUT_RESULT */
    int count;                               /* 0: f is smooth everywhere */
    bool *reads, reads_result;               /* by operand, and the result: it is read where that saves reading an operand */
} FormulaKinks;

FormulaKinks *formula_pieces(const Formula *f);

/* ---- join.c ------------------------------------------------------------------------------------ */

/* `last` with `first` in the place of its operand `at`.  Every operation of both stays, in its order: the bits are those of one after the other. */
typedef struct {
    const Formula *first, *last;
    int at;
    const int *first_place, *last_place;     /* of each operand of the two its number in the joined formula; last_place[at] is not read */
    FormulaOperand *operands;                /* of the joined formula */
    int operand_count;
    bool kept;                               /* the value of `first` is stored, and its gradient reads it; else it is computed again */
} FormulaJoin;

Formula *formula_join(Arena *a, const FormulaJoin *j);
/* The gradients of both: those of last's operands, then those of first's, made from that of its value.  joined: formula_join(j).  first: the gradient
 * of j->first; NULL for a sum, whose operands have the gradient of its value: that is then a part of its own, of the sum's first operand. */
FormulaGradient *formula_join_gradient(const Formula *joined, const FormulaJoin *j, const FormulaGradient *first, const FormulaGradient *last);

/* For people: the name of an operand as written, or the number of a step as text. */
const char *formula_operand_text(Arena *a, const Formula *f, int operand);
/* For people: what the formulas that f was joined of say, or f itself, a line each; `result` is the name of its value. */
const char *formula_steps_text(Arena *a, const Formula *f, const char *result);

/* ---- print.c ----------------------------------------------------------------------------------- */

/* For people: "m * g + (1 - m) * h"; parts that are used several times come first, each as a line "t1 = ...".  names: of the operands; dy
 * and y are names for INPUT_DY and INPUT_RESULT (may be NULL if none is there); result: "d_x" gives "d_x = ..." as the last line, NULL:
 * the bare formula. */
const char *formula_text(Arena *a, Dag *g, Node *root, const char *const *names, const char *dy, const char *y, const char *result);

/* Likewise of several, a line each, results[k] = ...; parts that are used several times come first, once for all. */
const char *formula_texts(Arena *a, Dag *g, Node *const *roots, int count, const char *const *names, const char *dy, const char *y,
                          const char *const *results);

/* Lines of such a text as they stand in a comment of C: each but the first behind " * ". */
const char *formula_comment(Arena *a, const char *text);

/* For the model hash: "1=sigmoid(#0);2=mul(#0,1)" with operands as #0, numbers as hexadecimal doubles; follows from the DAG alone. */
void formula_canonical(Text *t, const Formula *f);

/* ---- lines.c ----------------------------------------------------------------------------------- */

/* Names in C of what the nodes read: of the operands and kept values, dy, y (NULL: not there); each is an expression of one vec, or of one real in
 * the plain form.  It is written once, behind a variable if it is used several times and is no identifier. */
typedef struct {
    const char *const *operands;
    const char *dy, *result;
    const char *prefix;                      /* of variables: "t" gives t1, t2, ... */
    const char *indent;                      /* before each line */
} FormulaC;

/* Appends the lines that compute roots[0..count) and sets values[k] to the C expression of roots[k].
 * plain: the formula itself, as nested expressions of reals, with variables only for what is used several times or too long for a line;
 * else one vector operation a line, of vec.h and vmath.h.  Both give the same bits. */
void formula_lines(Text *out, Dag *g, Node *const *roots, int count, bool plain, const FormulaC *c, const char **values);
/* Takes the last line away if it does nothing but name *value, which becomes what that line computes. */
void formula_last_line(Text *lines, const char **value);

#endif
