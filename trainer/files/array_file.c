/* array_file.c -- arrays, lists of them, and .npy: read by mapping, written whole or row by row.
 * An .npy is "\x93NUMPY", a version, the length of a header, the header (a Python dict of descr, fortran_order and
 * shape, padded so that the data is aligned), and the data.  The other two formats are in files of their own;
 * .npz uses the header functions here, as its members are .npy files.
 * Convention: a parser checks each length against what is left before it moves past it. */
#define _DEFAULT_SOURCE
#include "files/array_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- types and lists ---------------------------------------------------------------------------------------- */

static const struct { const char *name; size_t size; } types[] = {
    [ARRAY_U1] = { "u1", 1 }, [ARRAY_I1] = { "i1", 1 }, [ARRAY_U2] = { "u2", 2 }, [ARRAY_I2] = { "i2", 2 },
    [ARRAY_U4] = { "u4", 4 }, [ARRAY_I4] = { "i4", 4 }, [ARRAY_U8] = { "u8", 8 }, [ARRAY_I8] = { "i8", 8 },
    [ARRAY_F4] = { "f4", 4 }, [ARRAY_F8] = { "f8", 8 }, [ARRAY_B1] = { "b1", 1 }, [ARRAY_F2] = { "f2", 2 },
    [ARRAY_BF16] = { "bf16", 2 }, [ARRAY_OTHER] = { "other", 0 },
};

size_t array_type_size(ArrayType type)
{
    return types[type].size;
}

const char *array_type_name(ArrayType type)
{
    return types[type].name;
}

const char *array_type_text(const Array *a)
{
    return a->type == ARRAY_OTHER && *a->what ? a->what : types[a->type].name;
}

const char *array_refusal(char text[ARRAY_REFUSAL], const Array *a)
{
    if (a->type == ARRAY_F4 || a->type == ARRAY_F8 || a->type == ARRAY_F2 || a->type == ARRAY_BF16)
        return NULL;
    static const char dtype[] = "dtype ";
    const bool other = a->type == ARRAY_OTHER, named = other && !strncmp(a->what, dtype, sizeof dtype - 1);
    const char *type = named ? a->what + sizeof dtype - 1 : a->what;
    if (other && !named)
        snprintf(text, ARRAY_REFUSAL, "is there as %s, expected an array of f4, f8, f2 or bf16; save it with numpy.savez", type);
    else                                       /* numpy's dtypes have the order of their bytes in front, those of .safetensors have not */
        snprintf(text, ARRAY_REFUSAL, "has type %s, expected f4, f8, f2 or bf16; convert it with %s", other ? type : array_type_name(a->type),
                 other && !strchr("<>|=", *type) ? "tensor.float() of PyTorch" : other && type[1] == 'c' ? "numpy's a.real.astype('<f4')" : "numpy's astype('<f4')");
    return text;
}

/* Sign, 5 bits of exponent less 15, 10 of the fraction; exponent 0 has no hidden 1, exponent 31 is infinity or NaN. */
static double half(uint16_t bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double v = exponent == 31 ? (fraction ? NAN : INFINITY) : exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return bits & 0x8000 ? -v : v;
}

static double brain(uint16_t bits)
{
    const uint32_t wide = (uint32_t)bits << 16;
    float v;
    memcpy(&v, &wide, sizeof v);
    return v;
}

double array_number(const Array *a, int64_t i)
{
    switch (a->type) {
    case ARRAY_U1: return ((const uint8_t *)a->data)[i];
    case ARRAY_I1: return ((const int8_t *)a->data)[i];
    case ARRAY_U2: return ((const uint16_t *)a->data)[i];
    case ARRAY_I2: return ((const int16_t *)a->data)[i];
    case ARRAY_U4: return ((const uint32_t *)a->data)[i];
    case ARRAY_I4: return ((const int32_t *)a->data)[i];
    case ARRAY_U8: return (double)((const uint64_t *)a->data)[i];
    case ARRAY_I8: return (double)((const int64_t *)a->data)[i];
    case ARRAY_F4: return (double)((const float *)a->data)[i];
    case ARRAY_F8: return ((const double *)a->data)[i];
    case ARRAY_B1: return ((const uint8_t *)a->data)[i] != 0;
    case ARRAY_F2: return half(((const uint16_t *)a->data)[i]);
    case ARRAY_BF16: return brain(((const uint16_t *)a->data)[i]);
    default: abort();
    }
}

bool array_measure(Array *a, size_t size)
{
    size_t bytes = size;
    bool empty = false, fits = true;
    for (int i = 0; i < a->rank; i++) {
        empty |= a->shape[i] == 0;
        fits &= a->shape[i] >= 0 && !(a->shape[i] && __builtin_mul_overflow(bytes, (size_t)a->shape[i], &bytes));
    }
    a->bytes = empty ? 0 : bytes;
    return fits && bytes <= INT64_MAX;
}

Array array_view(const char *name, ArrayType type, const void *data, int rank, const int64_t *shape)
{
    Array a = { .type = type, .rank = rank, .data = (void *)data };
    if (strlen(name) >= ARRAY_NAME || rank < 0 || rank > ARRAY_RANK)
        abort();
    strcpy(a.name, name);
    if (rank)
        memcpy(a.shape, shape, sizeof *shape * (size_t)rank);
    if (!array_measure(&a, array_type_size(type)))
        abort();
    return a;
}

bool array_channels_last(const int64_t n[3])
{
    return (n[2] == 1 || n[2] == 3 || n[2] == 4) && n[0] > 4 && n[1] > 4;
}

int64_t array_count(const Array *a)
{
    int64_t count = 1;
    for (int i = 0; i < a->rank; i++)
        count *= a->shape[i];
    return count;
}

char *array_shape_text(char *text, size_t room, const Array *a)
{
    snprintf(text, room, "[]");
    for (size_t i = 0, used = 0; i < (size_t)a->rank && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, "[%" PRId64 "]", a->shape[i]);
    return text;
}

void array_free(Array *a)
{
    free(a->owned);
    array_map_close(&a->map);
    *a = (Array){ 0 };
}

void array_list_free(ArrayList *l)
{
    for (int i = 0; i < l->count; i++)
        array_free(&l->items[i]);
    for (int i = 0; i < l->metadata_count; i++) {
        free(l->metadata[i].key);
        free(l->metadata[i].value);
    }
    free(l->items);
    free(l->metadata);
    free(l->comment);
    *l = (ArrayList){ 0 };
}

const Array *array_find(const ArrayList *l, const char *name)
{
    for (int i = 0; i < l->count; i++)
        if (!strcmp(l->items[i].name, name))
            return &l->items[i];
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, since a damaged file may list a million names. */
bool array_names_differ(const char *path, const Array *arrays, int count, int exit_code, ArrayError *e)
{
    const char **names = array_allocate(path, sizeof *names * (size_t)count, e);
    if (!names)
        return false;
    int named = 0;
    for (int i = 0; i < count; i++)
        if (arrays[i].type != ARRAY_OTHER)
            names[named++] = arrays[i].name;
    qsort(names, (size_t)named, sizeof *names, by_name);
    bool fine = true;
    for (int i = 1; i < named && fine; i++)
        if (!strcmp(names[i - 1], names[i]))
            fine = array_fail(e, exit_code, path, "the name '%s' occurs twice", names[i]);
    free(names);
    return fine;
}

static bool check_one(const char *path, const Array *a, ArrayError *e)
{
    Array measured = *a;
    if (a->rank < 0 || a->rank > ARRAY_RANK || a->type < 0 || a->type >= ARRAY_BF16
        || !array_measure(&measured, array_type_size(a->type)) || measured.bytes != a->bytes || (a->bytes && !a->data))
        return array_fail(e, 70, path, "a bug: array '%s' has a type, shape and size that disagree", a->name);
    return true;
}

bool array_check_all(const char *path, const Array *arrays, int count, ArrayError *e)
{
    for (int i = 0; i < count; i++) {
        if (!check_one(path, &arrays[i], e))
            return false;
        if (!arrays[i].name[0])
            return array_fail(e, 70, path, "a bug: array %d has no name", i);
    }
    return array_names_differ(path, arrays, count, 70, e);
}

/* ---- the .npy header ------------------------------------------------------------------------------------------- */

typedef struct { const char *at, *end; } Cursor;

static void skip_space(Cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n'))
        c->at++;
}

static bool take(Cursor *c, char wanted)
{
    skip_space(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

/* A Python string without escapes, in either kind of quote. */
static bool take_string(Cursor *c, char *text, size_t room)
{
    char quote = take(c, '\'') ? '\'' : '"';
    if (quote == '"' && !take(c, '"'))
        return false;
    size_t n = 0;
    for (; c->at < c->end && *c->at != quote; c->at++) {
        if (n + 1 == room || *c->at == '\\')
            return false;
        text[n++] = *c->at;
    }
    text[n] = '\0';
    return take(c, quote);
}

static bool take_bool(Cursor *c, bool *value)
{
    skip_space(c);
    size_t left = (size_t)(c->end - c->at);
    *value = left >= 4 && !memcmp(c->at, "True", 4);
    if (!*value && (left < 5 || memcmp(c->at, "False", 5)))
        return false;
    c->at += *value ? 4 : 5;
    return true;
}

/* "()", "(3,)", "(3, 4)", "(3, 4,)".  A lone "(3)" is no tuple in Python, and no shape here. */
static bool take_shape(Cursor *c, Array *a)
{
    bool comma = true;
    if (!take(c, '('))
        return false;
    for (a->rank = 0; !take(c, ')'); a->rank++) {
        int64_t size = 0;
        skip_space(c);
        const char *start = c->at;
        for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
            if (__builtin_mul_overflow(size, 10, &size) || __builtin_add_overflow(size, *c->at - '0', &size))
                return false;
        if (!comma || c->at == start || a->rank == ARRAY_RANK)
            return false;
        a->shape[a->rank] = size;
        take(c, 'L');                          /* Python 2 wrote long integers so */
        comma = take(c, ',');
    }
    return comma || a->rank > 1;
}

/* *swapped: big endian. */
static bool find_type(ArrayType *type, bool *swapped, const char *descr)
{
    *swapped = descr[0] == '>';
    for (*type = 0; *type < ARRAY_BF16; ++*type)
        if ((descr[0] == '<' || *swapped || (descr[0] == '|' && types[*type].size == 1)) && !strcmp(descr + 1, types[*type].name))
            return true;
    *type = ARRAY_OTHER;
    return false;
}

/* Reads the dict; *descr is the dtype as written. */
static bool parse_dict(Array *a, bool *fortran, char descr[32], Cursor c)
{
    static const char *const keys[] = { "descr", "fortran_order", "shape" };
    bool seen[3] = { false };
    if (!take(&c, '{'))
        return false;
    while (!take(&c, '}')) {
        char key[16];
        int k = 0;
        if (!take_string(&c, key, sizeof key) || !take(&c, ':'))
            return false;
        while (k < 3 && strcmp(key, keys[k]))
            k++;
        if (k == 3 || seen[k])
            return false;
        seen[k] = true;
        if (!(k == 0 ? take_string(&c, descr, 32) : k == 1 ? take_bool(&c, fortran) : take_shape(&c, a)))
            return false;
        if (!take(&c, ',')) {
            if (!take(&c, '}'))
                return false;
            break;
        }
    }
    skip_space(&c);
    return c.at == c.end && seen[0] && seen[1] && seen[2];
}

static bool refuse_dtype(Array *a, const char *descr, const char *path, const char *where, ArrayError *e)
{
    const bool text = descr[1] == 'U' || descr[1] == 'S', object = descr[1] == 'O';
    snprintf(a->what, sizeof a->what, "dtype %s", descr);
    return array_fail(e, 1, path, "%sdtype '%s', expected numbers; %s", where, descr, text ? "these are texts, which numpy.unique(a, return_inverse=True) numbers"
                      : object ? "these are Python objects; save each as an array of its own" : "convert with a.astype('<f4'), for example");
}

bool array_npy_parse(Array *a, size_t *offset, ArrayOrder *order, const unsigned char *bytes, size_t size, size_t whole,
                     const char *path, const char *where, ArrayError *e)
{
    char shape[200], descr[32] = "";
    size_t prefix, length;
    if (size < 10 || memcmp(bytes, "\x93NUMPY", 6))
        return array_fail(e, 1, path, "%sexpected an .npy file (it starts with \\x93NUMPY), got %s", where,
                          size < 10 ? "fewer than 10 bytes" : "something else");
    int version = bytes[6];
    if (version < 1 || version > 3 || bytes[7] != 0)
        return array_fail(e, 1, path, "%sexpected .npy version 1.0, 2.0 or 3.0, got %d.%d", where, version, bytes[7]);
    prefix = version == 1 ? 10 : 12;
    length = bytes[8] | (size_t)bytes[9] << 8;
    if (version > 1 && size >= 12)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (size < prefix || length > size - prefix)
        return array_fail(e, 1, path, "%sthe file ends inside its header (%zu bytes)", where, size);
    if (length > ARRAY_NPY_HEADER)
        return array_fail(e, 1, path, "%sa header of %zu bytes, expected %d at most", where, length, ARRAY_NPY_HEADER);
    const char *header = (const char *)bytes + prefix;
    if (!parse_dict(a, &order->fortran, descr, (Cursor){ header, header + length })) {
        if (memchr(header, '[', length)) {
            a->type = ARRAY_OTHER;
            snprintf(a->what, sizeof a->what, "a structured dtype");
            return array_fail(e, 1, path, "%sa structured dtype; save each field as an array of its own", where);
        }
        return array_fail(e, 1, path, "%sthe header is not the dict of descr, fortran_order and shape (up to %d "
                          "dimensions) that numpy writes: %.*s", where, ARRAY_RANK, length < 150 ? (int)length : 150, header);
    }
    if (!find_type(&a->type, &order->swapped, descr))
        return refuse_dtype(a, descr, path, where, e);
    *offset = prefix + length;
    const bool fits = array_measure(a, array_type_size(a->type));
    const size_t got = whole - *offset;
    if (!fits || a->bytes > got)
        return array_fail(e, 1, path, "%s%s %s needs %zu bytes after the header, got %zu; is the file cut short?", where,
                          descr, array_shape_text(shape, sizeof shape, a), a->bytes, got);
    if (a->bytes < got)
        return array_fail(e, 1, path, "%s%s %s needs %zu bytes after the header, got %zu, which is %zu too many; was something written behind it?",
                          where, descr, array_shape_text(shape, sizeof shape, a), a->bytes, got, got - a->bytes);
    return true;
}

bool array_npy_plain(const Array *a, ArrayOrder order, const char *path, ArrayError *e)
{
    if (order.swapped && array_type_size(a->type) > 1)
        return array_fail(e, 1, path, "found dtype '>%s', expected little endian; convert it with a.astype('<%s')", array_type_name(a->type), array_type_name(a->type));
    return !order.fortran || a->rank < 2 || array_fail(e, 1, path, "found Fortran order, expected C order; convert it with np.ascontiguousarray(a)");
}

size_t array_npy_header(unsigned char header[512], const Array *a)
{
    size_t size = array_type_size(a->type);
    char *text = (char *)header + 10;
    int n = sprintf(text, "{'descr': '%c%s', 'fortran_order': False, 'shape': (", size > 1 ? '<' : '|',
                    array_type_name(a->type));
    for (int i = 0; i < a->rank; i++)
        n += sprintf(text + n, "%s%" PRId64 "%s", i ? ", " : "", a->shape[i], a->rank == 1 ? "," : "");
    n += sprintf(text + n, "), }");
    size_t length = (10 + (size_t)n + 1 + 63) / 64 * 64 - 10;
    memset(text + n, ' ', length - (size_t)n - 1);
    text[length - 1] = '\n';
    memcpy(header, "\x93NUMPY\x01", 8);
    header[8] = (unsigned char)(length & 255);
    header[9] = (unsigned char)(length >> 8);
    return 10 + length;
}

/* ---- .npy files -------------------------------------------------------------------------------------------------- */

bool array_map_npy(Array *a, const char *path, ArrayError *e)
{
    ArrayMap map;
    size_t offset = 0;
    ArrayOrder order = { false, false };
    *a = (Array){ 0 };
    if (!array_map_open(&map, path, e))
        return false;
    bool fine = array_npy_parse(a, &offset, &order, map.data, map.size, map.size, path, "", e) && array_npy_plain(a, order, path, e);
    if (fine && offset % array_type_size(a->type))
        fine = array_fail(e, 1, path, "the data begins at byte %zu, which is not aligned; save it again with numpy", offset);
    if (!fine) {
        array_map_close(&map);
        *a = (Array){ 0 };
        return false;
    }
    a->map = map;
    a->data = (void *)(map.data + offset);
    return true;
}

bool array_npy_begin(ArrayNpy *w, const char *path, ArrayType type, int rank, const int64_t *shape, ArrayError *e)
{
    unsigned char header[512];
    *w = (ArrayNpy){ .out.fd = -1 };
    if (rank < 1 || rank > ARRAY_RANK || shape[0] < 0 || type >= ARRAY_BF16)
        return array_fail(e, 70, path, "a bug: rows of rank %d", rank);
    Array all = { .type = type, .rank = rank }, row = { .type = type, .rank = rank - 1 };
    memcpy(all.shape, shape, sizeof *shape * (size_t)rank);
    memcpy(row.shape, shape + 1, sizeof *shape * (size_t)(rank - 1));
    if (!array_measure(&all, array_type_size(type)) || !array_measure(&row, array_type_size(type)))
        return array_fail(e, 70, path, "a bug: a shape without a size");
    w->row_bytes = row.bytes;
    w->rows_left = shape[0];
    return array_out_open(&w->out, path, e) && array_out_write(&w->out, header, array_npy_header(header, &all), e);
}

bool array_npy_rows(ArrayNpy *w, const void *rows, int64_t count, ArrayError *e)
{
    if (w->out.fd < 0)
        return false;
    if (count < 0 || count > w->rows_left) {
        array_fail(e, 70, w->out.path, "a bug: %" PRId64 " rows given, %" PRId64 " left", count, w->rows_left);
        array_npy_abandon(w);
        return false;
    }
    w->rows_left -= count;
    return array_out_write(&w->out, rows, (size_t)count * w->row_bytes, e);
}

bool array_npy_seal(ArrayNpy *w, ArrayError *e)
{
    if (w->out.fd >= 0 && w->rows_left) {
        array_fail(e, 70, w->out.path, "a bug: %" PRId64 " rows are missing", w->rows_left);
        array_npy_abandon(w);
        return false;
    }
    return array_out_seal(&w->out, e);
}

bool array_npy_end(ArrayNpy *w, ArrayError *e)
{
    return array_npy_seal(w, e) && array_out_commit(&w->out, e);
}

void array_npy_abandon(ArrayNpy *w)
{
    array_out_abandon(&w->out);
}

bool array_write_npy(const char *path, const Array *a, ArrayError *e)
{
    ArrayOut out;
    unsigned char header[512];
    return check_one(path, a, e) && array_out_open(&out, path, e)
        && array_out_write(&out, header, array_npy_header(header, a), e)
        && array_out_write(&out, a->data, a->bytes, e) && array_out_commit(&out, e);
}
