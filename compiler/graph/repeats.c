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
    const char **names = NEW_ARRAY(m->arena, const char *, REPEATS_DEEP + 2);
    int *repeats = NEW_ARRAY(m->arena, int, REPEATS_DEEP + 2), n = 0, number = 0;
    if (b->repeat)
        names[n++] = "t";
    for (const Repeat *r = b->repeat; r; r = r->outer, number++)
        if (r->step) {
            names[n] = r->step;
            repeats[n++] = number;
        }
    m->step_names = names, m->step_repeats = repeats, m->step_count = n;
}

Repeat *step_repeat(Builder *b, int number)
{
    Repeat *r = b->repeat;
    for (; r && number; number--)
        r = r->outer;
    if (!r)
        unreachable("a step that no repeat counts");
    return r;
}

int repeats_in(const Yaml *body)
{
    int n = 0;
    for (int i = 0; body && body->kind == YAML_LIST && i < body->count; i++)
        if (yaml_get(body->items[i], "repeat"))
            n += 1 + repeats_in(yaml_get(body->items[i], "do"));
    return n;
}

/* The name of a repeat of a net: behind the path of its use; where several uses have one path, numbered from the second on. */
static const char *name_in_net(Builder *b, const Repeat *r, const char *word)
{
    Model *m = b->m;
    const char *first = path_in(b, word), *name = first;
    for (int i = 0, uses = 1; i < m->repeats.count; i++) {
        const Repeat *other = m->repeats.items[i];
        const bool again = other != r && other->loc.line == r->loc.line && other->loc.column == r->loc.column && other->loc.file == r->loc.file;
        if (!again || strcmp(other->name, name))
            continue;
        name = arena_printf(m->arena, "%s%d", first, ++uses);
        i = -1;
    }
    return name;
}

bool repeat_named(Builder *b, Repeat *r, const Yaml *y)
{
    Model *m = b->m;
    const Yaml *name = yaml_get(y, "name"), *reverse = yaml_get(y, "reverse");
    Attr backwards = { .spec = map_key(&map_repeat, "reverse") }, word = { .spec = map_key(&map_repeat, "name") };
    bool good = !reverse || attr_from_yaml(m, &backwards, reverse);
    r->reverse = reverse && good && backwards.number[0] != 0;
    if (name && attr_from_yaml(m, &word, name))
        r->name = b->frame->net ? name_in_net(b, r, word.word) : word.word;
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
    for (const Repeat *r = b->repeat ? b->repeat->outer : NULL; r; r = r->outer)
        if (r->step && strcmp(r->step, y->text) == 0) {
            diag_error(m->diag, y->loc, "$%s is the step of a repeat around this one: this step needs another name", y->text);
            diag_note(m->diag, r->loc, "that repeat is here");
            return false;
        }
    *name = y->text;
    return true;
}

bool repeat_fits(Builder *b, const Yaml *y, int steps)
{
    Model *m = b->m;
    if (repeat_level(b->repeat) == REPEATS_DEEP) {
        diag_error(m->diag, y->keys[0]->loc, "with this one, %d repeats stand in each other, and at most %d may", REPEATS_DEEP + 1, REPEATS_DEEP);
        diag_note(m->diag, b->repeat->loc, "the repeat around it");
        return false;
    }
    const int around = steps_all(b->repeat);           /* 0: their number was refused, and said to be wrong */
    if (around && steps > STEPS_ALL_MAX / around) {
        diag_error(m->diag, y->keys[0]->loc, "%d steps in each of %d come to more than %d", steps, around, STEPS_ALL_MAX);
        diag_note(m->diag, b->repeat->loc, "the repeat around it");
        return false;
    }
    return true;
}

/* The operand's number at the step `at` of all steps of r and those around it, counted as they count: the innermost first. */
static bool number_at(Builder *b, const Formula *f, int operand, const Repeat *r, int at, double *value)
{
    Model *m = b->m;
    int64_t steps[REPEATS_DEEP], values[REPEATS_DEEP + 2];
    int n = 0, rest = at;
    for (const Repeat *k = r; k; k = k->outer, n++) {
        steps[n] = rest % k->steps;
        rest /= k->steps;
    }
    for (int k = 0; k < m->step_count; k++)
        values[k] = steps[m->step_repeats[k]];
    if (formula_step_number(f, m->diag, operand, values, value))
        return true;
    Text where = { .arena = m->arena };
    for (int k = 0; k < m->step_count; k++)
        if (!k || m->step_repeats[k] != m->step_repeats[k - 1])
            text_printf(&where, "%s$%s = %d", where.length ? ", " : "", m->step_names[k], (int)values[k]);
    diag_note(m->diag, (Loc){ 0 }, "this is so at %s", where.text);
    return false;
}

/* True if the numbers of all steps are the same at each step of the innermost repeat. */
static bool same_within(const double *values, int all, int steps)
{
    for (int i = 0; i < all; i++)
        if (values[i] != values[i - i % steps])
            return false;
    return true;
}

bool step_number(Builder *b, const Formula *f, int operand, const char *path, Use *out)
{
    Model *m = b->m;
    const Repeat *r = b->repeat;
    const FormulaOperand *o = &f->operands[operand];
    int all = steps_all(r);
    double *values = NEW_ARRAY(m->arena, double, all + 1);
    for (int t = 0; t < all; t++)
        if (!number_at(b, f, operand, r, t, &values[t]))
            return false;
    for (; r->outer && same_within(values, all, r->steps); r = r->outer) {      /* it follows the steps around this repeat alone */
        all /= r->steps;
        for (int t = 0; t < all; t++)
            values[t] = values[t * r->steps];
    }
    Op *op = make(b, OP_constant, arena_printf(m->arena, "%s.number%d", path, operand + 1), o->at, NULL);
    op->constant.values = values;
    op->constant.repeat = r;
    op->numbered = all;
    *out = (Use){ op->writes[0].tensor, 0 };
    return true;
}
