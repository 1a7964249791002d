/* transfer.c -- weights of another training as the start of this one, parameter by parameter.
 *
 * Parameters match by name and shape; the file may be of any model.  Every parameter of the net is listed as
 * taken or as left at the seed's value, with the shape there and here, and so are the file's other arrays.  A prefix is
 * whole parts of a name: front is a prefix of front.conv1.weight, not of front2.conv1.weight. */
#include "run/transfer.h"
#include "run/message.h"
#include "run/weights.h"

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

/* ---- the start ------------------------------------------------------------------------------------------------------ */

static void copy_text(char *to, size_t room, const char *text, const char *option)
{
    if ((size_t)snprintf(to, room, "%s", text) >= room)
        fail(WRONG_USAGE, "%s: the text is too long; the most is %zu bytes", option, room - 1);
}

void transfer_wanted(Transfer *t, const char *init, const char *only)
{
    ArrayMap map;
    ArrayError e;
    *t = (Transfer){ .mark = 0 };
    if (only && !init)
        fail(WRONG_USAGE, "--only says which parameters --init takes; give --init FILE too");
    if (!init)
        return;
    copy_text(t->file, sizeof t->file, init, "--init");
    copy_text(t->only, sizeof t->only, only ? only : "", "--only");
    if (!array_map_open(&map, init, &e))
        fail_array(&e);
    uLong crc = crc32(0, Z_NULL, 0);
    for (size_t at = 0, n; at < map.size; at += n) {
        n = map.size - at < 1 << 30 ? map.size - at : 1 << 30;
        crc = crc32(crc, map.data + at, (uInt)n);
    }
    t->mark = (int64_t)crc;
    array_map_close(&map);
}

static void shape_text(char *text, size_t room, const NetParam *p)
{
    int64_t shape[NET_RANK];
    for (int i = 0; i < p->rank; i++)
        shape[i] = p->shape[i];
    Array a = array_view("", ARRAY_REAL, NULL, p->rank, shape);
    array_shape_text(text, room, &a);
}

static bool known(const char *name)
{
    for (int k = 0; k < net.param_count; k++)
        if (!strcmp(name, net.params[k].name))
            return true;
    return false;
}

/* "    NAME: why" for each of up to LISTED; the count goes on. */
#define LIST(r, count, ...) ((count)++ < LISTED ? say(r, __VA_ARGS__) : (void)0)

char *transfer_start(real *block, const Transfer *t)
{
    Report r = { 0 }, left = { 0 };
    ArrayList list;
    int taken = 0, stays = 0, unused = 0;
    check_prefixes(t->only);
    weights_read_file(&list, t->file);
    say(&left, "%s", "");
    for (int k = 0; k < net.param_count; k++) {
        const NetParam *p = &net.params[k];
        const Array *a = array_find(&list, p->name);
        char there[160] = "", here[160];
        shape_text(here, sizeof here, p);
        if (a)
            array_shape_text(there, sizeof there, a);
        if (!chosen(p->name, t->only)) {
            LIST(&left, stays, "    %s: not asked for\n", p->name);
        } else if (a && weights_fits(a, p)) {
            weights_take(block, a, p, t->file);
            taken++;
        } else if (*t->only) {
            fail(WRONG_INPUT, "%s: parameter %s %s%s, expected %s (%s:%d), since --only asks for it", t->file, p->name, a ? "has shape " :
                 "is missing", there, here, net.source, p->yaml_line);
        } else {
            LIST(&left, stays, "    %s: %s%s, %s here\n", p->name, a ? "shape there " : "not there", there, here);
        }
    }
    if (!taken)
        fail(WRONG_INPUT, "%s: none of its %d arrays has name and shape of one of the %d parameters of %s:\n%s", t->file, list.count, net.param_count,
             net.name, left.text);
    say(&r, "%s: %d of %d parameters taken\n", t->file, taken, net.param_count);
    if (stays)
        say(&r, "  left at their initial values: %d\n%s", stays, left.text);
    if (stays > LISTED)
        say(&r, "    and %d more\n", stays - LISTED);
    for (int i = 0; i < list.count; i++)
        if (!known(list.items[i].name))
            LIST(&r, unused, "%s    %s\n", unused ? "" : "  in the file, but not in this net:\n", list.items[i].name);
    if (unused > LISTED)
        say(&r, "    and %d more\n", unused - LISTED);
    array_list_free(&list);
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
        { "crc32", FIELD_LONG, offsetof(Transfer, mark), 0, UINT32_MAX, 3, .group = "init", .what = "CRC-32 of that file" },
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
