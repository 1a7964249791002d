/* loops.c -- the loops over the steps of repeats in the emitted C: their variables, and which of them a phase opens, closes and runs in.
 *
 * In: the planned graph.  Used by call.c, tables.c and emit.c.
 * The convention: the step of a repeat is t, that of a repeat in it t2, and so on; s, s2, ... are slices of their tensors in a phase of groups.  The steps of the innermost repeat lie
 * furthest apart in memory: s2 = (t2 * T + t) * G + g. */
#include "emit/loops.h"
#include <string.h>

const char *loops_variable(Model *m, const char *letter, const Repeat *r)
{
    return repeat_level(r) > 1 ? arena_printf(m->arena, "%s%d", letter, repeat_level(r)) : letter;
}

const char *loops_pad(Model *m, int depth) { return arena_printf(m->arena, "%*s", 4 * depth, ""); }

void loops_layout(Model *m, Fact *f, int open, int closes)
{
    Fact *ends = fact_table(m->arena);
    for (int k = 0; k < closes; k++)
        fact_push_text(ends, loops_pad(m, open - k));
    fact_text(f, "pad", loops_pad(m, open + 1));
    fact_set(f, "ends", ends);
    fact_text(f, "behind", loops_pad(m, open - closes + 1));
}

Fact *loops_fact(Model *m, const Repeat *r, bool falls, int depth)
{
    Fact *l = fact_table(m->arena);
    fact_text(l, "t", loops_variable(m, "t", r));
    fact_int(l, "T", r->steps);
    fact_bool(l, "falls", falls);
    fact_text(l, "pad", loops_pad(m, depth));
    return l;
}

/* Does the phase run at each step of r, so that r's variable is there?  A call of the whole batch has none for steps that are there at once. */
static bool steps_through(const Phase *p, const Repeat *r)
{
    if (p->kind == ONCE || !repeat_within(p->repeat, r))
        return false;
    return !p->whole_batch || (section_loops(p->kind) && repeat_within(r, p->from));
}

const char *loops_step(Model *m, const Phase *p, const Repeat *r)
{
    Text t = { .arena = m->arena };
    for (const Repeat *k = r; k; k = k->outer) {
        if (!steps_through(p, k))
            continue;
        const int lies = steps_all(k->outer);
        text_printf(&t, "%s%s", t.length ? " + " : "", loops_variable(m, "t", k));
        if (lies > 1)
            text_printf(&t, " * %d", lies);
    }
    return t.length ? t.text : "0";
}

/* Loops of p that are open already, or stay open, beside the phase `other`, which runs before or after it; NULL: none. */
static int shared_loops(const Phase *p, const Phase *other)
{
    int n = 0;
    for (const Repeat *r = p->repeat; other && other->loop == p->loop && r != p->from->outer; r = r->outer)
        n += repeat_within(other->repeat, r);
    return n;
}

int loops_closed(const Phase *p, const Phase *after) { return repeat_level(p->repeat) - repeat_level(p->from) + 1 - shared_loops(p, after); }

Fact *loops_opened(Model *m, const Phase *p, const Phase *before)
{
    Fact *list = fact_table(m->arena);
    if (!section_loops(p->kind))
        return list;
    for (int level = repeat_level(p->from) + shared_loops(p, before); level <= repeat_level(p->repeat); level++) {
        const Repeat *r = repeat_at(p->repeat, level);
        fact_push(list, loops_fact(m, r, r->reverse == (p->kind == CORE), level - repeat_level(p->from) + 1));
    }
    return list;
}

Fact *loops_spread(Model *m, const Phase *p)
{
    Fact *list = fact_table(m->arena);
    for (const Repeat *r = p->kind == ONCE ? NULL : section_loops(p->kind) ? p->from->outer : p->repeat; r; r = r->outer)
        fact_push(list, loops_fact(m, r, false, 0));
    return list;
}

static bool in_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/* Is the variable used in the text? */
static bool uses(const char *text, const char *variable)
{
    const size_t n = strlen(variable);
    for (const char *at = strstr(text, variable); at; at = strstr(at + 1, variable))
        if ((at == text || !in_word(at[-1])) && !in_word(at[n]))
            return true;
    return false;
}

Fact *loops_slices(Model *m, const Phase *p, const char *calls)
{
    Fact *list = fact_table(m->arena);
    for (int level = 1; p->kind != ONCE && level <= repeat_level(p->repeat); level++) {
        const Repeat *r = repeat_at(p->repeat, level);
        const char *s = loops_variable(m, "s", r), *step = loops_step(m, p, r);
        if (!uses(calls, s))
            continue;
        Fact *l = fact_table(m->arena);
        fact_text(l, "s", s);
        fact_text(l, "step", strchr(step, ' ') ? arena_printf(m->arena, "(%s)", step) : step);
        fact_push(list, l);
    }
    return list;
}
