/* random_net.h -- small random models that put one operator in every position: before a repeat, hoisted out of it, in its core,
 * after its core, and behind it.  A model can be written as YAML and run by the reference.
 *
 * A value of the flow is a number, its place in Model.values; the inputs come first.  A carried state is two values of one name:
 * what the entries above its update read, and the update. */
#ifndef RANDOM_NET_H
#define RANDOM_NET_H

#include "reference.h"

#include <stdint.h>
#include <stdio.h>

typedef enum { INPUT, CONV, MAXPOOL, DENSE, CURVE, DROPOUT, ADD, MULTIPLY, CONCAT, SLICE, RESHAPE, FLATTEN, GRU, SPN, LAST, BATCH_NORM, NET,
               STATE, KINDS, WIDE, ODD } Kind; /* the last are only something to try: convolutions of many channels; those in groups, of lines,
                                                 with windows of an odd kind */

enum { VALUES = 96, LAYERS = 4, STEPS = 4, LOSSES = 32 };

typedef struct {
    Kind kind;
    char name[32];
    Dims dims;
    bool u8;                   /* INPUT */
    bool inside;               /* made in the repeat */
    bool read;
    bool trained;              /* depends on a parameter */
    int state;                 /* this value is the update of that STATE; -1: of none */
    int in[4], in_count;
    int size[2], stride[2], axis, from, to, net;
    Window window;             /* CONV: of a kernel of `size` */
    bool bias, drop, pose;     /* bias: of a batch norm, that it has parameters; pose: a dense layer that makes a transform */
    bool openblas;             /* DENSE, GRU, STATE of a gru: with `gemm: openblas` */
    Curve curve;
    Edge edge;
    double rate;
    int ramp;
    bool channels;             /* DROPOUT: over channels */
    /* STATE */
    bool gru, bias_hh, start_trained;
    int start, update;         /* values, -1: zeros, none yet */
} Value;

typedef struct { int count; Value layers[LAYERS]; Dims from; } LayerList;
typedef struct { bool mse; int value, other, classes; double weight, epsilon; } Loss;     /* other: a value, or -1: a target */

typedef struct {
    uint64_t seed, random;
    int batch, steps, count, body, body_end, net_count, loss_count;    /* the repeat is values[body..body_end) */
    Value values[VALUES];
    LayerList nets[3];
    Loss losses[LOSSES];
} Model;

/* A model of the given seed around `focus`. */
void random_model(Model *m, Kind focus, uint64_t seed, int batch);
void model_openblas(Model *m);                               /* all of its dense layers and grus by OpenBLAS */
void model_yaml(const Model *m, FILE *out);

/* What the reference's run needs of the program under test. */
typedef struct Run Run;
struct Run {
    Tape tape;
    int node[VALUES][STEPS];   /* of each value at each step; outside of the repeat only [.][0] */
    int stacked[VALUES];       /* over the steps; -1 until an operator reads it */
    int loss;
    /* The node of the parameter `name`; the caller keeps them. */
    int (*parameter)(Run *r, const char *name, Dims dims);
    /* The node of a running statistic of the batch norm `prefix`, or -1: the batch is measured. */
    int (*running)(Run *r, const char *prefix, Dims dims, const char *what);
    /* The node of dropout's factors for value v at step t, or -1: x as it is. */
    int (*mask)(Run *r, int v, int t);
    const double *inputs[3];   /* [examples][...] */
    const void *targets[LOSSES];     /* doubles for mse, ints for labels; NULL where another value is */
    void *context;
};
void model_run(const Model *m, Run *r, int examples);
Dims stacked_dims(const Model *m, int v);                    /* with the steps in front */

double uniform(uint64_t *random);                            /* -1 to 1 */
int below(uint64_t *random, int n);

#endif
