/* repeats.c -- what a repeat counts: the names of its step, and numbers that follow it.
 *
 * In: the repeat that is being read (b->repeat).  Out: the names that formulas and slices may read; constants that differ from step to step.
 * `$t` is the step of the innermost repeat, 0 to T-1; `step: i` gives it a second name. */
#include "graph/repeats.h"
#include "read/expr.h"
#include <string.h>

void steps_name(Builder *b)
{
    Model *m = b->m;
    const char **names = NEW_ARRAY(m->arena, const char *, 2);
    int *repeats = NEW_ARRAY(m->arena, int, 2), n = 0;
    if (b->repeat)
        names[n++] = "t";
    if (b->repeat && b->repeat->step)
        names[n++] = b->repeat->step;
    m->step_names = names, m->step_repeats = repeats, m->step_count = n;
}

Repeat *step_repeat(Builder *b, int number)
{
    if (number)
        unreachable("a step that no repeat counts");
    return b->repeat;
}

int repeats_in(const Yaml *body)
{
    int n = 0;
    for (int i = 0; body && body->kind == YAML_LIST && i < body->count; i++)
        if (yaml_get(body->items[i], "repeat"))
            n += 1 + repeats_in(yaml_get(body->items[i], "do"));
    return n;
}

bool repeat_named(Builder *b, Repeat *r, const Yaml *y)
{
    Model *m = b->m;
    const Yaml *name = yaml_get(y, "name"), *reverse = yaml_get(y, "reverse");
    Attr backwards = { .spec = map_key(&map_repeat, "reverse") }, word = { .spec = map_key(&map_repeat, "name") };
    bool good = !reverse || attr_from_yaml(m, &backwards, reverse);
    r->reverse = reverse && good && backwards.number[0] != 0;
    if (name && attr_from_yaml(m, &word, name))
        r->name = word.word;
    else if (name)
        return false;
    for (int i = 0; i < m->repeats.count; i++) {
        const Repeat *other = m->repeats.items[i];
        if (other == r || strcmp(other->name, r->name))
            continue;
        diag_error(m->diag, name ? name->loc : r->loc, "two repeats are called '%s'", r->name);
        diag_note(m->diag, other->loc, "the other is here");
        good = false;
    }
    return good;
}

bool step_read(Builder *b, const Yaml *y, const char **name)
{
    Model *m = b->m;
    *name = NULL;
    if (!y)
        return true;
    if (y->kind != YAML_SCALAR || !name_check(m, y->loc, y->text)) {
        if (y->kind != YAML_SCALAR)
            diag_error(m->diag, y->loc, "step is a name: with step: i the step is $i");
        return false;
    }
    const Param *p = scope_param(&m->scope, y->text);
    if (p) {
        diag_error(m->diag, y->loc, "'%s' is a parameter, so the step needs another name", y->text);
        diag_note(m->diag, p->loc, "the parameter is given here");
        return false;
    }
    *name = y->text;
    return true;
}

bool step_number(Builder *b, const Formula *f, int operand, const char *path, Use *out)
{
    Model *m = b->m;
    const Repeat *r = b->repeat;
    const FormulaOperand *o = &f->operands[operand];
    double *values = NEW_ARRAY(m->arena, double, r->steps + 1);
    for (int t = 0; t < r->steps; t++) {
        int64_t steps[2] = { t, t };
        if (!formula_step_number(f, m->diag, operand, steps, &values[t])) {
            diag_note(m->diag, (Loc){ 0 }, "this is so at $t = %d", t);
            return false;
        }
    }
    Op *op = make(b, OP_constant, arena_printf(m->arena, "%s.number%d", path, operand + 1), o->at, NULL);
    op->constant.values = values;
    op->numbered = r->steps;
    *out = (Use){ op->writes[0].tensor, 0 };
    return true;
}
