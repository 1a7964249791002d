/* place.h -- tensors in the emitted C: how a call names one, and where it lies. */
#ifndef SPNC_PLACE_H
#define SPNC_PLACE_H

#include "spnc.h"

/* The name of a type by its shape alone, for functions of several operators: "real_16x32x32"; rank 1 to RANK_MAX, a single number "real_scalar". */
const char *place_shape_type(const Model *m, const Tensor *t);
/* Appends that type to the facts `list`, unless it is there. */
void place_shape_fact(Model *m, Fact *list, const Tensor *t);
/* Its element: "real", "uint16_t", ... */
const char *place_element(const Tensor *t);
/* Slice `at`, as C that decays to a pointer to its elements: "v.state[s - G]", "v.digits[g].of", "*scratch->image", "scratch->work". */
const char *place_slice(const Model *m, const Tensor *t, const char *at);
/* The slices from `at` on, a pointer to their type: "v.state - G"; at "0": "v.state".  Not for a tensor whose slots have padding. */
const char *place_slices(const Model *m, const Tensor *t, const char *at);
/* C of the slices of all groups at so many steps: "G", "3 * G". */
const char *place_count(Model *m, int steps);
/* Slice `at` as a flat `real *`, with a cast where its type has more than one axis. */
const char *place_flat(const Model *m, const Tensor *t, const char *at);
/* Its pointer: "v.state"; and the declaration of that, which no other line of the C has: "state_t *state", "digits_slot *digits", "real (*u)[768]". */
const char *place_name(const Model *m, const Tensor *t);
const char *place_declaration(const Model *m, const Tensor *t);

/* True if a slice of some tensor is longer than the tensor. */
bool place_pads(const Model *m);
/* Facts for net.c.in: the types; into f, as `places`, the members of v, or with `local`, as `own_places`, those of a thread's scratch; in the order of
 * their first use. */
Fact *place_types(Model *m);
void place_members(Model *m, Fact *f, bool local);
/* "812 bytes", "7 KiB", "1.2 MiB". */
const char *place_size(const Model *m, int64_t bytes);

/* True if a slot of t is longer than t: its type is a struct. */
bool place_padded(const Model *m, const Tensor *t);

#endif
