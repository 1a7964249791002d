/* turns.c -- leaves out loops of one turn, so that templates need not ask whether a size or a tile makes one.
 *
 * In: C as the templates laid it out.  Out: the same C, in which `for (int c = 0; c < 1; c++)` is its body with 0 for c.  Next: ones.c.  Used by tidy.c.
 * The one convention: it works on tokens and statements (code.c), not on lines, and a loop stays where these do not show that its variable has one
 * value, or where a line of the preprocessor stands in it; a block stays where its names could meet others.  What OpenMP would deal out to one
 * thread, one thread does. */
#include "emit/turns.h"
#include "emit/index.h"
#include <string.h>

/* A function: the names that it declares, its first token, and its body's bracket. */
typedef struct {
    Code *code;
    const Declared *here;
    Token *from, *open;
} Turns;

/* A loop of one turn: for (int VARIABLE = ...; ...; ..., MORE) BODY */
typedef struct {
    Token *head, *close;  /* `for`, and the `)` of its head */
    Token *more;          /* the comma before what its step does beside; NULL: nothing */
    Token *first, *last;  /* of its body, which is a block if its first token is { */
    const char *variable;
    const char *name;     /* its one value: that of another variable, or, if NULL, `value` */
    int value;
    bool block;
} Turn;

/* ---- which loops have one turn ---------------------------------------------------------------------------- */

/* Moves *t behind a product of numbers and L, which is LANES in all forms of the emitted C; -1: something else. */
static int constant(Token **t)
{
    for (int64_t value = 1;; *t = (*t)->next) {
        if (!(*t)->number && !code_is(*t, "L"))
            return -1;
        value *= (*t)->number ? (*t)->value : LANES;
        *t = (*t)->next;
        if (value > INT32_MAX)
            return -1;
        if (!code_is(*t, "*"))
            return (int)value;
    }
}

/* Moves *t behind the token `text`, if that stands there. */
static bool take(Token **t, const char *text)
{
    const bool there = code_is(*t, text);
    *t = there ? (*t)->next : *t;
    return there;
}

/* Moves *t behind an end that is `name` plus a number, or a variable that is this and does not change; returns the number, -1: something else. */
static int distance(const Declared *d, Token **t, const char *name)
{
    Token *at = *t;
    const Declaration *end = NULL;
    if (at->kind == CODE_NAME && !code_is(at, name)) {
        end = declared_constant(d, at);
        at = end ? end->name->next->next : at;
    }
    if (!take(&at, name) || !take(&at, "+") || !at->number || !code_is_any(at->next, ", ;"))
        return -1;
    *t = end ? (*t)->next : at->next;
    return at->value;
}

/* The head of a loop of one turn: for (int NAME = A; NAME < B; NAME += C, MORE), NAME++ for NAME += 1. */
static bool head_of(const Declared *d, Token *head, Turn *t)
{
    Token *at = head->next;
    if (!code_is(head, "for") || !take(&at, "(") || !take(&at, "int") || at->kind != CODE_NAME)
        return false;
    *t = (Turn){ .head = head, .close = head->next->partner, .variable = at->text };
    at = at->next;
    if (!take(&at, "="))
        return false;
    if (at->kind == CODE_NAME && !code_is(at, "L") && declared_constant(d, at)) {
        t->name = at->text;
        at = at->next;
    } else
        t->value = constant(&at);
    if (t->value < 0 || !take(&at, ";") || !take(&at, t->variable) || !take(&at, "<"))
        return false;
    const int end = t->name ? distance(d, &at, t->name) : constant(&at);
    if (end < 0 || !take(&at, ";") || !take(&at, t->variable))
        return false;
    const int step = take(&at, "++") ? 1 : take(&at, "+=") ? constant(&at) : -1;
    if (step < 1 || t->value >= end || (int64_t)t->value + step < end)
        return false;
    t->more = at == t->close ? NULL : at;
    t->first = t->close->next;
    t->last = code_statement(t->first);
    t->block = code_is(t->first, "{");
    return t->last && (!t->more || (code_is(t->more, ",") && !code_names_within(t->more, t->close, t->variable)));
}

/* A statement that `how`, break or continue, may belong to begins with t. */
static bool begins_loop(const Token *t, const char *how) { return code_is_any(t, "for while do") || (*how == 'b' && code_is(t, "switch")); }

/* Does the body leave its loop, or go on to its next turn, by a statement that belongs to no loop within it? */
static bool leaves(Token *from, Token *to, const char *how)
{
    for (Token *t = from;; t = t->next) {
        if (code_is(t, how))
            return true;
        Token *end = begins_loop(t, how) ? code_statement(t) : t;
        if (!end) /* it cannot be told to whom */
            return true;
        t = end;
        if (t == to)
            return false;
    }
}

/* Has the loop's head comments within it, or on its line before or behind it? */
static bool is_remarked(const Turn *t)
{
    const char *const line = strrchr(t->head->gap, '\n'), *const behind = t->block ? t->first->next->gap : t->first->gap;
    for (const Token *k = t->head->next; k != t->first; k = k->next)
        if (code_has_comment(k))
            return true;
    return strchr(line ? line : t->head->gap, '/') || memchr(behind, '/', strcspn(behind, "\n")) || (t->block && code_has_comment(t->first));
}

/* Can all that the loop does be told from its tokens, and is it not left in the midst? */
static bool is_plain(const Turns *c, const Turn *t)
{
    if ((t->block && t->first->next == t->last) || is_remarked(t))
        return false;
    for (const Token *k = t->head; k != t->last; k = k->next)
        if (k->kind == CODE_LINE)
            return false;
    return !declared_changes(c->here, t->first, t->last, t->variable) && !leaves(t->first, t->last, "break") && !declared_in_macro(c->here, t->variable);
}

/* ---- what stands around them ------------------------------------------------------------------------------ */

/* The first token of the statement whose only one t begins, `for`, `if` or `else`, say; NULL: t stands in a block or a function. */
static Token *statement_around(Token *t)
{
    Token *before = t->prev;
    if (code_is_any(before, "else do"))
        return before;
    return code_is(before, ")") && code_is_any(before->partner->prev, "for while if switch") ? before->partner->prev : NULL;
}

/* Is the loop all that the body of the loop around it does? */
static bool is_alone(const Turn *t)
{
    Token *const around = statement_around(t->head), *const open = t->head->prev;
    if (around)
        return code_is_any(around, "for while");
    Token *const outer = code_is(open, "{") ? statement_around(open) : NULL;
    return outer && code_is_any(outer, "for while") && code_is(t->last->next, "}");
}

/* Is all that the step does beside, `name++` or `name += ...`, done to the function's own names, and read by nothing any more? */
static bool is_last(const Turns *c, const Turn *t)
{
    for (Token *at = t->more; at != t->close;) {
        Token *const name = at->next;
        bool own = false;
        for (int i = 0; i < c->here->list.count; i++) {
            const Declaration *d = c->here->list.items[i];
            own = own || (code_is(d->name, name->text) && !code_is_any(d->first, "static extern"));
        }
        if (!own || name->kind != CODE_NAME || !code_is_any(name->next, "++ +=") || code_names_within(t->last->next, c->open->partner, name->text))
            return false;
        for (const Token *k = c->open; k != c->open->partner; k = k->next)
            if (code_names(k, name->text) && code_is(k->prev, "&") && !code_ends_operand(k->prev->prev))
                return false;
        for (at = name->next->next; at != t->close && !code_is(at, ","); at = at->next)
            if (at->kind == CODE_SIGN && !code_is_any(at, "* + -")) /* a call, say */
                return false;
    }
    return code_around(t->head) == c->open && !statement_around(t->head);
}

/* Is the body, a block, one simple statement on a line, which needs no block? */
static bool is_statement(const Turn *t)
{
    Token *const first = t->first->next;
    if (code_is_any(first, "for while do switch if {") || code_has_comment(first) || code_has_comment(t->last))
        return false;
    Token *const end = code_statement(first);
    if (!end || end->next != t->last)
        return false;
    for (const Token *k = first; k != end; k = k->next)
        if (code_begins_line(k->next) || code_has_comment(k->next))
            return false;
    return true;
}

/* Could a name that the body's block declares meet another of the function? */
static bool meets_others(const Turns *c, const Turn *t)
{
    for (int i = 0; i < c->here->list.count; i++) {
        const Declaration *d = c->here->list.items[i];
        if (code_stays(d->first) && code_around(d->first) == t->first &&
            (code_names_within(c->from, t->head, d->name->text) || code_names_within(t->last->next, c->open->partner, d->name->text)))
            return true;
    }
    return false;
}

/* Does the step do something beside to what the body's block has another of the name of? */
static bool more_meets(const Turns *c, const Turn *t)
{
    for (int i = 0; t->more && i < c->here->list.count; i++) {
        const Declaration *d = c->here->list.items[i];
        if (code_stays(d->first) && code_around(d->first) == t->first && code_names_within(t->more, t->close, d->name->text))
            return true;
    }
    return false;
}

/* ---- leaving out ------------------------------------------------------------------------------------------ */

/* White space for a new line with so much indent. */
static const char *line_gap(const Code *c, int indent) { return arena_printf(c->arena, "\n%*s", indent, ""); }

/* How many columns the body stands to the right of the loop. */
static int depth_of(const Turn *t)
{
    const Token *const first = t->block ? t->first->next : t->first;
    const int less = code_indent(first) - code_indent(t->head);
    return code_begins_line(first) && less > 0 ? less : 0;
}

/* Takes the tokens from `from` to `to`, before `first`, away; what stands before them stands before `first`. */
static void take_away(Code *c, Token *from, Token *to)
{
    Token *first = to->next;
    const char *line = strrchr(from->gap, '\n'), *rest = strchr(first->gap, '\n');
    first->gap = !rest ? from->gap : line ? arena_printf(c->arena, "%.*s%s", (int)(line - from->gap), from->gap, rest) : rest;
    from->gap = "";
    code_delete_all(c, from, to);
}

/* Puts what the step does beside behind the token `after`. */
static void put_more(Code *c, const Turn *t, Token *after, int indent)
{
    Token *const from = t->more->next, *const to = t->close->prev, *const before = t->more, *const next = after->next;
    before->next = t->close, t->close->prev = before;
    from->gap = line_gap(c, indent);
    after->next = from, from->prev = after;
    to->next = next, next->prev = to;
    code_insert(c, to, "", ";");
}

/* The loop under a pragma that deals its turns out: one thread runs the body, the first where that is who had its turn.  False: another pragma. */
static bool run_by_one(const Turns *c, const Turn *t)
{
    Token *const pragma = t->head->prev;
    const bool any = code_is(pragma, "#pragma omp for schedule(dynamic, 1) nowait");
    if (t->more || (!any && !code_is(pragma, "#pragma omp for schedule(static) nowait")))
        return false;
    const int depth = depth_of(t);
    pragma->text = any ? "#pragma omp single nowait" : "#pragma omp master";
    index_put(c->code, c->here, t->close, t->last->next, t->variable, t->name, t->value);
    if (!t->block)
        code_outdent(c->code, t->close->next, t->last, depth);
    take_away(c->code, t->head, t->close);
    return true;
}

/* How much of the gap, comments at the end of a line, a bracket can stand behind. */
static size_t remark_length(const char *gap)
{
    const size_t line = strcspn(gap, "\n");
    const char *const comment = memchr(gap, '/', line), *const end = comment ? strstr(comment, "*/") : gap;
    return comment && (comment[1] == '/' || !end || end > gap + line) ? 0 : line; /* it goes on in the next line, or it is the line's rest */
}

/* Puts the body in the place of the loop; if that cannot be, the loop stays. */
static void leave_out(const Turns *c, Turn *t)
{
    Code *const code = c->code;
    const bool goes_on = leaves(t->first, t->last, "continue");
    if (t->head->prev->kind == CODE_LINE) {
        if (!goes_on)
            run_by_one(c, t);
        return;
    }
    Token *const around = statement_around(t->head);
    if ((goes_on && (!is_alone(t) || t->more)) || more_meets(c, t) || (!around && !code_is_any(t->head->prev, "{ } ;"))) /* behind a label or a macro, say */
        return;
    const int indent = code_indent(t->head), depth = depth_of(t);
    const bool more = t->more && !is_last(c, t);
    const bool lends = around && ((t->block && !is_statement(t)) || more); /* its block becomes that of the statement around it */
    const bool keeps = !lends && t->block && meets_others(c, t);
    Token *const behind = t->last->next, *const before = t->head->prev;
    index_put(code, c->here, t->close, behind, t->variable, t->name, t->value);
    if (!keeps)
        code_outdent(code, t->close->next, behind->prev, depth);
    if (more)
        put_more(code, t, behind->prev, indent);
    if (lends)
        code_insert(code, behind->prev, line_gap(code, code_indent(around)), "}");
    if (t->block && !keeps)
        code_delete(code, t->last);
    take_away(code, t->head, t->block && !keeps ? t->first : t->close);
    if (lends) {
        Token *const first = before->next;
        const size_t n = remark_length(first->gap);
        const char *const gap = arena_printf(code->arena, "%.*s ", (int)n, first->gap);
        first->gap += n;
        Token *const open = code_insert(code, before, gap, "{"), *const close = behind->prev;
        open->partner = close, close->partner = open;
    }
}

void turns_leave_out(Code *code, const Declared *d, Token *from, Token *open)
{
    const Turns c = { code, d, from, open };
    for (Token *t = open->partner, *before; t != open; t = before) { /* loops within others before these */
        before = t->prev;
        Turn turn;
        if (head_of(d, t, &turn) && is_plain(&c, &turn))
            leave_out(&c, &turn);
    }
}
