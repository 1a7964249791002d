/* nest.h -- steps of repeats in each other: how they are counted, and where they lie in memory.
 *
 * Steps are counted as they count, the innermost first: step t2 of the inner and t of the outer repeat is t * T2 + t2.  In memory those of the innermost lie furthest apart:
 * place t2 * T + t. */
#ifndef SPN_NEST_H
#define SPN_NEST_H

#include "net.h"
#include <string.h>

/* That of a value of the flow, or of a tensor by its name in the C; NULL: it is of one repeat, or of none. */
static inline const NetNest *nest_of_value(const NetValue *v)
{
    for (int i = 0; i < net.nest_count; i++)
        if (net.nests[i].value >= 0 && &net.values[net.nests[i].value] == v)
            return &net.nests[i];
    return NULL;
}
static inline const NetNest *nest_of_tensor(const char *name)
{
    for (int i = 0; i < net.nest_count; i++)
        if (!strcmp(net.nests[i].tensor, name))
            return &net.nests[i];
    return NULL;
}

/* The place of a step in memory. */
static inline size_t nest_place(const NetNest *n, int step)
{
    size_t at = 0;
    for (int k = n->repeats - 1; k >= 0; k--) {
        if (k < n->kept)
            at = at * (size_t)n->repeat[k] + (size_t)(step % n->repeat[k]);
        step /= n->repeat[k];
    }
    return at;
}

/* The step that lies at a place, counted over the repeats that have steps there. */
static inline size_t nest_step(const NetNest *n, size_t place)
{
    size_t step = 0;
    for (int k = 0; k < n->kept; k++) {
        step = step * (size_t)n->repeat[k] + place % (size_t)n->repeat[k];
        place /= (size_t)n->repeat[k];
    }
    return step;
}

/* Steps that it has in memory. */
static inline int nest_steps(const NetNest *n)
{
    int steps = 1;
    for (int k = 0; k < n->kept; k++)
        steps *= n->repeat[k];
    return steps;
}

/* The axes of the steps of a value, for its array: appends their sizes to shape[rank..]; returns the rank with them. */
static inline int nest_axes(const NetValue *v, int *shape, int rank)
{
    const NetNest *n = nest_of_value(v);
    if (!n && v->steps)
        shape[rank++] = v->steps;
    for (int k = 0; n && k < n->repeats; k++)
        shape[rank++] = n->repeat[k];
    return rank;
}

#endif
