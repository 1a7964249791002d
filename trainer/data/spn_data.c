/* spn_data.c -- makes the data that the models learn from: `spn-data make`, and pictures of it: `spn-data sheet`.
 *
 *   idx.c  MNIST's files   strokes.c  digits drawn by ourselves   clutter.c  sequences among clutter
 *   pack.c  `spn-data pack`: data of the user's own                command.c  options, messages, clean-up on a signal
 *
 * Reads the command line and MNIST, or draws digits; makes SPLIT_image.npy, SPLIT_digits.npy and contact sheets.
 * Examples are made a portion at a time by all threads and written in order, so memory does not grow with their number.
 * Convention: functions return an exit code, after a message on stderr; no half-written file stays. */
#define _POSIX_C_SOURCE 200809L
#include "data/clutter.h"
#include "data/command.h"
#include "data/strokes.h"
#include "files/array_file.h"
#include "files/descriptors.h"
#include "files/picture.h"
#include "files/version.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PORTION = 1000, MOST_EXAMPLES = 10000000, MOST_ON_SHEET = 2000 };

/* ---- digits ------------------------------------------------------------------------------------------ */

typedef struct {
    Digits owned[SPLITS];                      /* what digits_close is for */
    Digits split[SPLITS];                      /* the digits that examples are made from; valid may lie behind train in one file */
} Source;

static void source_close(Source *source)
{
    for (int s = 0; s < SPLITS; s++)
        digits_close(&source->owned[s]);
}

/* MNIST's training file is cut five to one, as 50,000 and 10,000. */
static int source_mnist(Source *source, const char *dir)
{
    char why[PATH_MAX + 512];
    int code = idx_read(&source->owned[0], dir, "train", why, sizeof why);
    if (code == FINE)
        code = idx_read(&source->owned[2], dir, "t10k", why, sizeof why);
    if (code != FINE)
        return complain(code, "%s", why);
    const Digits all = source->owned[0];
    const int valid = all.count / 6, train = all.count - valid;
    if (valid < 1)
        return complain(WRONG_INPUT, "%s: expected at least 6 training digits, to have some for validation, got %d", dir, all.count);
    source->split[0] = (Digits){ all.pixels, all.labels, train };
    source->split[1] = (Digits){ all.pixels + (size_t)train * DIGIT_PIXELS, all.labels + train, valid };
    source->split[2] = source->owned[2];
    tell("digits: MNIST in %s (%d train, %d valid, %d test)\n", dir, train, valid, source->split[2].count);
    return FINE;
}

static int source_drawn(Source *source, uint64_t seed, const int64_t counts[SPLITS], bool asked)
{
    printf("digits: drawn with a pen, seed %llu (%s)\n", (unsigned long long)seed,
           asked ? "--drawn" : "for MNIST, use --mnist DIR or set SPN_MNIST");
    for (int s = 0; s < SPLITS; s++) {
        if (!digits_open(&source->owned[s], (int)counts[s]))
            return complain(ENVIRONMENT, "memory is out: %lld digits", (long long)counts[s]);
        Digits *d = source->split + s;
        *d = source->owned[s];
        ALL_THREADS
        for (int i = 0; i < d->count; i++)
            strokes_draw(d->pixels + (size_t)i * DIGIT_PIXELS, d->labels + i, seed, s, i);
    }
    return FINE;
}

/* ---- make -------------------------------------------------------------------------------------------- */

enum { IMAGE, LABELS, PLACES, ARRAYS };         /* the arrays of a split; PLACES if asked for */

typedef struct {
    ArrayNpy array[ARRAYS];
    int arrays;
} SplitFiles;

/* A portion of a split's examples. */
typedef struct {
    uint8_t *images;
    int32_t *labels, *places;
} Portion;

static bool write_rows(SplitFiles *files, const void *const rows[ARRAYS], int64_t n, ArrayError *e)
{
    for (int k = 0; k < files->arrays; k++)
        if (!array_npy_rows(&files->array[k], rows[k], n, e))
            return false;
    return true;
}

static bool write_clutter(SplitFiles *files, const Portion *p, const Source *source, uint64_t seed, int split, int64_t count, ArrayError *e)
{
    for (int64_t first = 0; first < count; first += PORTION) {
        const int n = (int)(count - first < PORTION ? count - first : PORTION);
        ALL_THREADS
        for (int i = 0; i < n; i++) {
            ClutterScene scene;
            clutter_scene(&scene, seed, split, first + i, source->split[split].count);
            clutter_draw(p->images + (size_t)i * CLUTTER_PIXELS, p->labels + i * CLUTTER_DIGITS, &scene, seed,
                         &source->split[split], &source->split[0], &source->split[1]);
            for (int k = 0; k < CLUTTER_DIGITS; k++) {
                p->places[(i * CLUTTER_DIGITS + k) * 2] = scene.digit[k].top;
                p->places[(i * CLUTTER_DIGITS + k) * 2 + 1] = scene.digit[k].left;
            }
        }
        if (!write_rows(files, (const void *const[]){ p->images, p->labels, p->places }, n, e))
            return false;
    }
    return true;
}

static bool write_single(SplitFiles *files, const Portion *p, const Digits *digits, int64_t count, ArrayError *e)
{
    for (int64_t first = 0; first < count; first += PORTION) {
        const int n = (int)(count - first < PORTION ? count - first : PORTION);
        for (int i = 0; i < n; i++)
            p->labels[i] = digits->labels[first + i];
        if (!write_rows(files, (const void *const[]){ digits->pixels + first * DIGIT_PIXELS, p->labels, NULL }, n, e))
            return false;
    }
    return true;
}

/* All files are begun before the first byte and ended after the last one, so a failure leaves the old set as it was. */
static int write_splits(const Source *source, const char *dir, const int64_t counts[SPLITS], uint64_t seed, bool single, bool places)
{
    ArrayError e = { 0 };
    SplitFiles files[SPLITS];
    ArrayOut *outs[ARRAYS * SPLITS];
    const Portion p = { array_allocate(dir, (size_t)PORTION * CLUTTER_PIXELS, &e), array_allocate(dir, sizeof(int32_t) * PORTION * CLUTTER_DIGITS, &e),
                        array_allocate(dir, sizeof(int32_t) * PORTION * CLUTTER_DIGITS * 2, &e) };
    const int side = single ? DIGIT_SIDE : CLUTTER_SIDE, arrays = places ? ARRAYS : PLACES;
    const char *const names[ARRAYS] = { "image", single ? "digit" : "digits", "places" };
    int begun = 0;
    bool fine = p.images && p.labels && p.places;
    set_begin(dir);
    for (int s = 0; fine && s < SPLITS; s++) {
        const int64_t shapes[ARRAYS][4] = { { counts[s], 1, side, side }, { counts[s], CLUTTER_DIGITS }, { counts[s], CLUTTER_DIGITS, 2 } };
        const int ranks[ARRAYS] = { 4, single ? 1 : 2, 3 };
        files[s].arrays = arrays;
        for (int k = 0; fine && k < arrays; k++) {
            fine = split_begin(&files[s].array[k], dir, s, names[k], k == IMAGE ? ARRAY_U1 : ARRAY_I4, ranks[k], shapes[k], &e);
            if (fine)
                outs[begun++] = &files[s].array[k].out;
        }
    }
    for (int s = 0; fine && s < SPLITS; s++)
        fine = single ? write_single(&files[s], &p, &source->split[s], counts[s], &e)
                      : write_clutter(&files[s], &p, source, seed, s, counts[s], &e);
    for (int f = 0; fine && f < begun; f++)
        fine = array_npy_seal(&files[f / arrays].array[f % arrays], &e);
    const int code = fine ? set_commit(dir, outs, begun, (const char *const[]){ NULL }) : complain_array(&e);
    for (int f = 0; code != FINE && f < begun; f++)
        array_out_abandon(outs[f]);
    free(p.images);
    free(p.labels);
    free(p.places);
    if (code != FINE)
        return code;
    for (int s = 0; s < SPLITS; s++) {
        tell("%s/%s_image.npy: u1 [%lld,1,%d,%d]", dir, split_names[s], (long long)counts[s], side, side);
        printf(single ? "   _digit.npy: i4 [%lld]" : "   _digits.npy: i4 [%lld,3]", (long long)counts[s]);
        if (places)
            printf("   _places.npy: i4 [%lld,3,2]", (long long)counts[s]);
        printf("\n");
    }
    return FINE;
}

typedef struct {
    const char *mnist, *dir;
    int64_t counts[SPLITS], seed;
    bool single, drawn, places;
} Make;

#define AT(field) offsetof(Make, field), 0
static const Option make_options[] = {
    { "--mnist", "DIR", TEXT, AT(mnist), "the folder of MNIST's four files, raw or .gz (or set SPN_MNIST; without either, digits are drawn)" },
    { "--drawn", NULL, FLAG, AT(drawn), "draw the digits, whatever SPN_MNIST says" },
    { "--single", NULL, FLAG, AT(single), "plain digits instead: _image.npy u1 [N,1,28,28] and _digit.npy i4 [N], in MNIST's order" },
    { "--places", NULL, FLAG, AT(places), "_places.npy i4 [N,3,2] too: the first row and column of each digit's 28 x 28 pixels" },
    { "--train", "N", INT64(1, MOST_EXAMPLES), AT(counts[0]), "examples for training    (default 60000; with --single 50000)" },
    { "--valid", "N", INT64(1, MOST_EXAMPLES), AT(counts[1]), "examples for validation  (default 10000)" },
    { "--test", "N", INT64(1, MOST_EXAMPLES), AT(counts[2]), "examples for the test    (default 10000)" },
    { "--seed", "N", INT64(0, INT64_MAX), AT(seed), "another seed, other data (default 1234); one seed gives the same bytes everywhere" },
    { "-o", "DIR", TEXT, AT(dir), "where to write           (default data; made if missing)" },
};
#undef AT

static int make(const Command *c, int argc, char **argv)
{
    Make w = { .dir = "data", .counts = { -1, 10000, 10000 }, .seed = 1234 };
    int code = options_parse(&w, NULL, c, argc, argv);
    if (code != FINE)
        return code < 0 ? FINE : code;
    if (w.drawn && w.mnist)
        return complain(WRONG_USAGE, "--drawn and --mnist exclude each other");
    if (w.single && w.places)
        return complain(WRONG_USAGE, "--places is for sequences: a digit of --single covers its picture");
    if (w.counts[0] < 0)
        w.counts[0] = w.single ? 50000 : 60000;
    const char *named = getenv("SPN_MNIST");
    if (!w.mnist && !w.drawn && named && *named)
        w.mnist = named;

    Source source = { 0 };
    const int64_t pool[SPLITS] = { STROKES_TRAIN, STROKES_VALID, STROKES_TEST };
    code = w.mnist ? source_mnist(&source, w.mnist) : source_drawn(&source, (uint64_t)w.seed, w.single ? w.counts : pool, w.drawn);
    for (int s = 0; code == FINE && w.single && s < SPLITS; s++)
        if (w.counts[s] > source.split[s].count)
            code = complain(WRONG_USAGE, "--single takes each digit once: --%s %lld is more than the %d there are", split_names[s],
                            (long long)w.counts[s], source.split[s].count);
    if (code == FINE)
        code = set_refuse_mixture(w.dir, (const char *const[]){ "image", w.single ? "digit" : "digits", "places" }, w.places ? ARRAYS : PLACES);
    if (code == FINE)
        code = make_folder(w.dir);
    if (code == FINE)
        code = write_splits(&source, w.dir, w.counts, (uint64_t)w.seed, w.single, w.places);
    if (code != FINE)
        take_back();
    source_close(&source);
    return code;
}

const Command command_make = {
    "make", NULL, "make training, validation and test data",
    "Makes DIR/{train,valid,test}_image.npy (u1 [N,1,100,100]) and _digits.npy (i4 [N,3]): cluttered MNIST sequences.\n",
    make_options, sizeof make_options / sizeof *make_options, make,
};

/* ---- sheet -------------------------------------------------------------------------------------------- */

static long long label_at(const Array *labels, int64_t i)
{
    switch (labels->type) {
    case ARRAY_U1: return ((const uint8_t *)labels->data)[i];
    case ARRAY_I4: return ((const int32_t *)labels->data)[i];
    default:       return ((const int64_t *)labels->data)[i];
    }
}

static int draw_sheet(const Array *image, const Array *labels, const char *split, int64_t count, const char *path)
{
    enum { GAP = 12, CAPTION = 22, TITLE = 40, PAPER = 0x1d2330, INK = 0xe8e6df, QUIET = 0x8b93a5, FRAME = 0x4a5368 };
    const int height = (int)image->shape[2], width = (int)image->shape[3], per = labels->rank == 2 ? (int)labels->shape[1] : 1;
    const int longer = height > width ? height : width, scale = longer >= 150 ? 1 : 200 / longer < 4 ? 200 / longer : 4;
    count = count < image->shape[0] ? count : image->shape[0];
    int columns = 1;
    while (5 * (int64_t)columns * columns < 8 * count)                          /* about three to two, as screens are */
        columns++;
    const int rows = (int)((count + columns - 1) / columns), step_x = width * scale + GAP, step_y = height * scale + GAP + CAPTION;
    Picture sheet;
    if (!picture_open(&sheet, columns * step_x + GAP, rows * step_y + GAP + TITLE, 3, PAPER))
        return complain(ENVIRONMENT, "%s: a picture of this size is more than there is room for; a smaller --count helps", path);
    char text[128];
    snprintf(text, sizeof text, "%s: %lld examples of %lld", split, (long long)count, (long long)image->shape[0]);
    picture_text(&sheet, GAP, GAP + 4, text, 2, INK);
    for (int64_t i = 0; i < count; i++) {
        const int x = GAP + (int)(i % columns) * step_x, y = TITLE + (int)(i / columns) * step_y;
        picture_blit(&sheet, x, y + CAPTION, (const uint8_t *)image->data + i * height * width, width, height, scale);
        picture_frame(&sheet, x - 1, y + CAPTION - 1, width * scale + 2, height * scale + 2, 1, FRAME);
        int at = x;
        for (int k = 0; k < per && k < 12; k++) {
            snprintf(text, sizeof text, "%lld", label_at(labels, i * per + k));
            at = picture_text(&sheet, at, y + 3, text, 2, INK) + 4;
        }
        snprintf(text, sizeof text, "%lld", (long long)i);
        const int number = x + width * scale - PICTURE_ADVANCE * (int)strlen(text);
        if (number > at)
            picture_text(&sheet, number, y + 10, text, 1, QUIET);
    }
    ArrayError e;
    hold_signals(true);                                                         /* picture_write keeps the temporary's name to itself */
    const bool fine = picture_write(&sheet, path, &e);
    hold_signals(false);
    if (fine)
        tell("%s: %dx%d, %lld examples\n", path, sheet.width, sheet.height, (long long)count);
    picture_close(&sheet);
    return fine ? FINE : complain_array(&e);
}

typedef struct {
    const char *split, *path;
    int64_t count;
} Sheet;

#define AT(field) offsetof(Sheet, field), 0
static const Option sheet_options[] = {
    { "--split", "S", TEXT, AT(split), "train, valid or test     (default train)" },
    { "--count", "N", INT64(1, MOST_ON_SHEET), AT(count), "how many                 (default 40)" },
    { "-o", "FILE", TEXT, AT(path), "where to write           (default sheet.png)" },
};
#undef AT

static int sheet(const Command *c, int argc, char **argv)
{
    const char *dir = NULL;
    Sheet w = { .split = "train", .path = "sheet.png", .count = 40 };
    const int code = options_parse(&w, &dir, c, argc, argv);
    if (code != FINE)
        return code < 0 ? FINE : code;
    if (!dir)
        return complain(WRONG_USAGE, "sheet needs the folder of the data: spn-data sheet DATA_DIR");
    if (strcmp(w.split, "train") != 0 && strcmp(w.split, "valid") != 0 && strcmp(w.split, "test") != 0)
        return complain_unknown("split", w.split, split_names, SPLITS);

    char image_path[PATH_MAX], label_path[PATH_MAX];
    Array image = { 0 }, labels = { 0 };
    ArrayError e;
    snprintf(image_path, sizeof image_path, "%s/%s_image.npy", dir, w.split);
    snprintf(label_path, sizeof label_path, "%s/%s_digits.npy", dir, w.split);
    if (access(label_path, F_OK) != 0)
        snprintf(label_path, sizeof label_path, "%s/%s_digit.npy", dir, w.split);
    int result;
    if (!array_check_complete(dir, &e) || !array_map_npy(&image, image_path, &e) || !array_map_npy(&labels, label_path, &e))
        result = complain_array(&e);
    else if (image.type != ARRAY_U1 || image.rank != 4 || image.shape[0] < 1 || image.shape[1] != 1 || image.shape[2] < 1 || image.shape[3] < 1
             || image.shape[2] > 1024 || image.shape[3] > 1024)
        result = complain(WRONG_INPUT, "%s: expected u1 [N,1,H,W] with sides up to 1024, got something else", image_path);
    else if ((labels.type != ARRAY_U1 && labels.type != ARRAY_I4 && labels.type != ARRAY_I8) || labels.rank < 1 || labels.rank > 2
             || labels.shape[0] != image.shape[0])
        result = complain(WRONG_INPUT, "%s: expected u1, i4 or i8 labels of %lld examples, [N] or [N,K], got something else",
                          label_path, (long long)image.shape[0]);
    else
        result = draw_sheet(&image, &labels, w.split, w.count, w.path);
    array_free(&image);
    array_free(&labels);
    return result;
}

const Command command_sheet = {
    "sheet", "DATA_DIR", "a picture of the first examples with their labels",
    "Draws the first examples of a split and their labels as a PNG.\n",
    sheet_options, sizeof sheet_options / sizeof *sheet_options, sheet,
};

/* ---- the command line --------------------------------------------------------------------------------- */

static const Command *const commands[] = { &command_make, &command_pack, &command_sheet };
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *out)
{
    for (int i = 0; i < COMMANDS; i++) {
        const Command *c = commands[i];
        char left[64];
        snprintf(left, sizeof left, "%s%s%s [options]", c->name, c->operand ? " " : "", c->operand ? c->operand : "");
        fprintf(out, "%s spn-data %-27s %s\n", i ? "      " : "usage:", left, c->does);
    }
    fprintf(out, "       spn-data %-27s (", "--help | --version");
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "%s%s --help", !i ? "" : i < COMMANDS - 1 ? ", " : " and ", commands[i]->name);
    fprintf(out, " list the options)\n");
}

static int run(int argc, char **argv)
{
    const char *names[COMMANDS + 2] = { NULL };
    if (argc < 2) {
        print_usage(stderr);
        return WRONG_USAGE;
    }
    for (int i = 0; i < COMMANDS; i++) {
        names[i] = commands[i]->name;
        if (strcmp(argv[1], names[i]) == 0)
            return commands[i]->run(commands[i], argc - 2, argv + 2);
    }
    names[COMMANDS] = "--help";
    names[COMMANDS + 1] = "--version";
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        print_usage(stdout);
    else if (strcmp(argv[1], "--version") == 0)
        puts("spn-data " SPN_VERSION);
    else
        return complain_unknown(argv[1][0] == '-' ? "option" : "command", argv[1], names, COMMANDS + 2);
    return FINE;
}

int main(int argc, char **argv)
{
    descriptors_open();
    set_signals();
    int code = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout))
        code = code ? code : complain(ENVIRONMENT, "cannot write to standard output: %s", strerror(errno));
    return code;
}
