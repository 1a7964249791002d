/* json.h -- JSON, written to a FILE or a growing text, and read strictly into a tree. */
#ifndef SPN_JSON_H
#define SPN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- writing -------------------------------------------------------------------------------------------- */

enum { JSON_DEPTH = 64 };

/* Every value takes a key: its name inside an object, NULL inside an array or at the top.
 *     JsonWriter w;
 *     json_begin(&w, stdout);
 *     json_object(&w, NULL);  json_string(&w, "split", "test");  json_double(&w, "loss", loss);  json_close(&w);
 *     bool fine = json_end(&w);  json_free(&w);
 * Mistakes (a key in an array, a close too many) and failing writes make json_end return false. */
typedef struct {
    FILE *file;                                /* NULL: into text */
    char *text;                                /* owned; NUL-terminated; NULL while empty */
    size_t length, room;
    int depth;
    bool filled[JSON_DEPTH + 1], object[JSON_DEPTH + 1];
    bool failed;
} JsonWriter;

void json_begin(JsonWriter *w, FILE *file);
void json_object(JsonWriter *w, const char *key);
void json_array(JsonWriter *w, const char *key);
void json_close(JsonWriter *w);                                         /* the innermost object or array */
void json_string(JsonWriter *w, const char *key, const char *value);    /* bytes that are not UTF-8 become U+FFFD */
void json_integer(JsonWriter *w, const char *key, int64_t value);
/* The fewest digits that read back as the same float or double; null for NaN and the infinities. */
void json_float(JsonWriter *w, const char *key, float value);
void json_double(JsonWriter *w, const char *key, double value);
void json_bool(JsonWriter *w, const char *key, bool value);
void json_null(JsonWriter *w, const char *key);
void json_newline(JsonWriter *w);                                       /* between top-level values: JSON lines */
bool json_end(JsonWriter *w);                                           /* flushes; true if all is closed and written */
void json_free(JsonWriter *w);

/* ---- reading -------------------------------------------------------------------------------------------- */

typedef enum { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } JsonKind;

typedef struct JsonValue JsonValue;
struct JsonValue {
    JsonKind kind;
    bool truth;                                /* JSON_BOOL */
    bool whole;                                /* JSON_NUMBER: written without fraction or exponent, and fits */
    int64_t integer;                           /* if whole */
    double number;                             /* JSON_NUMBER */
    const char *key;                           /* in an object */
    const char *string;                        /* JSON_STRING: UTF-8, NUL-terminated */
    JsonValue *first, *next;                   /* the children of an array or object; the next sibling */
    int count;                                 /* number of children */
};

typedef struct { JsonValue *root; char *strings; } Json;

/* Parses text[0..size) as exactly one JSON value (RFC 8259) of at most `limit` bytes and JSON_DEPTH levels.  Refused
 * too: keys given twice, \u0000, numbers beyond double.  On failure error[0..room) is the reason, with the byte's offset. */
bool json_parse(Json *j, const char *text, size_t size, size_t limit, char *error, size_t room);
void json_parse_free(Json *j);
const JsonValue *json_get(const JsonValue *object, const char *key);    /* NULL if it is not there, or no object */

#endif
