/* idx.c -- reads MNIST: IDX headers (big-endian magic and sizes), then bytes.
 *
 * Everything is checked, since a download may be damaged: kind of file, magic,
 * sizes, truncation (of the file, of the gzip stream, of its checksum), bytes too many, labels that are no digits,
 * images and labels that do not belong together.  zlib reads raw files through the same calls.
 * Convention: functions return an exit code; the reason is one line with path, expected, got. */
#define _POSIX_C_SOURCE 200809L
#include "data/idx.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { WRONG_INPUT = 1, ENVIRONMENT = 74, MOST_DIGITS = 10000000, PIECE = 1 << 20 };

typedef struct { char *why; size_t size; } Reason;

__attribute__((format(printf, 3, 4)))
static int fail(Reason reason, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reason.why, reason.size, format, args);
    va_end(args);
    return code;
}

static bool machine_failed(int error)
{
    return error == EIO || error == ENOMEM || error == EMFILE || error == ENFILE;
}

/* The first of the usual spellings that exists; the first one if none does, so that the message names it. */
static void find_file(char path[PATH_MAX], const char *dir, const char *prefix, const char *what, int dimensions)
{
    static const char *const spellings[] = { "-idx%d-ubyte", ".idx%d-ubyte" };
    for (int gz = 0; gz < 2; gz++)
        for (int s = 0; s < 2; s++) {
            char tail[32];
            struct stat st;
            snprintf(tail, sizeof tail, s ? spellings[1] : spellings[0], dimensions);
            snprintf(path, PATH_MAX, "%s/%s-%s%s%s", dir, prefix, what, tail, gz ? ".gz" : "");
            if (stat(path, &st) == 0)
                return;
        }
    snprintf(path, PATH_MAX, "%s/%s-%s-idx%d-ubyte", dir, prefix, what, dimensions);
}

/* Fills `reason` for a short read: a broken stream, or one that ends too early. */
static int explain_short(gzFile gz, const char *path, const char *what, long long expected, long long got, Reason reason)
{
    int code;
    const char *text = gzerror(gz, &code);
    if (code == Z_ERRNO)
        return fail(reason, machine_failed(errno) ? ENVIRONMENT : WRONG_INPUT, "%s: cannot read: %s", path, strerror(errno));
    if (code == Z_MEM_ERROR)
        return fail(reason, ENVIRONMENT, "%s: memory is out while unpacking", path);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return fail(reason, WRONG_INPUT, "%s: the gzip stream is damaged after %lld of %lld bytes of %s (%s); fetch the file again",
                    path, got, expected, what, text);
    return fail(reason, WRONG_INPUT, "%s: cut short: expected %lld bytes of %s, got %lld; fetch the file again",
                path, expected, what, got);
}

static int read_header(int32_t *sizes, gzFile gz, const char *path, int dimensions, Reason reason)
{
    unsigned char head[16];
    const int length = 4 + 4 * dimensions, got = gzread(gz, head, (unsigned)length);
    if (got != length)
        return explain_short(gz, path, "the IDX header", length, got < 0 ? 0 : got, reason);
    if (head[0] || head[1] || head[2] != 8 || head[3] != dimensions)
        return fail(reason, WRONG_INPUT, "%s: not an IDX file of %d dimension%s of bytes: expected it to start with 00 00 08 %02x, got %02x %02x %02x %02x",
                    path, dimensions, dimensions == 1 ? "" : "s", (unsigned)dimensions, head[0], head[1], head[2], head[3]);
    for (int i = 0; i < dimensions; i++) {
        const unsigned char *b = head + 4 + 4 * i;
        const uint32_t size = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        const uint32_t most = i ? DIGIT_SIDE : MOST_DIGITS, least = i ? DIGIT_SIDE : 1;
        if (size < least || size > most)
            return i ? fail(reason, WRONG_INPUT, "%s: expected digits of 28x28 pixels, got a side of %u", path, size)
                     : fail(reason, WRONG_INPUT, "%s: expected 1 to %d digits, got %u", path, MOST_DIGITS, size);
        sizes[i] = (int32_t)size;
    }
    return 0;
}

/* The bytes of the file at `path`; `count` comes from the header, each item has `item` bytes. */
static int read_bytes(uint8_t **bytes, int *count, const char *path, int dimensions, Reason reason)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fail(reason, machine_failed(errno) ? ENVIRONMENT : WRONG_INPUT,
                    "%s: cannot open: %s (nor with .gz); --mnist names the folder that holds MNIST's four files", path, strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return fail(reason, WRONG_INPUT, "%s: expected a file, got %s", path, S_ISDIR(st.st_mode) ? "a folder" : "something else");
    }
    gzFile gz = gzdopen(fd, "rb");
    if (!gz) {
        close(fd);
        return fail(reason, ENVIRONMENT, "%s: memory is out", path);
    }
    gzbuffer(gz, 1 << 17);

    const int item = dimensions == 3 ? DIGIT_PIXELS : 1;
    const char *what = dimensions == 3 ? "pixels" : "labels";
    int32_t sizes[3] = { 0 };
    int code = read_header(sizes, gz, path, dimensions, reason);
    const long long expected = (long long)sizes[0] * item;
    long long got = 0, room = 0;
    while (code == 0 && got < expected) {
        if (got == room) {
            room = room ? 2 * room : PIECE;
            uint8_t *more = realloc(*bytes, (size_t)(room < expected ? room : expected));
            if (!more) {
                code = fail(reason, ENVIRONMENT, "%s: memory is out: %lld bytes of %s", path, expected, what);
                break;
            }
            *bytes = more;
            room = room < expected ? room : expected;
        }
        const long long wanted = room - got < PIECE ? room - got : PIECE;
        const int n = gzread(gz, *bytes + got, (unsigned)wanted);
        if (n > 0)
            got += n;
        if (n < wanted)
            code = explain_short(gz, path, what, expected, got, reason);
    }
    /* Reading on must find the end: this is also what makes zlib check the stream's checksum. */
    if (code == 0) {
        unsigned char extra;
        const int n = gzread(gz, &extra, 1);
        int state;
        gzerror(gz, &state);
        if (n > 0)
            code = fail(reason, WRONG_INPUT, "%s: expected %lld bytes of %s as its header says, got more", path, expected, what);
        else if (n < 0 || state != Z_OK)
            code = fail(reason, WRONG_INPUT, "%s: the end of the gzip stream is damaged or missing; fetch the file again", path);
    }
    gzclose(gz);
    *count = sizes[0];
    return code;
}

int idx_read(Digits *digits, const char *dir, const char *prefix, char *why, size_t why_size)
{
    const Reason reason = { why, why_size };
    char images[PATH_MAX], labels[PATH_MAX];
    int label_count = 0;
    *digits = (Digits){ 0 };
    find_file(images, dir, prefix, "images", 3);
    find_file(labels, dir, prefix, "labels", 1);
    int code = read_bytes(&digits->pixels, &digits->count, images, 3, reason);
    if (code == 0)
        code = read_bytes(&digits->labels, &label_count, labels, 1, reason);
    if (code != 0)
        return code;
    if (label_count != digits->count)
        return fail(reason, WRONG_INPUT, "%s: expected %d labels, as many as %s has digits, got %d", labels, digits->count, images, label_count);
    for (int i = 0; i < label_count; i++)
        if (digits->labels[i] >= DIGIT_CLASSES)
            return fail(reason, WRONG_INPUT, "%s: expected labels from 0 to 9, got %d at digit %d", labels, digits->labels[i], i);
    return 0;
}

bool digits_open(Digits *digits, int count)
{
    *digits = (Digits){ malloc((size_t)count * DIGIT_PIXELS), malloc((size_t)count), count };
    return digits->pixels && digits->labels;
}

void digits_close(Digits *digits)
{
    free(digits->pixels);
    free(digits->labels);
    *digits = (Digits){ 0 };
}
