/* card.c -- collects the facts about each operator: its place, costs, memory, lines; for show, explain, the page and the map.
 *
 * In: the planned model and its emitted C.  Out: a Deck of cards.
 * Lines of the C are found in the text itself, by the heads of its sections and by the names of its functions: so they are right
 * for any templates; a section that several operators share is on the card of each.  Calls stand in the passes in the order of the phases.
 * A card stands for a forward operator; its gradient is on the same card, as in the C. */
#include "tell/card.h"
#include "emit/call.h"
#include <ctype.h>
#include <string.h>

int64_t tensor_bytes(const Model *m, const Tensor *t)
{
    const Tensor *o = tensor_owner((Tensor *)(uintptr_t)t);
    int64_t each = o->slot_reals * (m->options.is_double ? 8 : 4);
    return o->first_phase < 0 ? 0 : o->local ? each : each * o->slots * (o->shared ? 1 : m->groups);
}

const char *card_shape(const Model *m, const Tensor *t)
{
    const char *one = shape_text(m->arena, &t->shape);
    for (const Repeat *r = t->repeat; r; r = r->outer)
        one = arena_printf(m->arena, "%d x %s", r->steps, one);
    return one;
}

const char *card_steps(const Model *m, const Repeat *r, const Repeat *outside)
{
    const char *all = "";
    for (; r && r != outside; r = r->outer)
        all = arena_printf(m->arena, "%d%s%s", r->steps, *all ? " x " : "", all);
    return all;
}

const char *card_line(const Model *m, Loc at)
{
    return at.file == m->file ? arena_printf(m->arena, "%d", at.line) : arena_printf(m->arena, "%s:%d", at.file->path, at.line);
}

const char *card_operator(const Card *c) { return OP_INFO(c->op)->name; }

Card *deck_card(const Deck *d, const Op *op)
{
    for (int i = 0; i < d->count; i++)
        if (d->cards[i].op == op)
            return &d->cards[i];
    return NULL;
}

/* The forward operator on whose card `op` is. */
static Op *host_of(Op *op) { return op->pass == FOLD && op->of->pass != FORWARD ? op->of->of : op->pass == FORWARD ? op : op->of; }

/* ---- operators --------------------------------------------------------------------------------------------------------- */

static Card *card_add(Deck *d, Op *op, const Phase *p, bool forward)
{
    Card *c = &d->cards[d->count++];
    *c = (Card){ .op = op, .forward = forward, .kind = p->kind, .repeat = p->repeat, .steps = steps_all(p->repeat) };
    return c;
}

static const char *phase_text(const Model *m, const Phase *p, const Op *op, int at, bool backward)
{
    const char *what = op->pass == FORWARD ? "forward" : op->pass == AGAIN ? "once more, not kept" : op->pass == BACKWARD ? "gradient of what it reads" : op->pass == WEIGHTS ? "gradient of its parameters"
                     : op->pass == PRODUCTS ? "the groups' terms of that multiplied" : op->pass == FOLD ? "the groups' parts of that added" : op->pass == PREPARE ? "weights brought into the kernel's form"
                     : "their gradient brought back";
    const char *where = p->kind == CORE ? ", at each step" : p->kind == CORE_BACKWARD ? ", at each step, backwards" : p->kind == AFTER ? ", for all steps" : "";
    return arena_printf(m->arena, "%s: phase %d, %s pass%s%s", what, at, backward ? "backward" : "forward", where, p->whole_batch ? ", whole batch" : "");
}

static void gather(Deck *d)
{
    Model *m = d->m;
    int most = m->ops.count;
    for (int pass = 0; pass < 2; pass++) {
        const List *sections = pass ? &m->backward : &m->forward;
        for (int i = 0; i < sections->count; i++)
            most += ((Section *)sections->items[i])->ops.count;
    }
    d->cards = NEW_ARRAY(m->arena, Card, most + 1);
    for (int pass = 0; pass < 2; pass++) {
        const List *phases = pass ? &m->backward_phases : &m->forward_phases;
        for (int i = 0; i < phases->count; i++) {
            const Phase *p = phases->items[i];
            for (int k = 0; k < p->ops.count; k++) {
                Op *op = p->ops.items[k], *host = host_of(op);
                Card *c = host == op ? NULL : deck_card(d, host);
                if (!c && op->pass == PREPARE)
                    continue;                   /* comes before its operator has a card; see below */
                if (!c)
                    c = card_add(d, host, p, pass == 0);
                if (op->pass == BACKWARD)
                    c->backward = op;
                if (op->pass == WEIGHTS)
                    c->weights = op;
                list_push(m->arena, &c->phases, (void *)(uintptr_t)phase_text(m, p, op, i + (pass ? m->forward_phases.count : 0), pass));
                double macs = !op_multiplies(op) ? 0 : OP_INFO(host)->macs(host) * (p->kind == ONCE ? 1 : steps_all(p->repeat));
                *(pass ? &c->gradient_macs : &c->macs) += macs;
            }
        }
    }
    for (int i = 0; i < m->forward_phases.count; i++) {
        const Phase *p = m->forward_phases.items[i];
        for (int k = 0; k < p->ops.count; k++) {
            Op *op = p->ops.items[k];
            Card *c = op->pass == PREPARE ? deck_card(d, op->of) : NULL;
            if (c)
                list_push(m->arena, &c->phases, (void *)(uintptr_t)phase_text(m, p, op, i, false));
        }
    }
}

static bool read_in_backward(const Model *m, const Tensor *t)
{
    for (int i = 0; i < m->backward_phases.count; i++) {
        const Phase *p = m->backward_phases.items[i];
        for (int k = 0; k < p->ops.count; k++) {
            const Op *op = p->ops.items[k];
            for (int r = 0; r < op->read_count; r++)
                if (tensor_owner(op->reads[r].tensor) == t)
                    return true;
        }
    }
    return false;
}

static bool share(const Op *a, const Op *b)
{
    for (int i = 0; i < a->weight_count; i++)
        for (int k = 0; k < b->weight_count; k++)
            if (a->weights[i] == b->weights[k])
                return true;
    return false;
}

static void measure(Deck *d)
{
    Model *m = d->m;
    for (int i = 0; i < m->weights.count; i++)
        d->parameters += shape_count(&((Weight *)m->weights.items[i])->shape);
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (tensor_value(t) == t && !tensor_owner(t)->local && tensor_owner(t)->first_phase >= 0)
            d->apart += tensor_bytes(m, t);
    }
    for (int i = 0; i < d->count; i++) {
        Card *c = &d->cards[i];
        for (int k = 0; k < c->op->write_count; k++) {
            Tensor *t = tensor_owner(c->op->writes[k].tensor);
            if (t->work || t->local || tensor_value(c->op->writes[k].tensor) != t)
                continue;
            c->bytes += tensor_bytes(m, t);
            if (c->forward && read_in_backward(m, t))
                c->kept += tensor_bytes(m, t);
        }
        bool first = true;
        for (int k = 0; k < d->count; k++)
            if (k != i && share(c->op, d->cards[k].op)) {
                first = first && k > i;
                list_push(m->arena, &c->sharers, &d->cards[k]);
            }
        for (int k = 0; first && k < c->op->weight_count; k++)
            c->parameters += shape_count(&c->op->weights[k]->shape);
    }
}

/* ---- lines ------------------------------------------------------------------------------------------------------------ */

static const char **split(Arena *a, const char *text, size_t n, int *count)
{
    int lines = n && text[n - 1] != '\n';
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    const char **start = NEW_ARRAY(a, const char *, lines + 2);
    int k = 1;
    start[1] = text;
    for (size_t i = 0; i < n; i++)
        if (text[i] == '\n')
            start[++k] = text + i + 1;
    start[lines + 1] = text + n;
    *count = lines;
    return start;
}

static bool starts(const char *line, const char *end, const char *with)
{
    size_t n = strlen(with);
    return (size_t)(end - line) >= n && memcmp(line, with, n) == 0;
}

static bool identifier(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/* The word that begins at `c`. */
static const char *word_at(Arena *a, const char *c, const char *end)
{
    const char *e = c;
    while (e < end && identifier(*e))
        e++;
    return arena_copy(a, c, (size_t)(e - c));
}

/* A call of the passes, in the order of the C: what it calls, and on which card it stands. */
typedef struct { const char *symbol; Card *card; } Call;

static Call *calls_of(Deck *d, int *count)
{
    Model *m = d->m;
    int n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < (pass ? &m->backward_phases : &m->forward_phases)->count; i++)
            n += ((Phase *)(pass ? &m->backward_phases : &m->forward_phases)->items[i])->ops.count;
    Call *calls = NEW_ARRAY(m->arena, Call, n + 1);
    *count = 0;
    for (int pass = 0; pass < 2; pass++) {
        const List *phases = pass ? &m->backward_phases : &m->forward_phases;
        for (int i = 0; i < phases->count; i++) {
            const Phase *p = phases->items[i];
            for (int k = 0; k < p->ops.count; k++) {
                const char *text = call_text(m, p, p->ops.items[k]);
                calls[(*count)++] = (Call){ arena_copy(m->arena, text, strcspn(text, "(")), deck_card(d, host_of(p->ops.items[k])) };
            }
        }
    }
    return calls;
}

/* Notes a line of the passes that is a call: of the next one in `calls` from *at on that calls the symbol before its first parenthesis. */
static void add_call(Deck *d, const Call *calls, int count, int *at, const char *line, const char *end, int number)
{
    while (line < end && *line == ' ')
        line++;
    const char *symbol = word_at(d->m->arena, line, end);
    size_t n = strlen(symbol);
    if (!n || line + n >= end || line[n] != '(')
        return;
    for (int i = *at; i < count; i++) {
        if (strcmp(calls[i].symbol, symbol) != 0)
            continue;
        int64_t *l = NEW(d->m->arena, int64_t);
        *l = number;
        if (calls[i].card)
            list_push(d->m->arena, &calls[i].card->calls, l);
        *at = i + 1;
        return;
    }
}

/* An empty line, or one that divides the file in halves (halves.c). */
static bool says_nothing(const char *line, const char *end) { return starts(line, end, "\n") || starts(line, end, "#if HALF") || starts(line, end, "#endif"); }

static bool has_functions(const Card *c, const char *name) { return strcmp(op_function(c->op), name) == 0; }

static void find_c(Deck *d)
{
    Arena *a = d->m->arena;
    const char *now = NULL;             /* the name before the functions of a section */
    CardFunction *function = NULL;
    bool operators = false, passes = false;
    int call_count, call_at = 0;
    const Call *calls = calls_of(d, &call_count);
    for (int k = 1; k <= d->c_count; k++) {
        const char *line = d->c_lines[k], *end = d->c_lines[k + 1];
        bool part = starts(line, end, "/* ==== "), head = operators && starts(line, end, "/* ---- ");
        if (part || head) {
            for (int i = 0; now && i < d->count; i++)
                if (has_functions(&d->cards[i], now))
                    d->cards[i].c_to = k - 1;
            now = NULL;
        }
        if (part) {
            operators = line[8] == '3';
            passes = line[8] == '5' || line[8] == '6';
        } else if (head) {
            const char *name = word_at(a, line + 8, end);
            now = line[8 + strlen(name)] == ':' ? name : NULL;
            for (int i = 0; now && i < d->count; i++)
                if (has_functions(&d->cards[i], now))
                    d->cards[i].c_from = k;
        } else if (now && (starts(line, end, "static ") || starts(line, end, "void ") || starts(line, end, "uint64_t "))) {    /* halves.c */
            const char *open = memchr(line, '(', (size_t)(end - line)), *from = open;
            while (from && from > line && identifier(from[-1]))
                from--;
            const char *last = end - (end > line && end[-1] == '\n');
            if (open && from < open && last[-1] != ';') {
                function = NEW(a, CardFunction);
                *function = (CardFunction){ word_at(a, from, end), k, k };
                for (int i = 0; i < d->count; i++)
                    if (has_functions(&d->cards[i], now) || (d->cards[i].op->gradients && !strcmp(d->cards[i].op->gradients, now)))
                        list_push(a, &d->cards[i].functions, function);
            }
        } else if (function && starts(line, end, "}")) {
            function->to = k;
            function = NULL;
        } else if (passes && starts(line, end, "    ")) {
            add_call(d, calls, call_count, &call_at, line, end, k);
        }
    }
    for (int i = 0; i < d->count; i++) {            /* a section ends with its last line that is not empty */
        Card *c = &d->cards[i];
        while (c->c_to > c->c_from && says_nothing(d->c_lines[c->c_to], d->c_lines[c->c_to + 1]))
            c->c_to--;
    }
}

static int indentation(const char *line, const char *end)
{
    int n = 0;
    while (line + n < end && line[n] == ' ')
        n++;
    return line + n == end || line[n] == '\n' || line[n] == '\r' || line[n] == '#' ? -1 : n;
}

const YamlLines *deck_yaml(const Deck *d, Loc at)
{
    for (int i = 0; i < d->yaml.count; i++)
        if (((YamlLines *)d->yaml.items[i])->file == at.file)
            return d->yaml.items[i];
    return NULL;
}

static void add_yaml(Deck *d, Loc at)
{
    if (deck_yaml(d, at))
        return;
    YamlLines *y = NEW(d->m->arena, YamlLines);
    y->file = at.file;
    y->line = split(d->m->arena, at.file->text, at.file->length, &y->count);
    list_push(d->m->arena, &d->yaml, y);
}

/* An entry ends where a line is indented no deeper than its first. */
static void find_yaml(Deck *d)
{
    for (int i = 0; i < d->count; i++) {
        Card *c = &d->cards[i];
        const YamlLines *y = deck_yaml(d, c->op->loc);
        int k = c->op->loc.line;
        if (k < 1 || k > y->count)
            continue;
        c->yaml_from = c->yaml_to = k;
        int own = indentation(y->line[k], y->line[k + 1]), depth;
        for (k++; k <= y->count; k++) {
            depth = indentation(y->line[k], y->line[k + 1]);
            if (depth >= 0 && depth <= own)
                break;
            if (depth >= 0)
                c->yaml_to = k;
        }
    }
}

Deck *deck_new(Model *m, const Text *c)
{
    Deck *d = NEW(m->arena, Deck);
    d->m = m;
    d->c_lines = split(m->arena, c->text ? c->text : "", c->length, &d->c_count);
    add_yaml(d, (Loc){ .file = m->file });
    for (int i = 0; i < m->ops.count; i++)
        add_yaml(d, ((Op *)m->ops.items[i])->loc);
    gather(d);
    measure(d);
    find_c(d);
    find_yaml(d);
    return d;
}
