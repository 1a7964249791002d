/* survey.h -- a net's results over a whole split: the labels of each example, the confusion of classes, the worst mistakes. */
#ifndef SPN_SURVEY_H
#define SPN_SURVEY_H

#include "report/shot.h"

/* Counts by slot (view_slot) and whole examples.  All owned. */
typedef struct {
    int64_t examples, labelled, all_right;     /* labelled: examples with a label that counts; all_right: of these, every such label */
    double loss;
    int slots;
    int64_t *wrong, *counted;                  /* [slots]: wrong labels; labels that count */
    int64_t **confusion;                       /* [target_count]: [classes labelled][classes read], or NULL */
    int32_t *read;                             /* [examples][slots]; -1: not a number */
    double *badness;                           /* [examples]: 0 if right, else -log of the probability of a wrong slot's label;
                                                * the mean squared error where the net draws its input */
} Survey;

/* `data` must have its targets. */
void survey_run(Survey *s, const View *v, Data *data);
void survey_free(Survey *s);
/* The `count` worst examples, worst first; returns how many have a badness above zero, at most `count`. */
int survey_worst(int64_t *worst, const Survey *s, int count);
/* Shots of examples[0..count) of `data`, by forward passes of their own. */
void survey_shots(Shot *shots, const View *v, Data *data, const int64_t *examples, int count);

#endif
