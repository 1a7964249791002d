/* field.c -- writes, reads and checks the values of a struct by the rows of a table.
 *
 * Numbers in a file decide sizes and addresses, so a number outside of its row's range is refused.  Ranges
 * are doubles: whole numbers in them are below 2^53, which doubles hold exactly. */
#include "run/field.h"
#include "run/message.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const void *at(const Field *f, const void *of) { return f->own ? f->own : (const char *)of + f->offset; }
static bool is_whole(const Field *f) { return f->kind == FIELD_INT || f->kind == FIELD_WHOLE || f->kind == FIELD_LONG || f->kind == FIELD_SEED; }
static bool is_in(const Field *f, const char *group) { return f->group && group && !strcmp(f->group, group); }

static size_t size_of(const Field *f)
{
    switch (f->kind) {
    case FIELD_INT: return sizeof(int);
    case FIELD_LONG: case FIELD_SEED: return sizeof(int64_t);
    case FIELD_REAL: case FIELD_WHOLE: return sizeof(double);
    case FIELD_FLAG: return sizeof(bool);
    case FIELD_TEXT: return sizeof(char *);
    case FIELD_CHARS: break;
    }
    return f->room;
}

/* A row's number in the struct. */
static double number_at(const Field *f, const void *of)
{
    bool is_double = f->kind == FIELD_REAL || f->kind == FIELD_WHOLE;
    return is_double ? *(const double *)at(f, of) : f->kind == FIELD_INT ? *(const int *)at(f, of) : (double)*(const int64_t *)at(f, of);
}

int fields_add(Field *to, int n, const Field *rows, int count, size_t offset)
{
    for (int i = 0; i < count; i++) {
        to[n + i] = rows[i];
        to[n + i].offset += offset;
    }
    return n + count;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static const char *text_at(const Field *f, const void *from)
{
    const char *text = f->kind == FIELD_TEXT ? *(const char *const *)at(f, from) : (const char *)at(f, from);
    return text ? text : "";
}

static bool is_empty(const Field *f, const void *from)
{
    return f->kind == FIELD_REAL ? isnan(number_at(f, from)) : (f->kind == FIELD_TEXT || f->kind == FIELD_CHARS) && !*text_at(f, from);
}

static void write_one(JsonWriter *w, const Field *f, const void *from)
{
    switch (f->kind) {
    case FIELD_INT: json_integer(w, f->name, *(const int *)at(f, from)); break;
    case FIELD_WHOLE: json_integer(w, f->name, (int64_t)*(const double *)at(f, from)); break;
    case FIELD_LONG: case FIELD_SEED: json_integer(w, f->name, *(const int64_t *)at(f, from)); break;
    case FIELD_REAL: json_double(w, f->name, *(const double *)at(f, from)); break;
    case FIELD_FLAG: json_bool(w, f->name, *(const bool *)at(f, from)); break;
    case FIELD_TEXT: case FIELD_CHARS: json_string(w, f->name, text_at(f, from)); break;
    }
}

void fields_write(JsonWriter *w, const Field *rows, int count, const void *from)
{
    for (int i = 0; i < count;) {
        const Field *first = &rows[i];
        bool left_out = first->optional && is_empty(first, from);
        if (first->group && !left_out)
            json_object(w, first->group);
        do {
            if (!left_out)
                write_one(w, &rows[i], from);
            i++;
        } while (i < count && is_in(&rows[i], first->group));
        if (first->group && !left_out)
            json_close(w);
    }
}

bool fields_finite(const Field *rows, int count, const void *from, char *why, size_t room)
{
    for (int i = 0; i < count; i++) {
        const Field *f = &rows[i];
        if (f->kind != FIELD_REAL || f->optional || isfinite(number_at(f, from)))
            continue;
        snprintf(why, room, "'%s%s%s' is %g", f->group ? f->group : "", f->group ? "." : "", f->name, number_at(f, from));
        return false;
    }
    return true;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

char *field_range(char *text, size_t room, const Field *f)
{
    char most[40] = "";
    const char *kind = is_whole(f) ? "a whole number" : "a number";
    if (f->limit)
        snprintf(most, sizeof most, " to %s", f->limit);
    else if (isfinite(f->most))
        snprintf(most, sizeof most, is_whole(f) ? " to %.0f" : " to %.9g", f->most);
    switch (f->kind) {
    case FIELD_SEED: snprintf(text, room, "a whole number of 64 bits"); break;
    case FIELD_FLAG: snprintf(text, room, "true or false"); break;
    case FIELD_TEXT: snprintf(text, room, "a text"); break;
    case FIELD_CHARS: snprintf(text, room, "a text of at most %zu bytes", f->room - 1); break;
    case FIELD_INT: case FIELD_WHOLE: case FIELD_LONG: case FIELD_REAL:
        if (!isfinite(f->least))
            snprintf(text, room, "%s", kind);
        else if (f->least == DBL_MIN)       /* the least that is not 0 */
            snprintf(text, room, "%s above 0%s", kind, most);
        else
            snprintf(text, room, "%s from %g%s", kind, f->least, most);
    }
    return text;
}

/* The value found in the file, as a text of one line for a message. */
static char *found(char *text, size_t room, const JsonValue *v)
{
    static const char *const kinds[] = {
        [JSON_NULL] = "null", [JSON_STRING] = "a text", [JSON_ARRAY] = "an array", [JSON_OBJECT] = "an object",
    };
    if (v->kind == JSON_NUMBER && v->whole)
        snprintf(text, room, "%" PRId64, v->integer);
    else if (v->kind == JSON_NUMBER)
        snprintf(text, room, "%.9g", v->number);
    else
        snprintf(text, room, "%s", v->kind == JSON_BOOL ? v->truth ? "true" : "false" : kinds[v->kind]);
    return text;
}

static bool is_of_kind(const Field *f, const JsonValue *v)
{
    switch (f->kind) {
    case FIELD_INT: case FIELD_WHOLE: case FIELD_LONG: case FIELD_SEED: return v->kind == JSON_NUMBER && v->whole;
    case FIELD_REAL: return v->kind == JSON_NUMBER;
    case FIELD_FLAG: return v->kind == JSON_BOOL;
    case FIELD_TEXT: return v->kind == JSON_STRING;
    case FIELD_CHARS: break;
    }
    return v->kind == JSON_STRING && strlen(v->string) < f->room;
}

static bool is_believed(const Field *f, const JsonValue *v, double limit)
{
    double most = fmin(f->most, limit);
    if (!is_of_kind(f, v))
        return false;
    if (f->kind == FIELD_REAL)
        return v->number >= f->least && v->number <= most;
    if (f->kind != FIELD_SEED && is_whole(f))         /* not as a double, which rounds large ones */
        return v->integer >= (int64_t)f->least && v->integer <= (int64_t)most;
    return true;
}

static void store(void *to, const Field *f, const JsonValue *v)
{
    char *place = (char *)to + f->offset;
    int small = (int)v->integer;
    double whole = (double)v->integer;
    switch (f->kind) {
    case FIELD_INT: memcpy(place, &small, sizeof small); break;
    case FIELD_WHOLE: memcpy(place, &whole, sizeof whole); break;
    case FIELD_LONG: case FIELD_SEED: memcpy(place, &v->integer, sizeof v->integer); break;
    case FIELD_REAL: memcpy(place, &v->number, sizeof v->number); break;
    case FIELD_FLAG: memcpy(place, &v->truth, sizeof v->truth); break;
    case FIELD_TEXT: {
        char *copy = strcpy(need_memory(strlen(v->string) + 1, "a text"), v->string);
        memcpy(place, &copy, sizeof copy);
        break;
    }
    case FIELD_CHARS: strcpy(place, v->string); break;
    }
}

static void store_absent(void *to, const Field *f)
{
    char *place = (char *)to + f->offset;
    memset(place, 0, size_of(f));
    if (f->absent)
        memmove(place, f->absent, size_of(f));
}

static bool refuse(char *why, size_t room, const Field *f, const JsonValue *v, const char *expected)
{
    char is[40];
    snprintf(why, room, "field '%s%s%s' is %s, expected %s", f->group ? f->group : "", f->group ? "." : "", f->name,
             found(is, sizeof is, v), expected);
    return false;
}

static const Field *row_named(const Field *rows, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (!rows[i].group && !strcmp(rows[i].name, name))
            return &rows[i];
    return NULL;
}

/* rows[i], those before it being read. */
static bool read_one(void *to, const Field *rows, int i, const JsonValue *object, char *why, size_t room)
{
    const Field *f = &rows[i], *limit = f->limit ? row_named(rows, i, f->limit) : NULL;
    const JsonValue *holder = f->group ? json_get(object, f->group) : object, *v = json_get(holder, f->name);
    char expected[120];
    if (f->group && holder && holder->kind != JSON_OBJECT) {
        snprintf(why, room, "field '%s' is %s, expected an object", f->group, found(expected, sizeof expected, holder));
        return false;
    }
    if (!v && f->formerly && (v = json_get(object, f->formerly)) && !is_of_kind(f, v))
        v = NULL;
    if (!v && f->since == 1 && !f->optional) {
        const char *kind = f->kind == FIELD_FLAG ? "flag" : f->kind >= FIELD_TEXT ? "text" : "number";
        snprintf(why, room, "the %s '%s' is missing in its facts", kind, f->name);
        return false;
    }
    if (!v) {
        store_absent(to, f);
        return true;
    }
    if (!is_believed(f, v, limit ? number_at(limit, to) : (double)INFINITY)) {
        field_range(expected, sizeof expected, f);
        if (limit)
            snprintf(expected + strlen(expected), sizeof expected - strlen(expected), ", which is %.16g", number_at(limit, to));
        return refuse(why, room, f, v, expected);
    }
    store(to, f, v);
    return true;
}

/* A constant of the program is not taken from the file, which another program may have written; but it is one. */
static bool own_is_fit(const Field *f, const JsonValue *object, char *why, size_t room)
{
    const JsonValue *v = json_get(object, f->name);
    char expected[120];
    return !v || is_believed(f, v, (double)INFINITY) || refuse(why, room, f, v, field_range(expected, sizeof expected, f));
}

bool fields_read(void *to, const Field *rows, int count, const JsonValue *object, char *why, size_t room)
{
    for (int i = 0; i < count; i++)
        if (rows[i].own ? !own_is_fit(&rows[i], object, why, room) : !read_one(to, rows, i, object, why, room))
            return false;
    return true;
}
