/* card.h -- a card for each operator: its phases, costs, kept memory, and its lines of YAML and C. */
#ifndef CARD_H
#define CARD_H

#include "spnc.h"

/* A function of the emitted file: lines from 1, both included. */
typedef struct { const char *symbol; int from, to; } CardFunction;

/* One forward operator with its gradient; or, op->pass FORWARD but not in the forward phases, one that only the gradient needs. */
typedef struct {
    Op *op, *backward, *weights;     /* backward, weights: NULL if that gradient is not computed */
    bool forward;                    /* computed in the forward pass */
    SectionKind kind;                /* where: once, in a loop, for all steps at once */
    Repeat *repeat;
    int steps;
    double macs, gradient_macs;      /* of one example, all steps */
    int64_t parameters;              /* of weights it uses first; a shared weight counts once */
    int64_t bytes, kept;             /* bytes of forward's results, for the batch; the part of them that backward reads again */
    List phases;                     /* text: "forward 2, in the loop" */
    List sharers;                    /* Card: other operators that share a weight with it */
    int yaml_from, yaml_to;
    int c_from, c_to;                /* its section; 0: not found (a template of the user's) */
    List functions;                  /* CardFunction; equal operators have the same ones, and those of gradients may lie in another section */
    List calls;                      /* int64_t: lines of the passes that call them */
} Card;

/* A file of the model's YAML: line[k] is where its line k begins, k from 1; line[count + 1] its end. */
typedef struct { const Source *file; const char **line; int count; } YamlLines;

typedef struct {
    Model *m;
    Card *cards;                     /* forward ones in the order in which they run, then those of the gradient alone */
    int count;
    const char **c_lines;            /* c_lines[k] is where line k of the C begins, k from 1; c_lines[c_count + 1] its end */
    int c_count;
    List yaml;                       /* YamlLines: of the model's file first, then of others that operators come from */
    int64_t parameters;
    int64_t apart;                   /* bytes of all values and gradients if nothing shared its place */
} Deck;

/* The cards of a planned model; `c` is the emitted C. */
Deck *deck_new(Model *m, const Text *c);
Card *deck_card(const Deck *d, const Op *op);            /* NULL: fused or removed */
/* The lines of the file that `at` is in: of an operator of the model, or of the model's file. */
const YamlLines *deck_yaml(const Deck *d, Loc at);
/* "17"; in another file than the model's "nets.yaml:17", the path as it is. */
const char *card_line(const Model *m, Loc at);
/* "20x24x24", or "3 x 32x15x15" for a stack of steps. */
const char *card_shape(const Model *m, const Tensor *t);
/* The steps of r and the repeats around it, without `outside` and those around that: "4", or "3 x 4", the outermost first. */
const char *card_steps(const Model *m, const Repeat *r, const Repeat *outside);
/* Bytes that a tensor takes for the whole batch; scratch: for one thread. */
int64_t tensor_bytes(const Model *m, const Tensor *t);
/* "conv", "spn", ...: the word of the model; fused activations are in kernel_name. */
const char *card_operator(const Card *c);

/* reason.c: the algorithm of a forward operator in a few words, and the rule that chose it in a sentence. */
const char *kernel_name(const Model *m, const Op *op);
const char *kernel_reason(const Model *m, const Op *op);

/* formulas.c: lines of text, of an operator that works element by element: what it computes, "y = a * b", of a joined one each formula; and its gradients. */
List card_formula(Model *m, const Op *op);
List card_derivatives(Model *m, const Op *op);

/* map.c: NAME.map.json, from lines of the YAML to lines and symbols of the C and back. */
void map_write(Text *out, const Deck *d);

/* tiling.c: appends a line of `spnc explain` for each register tile and cache block of a forward operator, with the reason. */
void tiling_put(Text *out, const Model *m, const Op *op);

#endif
