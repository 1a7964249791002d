/* declared.h -- what names in C stand for, by their declarations; see declared.c. */
#ifndef SPNC_DECLARED_H
#define SPNC_DECLARED_H

#include "emit/code.h"

/* A name: where its declaration begins, and the name in it.  rank: how often it can be followed to reach its numbers, 2 for `real x[3][4]` and
 * `real (*x)[4]`; whole: these are whole numbers, by their type's name. */
typedef struct {
    Token *first, *name;
    int rank;
    bool whole;
} Declaration;

/* The names of a function, or of a file. */
typedef struct Declared Declared;
struct Declared {
    Arena *arena;
    Token *end;           /* the bracket that ends the function */
    List list;            /* of Declaration */
    List macros;          /* lines of the file that begin with #define */
    const Declared *file; /* of a function; else NULL */
};

/* What is declared outside of all functions; in the code's arena. */
const Declared *declared_in_file(Code *c);
/* What the function declares whose body ends at `to`, its parameters with it. */
const Declared *declared_in_function(const Declared *file, Token *to);
/* True if no real number can be in what the tokens from `from` to `to` compute: a whole number, a pointer, an array. */
bool declared_whole(const Declared *d, const Token *from, const Token *to);
/* True if a token from `from` to `to` changes the variable or takes its address, or if the name is more than a variable there. */
bool declared_changes(const Declared *d, const Token *from, const Token *to, const char *variable);
/* The declaration of `name` in the function, `int NAME = ...`, if it is the only one and nothing changes what it is given there; or NULL. */
const Declaration *declared_constant(const Declared *d, const Token *name);
/* True if a macro of the file has the word in it. */
bool declared_in_macro(const Declared *d, const char *word);

#endif
