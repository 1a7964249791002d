/* array_safetensors.c -- .safetensors: the length of a JSON header (8 bytes), the header, the data.
 * The header maps a name to {"dtype", "shape", "data_offsets": [begin, end]}, and "__metadata__" to texts.
 * Strict, as the format demands: sorted by offset, the tensors fill the data without a gap or an overlap. */
#define _DEFAULT_SOURCE
#include "files/array_file.h"
#include "files/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A header is some 100 bytes an array; this leaves room for 100,000 of them. */
enum { HEADER = 16 << 20 };

static const struct { const char *name; ArrayType type; size_t size; } dtypes[] = {
    { "F32", ARRAY_F4, 4 }, { "F64", ARRAY_F8, 8 }, { "U8", ARRAY_U1, 1 }, { "I8", ARRAY_I1, 1 },
    { "U16", ARRAY_U2, 2 }, { "I16", ARRAY_I2, 2 }, { "U32", ARRAY_U4, 4 }, { "I32", ARRAY_I4, 4 },
    { "U64", ARRAY_U8, 8 }, { "I64", ARRAY_I8, 8 },
    { "BOOL", ARRAY_B1, 1 }, { "F16", ARRAY_F2, 2 }, { "BF16", ARRAY_BF16, 2 }, { "C64", ARRAY_OTHER, 8 },
    { "F8_E4M3", ARRAY_OTHER, 1 }, { "F8_E5M2", ARRAY_OTHER, 1 }, { "F8_E8M0", ARRAY_OTHER, 1 },
};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

/* ---- reading --------------------------------------------------------------------------------------------------- */

typedef struct { uint64_t begin, end; } Span;

static bool is_size(const JsonValue *v)
{
    return v && v->kind == JSON_NUMBER && v->whole && v->integer >= 0;
}

static bool read_metadata(ArrayList *l, const JsonValue *v, const char *path, ArrayError *e)
{
    if (v->kind != JSON_OBJECT)
        return array_fail(e, 1, path, "__metadata__ is not an object of texts");
    if (!(l->metadata = array_allocate(path, sizeof *l->metadata * (size_t)v->count, e)))
        return false;
    for (v = v->first; v; v = v->next) {
        if (v->kind != JSON_STRING)
            return array_fail(e, 1, path, "__metadata__: the value of '%s' is not a text", v->key);
        ArrayText *text = &l->metadata[l->metadata_count++];
        *text = (ArrayText){ strdup(v->key), strdup(v->string) };
        if (!text->key || !text->value)
            return array_fail(e, 74, path, "no memory for its metadata");
    }
    return true;
}

static bool read_entry(Array *a, Span *span, const JsonValue *v, uint64_t data, const char *path, ArrayError *e)
{
    const JsonValue *dtype = json_get(v, "dtype"), *shape = json_get(v, "shape"), *offsets = json_get(v, "data_offsets");
    if (!v->key[0] || strlen(v->key) >= ARRAY_NAME)
        return array_fail(e, 1, path, "a name of %zu bytes, expected 1 to %d: %.60s", strlen(v->key), ARRAY_NAME - 1, v->key);
    strcpy(a->name, v->key);
    if (v->kind != JSON_OBJECT || v->count != 3 || !dtype || !shape || !offsets)
        return array_fail(e, 1, path, "%s: expected exactly dtype, shape and data_offsets", a->name);
    int d = 0;
    while (d < DTYPES && (dtype->kind != JSON_STRING || strcmp(dtype->string, dtypes[d].name)))
        d++;
    if (dtype->kind != JSON_STRING)
        return array_fail(e, 1, path, "%s: its dtype is not a text", a->name);
    a->type = d < DTYPES ? dtypes[d].type : ARRAY_OTHER;
    if (a->type == ARRAY_OTHER)
        snprintf(a->what, sizeof a->what, "dtype %s", dtype->string);
    if (shape->kind != JSON_ARRAY || shape->count > ARRAY_RANK)
        return array_fail(e, 1, path, "%s: expected a shape of up to %d dimensions", a->name, ARRAY_RANK);
    for (const JsonValue *size = shape->first; size; size = size->next) {
        if (!is_size(size))
            return array_fail(e, 1, path, "%s: its shape holds something that is not a size", a->name);
        a->shape[a->rank++] = size->integer;
    }
    if (offsets->kind != JSON_ARRAY || offsets->count != 2 || !is_size(offsets->first) || !is_size(offsets->first->next))
        return array_fail(e, 1, path, "%s: expected data_offsets of two sizes", a->name);
    *span = (Span){ (uint64_t)offsets->first->integer, (uint64_t)offsets->first->next->integer };
    if (span->begin > span->end || span->end > data)
        return array_fail(e, 1, path, "%s: data_offsets %llu to %llu, but there are %llu bytes; is the file cut short?",
                          a->name, (unsigned long long)span->begin, (unsigned long long)span->end, (unsigned long long)data);
    char text[200];
    if (d == DTYPES) {                         /* a type of later versions: its size is not known */
        a->bytes = span->end - span->begin;
        return true;
    }
    if (!array_measure(a, dtypes[d].size) || a->bytes != span->end - span->begin)
        return array_fail(e, 1, path, "%s: %s %s needs %zu bytes, its data_offsets span %llu", a->name, dtypes[d].name,
                          array_shape_text(text, sizeof text, a), a->bytes, (unsigned long long)(span->end - span->begin));
    return true;
}

static int by_offset(const void *a, const void *b)
{
    const Span *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* Sorts the spans. */
static bool check_spans(Span *spans, int count, uint64_t data, const char *path, ArrayError *e)
{
    uint64_t at = 0;
    qsort(spans, (size_t)count, sizeof *spans, by_offset);
    for (int i = 0; i < count; at = spans[i++].end)
        if (spans[i].begin != at)
            return array_fail(e, 1, path, "a gap or an overlap in the data at byte %llu", (unsigned long long)at);
    return at == data || array_fail(e, 1, path, "its arrays fill %llu bytes, the file has %llu after the header",
                                    (unsigned long long)at, (unsigned long long)data);
}

/* Fills *l from the parsed header; spans has room for every entry. */
static bool read_list(ArrayList *l, Span *spans, const JsonValue *root, ArrayMap map, size_t start, ArrayWanted *wanted,
                      const void *context, size_t limit, const char *path, ArrayError *e)
{
    const unsigned char *data = map.data + start;
    for (const JsonValue *v = root->first; v; v = v->next) {
        if (!strcmp(v->key, "__metadata__")) {
            if (!read_metadata(l, v, path, e))
                return false;
            continue;
        }
        Array *a = &l->items[l->count];
        *a = (Array){ 0 };
        if (!read_entry(a, &spans[l->count++], v, map.size - start, path, e))
            return false;
    }
    for (int i = 0; i < l->count; i++) {
        Array *a = &l->items[i];
        if (a->type == ARRAY_OTHER || (wanted && !wanted(a, context)))
            continue;
        if (a->bytes > limit)
            return array_fail(e, 1, path, "%s: %zu bytes, with the arrays before it more than expected (%zu are left)",
                              a->name, a->bytes, limit);
        limit -= a->bytes;
        if (!(a->data = a->owned = array_allocate(path, a->bytes, e)))
            return false;
        memcpy(a->data, data + spans[i].begin, a->bytes);
    }
    return check_spans(spans, l->count, map.size - start, path, e);
}

bool array_read_safetensors(ArrayList *l, const char *path, ArrayWanted *wanted, const void *context, size_t limit, ArrayError *e)
{
    ArrayMap map;
    Json json = { 0 };
    Span *spans = NULL;
    char why[200];
    *l = (ArrayList){ 0 };
    if (!array_map_open(&map, path, e))
        return false;
    uint64_t header = 0;
    if (map.size >= 8)
        memcpy(&header, map.data, 8);
    bool fine = false;
    if (map.size < 10 || header > map.size - 8 || map.data[8] != '{')
        array_fail(e, 1, path, "expected a .safetensors file (the length of its header, then '{'), got %s",
                   map.size >= 10 && map.data[8] == '{' ? "one that ends inside its header" : "something else");
    else if (!json_parse(&json, (const char *)map.data + 8, header, HEADER, why, sizeof why))
        array_fail(e, 1, path, "its header is damaged: %s", why);
    else if (json.root->kind != JSON_OBJECT)
        array_fail(e, 1, path, "its header is no JSON object");
    else
        fine = (l->items = array_allocate(path, sizeof(Array) * (size_t)json.root->count, e))
            && (spans = array_allocate(path, sizeof *spans * (size_t)json.root->count, e))
            && read_list(l, spans, json.root, map, 8 + (size_t)header, wanted, context, limit, path, e);
    free(spans);
    json_parse_free(&json);
    array_map_close(&map);
    if (!fine)
        array_list_free(l);
    return fine;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static const char *dtype_name(ArrayType type)
{
    for (int d = 0; d < DTYPES; d++)
        if (dtypes[d].type == type)
            return dtypes[d].name;
    return NULL;
}

static bool write_header(ArrayOut *out, const Array *arrays, int count, const ArrayText *metadata, int metadata_count,
                         const char *path, ArrayError *e)
{
    JsonWriter w;
    int64_t offset = 0;
    json_begin(&w, NULL);
    json_object(&w, NULL);
    if (metadata_count) {
        json_object(&w, "__metadata__");
        for (int i = 0; i < metadata_count; i++)
            json_string(&w, metadata[i].key, metadata[i].value);
        json_close(&w);
    }
    for (int i = 0; i < count; i++) {
        json_object(&w, arrays[i].name);
        json_string(&w, "dtype", dtype_name(arrays[i].type));
        json_array(&w, "shape");
        for (int k = 0; k < arrays[i].rank; k++)
            json_integer(&w, NULL, arrays[i].shape[k]);
        json_close(&w);
        json_array(&w, "data_offsets");
        json_integer(&w, NULL, offset);
        json_integer(&w, NULL, offset += (int64_t)arrays[i].bytes);
        json_close(&w);
        json_close(&w);
    }
    json_close(&w);
    bool fine = json_end(&w) || array_fail(e, 74, path, "no memory for its header");
    if (fine && w.length > HEADER - 8)
        fine = array_fail(e, 70, path, "a bug: a header of %zu bytes", w.length);
    uint64_t length = (w.length + 7) / 8 * 8;
    fine = fine && array_out_write(out, &length, 8, e) && array_out_write(out, w.text, w.length, e)
        && array_out_write(out, "       ", length - w.length, e);
    json_free(&w);
    return fine;
}

bool array_write_safetensors(const char *path, const Array *arrays, int count,
                             const ArrayText *metadata, int metadata_count, ArrayError *e)
{
    ArrayOut out = { .fd = -1 };
    bool fine = array_check_all(path, arrays, count, e) && array_out_open(&out, path, e)
        && write_header(&out, arrays, count, metadata, metadata_count, path, e);
    for (int i = 0; i < count && fine; i++)
        fine = array_out_write(&out, arrays[i].data, arrays[i].bytes, e);
    fine = fine && array_out_commit(&out, e);
    array_out_abandon(&out);
    return fine;
}
