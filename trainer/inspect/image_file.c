/* image_file.c -- pictures (pixels.c) and .npy files, fitted into the net's input.
 *
 * Reads files, folders and standard input; everything is decoded from bytes in memory, so a pipe is as good as a file.
 * No length of a file is trusted before it is checked. */
#define _DEFAULT_SOURCE
#include "inspect/image_file.h"
#include "files/array_file.h"
#include "files/pixels.h"

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

static const char kinds[] = "expected " PIXELS_KINDS;

/* The input that pictures go to. */
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

static bool same_shape(const int64_t *shape, int rank, int skip)
{
    const NetData *input = &net.inputs[0];
    bool same = rank == input->rank - skip;
    for (int i = 0; same && i < rank; i++)
        same = shape[i] == input->shape[i + skip];
    return same;
}

static bool add_npy(Images *m, const unsigned char *bytes, size_t size, bool fit, const char *path, ArrayError *e)
{
    const NetData *input = &net.inputs[0];
    ArrayType wanted = input->type == U8_OVER_255 ? ARRAY_U1 : ARRAY_F4;
    Array a = { 0 }, expected = { .rank = input->rank };
    size_t offset;
    bool fortran;
    char found[160], text[160];
    if (!array_npy_parse(&a, &offset, &fortran, bytes, size, path, "", e))
        return false;
    if (fortran && a.rank > 1)
        return array_fail(e, 1, path, "found Fortran order, expected C order; convert it with numpy.ascontiguousarray");
    if (fit && a.rank == 2 && a.type == ARRAY_U1) {
        if (!pixels_sides(a.shape[1], a.shape[0], path, e))
            return false;
        Pixels raw = { (int)a.shape[1], (int)a.shape[0], 1, (uint8_t *)(uintptr_t)(bytes + offset) };
        void *example = next_example(m, path, -1, e);
        return example && make_example(example, &raw, path, e);
    }
    bool many = a.rank == input->rank + 1 && same_shape(a.shape + 1, a.rank - 1, 0);
    bool one = same_shape(a.shape, a.rank, 0) || (a.rank == 2 && planes() == 1 && same_shape(a.shape, 2, input->rank - 2));
    if (a.type != wanted || (!many && !one)) {
        for (int i = 0; i < input->rank; i++)
            expected.shape[i] = input->shape[i];
        array_shape_text(text, sizeof text, &expected);
        return array_fail(e, 1, path, "found %s %s, expected %s %s or [N]%s for '%s' of %s", array_type_name(a.type),
                          array_shape_text(found, sizeof found, &a), array_type_name(wanted), text, text, input->name, net.name);
    }
    for (int64_t i = 0; i < (many ? a.shape[0] : 1); i++) {
        void *example = next_example(m, path, many ? i : -1, e);
        if (!example)
            return false;
        memcpy(example, bytes + offset + (size_t)i * example_bytes(), example_bytes());
    }
    return true;
}

static bool add_bytes(Images *m, const unsigned char *bytes, size_t size, bool fit, const char *path, ArrayError *e)
{
    Pixels raw;
    if (size >= 6 && !memcmp(bytes, "\x93NUMPY", 6))
        return add_npy(m, bytes, size, fit, path, e);
    if (net.inputs[0].rank < 2 || net.inputs[0].rank > 3)
        return array_fail(e, 1, path, "found no .npy; '%s' of %s is no picture, expected .npy", net.inputs[0].name, net.name);
    if (!pixels_decode(&raw, bytes, size, path, e))
        return false;
    void *example = check_size(raw.width, raw.height, fit, path, e) ? next_example(m, path, -1, e) : NULL;
    bool fine = example && make_example(example, &raw, path, e);
    pixels_free(&raw);
    return fine;
}

static bool add_stdin(Images *m, bool fit, ArrayError *e)
{
    unsigned char *bytes = NULL;
    size_t size = 0, room = 0;
    bool fine = true;
    for (size_t n = 1; fine && n;) {
        if (size == room) {
            room = room ? 2 * room : 1 << 16;
            unsigned char *more = room > STDIN_MOST ? NULL : realloc(bytes, room);
            if (!more) {
                fine = array_fail(e, room > STDIN_MOST ? 1 : 74, "standard input", "found more than %zu bytes, expected one picture", size);
                break;
            }
            bytes = more;
        }
        n = fread(bytes + size, 1, room - size, stdin);
        size += n;
    }
    if (fine && ferror(stdin))
        fine = array_fail(e, 74, "standard input", "cannot be read: %s", strerror(errno));
    fine = fine && (size || array_fail(e, 1, "standard input", "found nothing, %s", kinds)) &&
           add_bytes(m, bytes, size, fit, "standard input", e);
    free(bytes);
    return fine;
}

static bool add_file(Images *m, const char *path, bool fit, ArrayError *e)
{
    ArrayMap map;
    if (!array_map_open(&map, path, e))
        return false;
    bool fine = add_bytes(m, map.data, map.size, fit, path, e);
    array_map_close(&map);
    return fine;
}

static int is_picture(const struct dirent *entry)
{
    static const char *const endings[] = { ".png", ".pgm", ".ppm", ".pnm", ".npy" };
    const char *dot = strrchr(entry->d_name, '.');
    for (size_t i = 0; dot && dot != entry->d_name && i < sizeof endings / sizeof *endings; i++)
        if (!strcasecmp(dot, endings[i]))
            return 1;
    return 0;
}

static bool add_folder(Images *m, const char *path, bool fit, ArrayError *e)
{
    struct dirent **entries;
    char file[4096];
    int count = scandir(path, &entries, is_picture, alphasort);
    if (count < 0)
        return array_fail(e, errno == ENOMEM ? 74 : 1, path, "cannot be listed: %s", strerror(errno));
    bool fine = count > 0 || array_fail(e, 1, path, "found no picture in this folder, expected names in .png, .pgm, .ppm, .pnm or .npy");
    for (int i = 0; i < count; i++) {
        if (fine && (size_t)snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name) >= sizeof file)
            fine = array_fail(e, 1, path, "the path of %s in it is too long", entries[i]->d_name);
        fine = fine && add_file(m, file, fit, e);
        free(entries[i]);
    }
    free(entries);
    return fine;
}

bool images_add(Images *m, const char *path, bool fit, ArrayError *e)
{
    struct stat s;
    if (net.input_count != 1)
        return array_fail(e, 1, path, "%s has %d inputs, and a picture can be only one; expected --data DIR", net.name, net.input_count);
    if (!strcmp(path, "-"))
        return add_stdin(m, fit, e);
    if (!stat(path, &s) && S_ISDIR(s.st_mode))
        return add_folder(m, path, fit, e);
    return add_file(m, path, fit, e);
}

void images_free(Images *m)
{
    for (int64_t i = 0; i < m->count; i++)
        free(m->names[i]);
    free(m->names);
    free(m->examples);
    *m = (Images){ 0 };
}
