/* eval.h -- loss and errors over a split, and how to read a net's activations. */
#ifndef SPN_EVAL_H
#define SPN_EVAL_H

#include "run/data.h"
#include "run/nest.h"
#include "run/options.h"

#include <signal.h>

/* A split's mean loss and shares of wrong labels, each example counted once. */
typedef struct {
    int64_t examples;
    double loss;
    double error;                              /* mean over the targets with labels that count; NaN if there are none */
    double *target;                            /* [target_count]: mean over the labels that count; NaN if there are none, or for real targets */
    double *position;                          /* [target_count][positions]: eval_positions(k) of them are used; NaN where none counts */
    int64_t *counted;                          /* likewise: labels that count */
    double *top_5;                             /* [target_count]: share of labels not among the five largest logits; NaN: ten classes or fewer */
    double *beside;                            /* [target_count]: of real targets the share of wrong bits, or the root mean square of the difference; else NaN */
    double *sums;                              /* [loss_count][2]: of losses that are divided by what counts: that times the loss, and that */
    int positions;                             /* the most that any target has */
    int64_t bad;                               /* the first example of a batch that holds NaN or infinite numbers, or has such a loss; -1: none */
} Score;

void score_open(Score *s);
void score_close(Score *s);
/* Runs the net over all of `data` without dropout; false if *stop (may be NULL) became nonzero on the way, or a file of it was cut short.
 * Ends at a batch that gives no number: s->bad is then its first example.  `data` must have its targets. */
bool score_data(Score *s, Data *data, const volatile sig_atomic_t *stop);
/* What there is to say of such a batch: file, example and element, or operator and line of the model; for free().  Of several ranks all call it
 * together; it returns in the first alone (ranks_last). */
char *score_trouble(const Score *s, Data *data);

/* Labels per example of target k; 0 if no loss compares labels of it with logits that are a value of the flow. */
int eval_positions(int k);
/* The value (an index) that these logits are; -1 where eval_positions is 0. */
int eval_value(int k);
/* What the net of the last forward pass reads at `position` of example n of the batch for target k: the class with the
 * largest logit (the first of equals; -1 if one is NaN), by the first such loss that names the target.
 * probability (may be NULL): softmax at that class. */
int eval_label(double *probability, int k, int n, int position);

/* The softmax of all classes at `position`, in probabilities[classes of target k]; NaN where logits are. */
void eval_probabilities(double *probabilities, int k, int n, int position);

/* Element e of a value at `step` of example n, after forward; the layout is net.h's. */
static inline size_t value_index(const NetValue *v, int n, int step, size_t e)
{
    const NetNest *nest = nest_of_value(v);
    size_t place = nest ? nest_place(nest, step) : (size_t)(v->once ? 0 : step);
    size_t group = place * (size_t)net.groups + (size_t)(n / net.lanes);
    return v->offset + group * v->slot + e * (size_t)net.lanes + (size_t)(n % net.lanes);
}

int command_eval(const Options *o);

#endif
