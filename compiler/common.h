/* common.h -- what every part of the compiler is written with: memory, messages, the tree of a file, parameters, facts. */
#ifndef SPNC_COMMON_H
#define SPNC_COMMON_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- arena.c: memory that ends with the compilation ------------------------------------------ */

typedef struct Arena Arena;
Arena *arena_new(void);
void arena_free(Arena *a);
void *arena_alloc(Arena *a, size_t size);                 /* zeroed, 16-byte aligned; exits 74 when memory is out */
char *arena_copy(Arena *a, const char *text, size_t n);   /* n bytes and a NUL */
char *arena_printf(Arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define NEW_ARRAY(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))

/* A growing list of pointers: items[0..count). */
typedef struct { void **items; int count, room; } List;
void list_push(Arena *a, List *l, void *item);
void list_insert(Arena *a, List *l, int at, void *item);  /* before items[at]; at count: behind all */
void list_remove(List *l, int at);                        /* items[at]; those behind it move up */
int list_index(const List *l, const void *item);          /* index of the first such item, or -1 */

/* A growing text; text is always NUL-terminated (NULL while empty). */
typedef struct { Arena *arena; char *text; size_t length, room; } Text;
void text_add(Text *t, const char *bytes, size_t n);
void text_printf(Text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A bug of ours: prints file:line, exits 70.  Never the user's fault. */
_Noreturn void unreachable_at(const char *file, int line, const char *what);
#define unreachable(what) unreachable_at(__FILE__, __LINE__, (what))

/* ---- diag.c: errors, warnings and notes, each with its place ---------------------------------- */

/* A source file: its path as messages show it, and its text without a byte order mark (NULL: no line of it is quoted).
 * Each Loc points to its Source, so a Source lives as long as the arena. */
typedef struct { const char *path, *text; size_t length; } Source;
const Source *source_new(Arena *a, const char *path, const char *text, size_t length);

/* A span of a file; line and column count from 1 (column in characters).  line 0: no place in it; column 0: the whole line; file NULL: no file. */
typedef struct { int line, column, length; const Source *file; } Loc;

typedef struct Diag Diag;
Diag *diag_new(Arena *a, FILE *out, bool json, bool colour);
/* Sets the file of messages that have none (the model's): JSON gives its path. */
void diag_source(Diag *d, const Source *file);
void diag_error(Diag *d, Loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_warning(Diag *d, Loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A note belongs to the error or warning before it.  at.line 0 prints "note: text" without a place; a place is printed with its file's path and line. */
void diag_note(Diag *d, Loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));
int diag_errors(const Diag *d);
/* Returns the end of a message about `word`: "; did you mean 'conv'?" with the word of words[0..count) nearest by edit distance, or "" if
 * none is near. */
const char *diag_suggestion(Arena *a, const char *word, const char *const *words, int count);
/* A word that other libraries have, in any case, and what the same thing is called here. */
typedef struct { const char *theirs, *ours; } Synonym;
/* Likewise "; here it is 'act'": of the first row for `word` whose other word is among words[0..count); NULL: there is none. */
const char *diag_called_here(Arena *a, const char *word, const Synonym *brought, size_t rows, const char *const *words, int count);

/* ---- read.c: libyaml events -> a tree with the place of each node --------------------------------- */

typedef enum { YAML_SCALAR, YAML_LIST, YAML_MAP } YamlKind;
typedef struct Yaml Yaml;
struct Yaml {
    YamlKind kind;
    Loc loc;             /* scalars: their whole span; lists and maps: their first character */
    const char *text;    /* scalar: NUL-terminated UTF-8 without NUL or control characters inside */
    bool quoted;         /* scalar written in quotes: always a string */
    bool folded;         /* scalar on several lines of the file */
    int count;           /* list: items; map: pairs */
    Yaml **keys;         /* map: scalar keys, unique */
    Yaml **items;        /* list items, map values */
};
/* The tree of the document in the file's text; each Loc points to `file`.  NULL after reporting errors: syntax, duplicate keys, aliases and
 * anchors (refused), tags (refused), nesting deeper than 64, several documents, an empty one, text over 1 MiB, wrong UTF-8. */
Yaml *read_yaml(Arena *a, Diag *d, const Source *file);
/* Reads the file at `path` ("-" is not special) and calls read_yaml; a file that cannot be read is an error. */
Yaml *read_file(Arena *a, Diag *d, const char *path);
Yaml *yaml_get(const Yaml *map, const char *key);         /* NULL when absent or not a map */

/* ---- expr.c: parameters and arithmetic ------------------------------------------------------------ */

typedef enum { VALUE_INT, VALUE_REAL, VALUE_TEXT } ValueKind;
typedef struct {
    ValueKind kind;
    int64_t i;           /* VALUE_INT */
    double r;            /* VALUE_INT and VALUE_REAL */
    const char *text;    /* the text as written */
} Value;
typedef struct {
    const char *name;
    Value value;
    Loc loc;             /* its place in the file */
    bool set;            /* overridden on the command line, or, of a net's parameter, where the net is used; set_text is "d=8" */
    const char *set_text;
    Loc given;           /* of a net's parameter: the value there */
    int reads;           /* how many expressions have read it, */
    int net_reads;       /* and how many of them before `train:`, which is read last */
    bool refused;        /* its value is wrong and reported: an expression that reads it fails without a message */
} Param;
/* A net's parameters stand before the model's: outer. */
typedef struct Scope Scope;
struct Scope { Param *params; int count; const Scope *outer; };
/* scope.c: the parameter of that name, the second of name[0..n), whose reads the caller counts; NULL: there is none. */
const Param *scope_param(const Scope *scope, const char *name);
Param *scope_find(const Scope *scope, const char *name, size_t n);

/* A scalar without $ that is a number (3, -2, 5e-4, .5) is that number; `$name` is the parameter; anything with $ or an operator
 * (+ - * / // % ** ( ), floor(x), ceil(x), min(x,y), max(x,y)) is arithmetic.  Quoted text without $ and every other plain word is
 * VALUE_TEXT.  int op int stays int when the result is whole (100 / 4 is 25, 100 / 3 is 33.33...); // rounds down.
 * Reports division by zero, overflow beyond 2^53, unknown parameters (nearest name) and syntax with the exact column. */
bool expr_value(Arena *a, Diag *d, Scope *scope, const Yaml *scalar, Value *out);
/* params: { name: value, ... } of the model, in order (later ones may use earlier ones), then `--set key=value` texts.
 * A --set of an unknown name, or one that does not fit the kind (number for number, text for text), is an error. */
bool expr_params(Arena *a, Diag *d, const Yaml *params, const char *const *sets, int set_count, Scope *out);
/* Likewise parameters of a net, which stand before those of `outer`; sets: the values given where it is used, each `at` its place. */
bool expr_params_within(Arena *a, Diag *d, const Yaml *params, const char *const *sets, int set_count, const Loc *at, const Scope *outer, Scope *out);

/* ---- fact.c: facts, the input of templates --------------------------------------------------------- */

/* A tree of plain facts that sandbox.c turns into read-only Lua tables. */
typedef struct Fact Fact;
Fact *fact_table(Arena *a);
void fact_int(Fact *t, const char *key, int64_t v);
/* Sizes that the loops of a function go to, by their names: `sizes` is the list for its enum, "M = 20, KH = 3" ("": all are 1), bound.M is "M"; a size of 1 has no
 * name, and bound.C is "1", so that tidy.c sees the loop of one turn. */
void fact_sizes(Fact *f, const char *const *names, const int64_t *sizes, int count);
void fact_real(Fact *t, const char *key, double v);
void fact_bool(Fact *t, const char *key, bool v);
void fact_text(Fact *t, const char *key, const char *v);
void fact_set(Fact *t, const char *key, Fact *sub);
void fact_place(Fact *t, Loc at);                         /* sets line, column, span, and the place of messages about the table */
void fact_push(Fact *list, Fact *item);                   /* list items are 1, 2, ... in Lua */
void fact_push_text(Fact *list, const char *v);
void fact_push_int(Fact *list, int64_t v);

#endif
