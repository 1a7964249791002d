/* test_idx.c -- MNIST's files: raw and gzipped ones are read, damaged ones refused with path, expected and got. */
#define _DEFAULT_SOURCE
#include "data/idx.h"
#include "temporary.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { COUNT = 12, HEAD = 16, IMAGE_BYTES = HEAD + COUNT * DIGIT_PIXELS, LABEL_BYTES = 8 + COUNT };

static char dir[TEMPORARY_ROOM], why[5000];
static unsigned char images[IMAGE_BYTES + 1], labels[LABEL_BYTES + 1];
static Digits digits;

static void make_dir(void)
{
    temporary_folder(dir);
    cr_assert(chdir(dir) == 0);
    memcpy(images, (unsigned char[]){ 0, 0, 8, 3, 0, 0, 0, COUNT, 0, 0, 0, 28, 0, 0, 0, 28 }, HEAD);
    memcpy(labels, (unsigned char[]){ 0, 0, 8, 1, 0, 0, 0, COUNT }, 8);
    for (int i = 0; i < COUNT * DIGIT_PIXELS; i++)
        images[HEAD + i] = (unsigned char)(i * 7 + i / 784);
    for (int i = 0; i < COUNT; i++)
        labels[8 + i] = (unsigned char)(i % 10);
}

static void remove_dir(void)
{
    static const char *const names[] = { "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "train-images.idx3-ubyte",
                                         "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz" };
    digits_close(&digits);
    for (int i = 0; i < 5; i++) {
        unlink(names[i]);
        rmdir(names[i]);
    }
    rmdir(dir);
}

static void put(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    cr_assert(f && fwrite(bytes, 1, size, f) == size && fclose(f) == 0);
}

/* Packs with gzip and gives the packed size. */
static size_t put_gz(const char *path, const void *bytes, size_t size)
{
    struct stat st;
    gzFile f = gzopen(path, "wb");
    cr_assert(f && gzwrite(f, bytes, (unsigned)size) == (int)size && gzclose(f) == Z_OK && stat(path, &st) == 0);
    return (size_t)st.st_size;
}

static int read_raw(size_t image_bytes, size_t label_bytes)
{
    put("train-images-idx3-ubyte", images, image_bytes);
    put("train-labels-idx1-ubyte", labels, label_bytes);
    return idx_read(&digits, dir, "train", why, sizeof why);
}

static void refused(int code, const char *path, const char *reason)
{
    cr_assert(eq(int, code, 1));
    cr_assert(strstr(why, path) != NULL, "\"%s\" names %s", why, path);
    cr_assert(strstr(why, reason) != NULL, "\"%s\" says %s", why, reason);
    digits_close(&digits);                                                      /* a refusal may leave half of them */
}

TestSuite(idx, .init = make_dir, .fini = remove_dir);

Test(idx, reads_raw_files)
{
    cr_assert(eq(int, read_raw(IMAGE_BYTES, LABEL_BYTES), 0));
    cr_assert(eq(int, digits.count, COUNT));
    cr_assert(memcmp(digits.pixels, images + HEAD, COUNT * DIGIT_PIXELS) == 0);
    cr_assert(memcmp(digits.labels, labels + 8, COUNT) == 0);
}

Test(idx, reads_gzipped_files)
{
    put_gz("train-images-idx3-ubyte.gz", images, IMAGE_BYTES);
    put_gz("train-labels-idx1-ubyte.gz", labels, LABEL_BYTES);
    cr_assert(eq(int, idx_read(&digits, dir, "train", why, sizeof why), 0));
    cr_assert(memcmp(digits.pixels, images + HEAD, COUNT * DIGIT_PIXELS) == 0);
}

Test(idx, reads_the_spelling_with_a_dot)
{
    put("train-images.idx3-ubyte", images, IMAGE_BYTES);
    put("train-labels-idx1-ubyte", labels, LABEL_BYTES);
    cr_assert(eq(int, idx_read(&digits, dir, "train", why, sizeof why), 0));
}

Test(idx, a_missing_file_is_named)
{
    refused(idx_read(&digits, dir, "train", why, sizeof why), "train-images-idx3-ubyte", "No such file");
    put("train-images-idx3-ubyte", images, IMAGE_BYTES);
    refused(idx_read(&digits, dir, "train", why, sizeof why), "train-labels-idx1-ubyte", "No such file");
}

Test(idx, a_file_cut_anywhere_is_refused)
{
    for (size_t size = 0; size < HEAD; size++)
        refused(read_raw(size, LABEL_BYTES), "train-images", "expected 16 bytes");
    for (size_t size = HEAD; size < IMAGE_BYTES; size += 97)
        refused(read_raw(size, LABEL_BYTES), "train-images", "expected 9408 bytes of pixels, got");
    for (size_t size = 0; size < LABEL_BYTES; size++)
        refused(read_raw(IMAGE_BYTES, size), "train-labels", "cut short");
}

Test(idx, a_gzip_stream_cut_or_flipped_anywhere_is_refused)
{
    static unsigned char packed[2 * IMAGE_BYTES];
    put("train-labels-idx1-ubyte", labels, LABEL_BYTES);
    const size_t size = put_gz("train-images-idx3-ubyte.gz", images, IMAGE_BYTES);
    FILE *f = fopen("train-images-idx3-ubyte.gz", "rb");
    cr_assert(f && fread(packed, 1, sizeof packed, f) == size && fclose(f) == 0);
    for (size_t cut = 0; cut < size; cut++) {
        put("train-images-idx3-ubyte.gz", packed, cut);
        refused(idx_read(&digits, dir, "train", why, sizeof why), "train-images", "");
    }
    for (size_t at = 10; at < size; at++) {                                     /* behind the header: the stream, its checksum, its length */
        packed[at] ^= 0x10;
        put("train-images-idx3-ubyte.gz", packed, size);
        refused(idx_read(&digits, dir, "train", why, sizeof why), "train-images", "");
        packed[at] ^= 0x10;
    }
}

Test(idx, bytes_too_many_are_refused)
{
    refused(read_raw(IMAGE_BYTES + 1, LABEL_BYTES), "train-images", "got more");
    refused(read_raw(IMAGE_BYTES, LABEL_BYTES + 1), "train-labels", "got more");
}

Test(idx, a_header_that_lies_is_refused_without_taking_its_word_for_memory)
{
    static const struct { int at; unsigned char value; const char *reason; } lies[] = {
        { 0, 1, "not an IDX file" }, { 2, 9, "not an IDX file" }, { 3, 1, "not an IDX file" },
        { 4, 0xff, "expected 1 to 10000000 digits" }, { 7, 0, "expected 1 to 10000000 digits" }, { 5, 0x90, "cut short" },
        { 7, COUNT + 1, "cut short" }, { 7, COUNT - 1, "got more" }, { 11, 32, "28x28" }, { 15, 0, "28x28" },
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        const unsigned char truth = images[lies[i].at];
        images[lies[i].at] = lies[i].value;
        refused(read_raw(IMAGE_BYTES, LABEL_BYTES), "train-images", lies[i].reason);
        images[lies[i].at] = truth;
    }
}

Test(idx, labels_must_be_digits_and_as_many_as_images)
{
    labels[8 + 5] = 10;
    refused(read_raw(IMAGE_BYTES, LABEL_BYTES), "train-labels", "got 10 at digit 5");
    labels[8 + 5] = 5;
    labels[7] = COUNT - 1;
    refused(read_raw(IMAGE_BYTES, LABEL_BYTES - 1), "train-labels", "expected 12 labels");
}

Test(idx, a_folder_or_a_pipe_is_no_file)
{
    put("train-labels-idx1-ubyte", labels, LABEL_BYTES);
    cr_assert(mkdir("train-images-idx3-ubyte", 0700) == 0);
    refused(idx_read(&digits, dir, "train", why, sizeof why), "train-images", "got a folder");
    rmdir("train-images-idx3-ubyte");
    cr_assert(mkfifo("train-images-idx3-ubyte", 0600) == 0);
    refused(idx_read(&digits, dir, "train", why, sizeof why), "train-images", "expected a file");
}
