/* units.h -- which functions the emitted C has; see units.c.  Facts lie in the model's arena. */
#ifndef SPNC_UNITS_H
#define SPNC_UNITS_H

#include "spnc.h"
#include "template/fact.h"

typedef struct {
    Op *op;                          /* the forward operator, or one that grad.c added */
    Op *backward, *weights;          /* its backward operators; NULL: that gradient is not computed */
    Op *rows;                        /* of a dense layer: makes the rows that `weights`, then its PRODUCTS, reads; NULL: they are another layer's */
    bool forward, decisions;
    int sharers;                     /* operators that its functions serve: more than one, if they are shared; 0: another unit has them */
    bool lent;                       /* it has a forward function alone: its gradients' functions are another unit's */
} Unit;

typedef struct {
    Model *m;
    Unit *list;                      /* in the order of the forward pass; those that backward alone has, behind their layer or at the end */
    int count;
} Units;

/* The functions that the passes call, and which operators share them: sets op->function and op->gradients.  Appends the C types of shared ones
 * to `types`. */
Units units_collect(Model *m, Fact *types);
/* The facts of a unit for its template; if it shares its functions, all tensors have types by their shapes. */
Fact *units_fact(const Units *e, const Unit *u);

#endif
