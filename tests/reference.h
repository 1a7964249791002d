/* reference.h -- the language's operators a second time: naive loops in double, gradients by a tape.
 *
 * A tape is a list of nodes, each a value of all examples ([examples][size]) or, if shared, one value for all of them (a
 * parameter).  Every function appends the node of its result and returns its number; tape_backward then fills the
 * gradients of all nodes, latest first.  Nothing here is shared with the compiler or the runtime.
 * Shapes are those of one example.  What does not fit is a mistake of the test and aborts. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <stdbool.h>

typedef struct { int rank, dim[6]; } Dims;                   /* of one example; rank 0 is one number */
typedef enum { LINEAR, RELU, TANH, SIGMOID } Curve;
typedef enum { ZERO, CLAMP, LEGACY } Edge;

typedef struct Node Node;
struct Node {
    Dims dims;
    int size;                  /* elements of one example */
    bool shared;
    double *v, *g;             /* [examples or 1][size] */
    int in[32], in_count;
    void (*back)(Node *nodes, const Node *y, int examples);
    int at[8];                 /* an operator's whole numbers */
    double factor;
    int *chosen;               /* maxpool: winners; losses: labels */
};
typedef struct { Node *nodes; int count, room, examples; } Tape;

Tape tape_new(int examples);
void tape_free(Tape *t);
void tape_backward(Tape *t, int loss);                       /* d loss / d every node; loss is one number, shared */

int tape_leaf(Tape *t, Dims dims, bool shared, const double *data);
/* A convolution's window, by rows and columns; of [C, T] only the columns count. */
typedef struct { int stride[2], dilation[2], before[2], after[2], groups; } Window;
int tape_conv(Tape *t, int x, int w, int bias, const Window *window);        /* bias -1: none */
int tape_maxpool(Tape *t, int x, const int size[2], const int stride[2]);
/* Over examples and positions; w, b -1: 1 and 0; mean, variance -1: those of the examples. */
int tape_batch_norm(Tape *t, int x, int w, int b, int mean, int variance, double epsilon);
int tape_dense(Tape *t, int x, int w, int bias);
int tape_curve(Tape *t, int x, Curve curve);
int tape_add(Tape *t, const int *in, int count);
int tape_multiply(Tape *t, const int *in, int count);
int tape_concat(Tape *t, const int *in, int count, int axis);
int tape_slice(Tape *t, int x, int axis, int from, int to, bool drop);    /* drop: the axis, of one position, disappears */
int tape_reshape(Tape *t, int x, Dims dims);
int tape_stack(Tape *t, const int *in, int count);           /* a new first axis */
int tape_gru(Tape *t, int x, int h, int weight_ih, int weight_hh, int bias_ih, int bias_hh);
int tape_spn(Tape *t, int image, int transform, int rows, int columns, Edge edge);
/* Means over examples and positions, times weight; one shared number. */
int tape_cross_entropy(Tape *t, int logits, const int *labels, double epsilon, double weight);   /* logits [..., classes] */
int tape_mse(Tape *t, int a, int b, double weight);
int tape_total(Tape *t, const int *losses, int count);       /* their sum */

int dims_size(Dims d);

#endif
