/* transfer.c -- weights of another training as the start of this one, parameter by parameter.
 *
 * Parameters match by name (as --rename and PyTorch's habits change it) and shape; the file may be of any model.  Every parameter of the net is listed as
 * taken or as left at the seed's value, with the shape there and here, and so are the file's other arrays.  A prefix is
 * whole parts of a name: front is a prefix of front.conv1.weight, not of front2.conv1.weight. */
#include "run/transfer.h"
#include "files/text.h"
#include "run/message.h"
#include "run/place.h"
#include "run/weights.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LISTED = 20 };                          /* lines of a kind; the rest is counted */

typedef struct { char *text; size_t used, room; } Report;

static void say(Report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(Report *r, const char *format, ...)
{
    va_list args;
    if (r->room - r->used < 1024) {
        char *more = need_memory(r->room = 2 * r->room + 4096, "a report");
        if (r->used)
            memcpy(more, r->text, r->used);
        free(r->text);
        r->text = more;
    }
    va_start(args, format);
    int n = vsnprintf(r->text + r->used, r->room - r->used, format, args);
    va_end(args);
    r->used += n < 0 ? 0 : (size_t)n < r->room - r->used ? (size_t)n : r->room - r->used - 1;
}

/* ---- prefixes ------------------------------------------------------------------------------------------------------- */

static bool begins_with(const char *name, const char *prefix, size_t n)
{
    return n && !strncmp(name, prefix, n) && (!name[n] || name[n] == '.');
}

static bool chosen(const char *name, const char *only)
{
    for (const char *p = only; *only && *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ','))
        if (begins_with(name, p, strcspn(p, ",")))
            return true;
    return !*only;
}

/* A prefix that names nothing is a mistake. */
static void check_prefixes(const char *only)
{
    for (const char *p = only; *only; p += strcspn(p, ",") + 1) {
        size_t n = strcspn(p, ",");
        const char **names = need_memory((size_t)net.param_count * sizeof *names, "names");
        char word[TRANSFER_ONLY];
        int k = 0;
        while (k < net.param_count && !begins_with(net.params[k].name, p, n))
            names[k] = net.params[k].name, k++;
        snprintf(word, sizeof word, "%.*s", (int)n, p);
        if (k == net.param_count)
            fail(WRONG_INPUT, "--only: no parameter of %s begins with '%s'%s; see %s info", net.name, word,
                 nearest_text("; nearest: ", word, names, k, ""), net.name);
        free(names);
        if (!p[n])
            break;
    }
}

/* ---- the options ---------------------------------------------------------------------------------------------------- */

static void copy_text(char *to, size_t room, const char *text, const char *option)
{
    if ((size_t)snprintf(to, room, "%s", text) >= room)
        fail(WRONG_USAGE, "%s: the text is too long; the most is %zu bytes", option, room - 1);
}

static uLong mark_file(uLong crc, const char *path)
{
    ArrayMap map;
    ArrayError e;
    if (!array_map_open(&map, path, &e))
        fail_array(&e);
    for (size_t at = 0, n; at < map.size; at += n) {
        n = map.size - at < 1 << 30 ? map.size - at : 1 << 30;
        crc = crc32(crc, map.data + at, (uInt)n);
    }
    array_map_close(&map);
    return crc;
}

void transfer_wanted(Transfer *t, const char *init, const char *only, const char *rename)
{
    *t = (Transfer){ .mark = 0 };
    if ((only || rename) && !init)
        fail(WRONG_USAGE, "%s; give --init FILE too", only ? "--only says which parameters --init takes" : "--rename is for the names in the file of --init");
    if (!init)
        return;
    weights_check_name(init);
    copy_text(t->file, sizeof t->file, init, "--init");
    copy_text(t->only, sizeof t->only, only ? only : "", "--only");
    uLong crc = mark_file(crc32(0, Z_NULL, 0), init);
    t->mark = (int64_t)(rename ? mark_file(crc, rename) : crc);
}

static void shape_text(char *text, size_t room, const NetParam *p)
{
    int64_t shape[NET_RANK];
    for (int i = 0; i < p->rank; i++)
        shape[i] = p->shape[i];
    Array a = array_view("", ARRAY_REAL, NULL, p->rank, shape);
    array_shape_text(text, room, &a);
}

/* What a file may hold, row k: the parameters, then the buffers. */
static int row_count(void) { return net.param_count + net.buffer_count; }
static const NetParam *row_at(int k) { return k < net.param_count ? &net.params[k] : &net.buffers[k - net.param_count]; }

static const NetParam *param_of(const char *name)
{
    for (int k = 0; k < row_count(); k++)
        if (!strcmp(name, row_at(k)->name))
            return row_at(k);
    return NULL;
}

/* ---- names there and here -------------------------------------------------------------------------------------------- */

typedef struct { char there[ARRAY_NAME], here[ARRAY_NAME]; int line; bool used; } Rename;
typedef struct { Rename *lines; int count; } Renames;

static bool is_prefix(const char *name) { return *name && strchr("./", name[strlen(name) - 1]); }

/* A name here must be a parameter's, a prefix the beginning of one; a lone dot is no prefix at all. */
static void check_here(const Rename *r, const char *path)
{
    const char **names = need_memory((size_t)net.param_count * sizeof *names, "names");
    bool fits = !strcmp(r->here, ".");
    for (int k = 0; k < net.param_count; k++) {
        names[k] = net.params[k].name;
        fits = fits || (is_prefix(r->here) ? !strncmp(names[k], r->here, strlen(r->here)) : !strcmp(names[k], r->here));
    }
    if (!fits)
        fail(WRONG_INPUT, "%s:%d: no parameter of %s %s '%s'%s; see %s info", path, r->line, net.name, is_prefix(r->here) ? "begins with" : "is called", r->here,
             nearest_text("; nearest: ", r->here, names, net.param_count, ""), net.name);
    if (is_prefix(r->there) != is_prefix(r->here))
        fail(WRONG_INPUT, "%s:%d: '%s' and '%s': expected two whole names, or two prefixes that end in a dot", path, r->line, r->there, r->here);
    free(names);
}

/* Lines of NAME-THERE NAME-HERE; # begins a comment. */
static Renames read_renames(const char *path)
{
    Renames all = { 0 };
    ArrayMap map;
    ArrayError e;
    if (!path)
        return all;
    if (!array_map_open(&map, path, &e))
        fail_array(&e);
    const char *at = (const char *)map.data, *end = at + map.size;
    for (int line = 1; at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        char text[512], there[256] = "", here[256] = "", more[2] = "";
        stop = stop ? stop : end;
        if (stop - at >= (ptrdiff_t)sizeof text)
            fail(WRONG_INPUT, "%s:%d: the line is too long, expected a name in the file and a name in the net", path, line);
        snprintf(text, sizeof text, "%.*s", (int)(stop - at), at);
        at = stop + 1;
        text[strcspn(text, "#\r")] = '\0';
        const int words = sscanf(text, "%255s %255s %1s", there, here, more);
        if (words < 1)
            continue;
        if (words != 2 || strlen(there) >= ARRAY_NAME || strlen(here) >= ARRAY_NAME)
            fail(WRONG_INPUT, "%s:%d: expected two names, that in the file and that in the net, with space between", path, line);
        if (all.count % 64 == 0) {
            Rename *longer = need_memory((size_t)(all.count + 64) * sizeof *longer, "names");
            if (all.count)
                memcpy(longer, all.lines, (size_t)all.count * sizeof *longer);
            free(all.lines);
            all.lines = longer;
        }
        Rename *r = &all.lines[all.count++];
        strcpy(r->there, there);
        strcpy(r->here, here);
        r->line = line;
        check_here(r, path);
    }
    array_map_close(&map);
    return all;
}

/* The name here of an array called `name` there: what a line says, or what PyTorch's wrappers and its nn.GRU add taken away. */
static const char *name_here(char here[2 * ARRAY_NAME], const char *name, const Renames *all)
{
    static const char *const wrappers[] = { "module.", "_orig_mod." };
    for (int i = 0; i < all->count; i++) {
        Rename *r = &all->lines[i];
        const size_t n = strlen(r->there);
        const bool prefix = is_prefix(r->there);
        if (prefix ? strncmp(name, r->there, n) : strcmp(name, r->there))
            continue;
        r->used = true;
        snprintf(here, 2 * ARRAY_NAME, "%s%s", strcmp(r->here, ".") ? r->here : "", prefix ? name + n : "");
        return here;
    }
    snprintf(here, 2 * ARRAY_NAME, "%s", name);
    for (int i = 0; i < 2 && !param_of(here); i++)
        if (!strncmp(here, wrappers[i], strlen(wrappers[i]))) {
            memmove(here, here + strlen(wrappers[i]), strlen(here) - strlen(wrappers[i]) + 1);
            i = -1;
        }
    const size_t n = strlen(here);
    if (!param_of(here) && n > 3 && !strcmp(here + n - 3, "_l0"))
        here[n - 3] = '\0';
    return here;
}

/* ---- the start ------------------------------------------------------------------------------------------------------ */

/* "    NAME: why" for each of up to LISTED; the count goes on. */
#define LIST(r, count, ...) ((count)++ < LISTED ? say(r, __VA_ARGS__) : (void)0)

typedef struct { const Transfer *t; const Renames *renames; } Wish;

static bool is_wanted(const Array *a, const void *context)
{
    const Wish *w = context;
    char here[2 * ARRAY_NAME];
    const NetParam *p = param_of(name_here(here, a->name, w->renames));
    return p && chosen(p->name, w->t->only) && weights_fits(a, p);
}

/* The array whose name here is that of p; two of them end the program. */
static const Array *array_of(const ArrayList *list, const NetParam *p, const Wish *w)
{
    const Array *found = NULL;
    char here[2 * ARRAY_NAME];
    for (int i = 0; i < list->count; i++) {
        const Array *a = &list->items[i];
        if (a->type == ARRAY_OTHER || strcmp(name_here(here, a->name, w->renames), p->name))
            continue;
        if (found)
            fail(WRONG_INPUT, "%s: '%s' and '%s' would both be %s; --rename FILE says which is", w->t->file, found->name, a->name, p->name);
        found = a;
    }
    return found;
}

/* Ends the program if p is in the file, but not as numbers that can be read: to leave it at its initial value would be to train another net than
 * was asked for. */
static void check_readable(const ArrayList *list, const NetParam *p, const Wish *w)
{
    char here[2 * ARRAY_NAME], why[ARRAY_REFUSAL];
    for (int i = 0; i < list->count; i++)
        if (list->items[i].type == ARRAY_OTHER && !strcmp(name_here(here, list->items[i].name, w->renames), p->name))
            fail(WRONG_INPUT, "%s: parameter %s %s", w->t->file, p->name, array_refusal(why, &list->items[i]));
}

/* What of the file is not in the net, and what is no array. */
static void say_unused(Report *r, const ArrayList *list, const Renames *renames)
{
    char here[2 * ARRAY_NAME], shown[TEXT_GROWS * ARRAY_NAME];
    int unused = 0, others = 0;
    bool bias = false;
    for (int i = 0; i < list->count; i++) {
        const Array *a = &list->items[i];
        if (a->type == ARRAY_OTHER || param_of(name_here(here, a->name, renames)) || weights_counts_batches(here))
            continue;
        const char *end = strrchr(here, '.');
        bias |= !strcmp(end ? end + 1 : here, "bias_hh");
        if (!unused)
            say(r, "  in the file, but not in this net:\n");
        LIST(r, unused, "    %s\n", text_shown(shown, sizeof shown, a->name, ""));
    }
    if (unused > LISTED)
        say(r, "    and %d more\n", unused - LISTED);
    if (bias)
        say(r, "    (a bias_hh is the second bias of PyTorch's GRU: `bias_hh: true` at the gru of the model makes room for it)\n");
    for (int i = 0; i < list->count; i++)
        if (list->items[i].type == ARRAY_OTHER) {
            if (!others)
                say(r, "  in the file, but no array of numbers:\n");
            LIST(r, others, "    %s: %s\n", text_shown(shown, sizeof shown, list->items[i].name, ""), list->items[i].what);
        }
    if (others > LISTED)
        say(r, "    and %d more\n", others - LISTED);
}

static void check_used(const Renames *renames, const ArrayList *list, const char *rename, const char *file)
{
    const char **names = need_memory((size_t)(list->count + 1) * sizeof *names, "names");
    for (int i = 0; i < list->count; i++)
        names[i] = list->items[i].name;
    for (int i = 0; i < renames->count; i++)
        if (!renames->lines[i].used)
            fail(WRONG_INPUT, "%s:%d: no array of %s %s '%s'%s", rename, renames->lines[i].line, file, is_prefix(renames->lines[i].there) ? "begins with" : "is called",
                 renames->lines[i].there, nearest_text("; nearest: ", renames->lines[i].there, names, list->count, ""));
    free(names);
}

/* A NaN would else be found after the first update, and the rate blamed. */
static void check_finite(const real *block, const NetParam *p, const Array *a, const char *file)
{
    for (size_t i = 0; i < p->count; i++) {
        const double there = array_number(a, (int64_t)i);
        if (isfinite(block[weights_index(p, i)]))
            continue;
        if (isfinite(there))
            fail(WRONG_INPUT, "%s: parameter %s, element %zu, is %g, which is beyond the range of a %s", file, a->name, i, there, net.precision);
        fail(WRONG_INPUT, "%s: parameter %s, element %zu, is %g; a training starts from finite numbers", file, a->name, i, plain_number(there));
    }
}

char *transfer_start(real *block, const Transfer *t, const char *rename)
{
    Report r = { 0 }, left = { 0 }, renamed = { 0 };
    Renames renames = read_renames(rename);
    const Wish wish = { t, &renames };
    ArrayList list;
    int taken = 0, buffers = 0, stays = 0, others = 0;
    check_prefixes(t->only);
    weights_read_file(&list, t->file, is_wanted, &wish);
    check_used(&renames, &list, rename, t->file);
    say(&left, "%s", "");
    say(&renamed, "%s", "");
    for (int k = 0; k < row_count(); k++) {
        const NetParam *p = row_at(k);
        const bool buffer = k >= net.param_count;
        const Array *a = array_of(&list, p, &wish);
        char there[160] = "", here[160];
        shape_text(here, sizeof here, p);
        if (a)
            array_shape_text(there, sizeof there, a);
        if (!a && chosen(p->name, t->only))
            check_readable(&list, p, &wish);
        if (!chosen(p->name, t->only)) {
            LIST(&left, stays, "    %s: not asked for\n", p->name);
        } else if (a && weights_fits(a, p)) {
            real *const to = buffer ? net.running() : block;
            weights_take(to, a, p, t->file);
            check_finite(to, p, a, t->file);
            *(buffer ? &buffers : &taken) += 1;
            if (strcmp(a->name, p->name))
                LIST(&renamed, others, "    %s from %s\n", p->name, a->name);
        } else if (*t->only && !buffer) {
            fail(WRONG_INPUT, "%s: parameter %s %s%s, expected %s (%s:%d), since --only asks for it", t->file, p->name, a ? "has shape " :
                 "is missing", there, here, place_file(p->yaml_line), place_line(p->yaml_line));
        } else {
            LIST(&left, stays, "    %s: %s%s, %s here\n", p->name, a ? "shape there " : "not there", there, here);
        }
    }
    if (!taken) {
        say_unused(&left, &list, &renames);
        fail(WRONG_INPUT, "%s: none of its %d arrays has name and shape of one of the %d parameters of %s; --rename FILE gives them other names:\n%s", t->file,
             list.count, net.param_count, net.name, left.text);
    }
    say(&r, "%s: %d of %d parameters taken\n", t->file, taken, net.param_count);
    if (net.buffer_count)
        say(&r, "  and %d of %d running statistics\n", buffers, net.buffer_count);
    if (others)
        say(&r, "  under another name there: %d\n%s", others, renamed.text);
    if (others > LISTED)
        say(&r, "    and %d more\n", others - LISTED);
    if (stays)
        say(&r, "  left at their initial values: %d\n%s", stays, left.text);
    if (stays > LISTED)
        say(&r, "    and %d more\n", stays - LISTED);
    say_unused(&r, &list, &renames);
    array_list_free(&list);
    free(renames.lines);
    free(renamed.text);
    free(left.text);
    return r.text;
}

/* ---- keeping -------------------------------------------------------------------------------------------------------- */

int transfer_fields(Field *rows)
{
    static const Field init[] = {
        { "file", FIELD_CHARS, offsetof(Transfer, file), 0, 0, 3, .group = "init", .optional = true, .room = TRANSFER_PATH,
          .what = "the file of `--init`" },
        { "only", FIELD_CHARS, offsetof(Transfer, only), 0, 0, 3, .group = "init", .room = TRANSFER_ONLY,
          .what = "the prefixes of `--only`" },
        { "crc32", FIELD_LONG, offsetof(Transfer, mark), 0, UINT32_MAX, 3, .group = "init", .what = "CRC-32 of that file, and of that of `--rename` behind it" },
    };
    _Static_assert(sizeof init / sizeof *init == TRANSFER_FIELDS, "transfer.h says how many");
    return fields_add(rows, 0, init, TRANSFER_FIELDS, 0);
}

void transfer_write(JsonWriter *w, const Transfer *t)
{
    Field rows[TRANSFER_FIELDS];
    fields_write(w, rows, transfer_fields(rows), t);
}

void transfer_go_on(const Transfer *recorded, const Transfer *wanted, const char *run)
{
    if (!*wanted->file)
        return;
    if (!*recorded->file)
        fail(WRONG_INPUT, "%s: the run began with the seed's weights, not with --init; leave it out to go on, or start a new run", run);
    if (recorded->mark != wanted->mark || strcmp(recorded->only, wanted->only))
        fail(WRONG_INPUT, "%s: the run began with --init %s%s%s%s; leave it out to go on, or start a new run", run, recorded->file,
             *recorded->only ? " --only " : "", recorded->only, recorded->mark != wanted->mark ? " (another file by its CRC-32)" : "");
}
