/* array_file.h -- arrays in the files that other tools read: .npy, .npz and .safetensors.
 *
 *   array_file.c         types, lists, .npy       array_npz.c   .npz       array_safetensors.c   .safetensors
 *
 * Little endian, C order.  No length in a file is trusted before it is checked.  Every function that can fail
 * returns false with the reason in *e (see ArrayError); its result is then empty and needs no free.
 * Written files hold no date and no host: the same arrays give the same bytes.  They appear whole or not at all. */
#ifndef SPN_ARRAY_FILE_H
#define SPN_ARRAY_FILE_H

#include "files/array_io.h"

enum { ARRAY_NAME = 128, ARRAY_RANK = 8, ARRAY_WHAT = 40 };

/* ARRAY_B1: a byte each, 0 or not.  ARRAY_F2: IEEE 754's half precision.  ARRAY_BF16: the upper half of an f4; .npy has no name for
 * it, so it is read from .safetensors only, and never written.  ARRAY_OTHER: listed, but not read (`what` says what it is). */
typedef enum { ARRAY_U1, ARRAY_I1, ARRAY_U2, ARRAY_I2, ARRAY_U4, ARRAY_I4, ARRAY_U8, ARRAY_I8, ARRAY_F4, ARRAY_F8,
               ARRAY_B1, ARRAY_F2, ARRAY_BF16, ARRAY_OTHER } ArrayType;

typedef struct {
    char name[ARRAY_NAME];                     /* "" for a lone .npy */
    char what[ARRAY_WHAT];                     /* ARRAY_OTHER: "dtype <U5", "no .npy" */
    ArrayType type;
    int rank;                                  /* 0: one element, no dimension */
    int64_t shape[ARRAY_RANK];
    void *data;                                /* C order, aligned for its type; NULL: listed only */
    size_t bytes;
    void *owned;                               /* for array_free: memory from array_io.allocate, or NULL */
    ArrayMap map;                              /* for array_free: a mapped file (data is then read-only) */
} Array;

typedef struct { char *key, *value; } ArrayText;

typedef struct {
    Array *items;                              /* in the order of the file's directory */
    int count;
    char *comment;                             /* .npz: the zip comment, "" if none; else NULL */
    ArrayText *metadata;                       /* .safetensors: the entries of __metadata__ */
    int metadata_count;
} ArrayList;

size_t array_type_size(ArrayType type);        /* bytes of an element; 0 for ARRAY_OTHER */
const char *array_type_name(ArrayType type);   /* "f4" */
const char *array_type_text(const Array *a);   /* the same, or `what` */
enum { ARRAY_REFUSAL = 200 };
/* Why *a is none of f4, f8, f2 and bf16, which weights are, as the rest of a sentence about it ("has type i4, expected ..."), with what makes it
 * one; NULL: it is one. */
const char *array_refusal(char text[ARRAY_REFUSAL], const Array *a);
double array_number(const Array *a, int64_t i);    /* element i; integers beyond 2^53 are rounded */
/* An Array over the caller's memory, which array_free does not free.  Aborts on a name that is too long. */
Array array_view(const char *name, ArrayType type, const void *data, int rank, const int64_t *shape);
/* Whether the axes n of one example look like [H, W, C]: pictures are [C, H, W] here. */
bool array_channels_last(const int64_t n[3]);
int64_t array_count(const Array *a);           /* number of elements */
/* "[3][1][100]", or "[]" for rank 0; returns text. */
char *array_shape_text(char *text, size_t room, const Array *a);
void array_free(Array *a);
void array_list_free(ArrayList *l);
const Array *array_find(const ArrayList *l, const char *name);   /* NULL if there is none */

/* ---- reading ------------------------------------------------------------------------------------------ */

/* a->data points into the mapped file: read-only, for as long as array_free(a) is not called.  The declared shape
 * must fill the file exactly.  Fortran order and big endian are refused, with the numpy call that helps: a mapped file is not turned. */
bool array_map_npy(Array *a, const char *path, ArrayError *e);
/* Which arrays of a file are read: `a` has name, type and shape, and no data.  What is not wanted stays without data. */
typedef bool ArrayWanted(const Array *a, const void *context);
/* Members are stored or deflated; keys are their names without .npy; Fortran order is turned into C order, big endian into little.
 * wanted NULL: all, and a member that is no array is an error.  Else what is no array (another file, a folder, a dtype that is none
 * of numbers) is listed as ARRAY_OTHER, and only headers of what is not wanted are unpacked.
 * `limit` bounds the unpacked bytes of all that is read. */
bool array_read_npz(ArrayList *l, const char *path, ArrayWanted *wanted, const void *context, size_t limit, ArrayError *e);
/* wanted NULL: all that have a type of the above.  `limit` bounds the bytes read. */
bool array_read_safetensors(ArrayList *l, const char *path, ArrayWanted *wanted, const void *context, size_t limit, ArrayError *e);

/* ---- writing ------------------------------------------------------------------------------------------ */

/* An .npy row by row: begin with the whole shape (rank >= 1), give shape[0] rows in any portions, end.
 * A failure abandons the file; so does array_npy_abandon. */
typedef struct { ArrayOut out; size_t row_bytes; int64_t rows_left; } ArrayNpy;
bool array_npy_begin(ArrayNpy *w, const char *path, ArrayType type, int rank, const int64_t *shape, ArrayError *e);
bool array_npy_rows(ArrayNpy *w, const void *rows, int64_t count, ArrayError *e);
bool array_npy_end(ArrayNpy *w, ArrayError *e);
/* The first half of the end: checks the number of rows and seals w->out (array_io.h), which array_out_commit then renames. */
bool array_npy_seal(ArrayNpy *w, ArrayError *e);
void array_npy_abandon(ArrayNpy *w);

bool array_write_npy(const char *path, const Array *a, ArrayError *e);
/* Stored, not deflated.  comment: the metadata text, up to 65,535 bytes, or NULL. */
bool array_write_npz(const char *path, const Array *arrays, int count, const char *comment, ArrayError *e);
/* Arrays and metadata in the order given. */
bool array_write_safetensors(const char *path, const Array *arrays, int count,
                             const ArrayText *metadata, int metadata_count, ArrayError *e);

/* ---- between the three .c files ------------------------------------------------------------------------ */

enum { ARRAY_NPY_HEADER = 10000 };             /* numpy's own default bound on the size of a header */

/* How an .npy's data lies, where that is not C order and little endian. */
typedef struct { bool fortran, swapped; } ArrayOrder;

/* Reads the .npy header at bytes[0..size): type, rank, shape, bytes of *a; offset of the data; its order.
 * Data must fill the rest of the `whole` bytes, of which `size` are there, exactly.  `where` names the file or member
 * in errors.  A dtype that is none of numbers is an error, and leaves a->type ARRAY_OTHER with its name in a->what. */
bool array_npy_parse(Array *a, size_t *offset, ArrayOrder *order, const unsigned char *bytes, size_t size, size_t whole,
                     const char *path, const char *where, ArrayError *e);
/* The header of *a as numpy writes it (version 1.0, data at a multiple of 64); returns its length. */
size_t array_npy_header(unsigned char header[512], const Array *a);
/* For a reader that cannot turn data: false, with what to do, if they are big endian, or in Fortran order (rank 2 and more). */
bool array_npy_plain(const Array *a, ArrayOrder order, const char *path, ArrayError *e);
/* Sets a->bytes from type (of `size` bytes) and shape; false on overflow. */
bool array_measure(Array *a, size_t size);
/* Checks a writer's arguments: known types, shapes that agree with `bytes`, names there and all different. */
bool array_check_all(const char *path, const Array *arrays, int count, ArrayError *e);
/* Fails with exit_code, naming it, if a name occurs twice; names of what is no array do not count. */
bool array_names_differ(const char *path, const Array *arrays, int count, int exit_code, ArrayError *e);

#endif
