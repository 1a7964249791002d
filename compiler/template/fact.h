/* fact.h -- the inside of a Fact, shared by fact.c (which fills it) and sandbox.c (which shows it to Lua). */
#ifndef FACT_H
#define FACT_H

#include "spnc.h"

typedef enum { FACT_INT, FACT_REAL, FACT_BOOL, FACT_TEXT, FACT_TABLE } FactKind;

struct Fact {
    FactKind kind;
    Arena *arena;
    int64_t i;            /* FACT_INT, FACT_BOOL */
    double r;             /* FACT_REAL */
    const char *text;     /* FACT_TEXT */
    List keys, values;    /* FACT_TABLE: fields in the order they were set */
    List items;           /* FACT_TABLE: its list part, 1, 2, ... in Lua */
    Loc place;            /* FACT_TABLE: what fact_place set */
};

/* The field `key` of a table, or NULL when it is not set. */
const Fact *fact_get(const Fact *table, const char *key);

/* True if both have the same fields and items with the same values, in the same order; places (fact_place) are not compared. */
bool fact_equal(const Fact *a, const Fact *b);

#endif
