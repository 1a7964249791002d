/* guard.c -- handlers of a program built with --debug: an index outside of an array, an integer overflow.
 *
 * The compiler's checks (-fsanitize=bounds and of integers) call these functions; gcc and clang use the same names and arguments.  They
 * are defined here, not in a sanitizer's library, so a debug build needs nothing but the compiler.  Each prints the fault and its place and
 * aborts: in a debugger the frame above is the line at fault.  guard_check covers what these checks miss: the first index of an array
 * that is a function's argument. */
#include "guard.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { const char *file; uint32_t line, column; } Place;
typedef struct { uint16_t kind, info; char name[1]; } Type;          /* kind 0: an integer; info: bit 0 signed, the rest log2 of its bits */
typedef struct { Place at; const Type *array, *index; } OutOfBounds;
typedef struct { Place at; const Type *type; } Overflow;

/* A sanitizer's library, if it is linked too, defines these itself. */
#define HANDLER __attribute__((weak, noreturn)) void

static int64_t number(const Type *t, uintptr_t value)
{
    int bits = 1 << (t->info >> 1);
    if (bits > (int)(8 * sizeof value))
        return 0;
    int64_t v = (int64_t)((uint64_t)value << (64 - bits));
    return t->info & 1 ? v >> (64 - bits) : (int64_t)((uint64_t)v >> (64 - bits));
}

static const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

HANDLER __ubsan_handle_out_of_bounds_abort(OutOfBounds *what, uintptr_t index);
HANDLER __ubsan_handle_out_of_bounds_abort(OutOfBounds *what, uintptr_t index)
{
    fprintf(stderr, "%s:%" PRIu32 ": index %" PRId64 " is outside of an array of type %s\n", base(what->at.file), what->at.line,
            number(what->index, index), what->array->name);
    abort();
}

#define OVERFLOW(operation, sign) \
    HANDLER __ubsan_handle_##operation##_overflow_abort(Overflow *what, uintptr_t a, uintptr_t b); \
    HANDLER __ubsan_handle_##operation##_overflow_abort(Overflow *what, uintptr_t a, uintptr_t b) \
    { \
        fprintf(stderr, "%s:%" PRIu32 ": %" PRId64 " " sign " %" PRId64 " does not fit into %s\n", base(what->at.file), what->at.line, \
                number(what->type, a), number(what->type, b), what->type->name); \
        abort(); \
    }
OVERFLOW(add, "+")
OVERFLOW(sub, "-")
OVERFLOW(mul, "*")
OVERFLOW(divrem, "/")

HANDLER __ubsan_handle_negate_overflow_abort(Overflow *what, uintptr_t a);
HANDLER __ubsan_handle_negate_overflow_abort(Overflow *what, uintptr_t a)
{
    fprintf(stderr, "%s:%" PRIu32 ": -(%" PRId64 ") does not fit into %s\n", base(what->at.file), what->at.line, number(what->type, a), what->type->name);
    abort();
}

void guard_check(const real *tensor, ptrdiff_t size, const char *op, const char *name, int example, int step)
{
    for (int side = 0; side < 2; side++) {
        const unsigned char *guard = (const unsigned char *)(side ? tensor + size : tensor - GUARD);
        for (size_t i = 0; i < GUARD * sizeof(real); i++) {
            if (guard[i] == 0xff)
                continue;
            fprintf(stderr, "%s wrote outside of %s (example %d", op, name, example);
            if (step >= 0)
                fprintf(stderr, ", step %d", step);
            ptrdiff_t at = side ? (ptrdiff_t)(i / sizeof(real)) : (ptrdiff_t)(i / sizeof(real)) - GUARD;
            fprintf(stderr, "): element %td of %td\n", side ? size + at : at, size);
            abort();
        }
    }
}
