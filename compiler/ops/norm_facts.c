/* norm_facts.c -- facts of what a batch norm computes beside its own: the activation or formula behind it, and the gradient of that (plan/norms.c).
 *
 * Both are functions of one vec, NAME_applied and NAME_passed, called for each vec of the map.  In their C x is the normalised number, `joined`,
 * `joined_2`, ... are the other operands of the formula, y its result. */
#include "ops/norm_facts.h"
#include "lower/applied.h"
#include "template/fact.h"
#include <string.h>

/* Texts that grow while operands are gone through. */
typedef struct {
    Text parameters, arguments, pointers, outputs;
    Fact *channel;
} Parts;

static Parts parts(Model *m)
{
    const Text t = { .arena = m->arena };
    return (Parts){ t, t, t, t, fact_table(m->arena) };
}

static void item(Text *t, const char *text) { text_printf(t, "%s%s", t->length ? ", " : "", text); }
static const char *whole(const Text *t) { return t->length ? t->text : ""; }

/* "joined", "joined_2", ... */
static const char *numbered(Model *m, const char *name, int n) { return n == 1 ? name : arena_printf(m->arena, "%s_%d", name, n); }

/* C of scale or shift of channel c, from statistics of that name, or from what a library stores in their place. */
static const char *factor(Model *m, const Tensor *statistics, const char *name, bool shift)
{
    if (statistics->stored)
        return arena_printf(m->arena, shift ? "%s[C + c]" : "%s[c]", name);
    return arena_printf(m->arena, "(real)%s[%s][c]", name, shift ? "BATCH_SHIFT" : "BATCH_SCALE");
}

/* The names of the operands of f; operand `own` is x. */
static const char **names_of(Model *m, const Formula *f, int own)
{
    const char **names = NEW_ARRAY(m->arena, const char *, f->operand_count + 1);
    for (int k = 0, n = 0; k < f->operand_count; k++)
        names[k] = k == own ? "x" : numbered(m, "joined", ++n);
    return names;
}

static void put_lines(Fact *list, const Text *t)
{
    for (const char *line = t->text; line && *line; line += strcspn(line, "\n") + 1) /* each ends so */
        fact_push_text(list, arena_copy(list->arena, line, strcspn(line, "\n")));
}

static void put_parts(Model *m, Fact *f, const Parts *p)
{
    fact_text(f, "parameters", whole(&p->parameters));
    fact_text(f, "arguments", whole(&p->arguments));
    fact_text(f, "pointers", p->pointers.length ? arena_printf(m->arena, ", %s", p->pointers.text) : "");
    fact_text(f, "outputs", p->outputs.length ? arena_printf(m->arena, "%s, ", p->outputs.text) : "");
    fact_set(f, "channel", p->channel);
}

/* The operand of `then` that is what `norm` makes of its map. */
static int own_operand(const Op *norm, const Op *then)
{
    for (int k = 0; k < then->read_count; k++)
        if (then->reads[k].tensor->op == norm)
            return k;
    unreachable("what a norm applies reads its result");
}

/* The C lines that compute `roots` from operands of these names; values[k] is then C of roots[k]. */
static void put_roots(Model *m, Fact *list, Dag *g, Node *const *roots, int count, const char *const *names, const char *result,
                      const char *prefix, const char **values)
{
    const FormulaC c = { .operands = names, .dy = "dy", .result = result, .prefix = prefix, .indent = "" };
    Text t = { .arena = m->arena };
    formula_lines(&t, g, roots, count, false, &c, values);
    put_lines(list, &t);
}

/* ---- forward -------------------------------------------------------------------------------------------------------- */

/* An operand that is another norm's result: its map and statistics are arguments, and its channel's scale and shift variables. */
static void put_norm(Model *m, Parts *p, const Op *other, int number)
{
    const Tensor *statistics = other->reads[1].tensor;
    const char *x = numbered(m, "x", number), *scale = numbered(m, "scale", number), *shift = numbered(m, "shift", number);
    const char *name = numbered(m, statistics->stored ? "scales" : "statistics", number);
    item(&p->pointers, arena_printf(m->arena, "real *%s", x));
    item(&p->pointers,
         statistics->stored ? arena_printf(m->arena, "real *%s", name) : arena_printf(m->arena, "%s %s", tensor_type(m, statistics), name));
    item(&p->arguments, arena_printf(m->arena, "v_fma(v_load(%s + i), %s, %s)", x, scale, shift));
    fact_push_text(p->channel, arena_printf(m->arena, "const vec %s = v_set1(%s), %s = v_set1(%s);", scale,
                                            factor(m, statistics, name, false), shift, factor(m, statistics, name, true)));
}

/* y = f(scale x + shift, joined, ...) */
static Fact *applied(Model *m, const Op *norm)
{
    const Op *then = norm->norms.applies;
    const Applied a = applied_of(m->arena, then);
    const int own = own_operand(norm, then);
    const char **names = names_of(m, a.f, own), *value;
    Fact *f = fact_table(m->arena), *lines = fact_table(m->arena);
    Parts p = parts(m);
    for (int k = 0, number = 1; k < then->read_count; k++) {
        const Op *maker = then->reads[k].tensor->op;
        item(&p.parameters, arena_printf(m->arena, "vec %s", names[k]));
        if (k == own) {
            item(&p.arguments, "v_fma(v_load(x + i), scale, shift)");
        } else if (maker && maker->norms.host == norm) {
            put_norm(m, &p, maker, ++number);
        } else {
            item(&p.pointers, arena_printf(m->arena, "real *%s", names[k]));
            item(&p.arguments, arena_printf(m->arena, "v_load(%s + i)", names[k]));
        }
    }
    put_roots(m, lines, a.f->dag, &a.f->root, 1, names, "y", "t", &value);
    fact_text(f, "about", formula_text(m->arena, a.f->dag, a.f->root, names, "dy", "y", "y"));
    fact_set(f, "lines", lines);
    fact_text(f, "value", value);
    fact_set(f, "others", fact_table(m->arena));
    put_parts(m, f, &p);
    return f;
}

/* ---- backward ------------------------------------------------------------------------------------------------------- */

/* A processor foresees the reads of so many maps that lie side by side in the caches, not of more. */
enum { FORESEEN = 3 };

/* The gradient of `through` from dy, for the norm's own operand and for those whose gradients `sums` writes too.  sums NULL: in the norm's backward
 * pass, where `through` has one operand.  Else `ahead` is filled with the names of the maps that are prefetched. */
static Fact *passed(Model *m, const Op *norm, const Op *through, const Op *sums, Fact *ahead)
{
    List read = { 0 };
    const Applied a = applied_of(m->arena, through);
    const int own = own_operand(norm, through);
    const bool one = through->read_count == 1;
    const char **names = names_of(m, a.f, own), *values[INPUT_MAX], *result = "y";
    Fact *f = fact_table(m->arena), *lines = fact_table(m->arena), *others = fact_table(m->arena);
    Parts p = parts(m);
    if (sums && !one)
        item(&p.outputs, "real *d");
    Node *roots[INPUT_MAX] = { a.d[own] };
    int count = 1, maps = 0;
    for (int k = 0; sums && k < through->read_count; k++) {
        if (!sums->norms.gradients[k])
            continue;
        const char *d = numbered(m, "d", ++count);
        roots[count - 1] = a.d[k];
        item(&p.parameters, arena_printf(m->arena, "vec *%s", d));
        item(&p.arguments, arena_printf(m->arena, "&g_%d", count));
        item(&p.outputs, arena_printf(m->arena, "real *%s", d));
    }
    for (int k = 0; k < through->read_count; k++)
        maps += k != own && a.gradient->reads[k];
    maps += a.gradient->reads_result && !one;
    item(&p.parameters, "vec dy");
    const char *dy = "v_load(dy + i)";
    list_push(m->arena, &read, "x"), list_push(m->arena, &read, "dy");
    for (int k = 2; sums && k <= sums->read_count - 3 - maps + 1; k++) { /* further parts of dy */
        list_push(m->arena, &read, arena_printf(m->arena, "dy_%d", k));
        item(&p.pointers, arena_printf(m->arena, "real *dy_%d", k));
        dy = arena_printf(m->arena, "v_add(%s, v_load(dy_%d + i))", dy, k);
    }
    item(&p.arguments, dy);
    const bool normed = a.gradient->reads[own] || (one && a.gradient->reads_result);
    if (normed) {
        item(&p.parameters, "vec x");
        item(&p.arguments, "v_fma(v_load(x + i), scale, shift)");
    }
    for (int k = 0; k <= through->read_count; k++) {
        const bool last = k == through->read_count;
        if (last ? one || !a.gradient->reads_result : k == own || !a.gradient->reads[k])
            continue;
        const char *name = last ? "y" : names[k];
        list_push(m->arena, &read, (void *)name);
        item(&p.parameters, arena_printf(m->arena, "vec %s", name));
        item(&p.pointers, arena_printf(m->arena, "real *%s", name));
        item(&p.arguments, arena_printf(m->arena, "v_load(%s + i)", name));
    }
    if (one && a.gradient->reads_result)
        put_roots(m, lines, a.f->dag, &a.f->root, 1, names, "y", "y", &result);
    put_roots(m, lines, a.f->dag, roots, count, names, result, "t", values);
    for (int k = 1; k < count; k++) {
        Fact *other = fact_table(m->arena);
        fact_text(other, "name", numbered(m, "d", k + 1));
        fact_text(other, "variable", arena_printf(m->arena, "g_%d", k + 1));
        fact_text(other, "value", values[k]);
        fact_push(others, other);
    }
    fact_text(f, "about", formula_text(m->arena, a.f->dag, roots[0], names, "dy", one ? "f(x)" : "y", "d_x"));
    fact_set(f, "lines", lines);
    fact_text(f, "value", values[0]);
    fact_set(f, "others", others);
    if (normed)
        fact_push_text(p.channel,
                       "const vec scale = v_set1((real)statistics[BATCH_SCALE][c]), shift = v_set1((real)statistics[BATCH_SHIFT][c]);");
    else if (!sums) /* the norm's own factor, whatever f is */
        fact_push_text(p.channel, "const vec scale = v_set1((real)statistics[BATCH_SCALE][c]);");
    put_parts(m, f, &p);
    for (int i = 0; ahead && i < read.count && read.count > FORESEEN; i++)
        fact_push_text(ahead, read.items[i]);
    return f;
}

void norm_facts(Model *m, const Op *norm, Fact *f)
{
    fact_bool(f, "applies", norm->norms.applies != NULL);
    fact_bool(f, "passes", norm->norms.through != NULL);
    if (norm->norms.applies)
        fact_set(f, "applied", applied(m, norm));
    if (norm->norms.through)
        fact_set(f, "passed", passed(m, norm, norm->norms.through, NULL, NULL));
}

void norm_sums_facts(Model *m, const Op *sums, Fact *f)
{
    fact_bool(f, "passes", sums->norms.through != NULL);
    fact_bool(f, "keeps", sums->write_count > 1);
    Fact *ahead = fact_table(m->arena);
    if (sums->norms.through)
        fact_set(f, "passed", passed(m, sums->norms.sums_of, sums->norms.through, sums, ahead));
    fact_set(f, "ahead", ahead);
}
