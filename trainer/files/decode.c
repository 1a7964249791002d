/* decode.c -- the kind of a picture by its first bytes, and its decoder.
 *
 * Everything is decoded from bytes in memory, so a pipe is as good as a file. */
#define _DEFAULT_SOURCE
#include "files/decode.h"

#include <string.h>
#include <strings.h>

bool decode_picture(Pixels *p, const unsigned char *bytes, size_t size, int ground, const char *path, ArrayError *e)
{
    bool fine;
    *p = (Pixels){ 0 };
    if (size >= 8 && !memcmp(bytes, "\x89PNG\r\n\x1a\n", 8))
        fine = decode_png(p, bytes, size, ground, path, e);
    else if (size >= 3 && !memcmp(bytes, "\xff\xd8\xff", 3))
        fine = decode_jpeg(p, bytes, size, path, e);
    else if (size >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6')
        fine = decode_pnm(p, bytes, size, path, e);
    else if (size >= 3 && !memcmp(bytes, "P7\n", 3))
        fine = decode_pam(p, bytes, size, ground, path, e);
    else
        fine = array_fail(e, 1, path, "found no kind of picture that is known, expected " DECODE_KINDS " or .npy");
    if (!fine)
        pixels_free(p);
    return fine;
}

const char *decode_ending(int i)
{
    static const char *const endings[] = { ".png", ".jpg", ".jpeg", ".pbm", ".pgm", ".ppm", ".pnm", ".pam", NULL };
    return endings[i];
}

bool decode_is_name(const char *name)
{
    const char *dot = *name != '.' ? strrchr(name, '.') : NULL;
    for (int i = 0; dot && decode_ending(i); i++)
        if (!strcasecmp(dot, decode_ending(i)))
            return true;
    return false;
}
