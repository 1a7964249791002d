/* mutate.c -- damaged files of every kind that a trainer or spn-data reads: each is refused with a reason, or loaded.
 *
 * usage: mutate COUNT SEED FOLDER.  Mutant i follows from (SEED, i) alone; it lies in FOLDER while it is read, so that after a
 * crash it is still there.  Half of the mutants get correct checksums, or damage would never get past those.
 * Built with the address and undefined-behaviour sanitizers (test_mutate.sh), which end the program at a finding; so does a
 * file that takes two minutes, a refusal without a reason, and the exit code of a bug (70).  fail() returns here. */
#define _DEFAULT_SOURCE
#include "array_fixtures.h"
#include "run/data.h"
#include "data/idx.h"
#include "inspect/image_file.h"
#include "run/message.h"
#include "files/picture.h"
#include "rng.h"
#include "run/run.h"
#include "run/weights.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include <jpeglib.h>

enum { SEEDS_MOST = 8, FILE_MOST = 1 << 16 };

typedef struct { unsigned char *bytes; size_t size; } File;
typedef struct {
    const char *name;
    bool (*read)(const File *mutant, uint64_t key);
    void (*mend)(File *mutant);
    File seeds[SEEDS_MOST];
    int seed_count, loaded, refused, environment;
} Kind;

static const char *folder;
static char reason[4096];
static int reason_code;

/* ---- the runtime's way out comes back ----------------------------------------------------------------------------------- */

static jmp_buf back;

void fail(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    reason_code = code;
    longjmp(back, 1);
}

void fail_array(const ArrayError *e) { fail(e->exit_code, "%s", e->text); }
void warn(const char *format, ...) { (void)format; }
void message_keep(int descriptor) { (void)descriptor; }
double seconds_now(void) { return 0; }

const char *nearest_text(const char *before, const char *word, const char *const *words, int count, const char *after)
{
    (void)before, (void)after;
    return count && strlen(word) == strlen(words[0]) ? words[0] : "";
}

void *need_memory(size_t bytes, const char *what)
{
    void *p = calloc(bytes ? bytes : 1, 1);
    if (!p)
        fail(ENVIRONMENT, "no memory for %s", what);
    return p;
}

static bool refuse(int code, const char *why)
{
    reason_code = code;
    snprintf(reason, sizeof reason, "%s", why);
    return false;
}

static _Noreturn void finding(const char *what)
{
    printf("mutate: %s: %s (%d)\n", what, reason, reason_code);
    exit(1);
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

static char *path_of(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const File *f)
{
    FILE *out = fopen(path_of(name), "wb");
    if (!out || fwrite(f->bytes, 1, f->size, out) != f->size || fclose(out))
        finding(name);
}

static File get_file(const char *path)
{
    ArrayMap map;
    ArrayError e;
    if (!array_map_open(&map, path, &e))
        finding(e.text);
    File f = { need_memory(map.size, path), map.size };
    memcpy(f.bytes, map.data, map.size);
    array_map_close(&map);
    return f;
}

/* Reads every byte, so that a pointer beyond the end is seen. */
static void touch(const void *data, size_t size)
{
    static volatile unsigned sum;
    for (size_t i = 0; data && i < size; i++)
        sum += ((const unsigned char *)data)[i];
}

/* ---- readers ------------------------------------------------------------------------------------------------------------ */

static bool read_checkpoint(const File *f, uint64_t key)
{
    Progress p = { .log_rest = NULL };
    (void)key;
    put("last", f);
    if (setjmp(back))
        return false;
    run_resume(&p, folder);
    free((char *)p.log_rest);
    return true;
}

static bool read_list(const File *f, const char *name, bool npz, uint64_t key)
{
    ArrayList list;
    ArrayError e;
    put(name, f);
    if (key & 1) {
        if (setjmp(back))
            return false;
        weights_load(net.weights(), path_of(name));
        return true;
    }
    ArrayWanted *wanted = key & 2 ? NULL : weights_wanted;
    if (!(npz ? array_read_npz(&list, path_of(name), wanted, "", 1 << 24, &e) : array_read_safetensors(&list, path_of(name), wanted, "", 1 << 24, &e)))
        return refuse(e.exit_code, e.text);
    for (int i = 0; i < list.count; i++)
        touch(list.items[i].data, list.items[i].data ? list.items[i].bytes : 0);
    array_list_free(&list);
    return true;
}

static bool read_npz(const File *f, uint64_t key) { return read_list(f, "mutant.npz", true, key); }
static bool read_safetensors(const File *f, uint64_t key) { return read_list(f, "mutant.safetensors", false, key); }

static File image, labels;                     /* whole ones, for the file that is not damaged */

static bool read_npy(const File *f, uint64_t key)
{
    Data d;
    Batch batch;
    Array a;
    ArrayError e;
    if (key & 1) {
        put("mutant.npy", f);
        if (!array_map_npy(&a, path_of("mutant.npy"), &e))
            return refuse(e.exit_code, e.text);
        touch(a.data, a.bytes);
        array_free(&a);
        return true;
    }
    put("test_image.npy", key & 2 ? f : &image);
    put("test_digits.npy", key & 2 ? &labels : f);
    if (setjmp(back))
        return false;
    data_open(&d, folder, "test", true);
    for (int64_t i = 0; i < d.examples; i += net.batch) {
        data_batch(&batch, &d, NULL, i);
        for (int n = 0; n < batch.count; n++)
            touch(batch.inputs[0][n], 16), touch(batch.targets[0][n], 8);
    }
    data_close(&d);
    return true;
}

static bool read_picture(const File *f, uint64_t key)
{
    Images images = { 0 };
    ArrayError e;
    put("mutant", f);
    bool fine = images_add(&images, path_of("mutant"), key & 3, key & 4 ? 255 : -1, &e);
    images_free(&images);
    return fine || refuse(e.exit_code, e.text);
}

static File idx_images, idx_labels;

static bool read_idx(const File *f, uint64_t key)
{
    Digits d = { 0 };
    char why[4096];
    bool of_images = f->size > 4 ? f->bytes[3] == 3 || (key & 1) : key & 1;
    put("train-images-idx3-ubyte", of_images ? f : &idx_images);
    put("train-labels-idx1-ubyte", of_images ? &idx_labels : f);
    int code = idx_read(&d, folder, "train", why, sizeof why);
    touch(d.pixels, code ? 0 : (size_t)d.count * DIGIT_PIXELS);
    touch(d.labels, code ? 0 : (size_t)d.count);
    digits_close(&d);
    return !code || refuse(code, why);
}

/* ---- mended checksums --------------------------------------------------------------------------------------------------- */

static uint64_t little(const unsigned char *p, int n)
{
    uint64_t v = 0;
    for (int i = n; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static void set_little(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> 8 * i);
}

static uint32_t sum_of(const unsigned char *p, size_t n) { return (uint32_t)crc32(crc32(0, Z_NULL, 0), p, (uInt)n); }

/* The layout is in container.c: sizes, the blocks of the records, the head last. */
static void mend_checkpoint(File *f)
{
    if (f->size < 64)
        return;
    uint64_t size = f->size;
    memcpy(f->bytes + 8, &size, sizeof size);
    uint64_t head = little(f->bytes + 16, 8), blocks = little(f->bytes + 24, 4);
    for (uint64_t i = 0; i < blocks && 64 + (i + 1) * 256 <= f->size; i++) {
        unsigned char *record = f->bytes + 64 + i * 256;
        uint64_t offset = little(record + 200, 8), bytes = (little(record + 208, 8) + 63) / 64 * 64;
        if (offset <= f->size && bytes <= f->size - offset)
            set_little(record + 216, sum_of(f->bytes + offset, bytes));
    }
    if (head >= 64 && head <= f->size) {
        set_little(f->bytes + 28, 0);
        set_little(f->bytes + 28, sum_of(f->bytes, head));
    }
}

/* Stored members: local header, then the CRC of what follows; the same in the directory. */
static void mend_npz(File *f)
{
    uint32_t sums[64];
    int count = 0, at = 0;
    for (size_t i = 0; i + 46 <= f->size; i++) {
        unsigned char *p = f->bytes + i;
        size_t size = (size_t)little(p + 18, 4), start = 30 + (size_t)little(p + 26, 2) + (size_t)little(p + 28, 2);
        if (!memcmp(p, "PK\3\4", 4) && !little(p + 8, 2) && start + size <= f->size - i && count < 64)
            set_little(p + 14, sums[count++] = sum_of(p + start, size));
        else if (!memcmp(p, "PK\1\2", 4) && at < count)
            set_little(p + 16, sums[at++]);
    }
}

static void mend_png(File *f)
{
    for (size_t i = 8; i + 12 <= f->size;) {
        size_t n = (size_t)f->bytes[i] << 24 | (size_t)f->bytes[i + 1] << 16 | (size_t)f->bytes[i + 2] << 8 | f->bytes[i + 3];
        if (n > f->size - i - 12)
            return;
        uint32_t sum = sum_of(f->bytes + i + 4, n + 4);
        for (int k = 0; k < 4; k++)
            f->bytes[i + 8 + n + (size_t)k] = (unsigned char)(sum >> (24 - 8 * k));
        i += 12 + n;
    }
}

static void mend_nothing(File *f) { (void)f; }

/* ---- seeds -------------------------------------------------------------------------------------------------------------- */

static void seed(Kind *k, const void *bytes, size_t size)
{
    File *f = &k->seeds[k->seed_count++];
    f->bytes = need_memory(size, "a seed");
    f->size = size;
    memcpy(f->bytes, bytes, size);
}

static void seed_file(Kind *k, const char *path)
{
    k->seeds[k->seed_count++] = get_file(path);
}

enum { CHECKPOINT, NPZ, SAFETENSORS, NPY, PNG, JPEG, PNM, IDX, KINDS };
static Kind kinds[KINDS] = {
    { "checkpoint", read_checkpoint, mend_checkpoint, .seed_count = 0 }, { "npz", read_npz, mend_npz, .seed_count = 0 },
    { "safetensors", read_safetensors, mend_nothing, .seed_count = 0 },  { "npy", read_npy, mend_nothing, .seed_count = 0 },
    { "png", read_picture, mend_png, .seed_count = 0 },                  { "jpeg", read_picture, mend_nothing, .seed_count = 0 },
    { "pnm", read_picture, mend_nothing, .seed_count = 0 },              { "idx", read_idx, mend_nothing, .seed_count = 0 },
};

static void seed_idx(void)
{
    enum { COUNT = 3 };
    unsigned char bytes[16 + COUNT * DIGIT_PIXELS] = { 0, 0, 8, 3, 0, 0, 0, COUNT, 0, 0, 0, 28, 0, 0, 0, 28 };
    unsigned char few[8 + COUNT] = { 0, 0, 8, 1, 0, 0, 0, COUNT, 1, 9, 0 };
    Kind *k = &kinds[IDX];
    for (size_t i = 16; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7);
    seed(k, bytes, sizeof bytes);
    seed(k, few, sizeof few);
    idx_images = k->seeds[0], idx_labels = k->seeds[1];
    const File whole[2] = { idx_images, idx_labels };
    for (int i = 0; i < 2; i++) {
        gzFile gz = gzopen(path_of("seed.gz"), "wb");
        if (!gz || gzwrite(gz, whole[i].bytes, (unsigned)whole[i].size) <= 0 || gzclose(gz) != Z_OK)
            finding("seed.gz");
        seed_file(k, path_of("seed.gz"));
    }
}

static void seed_jpeg(bool progressive)
{
    struct jpeg_compress_struct c = { 0 };
    struct jpeg_error_mgr errors;
    unsigned char row[36], *out = NULL, *rows[1] = { row };
    unsigned long size = 0;
    for (int i = 0; i < 36; i++)
        row[i] = (unsigned char)(7 * i);
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &out, &size);
    c.image_width = 12, c.image_height = 9, c.input_components = progressive ? 1 : 3, c.in_color_space = progressive ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&c);
    if (progressive)
        jpeg_simple_progression(&c);
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height)
        jpeg_write_scanlines(&c, rows, 1);
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    seed(&kinds[JPEG], out, size);
    free(out);
}

static void seed_pictures(void)
{
    for (int i = 0; i < 4; i++) {
        Picture p;
        ArrayError e;
        if (!picture_open(&p, i < 2 ? 4 : 9, i < 2 ? 4 : 7, i % 2 ? 3 : 1, 0x336699))
            finding("a picture");
        picture_box(&p, 1, 1, 2, 2, 0xffffff);
        if (!picture_write(&p, path_of("seed.png"), &e))
            finding(e.text);
        seed_file(&kinds[PNG], path_of("seed.png"));
        picture_close(&p);
    }
    for (int i = 0; i < 2; i++)
        seed_jpeg(i);
    static const char *const texts[] = { "P5\n# grey\n4 4\n255\n0123456789abcdef", "P2 4 4 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7\n",
        "P6 4 2 255\n0123456789abcdef01234567", "P3\n2 2\n99\n1 2 3 4 5 6 7 8 9 10 11 12", "P5 4 4 65535 0123456789abcdef0123456789abcdef",
        "P4 9 2\nabcd", "P1 4 2 1011 0 1 0 0", "P7\nWIDTH 2\nHEIGHT 2\nDEPTH 2\nMAXVAL 255\nENDHDR\n01234567" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        seed(&kinds[PNM], texts[i], strlen(texts[i]));
}

static void make_seeds(void)
{
    ArrayError e;
    Snapshot s;
    Progress p = { .examples = 57, .position = 10, .steps = 1, .updates = 1, .best_epoch = -1, .training = *net.training, .log_rest = "{\"epoch\": 3}\n" };
    Array a;
    int32_t digits[6] = { 0, 1, 2, 3, 0, 1 };
    unsigned char pixels[48];
    for (int i = 0; i < 48; i++)
        pixels[i] = (unsigned char)(5 * i);
    snapshot_open(&s);
    snapshot_take(&s, &p);
    if (!run_save(folder, "last", &s, &e))
        finding(e.text);
    seed_file(&kinds[CHECKPOINT], path_of("last"));
    snapshot_close(&s);
    weights_save(path_of("seed.npz"), net.weights(), true);
    seed_file(&kinds[NPZ], path_of("seed.npz"));
    seed(&kinds[NPZ], npz_deflated, sizeof npz_deflated - 1);
    seed(&kinds[NPZ], npz_stored, sizeof npz_stored - 1);
    weights_save(path_of("seed.safetensors"), net.weights(), true);
    seed_file(&kinds[SAFETENSORS], path_of("seed.safetensors"));
    a = array_view("", ARRAY_U1, pixels, 4, (int64_t[]){ 3, 1, 4, 4 });
    if (!array_write_npy(path_of("seed.npy"), &a, &e))
        finding(e.text);
    seed_file(&kinds[NPY], path_of("seed.npy"));
    image = kinds[NPY].seeds[0];
    a = array_view("", ARRAY_I4, digits, 2, (int64_t[]){ 3, 2 });
    if (!array_write_npy(path_of("seed.npy"), &a, &e))
        finding(e.text);
    seed_file(&kinds[NPY], path_of("seed.npy"));
    labels = kinds[NPY].seeds[1];
    seed(&kinds[NPY], npy_v2, sizeof npy_v2 - 1);
    seed(&kinds[NPY], npy_fortran, sizeof npy_fortran - 1);
    seed_pictures();
    seed_idx();
}

/* A trial of files that would be refused undamaged says nothing: of each kind one is loaded, in one of the ways to read it. */
static void seeds_load(void)
{
    for (int k = 0; k < KINDS; k++) {
        bool loaded = false;
        for (int i = 0; i < kinds[k].seed_count; i++)
            for (uint64_t key = 0; key < 16 && !loaded; key++)
                loaded = kinds[k].read(&kinds[k].seeds[i], key);
        if (!loaded)
            finding(kinds[k].name);
    }
}

/* ---- damage ------------------------------------------------------------------------------------------------------------- */

typedef struct { uint64_t key, drawn; } Dice;
static uint64_t below(Dice *d, uint64_t n) { return n ? rng_bits(d->key, d->drawn++) % n : 0; }

/* Moves the tail from `at` by `by` bytes, the gap filled with random ones. */
static void shift(File *f, size_t at, ptrdiff_t by, Dice *d)
{
    if (by < 0 && (size_t)-by > f->size - at)
        by = -(ptrdiff_t)(f->size - at);
    if (f->size + (size_t)by > FILE_MOST)
        return;
    memmove(f->bytes + at + (by > 0 ? by : 0), f->bytes + at + (by < 0 ? -by : 0), f->size - at - (size_t)(by < 0 ? -by : 0));
    for (ptrdiff_t i = 0; i < by; i++)
        f->bytes[at + (size_t)i] = (unsigned char)below(d, 256);
    f->size += (size_t)by;
}

static void damage(File *f, const File *other, Dice *d)
{
    static const uint64_t extremes[] = { 0, 1, 2, 63, 127, 128, 255, 256, 65535, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff,
                                         0x8000000000000000, 0xffffffffffffffff, 0xfffffffffffffff0 };
    static const char letters[] = "0123456789-+.,:'\"(){}[]<>| \n\0FTiufc#";
    size_t at = below(d, 4) ? below(d, f->size) : below(d, f->size < 256 ? f->size : 256);      /* heads are the more interesting half */
    uint64_t v = extremes[below(d, sizeof extremes / sizeof *extremes)];
    size_t n = (size_t)1 << below(d, 4);
    if (!f->size)
        return;
    switch (below(d, 9)) {
    case 0: f->bytes[at] ^= (unsigned char)(1u << below(d, 8)); break;
    case 1: f->bytes[at] = (unsigned char)below(d, 256); break;
    case 2: f->bytes[at] = (unsigned char)letters[below(d, sizeof letters)]; break;
    case 3: shift(f, at, -(ptrdiff_t)(1 + below(d, 8)), d); break;
    case 4: shift(f, at, (ptrdiff_t)(1 + below(d, 8)), d); break;
    case 5: f->size = at; break;
    case 6:                                    /* an extreme number, either way round */
        for (size_t i = 0, big = below(d, 2); i < n && at + i < f->size; i++)
            f->bytes[at + i] = (unsigned char)(v >> 8 * (big ? n - 1 - i : i));
        break;
    case 7:                                    /* a piece of another file */
        for (size_t i = 0, from = below(d, other->size), length = 1 + below(d, 64); i < length && at + i < f->size && from + i < other->size; i++)
            f->bytes[at + i] = other->bytes[from + i];
        break;
    default:                                   /* a piece of itself */
        for (size_t i = 0, from = below(d, f->size), length = 1 + below(d, 64); i < length && at + i < f->size && from + i < f->size; i++)
            f->bytes[at + i] = f->bytes[from + i];
    }
}

int main(int argc, char **argv)
{
    static unsigned char room[FILE_MOST + 64];
    if (argc != 4)
        return 2;
    const int64_t count = atoll(argv[1]);
    const uint64_t start = strtoull(argv[2], NULL, 10);
    folder = argv[3];
    if (setjmp(back))
        finding("the seeds");
    if (net.open(1))
        finding("no memory for the net");
    weights_init(net.weights(), 1);
    make_seeds();
    seeds_load();
    for (int64_t i = 0; i < count; i++) {
        Dice d = { .key = rng_key(start, 0x6d757461, (uint64_t)i, 0, 0) };
        Kind *k = &kinds[i % KINDS], *other = &kinds[below(&d, KINDS)];
        const File *from = &k->seeds[below(&d, (uint64_t)k->seed_count)];
        File f = { room, from->size };
        memcpy(room, from->bytes, from->size);
        for (uint64_t times = 1 + below(&d, 4); times-- > 0;)
            damage(&f, &other->seeds[below(&d, (uint64_t)other->seed_count)], &d);
        if (below(&d, 2))
            k->mend(&f);
        printf("mutant %" PRId64 " (%s)\r", i, k->name);
        fflush(stdout);
        alarm(120);
        reason_code = 0;
        *reason = '\0';
        if (k->read(&f, below(&d, 1 << 20)))
            k->loaded++;
        else if (!*reason || (reason_code != WRONG_INPUT && reason_code != ENVIRONMENT && reason_code != WRONG_USAGE))
            finding("refused without a good reason");
        else
            reason_code == ENVIRONMENT ? k->environment++ : k->refused++;
    }
    for (int k = 0; k < KINDS; k++)
        printf("mutate: %-12s %6d refused, %6d loaded, %6d for want of memory\n", kinds[k].name, kinds[k].refused, kinds[k].loaded, kinds[k].environment);
    printf("mutate: %" PRId64 " files, seed %" PRIu64 ", no finding\n", count, start);
    return 0;
}
