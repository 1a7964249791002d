/* image_file.c -- pictures (decode.c) and .npy files, fitted into the net's input.
 *
 * Reads files, folders and standard input; everything is decoded from bytes in memory, so a pipe is as good as a file.  A file or a stream
 * may hold several pictures, one behind the other (stream.c).  No length of a file is trusted before it is checked. */
#define _DEFAULT_SOURCE
#include "inspect/image_file.h"
#include "files/array_file.h"
#include "files/decode.h"
#include "inspect/stream.h"
#include "run/data.h"
#include "run/message.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STDIN_MOST = 1 << 30 };

static const char kinds[] = "expected " DECODE_KINDS " or .npy";

/* The input that pictures go to; only one of rank 2 or 3 has planes, rows and columns. */
static bool takes_pictures(void) { return net.inputs[0].type != LABELS && (net.inputs[0].rank == 2 || net.inputs[0].rank == 3); }
static int planes(void) { return net.inputs[0].rank == 3 ? net.inputs[0].shape[0] : 1; }
static int rows(void) { return net.inputs[0].shape[net.inputs[0].rank - 2]; }
static int columns(void) { return net.inputs[0].shape[net.inputs[0].rank - 1]; }
static size_t example_bytes(void) { return net.inputs[0].count * (net.inputs[0].type == U8_OVER_255 ? 1 : sizeof(float)); }

static bool check_size(int width, int height, bool fit, const char *path, ArrayError *e)
{
    return fit || (width == columns() && height == rows()) ||
           array_fail(e, 1, path, "found %d x %d pixels, expected %d x %d (columns x rows) for '%s' of %s; --fit scales it", width,
                      height, columns(), rows(), net.inputs[0].name, net.name);
}

/* ---- from pixels to an example --------------------------------------------------------------------------------------- */

static bool make_example(void *example, const Pixels *raw, const char *path, ArrayError *e)
{
    size_t from = (size_t)raw->width * (size_t)raw->height, to = (size_t)rows() * (size_t)columns();
    if (planes() != 1 && planes() != 3)
        return array_fail(e, 1, path, "found a picture, expected .npy: '%s' of %s has %d channels, neither grey nor colour",
                          net.inputs[0].name, net.name, planes());
    double *source = array_allocate(path, (from + to) * sizeof *source, e), *plane = source + from;
    bool fine = source;
    for (int c = 0; fine && c < planes(); c++) {
        for (size_t i = 0; i < from; i++)
            source[i] = pixels_channel(raw, i, planes(), c);
        if (raw->width == columns() && raw->height == rows())
            memcpy(plane, source, to * sizeof *plane);
        else
            fine = pixels_fit(plane, source, rows(), columns(), raw->height, raw->width, path, e);
        for (size_t i = 0; fine && i < to; i++)
            if (net.inputs[0].type == F32)
                ((float *)example)[(size_t)c * to + i] = (float)(plane[i] / 255);
            else
                ((uint8_t *)example)[(size_t)c * to + i] = (uint8_t)fmin(255, floor(plane[i] + 0.5));
    }
    free(source);
    return fine;
}

/* ---- the list ---------------------------------------------------------------------------------------------------------- */

/* Room for one more, named path or path[index] (-1: none); NULL when memory is out. */
static void *next_example(Images *m, const char *path, int64_t index, ArrayError *e)
{
    size_t more = example_bytes();
    if (m->bytes + more > m->room) {
        size_t room = 2 * (m->bytes + more);
        void *examples = realloc(m->examples, room);
        if (!examples)
            return array_fail(e, 74, path, "no memory for %zu bytes of pictures", room), NULL;
        m->examples = examples, m->room = room;
    }
    if (m->count == m->names_room) {
        int64_t room = 2 * m->count + 16;
        char **names = realloc(m->names, (size_t)room * sizeof *names);
        if (!names)
            return array_fail(e, 74, path, "no memory for the names of pictures"), NULL;
        m->names = names, m->names_room = room;
    }
    size_t length = strlen(path) + 24;
    char *name = malloc(length);
    if (!name)
        return array_fail(e, 74, path, "no memory for the name of a picture"), NULL;
    if (index < 0)
        snprintf(name, length, "%s", path);
    else
        snprintf(name, length, "%s[%" PRId64 "]", path, index);
    m->names[m->count++] = name;
    void *example = (char *)m->examples + m->bytes;
    m->bytes += more;
    return example;
}

/* Appends the examples of `some`, whose names then are m's. */
static bool images_join(Images *m, Images *some, ArrayError *e)
{
    for (int64_t i = 0; i < some->count; i++) {
        void *example = next_example(m, some->names[i], -1, e);
        if (!example)
            return false;
        memcpy(example, (const char *)some->examples + (size_t)i * example_bytes(), example_bytes());
    }
    return true;
}

/* Is [shape] that of the input, without its first `skip` dimensions? */
static bool same_shape(const int64_t *shape, int rank, int skip)
{
    const NetData *input = &net.inputs[0];
    bool same = skip >= 0 && rank == input->rank - skip;
    for (int i = 0; same && i < rank; i++)
        same = shape[i] == input->shape[i + skip];
    return same;
}

/* Example i of whole numbers of any width, which must be classes of the input. */
static bool take_classes(int32_t *example, const Array *a, const void *data, const char *path, int64_t i, ArrayError *e)
{
    const NetData *input = &net.inputs[0];
    for (size_t k = 0; k < input->count; k++) {
        const int64_t v = data_whole(a->type, data, i * (int64_t)input->count + (int64_t)k);
        if (v < 0 || v >= input->classes)
            return array_fail(e, 1, path, "class %lld of example %lld (position %zu) is out of range; '%s' has %d classes, 0 to %d", (long long)v, (long long)i, k,
                              input->name, input->classes, input->classes - 1);
        example[k] = (int32_t)v;
    }
    return true;
}

static bool add_npy(Images *m, const unsigned char *bytes, size_t size, bool fit, const char *path, ArrayError *e)
{
    const NetData *input = &net.inputs[0];
    ArrayType wanted = input->type == U8_OVER_255 ? ARRAY_U1 : input->type == LABELS ? ARRAY_I4 : ARRAY_F4;
    Array a = { 0 }, expected = { .rank = input->rank };
    size_t offset;
    ArrayOrder order;
    char found[160], text[160];
    if (!array_npy_parse(&a, &offset, &order, bytes, size, size, path, "", e) || !array_npy_plain(&a, order, path, e))
        return false;
    if (fit && a.rank == 2 && a.type == ARRAY_U1 && takes_pictures()) {
        if (!pixels_sides(a.shape[1], a.shape[0], path, e))
            return false;
        Pixels raw = { (int)a.shape[1], (int)a.shape[0], 1, (uint8_t *)(uintptr_t)(bytes + offset) };
        void *example = next_example(m, path, -1, e);
        return example && make_example(example, &raw, path, e);
    }
    bool many = a.rank == input->rank + 1 && same_shape(a.shape + 1, a.rank - 1, 0);
    bool one = same_shape(a.shape, a.rank, 0) || (takes_pictures() && planes() == 1 && same_shape(a.shape, a.rank, input->rank - 2));
    const bool type = input->type == LABELS ? data_is_whole(a.type) : a.type == wanted;
    if (!type || (!many && !one)) {
        for (int i = 0; i < input->rank; i++)
            expected.shape[i] = input->shape[i];
        array_shape_text(text, sizeof text, &expected);
        return array_fail(e, 1, path, "found %s %s, expected %s %s or [N]%s for '%s' of %s%s", array_type_name(a.type),
                          array_shape_text(found, sizeof found, &a), array_type_name(wanted), text, text, input->name, net.name,
                          !fit && a.rank == 2 && a.type == ARRAY_U1 && takes_pictures() ? "; --fit takes it as a grey picture of 0 to 255"
                          : a.type == ARRAY_U1 && wanted == ARRAY_F4 ? data_u1_hint()
                          : a.type != ARRAY_U1 && wanted == ARRAY_U1 ? "; rint(a).astype('u1') if it holds 0 to 255, rint(255 * a).astype('u1') if 0 to 1" : "");
    }
    if (many && !a.shape[0])
        return array_fail(e, 1, path, "found %s %s, expected one or more examples", array_type_name(a.type), array_shape_text(found, sizeof found, &a));
    for (int64_t i = 0; i < (many ? a.shape[0] : 1); i++) {
        void *example = next_example(m, path, many ? i : -1, e);
        if (!example)
            return false;
        if (input->type != LABELS)
            memcpy(example, bytes + offset + (size_t)i * example_bytes(), example_bytes());
        else if (!take_classes(example, &a, bytes + offset, path, i, e))
            return false;
    }
    return true;
}

/* A .npy with more bytes than its shape has is damaged, unless they are the next picture. */
static bool is_npy(const unsigned char *bytes, size_t size) { return size >= 6 && !memcmp(bytes, "\x93NUMPY", 6); }

static bool add_bytes(Images *m, const unsigned char *bytes, size_t size, bool fit, int ground, const char *path, ArrayError *e)
{
    Pixels raw;
    if (is_npy(bytes, size))
        return add_npy(m, bytes, size, fit, path, e);
    if (!takes_pictures())
        return array_fail(e, 1, path, "found no .npy; '%s' of %s is no picture, expected .npy", net.inputs[0].name, net.name);
    if (!decode_picture(&raw, bytes, size, ground, path, e))
        return false;
    void *example = check_size(raw.width, raw.height, fit, path, e) ? next_example(m, path, -1, e) : NULL;
    bool fine = example && make_example(example, &raw, path, e);
    pixels_free(&raw);
    return fine;
}

/* ---- several in one file or stream ------------------------------------------------------------------------------------ */

static size_t blanks(const unsigned char *bytes, size_t size)
{
    size_t n = 0;
    while (n < size && strchr(" \t\r\n", bytes[n]) && bytes[n])
        n++;
    return n;
}

/* Takes the pictures that are whole in bytes[0..size), the stream's from picture s->taken on; *used: how many bytes they were.  What begins
 * no picture is taken as one, so that its decoder says what is wrong, or, behind another, passed over with a warning. */
static bool take_pictures(Images *m, size_t *used, ImageStream *s, const unsigned char *bytes, size_t size, ArrayError *e)
{
    char name[4200];
    *used = 0;
    while (*used < size) {
        size_t skipped = s->taken ? blanks(bytes + *used, size - *used) : 0, left = size - *used - skipped;
        const unsigned char *at = bytes + *used + skipped;
        ptrdiff_t length = left ? stream_length(at, left, s->ended) : STREAM_MORE;
        if (!left)
            *used = size;
        if (length <= 0 && !s->ended)
            return true;                       /* the rest is looked at when it is there: what is ignored is counted whole */
        if (!left)
            return true;
        if (length == STREAM_UNKNOWN && s->taken && !s->strict) {
            warn("%s: %zu bytes behind picture %" PRId64 " are ignored: they begin no picture that is known", s->path, left, s->taken);
            *used = size;
            return true;
        }
        if (length <= 0 || (s->ended && is_npy(at, left) && stream_length(at + length, left - (size_t)length, true) == STREAM_UNKNOWN))
            length = (ptrdiff_t)left;
        snprintf(name, sizeof name, s->taken ? "%.4000s, picture %" PRId64 : "%.4000s", s->path, s->taken + 1);
        s->strict = is_npy(at, left);
        if (!add_bytes(m, at, (size_t)length, s->fit, s->ground, name, e))
            return false;
        s->taken++;
        *used += skipped + (size_t)length;
    }
    return true;
}

bool images_take(Images *m, ImageStream *s, ArrayError *e)
{
    while (!s->ended && !m->count) {
        if (s->size == s->room) {
            size_t room = s->room ? 2 * s->room : 1 << 16;
            unsigned char *more = room > STDIN_MOST ? NULL : realloc(s->bytes, room);
            if (!more)
                return array_fail(e, room > STDIN_MOST ? 1 : 74, s->path, "found more than %zu bytes, expected one picture", s->size);
            s->bytes = more, s->room = room;
        }
        ssize_t n = read(STDIN_FILENO, s->bytes + s->size, s->room - s->size);
        if (n < 0 && errno != EINTR)
            return array_fail(e, 74, s->path, "cannot be read: %s", strerror(errno));
        s->size += n > 0 ? (size_t)n : 0;
        s->ended = n == 0;
        if (s->ended && !s->size && !s->taken)
            return array_fail(e, 1, s->path, "found nothing, %s", kinds);
        size_t used;
        if (!take_pictures(m, &used, s, s->bytes, s->size, e))
            return false;
        memmove(s->bytes, s->bytes + used, s->size -= used);
    }
    return true;
}

ImageStream image_stream(bool fit, int ground) { return (ImageStream){ .path = "standard input", .fit = fit, .ground = ground }; }

void image_stream_free(ImageStream *s)
{
    free(s->bytes);
    s->bytes = NULL;
}

static bool add_stdin(Images *m, bool fit, int ground, ArrayError *e)
{
    ImageStream s = image_stream(fit, ground);
    Images some = { 0 };
    bool fine = true;
    while (fine && !s.ended) {                 /* images_take ends when there is one */
        fine = images_take(&some, &s, e) && images_join(m, &some, e);
        images_free(&some);
    }
    image_stream_free(&s);
    return fine;
}

static bool add_file(Images *m, const char *path, bool fit, int ground, ArrayError *e)
{
    ArrayMap map;
    if (!array_map_open(&map, path, e))
        return false;
    ImageStream s = { .path = path, .fit = fit, .ground = ground, .ended = true };
    size_t used;
    bool fine = take_pictures(m, &used, &s, map.data, map.size, e);
    array_map_close(&map);
    return fine;
}

static bool is_picture(const char *name)
{
    const char *dot = *name != '.' ? strrchr(name, '.') : NULL;
    return decode_is_name(name) || (dot && !strcasecmp(dot, ".npy"));
}

/* Hidden files (.x, ._x of a Mac) are none that somebody meant; of others that are left out a warning tells. */
static bool add_folder(Images *m, const char *path, bool fit, int ground, ArrayError *e)
{
    struct dirent **entries;
    char file[4096], other[256] = "";
    int pictures = 0, others = 0;
    const int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        return array_fail(e, errno == ENOMEM ? 74 : 1, path, "cannot be listed: %s", strerror(errno));
    bool fine = true;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (is_picture(name)) {
            pictures++;
            if (fine && (size_t)snprintf(file, sizeof file, "%s/%s", path, name) >= sizeof file)
                fine = array_fail(e, 1, path, "the path of %s in it is too long", name);
            fine = fine && add_file(m, file, fit, ground, e);
        } else if (*name != '.' && !others++) {
            snprintf(other, sizeof other, "%s", name);
        }
        free(entries[i]);
    }
    free(entries);
    if (fine && !pictures)
        return array_fail(e, 1, path, "found no picture in this folder, expected names in " DECODE_ENDINGS ", or .npy");
    if (fine && others)
        warn("%s: left out, no " DECODE_ENDINGS " or .npy: %s%s", path, other, others > 1 ? ", ..." : "");
    return fine;
}

bool images_add(Images *m, const char *path, bool fit, int ground, ArrayError *e)
{
    struct stat s;
    if (net.input_count != 1)
        return array_fail(e, 1, path, "%s has %d inputs, and a picture can be only one; expected --data DIR", net.name, net.input_count);
    if (!strcmp(path, "-"))
        return add_stdin(m, fit, ground, e);
    if (!stat(path, &s) && S_ISDIR(s.st_mode))
        return add_folder(m, path, fit, ground, e);
    return add_file(m, path, fit, ground, e);
}

void images_free(Images *m)
{
    for (int64_t i = 0; i < m->count; i++)
        free(m->names[i]);
    free(m->names);
    free(m->examples);
    *m = (Images){ 0 };
}
