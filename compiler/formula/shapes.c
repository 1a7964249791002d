/* shapes.c -- the shape of a formula's result, by numpy's rule over the dimensions of one example; and how its operands are indexed.
 *
 * In: a Formula and the shapes of its operands.  Out: a shape, or the parts that do not fit, with their shapes one above the other. */
#include "formula/formula.h"

#include <string.h>

typedef struct {
    Arena *arena;
    Diag *diag;
    const Formula *formula;
    const FormulaShape *operands;
} Shaping;

static int64_t elements(const Shape *s)
{
    int64_t n = 1;
    for (int i = 0; i < s->rank; i++)
        n *= s->dim[i];
    return n;
}

/* "[4, 1]" */
static const char *text_of(Arena *a, const Shape *s)
{
    Text t = { .arena = a };
    for (int i = 0; i < s->rank; i++)
        text_printf(&t, "%s%lld", i ? ", " : "", (long long)s->dim[i]);
    return arena_printf(a, "[%s]", t.text ? t.text : "");
}

/* Dimension i of a shape that is aligned at the right with one of `rank` dimensions. */
static int64_t aligned(const Shape *s, int rank, int i) { return i < rank - s->rank ? 1 : s->dim[i - (rank - s->rank)]; }

static bool broadcast(const Shape *a, const Shape *b, Shape *out, int64_t pair[2])
{
    Shape s = { .rank = a->rank > b->rank ? a->rank : b->rank };
    for (int i = 0; i < s.rank; i++) {
        pair[0] = aligned(a, s.rank, i);
        pair[1] = aligned(b, s.rank, i);
        if (pair[0] != pair[1] && pair[0] != 1 && pair[1] != 1)
            return false;
        s.dim[i] = pair[0] == 1 ? pair[1] : pair[0];
    }
    *out = s;
    return true;
}

/* ---- the message ---- */

/* "[20,  9, 9]" where shapes of `rank` dimensions stand in columns of these widths. */
static const char *column_text(Arena *a, const Shape *s, int rank, const int *width)
{
    Text t = { .arena = a };
    for (int i = 0; i < rank; i++) {
        int at = i - (rank - s->rank);
        if (at < 0)
            text_printf(&t, "%*s", width[i] + 2, "");
        else
            text_printf(&t, "%s%*lld", at == 0 ? " [" : ", ", width[i], (long long)s->dim[at]);
    }
    return arena_printf(a, "%s%s", t.text ? t.text : "", s->rank ? "]" : " []");
}

static const char *part_text(Arena *a, const Syntax *n)
{
    const char *text = syntax_text(a, n);
    return strlen(text) <= 40 ? text : arena_printf(a, "%.*s...", 37, text);
}

static bool refuse(const Shaping *s, const Syntax *x, const Shape *a, const Syntax *y, const Shape *b, const int64_t pair[2])
{
    Arena *arena = s->arena;
    const char *left = part_text(arena, x), *right = part_text(arena, y);
    int rank = a->rank > b->rank ? a->rank : b->rank, width[RANK_MAX] = { 0 },
        name = (int)(strlen(left) > strlen(right) ? strlen(left) : strlen(right));
    for (int i = 0; i < rank; i++)
        for (int k = 0; k < 2; k++) {
            int digits = (int)strlen(arena_printf(arena, "%lld", (long long)aligned(k ? b : a, rank, i)));
            width[i] = digits > width[i] ? digits : width[i];
        }
    Loc at = syntax_whole(x), end = syntax_whole(y);
    if (end.line == at.line && end.column > at.column)
        at.length = end.column + end.length - at.column;
    diag_error(s->diag, at, "the shapes of '%s' and '%s' do not fit: %lld meets %lld, and neither is 1", left, right, (long long)pair[0],
               (long long)pair[1]);
    diag_note(s->diag, (Loc){ 0 }, "%-*s %s", name, left, column_text(arena, a, rank, width));
    diag_note(s->diag, (Loc){ 0 }, "%-*s %s", name, right, column_text(arena, b, rank, width));
    return false;
}

/* ---- shapes of parts ---- */

/* The operand that a name or slice of the text is. */
static const FormulaShape *operand_of(const Shaping *s, const Syntax *n)
{
    const List *reads = &s->formula->reads;
    for (int i = 0; i < reads->count; i++) {
        const FormulaRead *r = reads->items[i];
        if (r->at == n)
            return &s->operands[r->operand];
    }
    unreachable("a name that is no operand");
}

static bool part(const Shaping *s, const Syntax *n, Shape *out)
{
    int64_t pair[2];
    *out = (Shape){ 0 };
    if (n->kind == SYNTAX_WORD || n->kind == SYNTAX_SLICE) {
        *out = operand_of(s, n)->shape;
        return true;
    }
    for (int i = 0; i < n->count; i++) {
        Shape other;
        if (!part(s, n->items[i], &other))
            return false;
        if (!broadcast(out, &other, out, pair)) {
            int k = 0; /* the part before, whose shape stands in the way */
            Shape before;
            while (part(s, n->items[k], &before) && broadcast(&before, &other, &before, pair))
                k++;
            return refuse(s, n->items[k], &before, n->items[i], &other, pair);
        }
    }
    return true;
}

/* ---- warnings ---- */

static const char *name_of(const Shaping *s, int i) { return s->operands[i].name ? s->operands[i].name : s->formula->operands[i].name; }

static void warn_larger(const Shaping *s, const Shape *result, Loc at)
{
    const Formula *f = s->formula;
    Text t = { .arena = s->arena };
    bool meant = false;
    for (int i = 0; i < f->operand_count; i++) {
        const Shape *x = &s->operands[i].shape;
        if (elements(x) >= elements(result))
            return;
        for (int k = 0; k < x->rank; k++)
            meant |= s->operands[i].ones_meant && x->dim[k] == 1;
        if (x->rank > 0)
            text_printf(&t, "%s%s %s", t.text ? ", " : "", name_of(s, i), text_of(s->arena, x));
    }
    if (!meant && t.text)
        diag_warning(s->diag, at, "the result, %s, is larger than each operand (%s): is that meant? A reshape says so",
                     text_of(s->arena, result), t.text);
}

/* at: where the formula stands, if its operands have no places. */
static void warn_stacked(const Shaping *s, Loc at)
{
    const Formula *f = s->formula;
    for (int i = 0; i < f->operand_count; i++)
        for (int k = 0; s->operands[i].stacked && k < f->operand_count; k++) {
            const Shape *steps = &s->operands[i].shape, *other = &s->operands[k].shape;
            if (steps->rank == 1 && other->rank > 1 && other->dim[other->rank - 1] == steps->dim[0])
                diag_warning(s->diag, f->operands[i].at.line ? f->operands[i].at : at,
                             "'%s' has a number for each of %lld steps, and they meet the last axis of '%s', %s, not its steps",
                             name_of(s, i), (long long)steps->dim[0], name_of(s, k), text_of(s->arena, other));
        }
}

bool formula_shape(const Formula *f, Arena *a, Diag *d, Loc at, const FormulaShape *operands, Shape *result)
{
    Shaping s = { a, d, f, operands };
    if (f->syntax) {
        if (!part(&s, f->syntax, result))
            return false;
        warn_larger(&s, result, syntax_at(f->syntax));
        warn_stacked(&s, at);
        return true;
    }
    int64_t pair[2];
    *result = (Shape){ 0 };
    for (int i = 0; i < f->operand_count; i++)
        if (!broadcast(result, &operands[i].shape, result, pair)) {
            diag_error(d, f->operands[i].at.line ? f->operands[i].at : at, "the shapes %s and %s do not fit: %lld meets %lld, and neither is 1", text_of(a, result),
                       text_of(a, &operands[i].shape), (long long)pair[0], (long long)pair[1]);
            return false;
        }
    if (f->operand_count > 1) {
        warn_larger(&s, result, at);
        warn_stacked(&s, at);
    }
    return true;
}

/* ---- indices ---- */

FormulaAccess formula_access(const Shape *operand, const Shape *result, int64_t stride[RANK_MAX])
{
    int64_t step = 1;
    bool channel = operand->rank == result->rank && result->rank > 1 && operand->dim[0] == result->dim[0];
    for (int i = result->rank - 1; i >= 0; i--) {
        int64_t n = aligned(operand, result->rank, i);
        stride[i] = n == 1 ? 0 : step;
        step *= n;
        channel &= i == 0 || n == 1;
    }
    if (elements(operand) == elements(result))
        return ACCESS_SAME;
    return elements(operand) == 1 ? ACCESS_ONE : channel ? ACCESS_CHANNEL : ACCESS_BROADCAST;
}
