/* decode_jpeg.c -- JPEG by libjpeg: grey and colour, baseline and progressive.
 *
 * The integer transform and smooth upsampling, libjpeg's defaults, stated here since another choice would give other bytes.
 * A damaged file is refused where libjpeg itself only warns and fills the rest with grey. */
#define _DEFAULT_SOURCE
#include "files/decode.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* Pictures have some ten scans; a small file of a million empty ones would take hours. */
enum { SCANS_MOST = 200 };

typedef struct {
    struct jpeg_error_mgr base;                /* first, so that libjpeg's pointer to it is one to this */
    jmp_buf back;
    char why[JMSG_LENGTH_MAX];
} Errors;

static void on_error(j_common_ptr c)
{
    Errors *errors = (Errors *)c->err;
    c->err->format_message(c, errors->why);
    longjmp(errors->back, 1);
}

/* Warnings (level -1) mean damage, but for three about bytes that pictures do not need. */
static void on_message(j_common_ptr c, int level)
{
    const int code = c->err->msg_code;
    if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM && code != JWRN_JFIF_MAJOR)
        on_error(c);
}

static void on_progress(j_common_ptr c)
{
    if (((j_decompress_ptr)c)->input_scan_number > SCANS_MOST) {
        Errors *errors = (Errors *)c->err;
        snprintf(errors->why, sizeof errors->why, "more than %d scans", SCANS_MOST);
        longjmp(errors->back, 1);
    }
}

static bool read_all(Pixels *p, struct jpeg_decompress_struct *c, const unsigned char *bytes, size_t size, const char *path, ArrayError *e)
{
    Errors *errors = (Errors *)c->err;
    if (setjmp(errors->back))
        return array_fail(e, 1, path, "found a JPEG that libjpeg refuses (%s), expected a whole one", errors->why);
    jpeg_mem_src(c, bytes, size);
    jpeg_read_header(c, TRUE);
    if (!pixels_sides(c->image_width, c->image_height, path, e))
        return false;
    if (c->jpeg_color_space == JCS_CMYK || c->jpeg_color_space == JCS_YCCK)
        return array_fail(e, 1, path, "found a JPEG in the four colours of a printer, expected grey or RGB; save it as RGB");
    const bool grey = c->jpeg_color_space == JCS_GRAYSCALE;
    c->out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
    c->dct_method = JDCT_ISLOW;
    c->do_fancy_upsampling = TRUE;
    if (!pixels_open(p, (int)c->image_width, (int)c->image_height, grey ? 1 : 3, path, e))
        return false;
    jpeg_start_decompress(c);
    while (c->output_scanline < c->output_height) {
        JSAMPROW row = p->pixels + (size_t)c->output_scanline * (size_t)p->width * (size_t)p->channels;
        jpeg_read_scanlines(c, &row, 1);
    }
    jpeg_finish_decompress(c);
    return true;
}

bool decode_jpeg(Pixels *p, const unsigned char *bytes, size_t size, const char *path, ArrayError *e)
{
    struct jpeg_decompress_struct c = { 0 };
    struct jpeg_progress_mgr progress = { .progress_monitor = on_progress };
    Errors errors;
    c.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = on_error;
    errors.base.emit_message = on_message;
    errors.why[0] = '\0';
    if (setjmp(errors.back))
        return array_fail(e, 74, path, "libjpeg does not start: %s", errors.why);
    jpeg_create_decompress(&c);
    c.progress = &progress;
    const bool fine = read_all(p, &c, bytes, size, path, e);
    jpeg_destroy_decompress(&c);
    return fine;
}
