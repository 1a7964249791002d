/* json.c -- JSON out (to a FILE or a growing text) and in (strictly, into a tree).
 * The writer keeps one bit per level, set after the level's first value, and writes the commas itself.
 * The parser allocates twice: one array of values, whose number is bounded by the commas and opening brackets of
 * the text, and one block for decoded strings, which are never longer than their source. */
#include "files/json.h"
#include "files/text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ---------------------------------------------------------------------------------------------- */

static void put(JsonWriter *w, const char *bytes, size_t n)
{
    if (w->failed)
        return;
    if (w->file) {
        w->failed = fwrite(bytes, 1, n, w->file) != n;
        return;
    }
    if (w->room - w->length <= n) {
        size_t room = 2 * w->room + n + 64;
        char *text = realloc(w->text, room);
        if (!text) {
            w->failed = true;
            return;
        }
        w->text = text;
        w->room = room;
    }
    memcpy(w->text + w->length, bytes, n);
    w->length += n;
    w->text[w->length] = '\0';
}

static void put_text(JsonWriter *w, const char *text)
{
    put(w, text, strlen(text));
}

static void put_quoted(JsonWriter *w, const char *text)
{
    size_t n = strlen(text);
    put(w, "\"", 1);
    for (size_t i = 0; i < n;) {
        int32_t c;
        size_t length = text_decode(text + i, n - i, &c);
        if (c == '"' || c == '\\') {
            put(w, (const char[]){ '\\', (char)c }, 2);
        } else if (c < 0) {
            put_text(w, "\xEF\xBF\xBD");
        } else if (text_unprintable(c)) {
            char escape[8];
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c);
            put_text(w, escape);
        } else {
            put(w, text + i, length);
        }
        i += length;
    }
    put(w, "\"", 1);
}

/* What comes before a value: comma and key. */
static void lead(JsonWriter *w, const char *key)
{
    bool inside = w->depth > 0;
    if ((inside && w->object[w->depth]) != (key != NULL))
        w->failed = true;
    if (inside && w->filled[w->depth])
        put(w, ", ", 2);
    w->filled[w->depth] = true;
    if (key) {
        put_quoted(w, key);
        put(w, ": ", 2);
    }
}

static void open_level(JsonWriter *w, const char *key, bool object)
{
    lead(w, key);
    put_text(w, object ? "{" : "[");
    if (w->depth == JSON_DEPTH) {
        w->failed = true;
        return;
    }
    w->depth++;
    w->filled[w->depth] = false;
    w->object[w->depth] = object;
}

void json_begin(JsonWriter *w, FILE *file)
{
    *w = (JsonWriter){ .file = file };
}

void json_object(JsonWriter *w, const char *key)
{
    open_level(w, key, true);
}

void json_array(JsonWriter *w, const char *key)
{
    open_level(w, key, false);
}

void json_close(JsonWriter *w)
{
    if (w->depth == 0) {
        w->failed = true;
        return;
    }
    put_text(w, w->object[w->depth] ? "}" : "]");
    w->depth--;
}

void json_string(JsonWriter *w, const char *key, const char *value)
{
    lead(w, key);
    put_quoted(w, value);
}

void json_integer(JsonWriter *w, const char *key, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    lead(w, key);
    put_text(w, text);
}

void json_float(JsonWriter *w, const char *key, float value)
{
    char text[40] = "null";
    if (isfinite(value))
        for (int digits = 1; digits <= 9; digits++) {
            snprintf(text, sizeof text, "%.*g", digits, (double)value);
            if (strtof(text, NULL) == value)
                break;
        }
    lead(w, key);
    put_text(w, text);
}

void json_double(JsonWriter *w, const char *key, double value)
{
    char text[40] = "null";
    if (isfinite(value))
        for (int digits = 1; digits <= 17; digits++) {
            snprintf(text, sizeof text, "%.*g", digits, value);
            if (strtod(text, NULL) == value)
                break;
        }
    lead(w, key);
    put_text(w, text);
}

void json_bool(JsonWriter *w, const char *key, bool value)
{
    lead(w, key);
    put_text(w, value ? "true" : "false");
}

void json_null(JsonWriter *w, const char *key)
{
    lead(w, key);
    put_text(w, "null");
}

void json_newline(JsonWriter *w)
{
    if (w->depth)
        w->failed = true;
    put(w, "\n", 1);
}

bool json_end(JsonWriter *w)
{
    if (w->depth || (w->file && fflush(w->file)))
        w->failed = true;
    return !w->failed;
}

void json_free(JsonWriter *w)
{
    free(w->text);
    *w = (JsonWriter){ 0 };
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

typedef struct {
    const unsigned char *text, *at, *end;
    JsonValue *values;                         /* the next unused one */
    char *strings;                             /* the next free byte */
    int depth;
    char *error;
    size_t room;
} Parser;

static bool wrong(Parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(Parser *p, const char *format, ...)
{
    int used = snprintf(p->error, p->room, "JSON, byte %td: ", p->at - p->text);
    if (used >= 0 && (size_t)used < p->room) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(p->error + used, p->room - (size_t)used, format, arguments);
        va_end(arguments);
    }
    return false;
}

static void skip_space(Parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
        p->at++;
}

/* Skips space, then takes the byte c if it comes next. */
static bool take(Parser *p, char c)
{
    skip_space(p);
    if (p->at == p->end || *p->at != (unsigned char)c)
        return false;
    p->at++;
    return true;
}

static bool parse_hex(Parser *p, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++, p->at++) {
        int c = p->at < p->end ? *p->at : 0;
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0)
            return wrong(p, "expected four hex digits after \\u");
        *code = *code * 16 + (unsigned)digit;
    }
    return true;
}

static bool parse_escape(Parser *p)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    int c = p->at < p->end ? *p->at : 0;
    const char *name = c ? strchr(names, c) : NULL;
    if (name) {
        p->at++;
        *p->strings++ = bytes[name - names];
        return true;
    }
    unsigned code, low;
    if (c != 'u')
        return wrong(p, "expected an escape (one of \"\\/bfnrtu)");
    p->at++;
    if (!parse_hex(p, &code))
        return false;
    if (code >= 0xD800 && code < 0xDC00) {
        if (p->end - p->at < 2 || p->at[0] != '\\' || p->at[1] != 'u')
            return wrong(p, "half a surrogate pair");
        p->at += 2;
        if (!parse_hex(p, &low))
            return false;
        if (low < 0xDC00 || low > 0xDFFF)
            return wrong(p, "half a surrogate pair");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
        return wrong(p, "half a surrogate pair");
    }
    if (code == 0)
        return wrong(p, "\\u0000 has no place in a text");
    int tail = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned lead_bits[] = { 0, 0xC0, 0xE0, 0xF0 };
    *p->strings++ = (char)(lead_bits[tail] | code >> (6 * tail));
    while (tail-- > 0)
        *p->strings++ = (char)(0x80 | ((code >> (6 * tail)) & 0x3F));
    return true;
}

/* The opening quote has been taken. */
static bool parse_string(Parser *p, const char **string)
{
    *string = p->strings;
    for (;;) {
        if (p->at == p->end)
            return wrong(p, "the text ends inside a string");
        if (*p->at == '"')
            break;
        if (*p->at < 0x20)
            return wrong(p, "a control character in a string");
        if (*p->at == '\\') {
            p->at++;
            if (!parse_escape(p))
                return false;
            continue;
        }
        size_t length = text_utf8((const char *)p->at, (size_t)(p->end - p->at));
        if (!length)
            return wrong(p, "bytes that are not UTF-8");
        memcpy(p->strings, p->at, length);
        p->strings += length;
        p->at += length;
    }
    p->at++;
    *p->strings++ = '\0';
    return true;
}

static bool digits(Parser *p)
{
    const unsigned char *start = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    return p->at > start;
}

static bool parse_number(Parser *p, JsonValue *v)
{
    const unsigned char *start = p->at;
    v->kind = JSON_NUMBER;
    v->whole = true;
    if (*p->at == '-')
        p->at++;
    if (p->at < p->end && *p->at == '0')
        p->at++;
    else if (!digits(p))
        return wrong(p, "expected a value");
    if (p->at < p->end && *p->at == '.') {
        v->whole = false;
        p->at++;
        if (!digits(p))
            return wrong(p, "expected a digit after the point");
    }
    if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
        v->whole = false;
        p->at++;
        if (p->at < p->end && (*p->at == '+' || *p->at == '-'))
            p->at++;
        if (!digits(p))
            return wrong(p, "expected a digit in the exponent");
    }
    /* The bytes after the number need not end it for strtod ("1" before "e" cannot be; a buffer's end can): copy. */
    char text[512];
    size_t length = (size_t)(p->at - start);
    if (length >= sizeof text)
        return wrong(p, "a number of %zu characters", length);
    memcpy(text, start, length);
    text[length] = '\0';
    v->number = strtod(text, NULL);
    if (isinf(v->number))
        return wrong(p, "%.40s is beyond a double", text);
    errno = 0;
    if (v->whole)
        v->integer = strtoll(text, NULL, 10);
    if (errno == ERANGE) {
        v->whole = false;
        v->integer = 0;
    }
    return true;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool keys_differ(Parser *p, const JsonValue *object)
{
    if (object->count < 2)
        return true;
    const char **keys = malloc(sizeof *keys * (size_t)object->count);
    if (!keys)
        return wrong(p, "no memory");
    int n = 0;
    for (const JsonValue *v = object->first; v; v = v->next)
        keys[n++] = v->key;
    qsort(keys, (size_t)n, sizeof *keys, by_key);
    bool fine = true;
    for (int i = 1; i < n && fine; i++)
        if (!strcmp(keys[i - 1], keys[i]))
            fine = wrong(p, "the key \"%.100s\" is given twice", keys[i]);
    free(keys);
    return fine;
}

static bool parse_value(Parser *p, JsonValue *v);

static bool parse_children(Parser *p, JsonValue *v, char close)
{
    if (++p->depth > JSON_DEPTH)
        return wrong(p, "more than %d levels", JSON_DEPTH);
    JsonValue **link = &v->first;
    if (!take(p, close)) {
        do {
            JsonValue *child = *link = p->values++;
            link = &child->next;
            v->count++;
            if (v->kind == JSON_OBJECT) {
                if (!take(p, '"'))
                    return wrong(p, "expected a key");
                if (!parse_string(p, &child->key))
                    return false;
                if (!take(p, ':'))
                    return wrong(p, "expected ':' after the key \"%.100s\"", child->key);
            }
            if (!parse_value(p, child))
                return false;
        } while (take(p, ','));
        if (!take(p, close))
            return wrong(p, "expected ',' or '%c'", close);
    }
    p->depth--;
    return v->kind == JSON_ARRAY || keys_differ(p, v);
}

static bool parse_value(Parser *p, JsonValue *v)
{
    static const struct { const char *word; JsonKind kind; bool truth; } words[] = {
        { "null", JSON_NULL, false }, { "true", JSON_BOOL, true }, { "false", JSON_BOOL, false },
    };
    skip_space(p);
    if (p->at == p->end)
        return wrong(p, "the text ends where a value should be");
    if (take(p, '{')) {
        v->kind = JSON_OBJECT;
        return parse_children(p, v, '}');
    }
    if (take(p, '[')) {
        v->kind = JSON_ARRAY;
        return parse_children(p, v, ']');
    }
    if (take(p, '"')) {
        v->kind = JSON_STRING;
        return parse_string(p, &v->string);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i].word);
        if ((size_t)(p->end - p->at) >= length && !memcmp(p->at, words[i].word, length)) {
            p->at += length;
            v->kind = words[i].kind;
            v->truth = words[i].truth;
            return true;
        }
    }
    return parse_number(p, v);
}

bool json_parse(Json *j, const char *text, size_t size, size_t limit, char *error, size_t room)
{
    *j = (Json){ 0 };
    if (size > limit) {
        snprintf(error, room, "JSON of %zu bytes, expected %zu at most", size, limit);
        return false;
    }
    size_t values = 1;
    for (size_t i = 0; i < size; i++)
        values += text[i] == ',' || text[i] == '[' || text[i] == '{';
    j->root = calloc(values, sizeof *j->root);
    j->strings = malloc(size + 1);
    if (!j->root || !j->strings) {
        json_parse_free(j);
        snprintf(error, room, "no memory for JSON of %zu bytes", size);
        return false;
    }
    const unsigned char *bytes = (const unsigned char *)text;
    Parser p = { bytes, bytes, bytes + size, j->root + 1, j->strings, 0, error, room };
    bool fine = parse_value(&p, j->root);
    skip_space(&p);
    if (fine && p.at < p.end)
        fine = wrong(&p, "something follows the value");
    if (!fine)
        json_parse_free(j);
    return fine;
}

void json_parse_free(Json *j)
{
    free(j->root);
    free(j->strings);
    *j = (Json){ 0 };
}

const JsonValue *json_get(const JsonValue *object, const char *key)
{
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    for (const JsonValue *v = object->first; v; v = v->next)
        if (!strcmp(v->key, key))
            return v;
    return NULL;
}
