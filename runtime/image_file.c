/* image_file.c -- decodes PNG (by libpng), PGM and PPM, and .npy; fits pictures into the net's input.
 *
 * Everything is decoded from bytes in memory, so a pipe is as good as a file.  Convention: a decoder makes a Raw of 8-bit
 * grey or RGB pixels, row by row, and no length of a file is trusted before it is checked. */
#define _DEFAULT_SOURCE
#include "image_file.h"
#include "array_file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIDE_MOST = 32767, STDIN_MOST = 1 << 30 };
#define PIXELS_MOST ((int64_t)1 << 26)

typedef struct { int width, height, channels; uint8_t *pixels; } Raw;   /* 1 channel or 3; pixels owned */

static const char kinds[] = "expected PNG, PGM (P2, P5), PPM (P3, P6) or .npy";

/* The input that pictures go to. */
static int planes(void) { return net.inputs[0].rank == 3 ? net.inputs[0].shape[0] : 1; }
static int rows(void) { return net.inputs[0].shape[net.inputs[0].rank - 2]; }
static int columns(void) { return net.inputs[0].shape[net.inputs[0].rank - 1]; }
static size_t example_bytes(void) { return net.inputs[0].count * (net.inputs[0].type == U8_OVER_255 ? 1 : sizeof(float)); }

static bool check_sides(int64_t width, int64_t height, bool fit, const char *path, ArrayError *e)
{
    if (width < 1 || height < 1 || width > SIDE_MOST || height > SIDE_MOST || width * height > PIXELS_MOST)
        return array_fail(e, 1, path, "found %" PRId64 " x %" PRId64 " pixels, expected 1 to %d a side and %" PRId64 " in all", width,
                          height, SIDE_MOST, PIXELS_MOST);
    if (!fit && (width != columns() || height != rows()))
        return array_fail(e, 1, path, "found %" PRId64 " x %" PRId64 " pixels, expected %d x %d (columns x rows) for '%s' of %s;"
                          " --fit scales it", width, height, columns(), rows(), net.inputs[0].name, net.name);
    return true;
}

/* ---- PNG --------------------------------------------------------------------------------------------------------- */

static bool decode_png(Raw *raw, const unsigned char *bytes, size_t size, bool fit, const char *path, ArrayError *e)
{
    png_image image = { .version = PNG_IMAGE_VERSION };
    const png_color black = { 0, 0, 0 };
    if (!png_image_begin_read_from_memory(&image, bytes, size))
        return array_fail(e, 1, path, "found a PNG that libpng refuses (%s), expected a whole one", image.message);
    if (!check_sides(image.width, image.height, fit, path, e)) {
        png_image_free(&image);
        return false;
    }
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    image.format = image.format & PNG_FORMAT_FLAG_COLOR ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    raw->width = (int)image.width, raw->height = (int)image.height;
    raw->channels = image.format == PNG_FORMAT_RGB ? 3 : 1;
    raw->pixels = array_allocate(path, PNG_IMAGE_SIZE(image), e);
    if (!raw->pixels) {
        png_image_free(&image);
        return false;
    }
    if (!png_image_finish_read(&image, &black, raw->pixels, 0, NULL))
        return array_fail(e, 1, path, "found a PNG that libpng refuses (%s), expected a whole one", image.message);
    return true;
}

/* ---- PGM and PPM --------------------------------------------------------------------------------------------------- */

typedef struct { const unsigned char *at, *end; } Bytes;

/* The next decimal number after white space and comments; -1 if there is none or it is beyond `most`. */
static int64_t take_number(Bytes *b, int64_t most)
{
    int64_t value = 0;
    for (; b->at < b->end && (isspace(*b->at) || *b->at == '#'); b->at++)
        if (*b->at == '#')
            while (b->at + 1 < b->end && *b->at != '\n')
                b->at++;
    if (b->at == b->end || !isdigit(*b->at))
        return -1;
    for (; b->at < b->end && isdigit(*b->at) && value <= most; b->at++)
        value = 10 * value + (*b->at - '0');
    return value <= most ? value : -1;
}

static bool decode_pnm(Raw *raw, const unsigned char *bytes, size_t size, bool fit, const char *path, ArrayError *e)
{
    Bytes b = { bytes + 2, bytes + size };
    bool plain = bytes[1] <= '3';
    int64_t width = take_number(&b, INT32_MAX), height = take_number(&b, INT32_MAX), most = take_number(&b, 65535);
    if (width < 0 || height < 0 || most < 1 || b.at == b.end || !isspace(*b.at))
        return array_fail(e, 1, path, "found a P%c file with a damaged header, expected columns, rows and a largest value of 1 to 65535",
                          bytes[1]);
    b.at++;
    if (!check_sides(width, height, fit, path, e))
        return false;
    raw->width = (int)width, raw->height = (int)height, raw->channels = bytes[1] == '3' || bytes[1] == '6' ? 3 : 1;
    size_t samples = (size_t)width * (size_t)height * (size_t)raw->channels, wide = most > 255 ? 2 : 1, left = (size_t)(b.end - b.at);
    if (plain ? left < 2 * samples - 1 : left < wide * samples)
        return array_fail(e, 1, path, "found %zu bytes after the header, expected %zu%s for %d x %d pixels: the file is cut short", left,
                          plain ? 2 * samples - 1 : wide * samples, plain ? " or more" : "", raw->width, raw->height);
    raw->pixels = array_allocate(path, samples, e);
    if (!raw->pixels)
        return false;
    for (size_t i = 0; i < samples; i++) {
        int64_t v = plain ? take_number(&b, most) : wide == 2 ? b.at[2 * i] << 8 | b.at[2 * i + 1] : b.at[i];
        if (v < 0 || v > most)
            return array_fail(e, 1, path, "found no number from 0 to %" PRId64 " for sample %zu of %zu, which the header promises", most, i,
                              samples);
        raw->pixels[i] = (uint8_t)((v * 255 + most / 2) / most);
    }
    return true;
}

/* ---- from pixels to an example --------------------------------------------------------------------------------------- */

/* One axis: out[i * out_step] from in[j * in_step], i < out_count, by a triangle as wide as a pixel of the coarser side. */
static void resample(double *out, const double *in, int out_count, int in_count, size_t out_step, size_t in_step)
{
    double ratio = (double)in_count / out_count, reach = ratio > 1 ? ratio : 1;
    for (int i = 0; i < out_count; i++) {
        double middle = (i + 0.5) * ratio - 0.5, sum = 0, weights = 0;
        for (int j = (int)floor(middle - reach) + 1; j < middle + reach; j++) {
            double weight = 1 - fabs(j - middle) / reach;
            int inside = j < 0 ? 0 : j < in_count ? j : in_count - 1;
            sum += weight * in[(size_t)inside * in_step], weights += weight;
        }
        out[(size_t)i * out_step] = sum / weights;
    }
}

/* plane [rows()][columns()] from source [height][width]: as it is, or scaled, centred, black around. */
static bool fit_plane(double *plane, const double *source, int width, int height, const char *path, ArrayError *e)
{
    double scale = fmin((double)columns() / width, (double)rows() / height);
    int w = (int)fmin(columns(), fmax(1, floor(width * scale + 0.5))), h = (int)fmin(rows(), fmax(1, floor(height * scale + 0.5)));
    double *narrow = array_allocate(path, (size_t)w * (size_t)height * sizeof *narrow, e);
    if (!narrow)
        return false;
    memset(plane, 0, (size_t)rows() * (size_t)columns() * sizeof *plane);
    for (int y = 0; y < height; y++)
        resample(narrow + (size_t)y * (size_t)w, source + (size_t)y * (size_t)width, w, width, 1, 1);
    double *corner = plane + (size_t)((rows() - h) / 2) * (size_t)columns() + (size_t)((columns() - w) / 2);
    for (int x = 0; x < w; x++)
        resample(corner + x, narrow + x, h, height, (size_t)columns(), (size_t)w);
    free(narrow);
    return true;
}

static double channel_of(const uint8_t *pixel, int channels, int c)
{
    if (channels == 1)
        return pixel[0];
    return planes() == 1 ? 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2] : pixel[c];
}

static bool make_example(void *example, const Raw *raw, const char *path, ArrayError *e)
{
    size_t from = (size_t)raw->width * (size_t)raw->height, to = (size_t)rows() * (size_t)columns();
    if (planes() != 1 && planes() != 3)
        return array_fail(e, 1, path, "found a picture, expected .npy: '%s' of %s has %d channels, neither grey nor colour",
                          net.inputs[0].name, net.name, planes());
    double *source = array_allocate(path, (from + to) * sizeof *source, e), *plane = source + from;
    bool fine = source;
    for (int c = 0; fine && c < planes(); c++) {
        for (size_t i = 0; i < from; i++)
            source[i] = channel_of(raw->pixels + i * (size_t)raw->channels, raw->channels, c);
        if (raw->width == columns() && raw->height == rows())
            memcpy(plane, source, to * sizeof *plane);
        else
            fine = fit_plane(plane, source, raw->width, raw->height, path, e);
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
        if (!check_sides(a.shape[1], a.shape[0], true, path, e))
            return false;
        Raw raw = { (int)a.shape[1], (int)a.shape[0], 1, (uint8_t *)(uintptr_t)(bytes + offset) };
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
    Raw raw = { 0 };
    bool fine;
    if (size >= 6 && !memcmp(bytes, "\x93NUMPY", 6))
        return add_npy(m, bytes, size, fit, path, e);
    if (net.inputs[0].rank < 2 || net.inputs[0].rank > 3)
        return array_fail(e, 1, path, "found no .npy; '%s' of %s is no picture, expected .npy", net.inputs[0].name, net.name);
    if (size >= 8 && !memcmp(bytes, "\x89PNG\r\n\x1a\n", 8))
        fine = decode_png(&raw, bytes, size, fit, path, e);
    else if (size >= 3 && bytes[0] == 'P' && (bytes[1] == '2' || bytes[1] == '3' || bytes[1] == '5' || bytes[1] == '6'))
        fine = decode_pnm(&raw, bytes, size, fit, path, e);
    else
        return array_fail(e, 1, path, "found no kind of picture that is known, %s", kinds);
    if (fine) {
        void *example = next_example(m, path, -1, e);
        fine = example && make_example(example, &raw, path, e);
    }
    free(raw.pixels);
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
