/* test_array_file.c -- arrays to .npy, .npz and .safetensors and back; files that numpy and safetensors wrote; damage. */
#define _GNU_SOURCE
#include "files/array_file.h"
#include "array_fixtures.h"
#include "folder.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <sys/stat.h>
#include <zlib.h>

TestSuite(array_file, .init = folder_make, .fini = folder_remove);

enum { LIMIT = 1 << 20 };
#define PUT(path, fixture) file_put((path), (fixture), sizeof(fixture) - 1)
#define SHAPE(...) ((int64_t[]){ __VA_ARGS__ })

static const float counted[6] = { 0, 1, 2, 3, 4, 5 };

static bool is_a(const Array *a)
{
    return a && a->type == ARRAY_F4 && a->rank == 2 && a->shape[0] == 2 && a->shape[1] == 3 && !memcmp(a->data, counted, 24);
}

static bool is_b(const Array *b)
{
    return b && b->type == ARRAY_F8 && b->rank == 0 && *(double *)b->data == 0.25;
}

/* One array of every type that is written, an empty one, and a name beyond ASCII. */
static const unsigned char pattern[48] = { 1, 2, 3, 250, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 64, 17, 18, 19, 20, 21, 22 };
enum { SAMPLES = 14 };

static void make_samples(Array samples[SAMPLES])
{
    for (int t = 0; t < ARRAY_BF16; t++) {
        char name[ARRAY_NAME];
        snprintf(name, sizeof name, "net.layer%d.weight", t);
        samples[t] = array_view(name, (ArrayType)t, pattern, t % 4, SHAPE(3, 1, 2));
    }
    samples[12] = array_view("grad/\xc3\xa9", ARRAY_F4, NULL, 3, SHAPE(4, 0, 3));
    samples[13] = array_view("loss", ARRAY_F8, pattern, 0, NULL);
}

static bool same(const Array *a, const Array *b)
{
    return a->type == b->type && a->rank == b->rank && !memcmp(a->shape, b->shape, sizeof *a->shape * (size_t)a->rank)
        && a->bytes == b->bytes && !strcmp(a->name, b->name) && (!a->bytes || !memcmp(a->data, b->data, a->bytes));
}

/* ---- .npy ------------------------------------------------------------------------------------------------ */

Test(array_file, maps_what_numpy_saves)
{
    ArrayError e;
    Array a;
    PUT("v1.npy", npy_v1);
    cr_assert(array_map_npy(&a, "v1.npy", &e), "%s", e.text);
    cr_assert(a.type == ARRAY_I4 && a.rank == 2 && a.shape[0] == 3 && a.shape[1] == 2 && ((int32_t *)a.data)[5] == 600);
    array_free(&a);
    PUT("v2.npy", npy_v2);
    cr_assert(array_map_npy(&a, "v2.npy", &e), "%s", e.text);
    cr_assert(is_a(&a));
    array_free(&a);
    PUT("v3.npy", npy_v3);
    cr_assert(array_map_npy(&a, "v3.npy", &e), "%s", e.text);
    cr_assert(is_a(&a));
    array_free(&a);
}

Test(array_file, writes_npy_byte_for_byte_as_numpy_does)
{
    ArrayError e;
    size_t size;
    int32_t rows[6] = { 1, 2, 3, 4, 5, 600 };
    Array a = array_view("", ARRAY_I4, rows, 2, SHAPE(3, 2));
    cr_assert(array_write_npy("a.npy", &a, &e), "%s", e.text);
    unsigned char *bytes = file_get("a.npy", &size);
    cr_assert(size == sizeof npy_v1 - 1 && !memcmp(bytes, npy_v1, size));
    free(bytes);
}

Test(array_file, round_trips_every_type_and_rank_through_npy)
{
    ArrayError e;
    Array samples[SAMPLES], a;
    make_samples(samples);
    for (int i = 0; i < SAMPLES; i++) {
        cr_assert(array_write_npy("a.npy", &samples[i], &e), "%s", e.text);
        cr_assert(array_map_npy(&a, "a.npy", &e), "%s", e.text);
        strcpy(a.name, samples[i].name);
        cr_assert(same(&a, &samples[i]), "%s", a.name);
        array_free(&a);
    }
}

Test(array_file, streams_rows_and_insists_on_all_of_them)
{
    ArrayError e;
    ArrayNpy w;
    Array a;
    cr_assert(array_npy_begin(&w, "a.npy", ARRAY_F4, 2, SHAPE(2, 3), &e), "%s", e.text);
    cr_assert(array_npy_rows(&w, counted, 1, &e) && array_npy_rows(&w, counted + 3, 1, &e));
    cr_assert(access("a.npy", F_OK) != 0, "nothing is there before the end");
    cr_assert(array_npy_end(&w, &e), "%s", e.text);
    cr_assert(array_map_npy(&a, "a.npy", &e) && is_a(&a));
    array_free(&a);

    cr_assert(array_npy_begin(&w, "b.npy", ARRAY_F4, 2, SHAPE(2, 3), &e));
    cr_assert(array_npy_rows(&w, counted, 1, &e));
    cr_assert(not(array_npy_end(&w, &e)));
    cr_assert(eq(int, e.exit_code, 70));
    cr_assert(array_npy_begin(&w, "b.npy", ARRAY_F4, 2, SHAPE(1, 3), &e));
    cr_assert(not(array_npy_rows(&w, counted, 2, &e)));
    cr_assert(not(array_npy_end(&w, &e)));
    cr_assert(array_npy_begin(&w, "b.npy", ARRAY_F4, 1, SHAPE(1), &e));
    array_npy_abandon(&w);
    cr_assert(eq(int, folder_files(), 1));
}

static void refuse_npy(const void *bytes, size_t size, const char *hint)
{
    ArrayError e = { .text = "" };
    Array a;
    file_put("bad.npy", bytes, size);
    cr_assert(not(array_map_npy(&a, "bad.npy", &e)), "%s", hint);
    cr_assert(strstr(e.text, hint) != NULL, "'%s' is not in '%s'", hint, e.text);
    cr_assert(strncmp(e.text, "bad.npy: ", 9) == 0 && e.exit_code == 1, "%s", e.text);
}

/* A version 1.0 file around a header of our making, with 24 bytes of data. */
static void refuse_header(const char *header, const char *hint)
{
    char bytes[600] = "\x93NUMPY\x01";
    size_t length = strlen(header);
    bytes[8] = (char)(length & 255);
    bytes[9] = (char)(length >> 8);
    memcpy(bytes + 10, header, length);
    refuse_npy(bytes, 10 + length + 24, hint);
}

Test(array_file, refuses_npy_files_with_a_hint)
{
    refuse_npy(npy_fortran, sizeof npy_fortran - 1, "np.ascontiguousarray");
    refuse_npy(npy_big_endian, sizeof npy_big_endian - 1, "found dtype '>f4', expected little endian; convert it with a.astype('<f4')");
    refuse_npy(npy_v1, sizeof npy_v1 - 2, "cut short");
    refuse_npy(npy_v1, sizeof npy_v1, "got 25, which is 1 too many");
    refuse_npy("PK\3\4 and more of it", 20, "\\x93NUMPY");
    refuse_npy("", 0, "empty");
    refuse_npy("\x93NUMPY\x04\x00\x02\x00{}", 12, "got 4.0");
    refuse_header("{'descr': '|O', 'fortran_order': False, 'shape': (6,), }", "'|O'");
    refuse_header("{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }", "astype");
    refuse_header("{'descr': '<bf16', 'fortran_order': False, 'shape': (12,), }", "astype");
    refuse_header("{'descr': '<U3', 'fortran_order': False, 'shape': (2,), }", "numpy.unique");
    refuse_header("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (6,), }", "structured");
    refuse_header("{'descr': '<f4', 'fortran_order': False, 'shape': (6), }", "dict");
    refuse_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-6,), }", "dict");
    refuse_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,6), }", "8 dimensions");
    refuse_header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "dict");
    refuse_header("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4, 1), }", "<f4 [46");
    refuse_header("{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }", "needs 28 bytes after the header, got 24");
    refuse_header("{'descr': '<f4', 'fortran_order': False, }", "dict");
    refuse_header("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", "dict");
    refuse_header("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'more': 1, }", "dict");
    refuse_header("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), } x", "dict");
    refuse_header("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }  ", "not aligned");
}

Test(array_file, refuses_a_header_that_is_too_long)
{
    unsigned char *bytes = calloc(1, 20024);
    memset(bytes, ' ', 20024);
    memcpy(bytes, "\x93NUMPY\x02\x00\x14\x4e\x00\x00{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 67);
    refuse_npy(bytes, 20012 + 12, "10000");
    free(bytes);
}

/* ---- .npz ------------------------------------------------------------------------------------------------ */

Test(array_file, reads_npz_files_that_numpy_stores_deflates_and_pipes)
{
    ArrayError e;
    ArrayList l;
    PUT("stored.npz", npz_stored);
    cr_assert(array_read_npz(&l, "stored.npz", NULL, NULL, LIMIT, &e), "%s", e.text);
    cr_assert(l.count == 2 && is_a(array_find(&l, "a")) && is_b(array_find(&l, "grad/b")) && !l.comment[0]);
    array_list_free(&l);
    PUT("deflated.npz", npz_deflated);
    cr_assert(array_read_npz(&l, "deflated.npz", NULL, NULL, LIMIT, &e), "%s", e.text);
    cr_assert(l.count == 3 && is_a(array_find(&l, "a")) && is_b(array_find(&l, "b")));
    const Array *f = array_find(&l, "f");
    cr_assert(f->rank == 3 && f->shape[0] == 2 && f->shape[1] == 3 && f->shape[2] == 4);
    for (int i = 0; i < 24; i++)
        cr_assert(eq(dbl, ((double *)f->data)[i], i), "Fortran order becomes C order");
    array_list_free(&l);
    PUT("piped.npz", npz_piped);
    cr_assert(array_read_npz(&l, "piped.npz", NULL, NULL, LIMIT, &e), "%s", e.text);
    cr_assert(l.count == 2 && is_a(array_find(&l, "a")) && is_b(array_find(&l, "b")));
    array_list_free(&l);
}

Test(array_file, round_trips_every_type_through_npz_with_the_same_bytes_each_time)
{
    ArrayError e;
    ArrayList l;
    Array samples[SAMPLES];
    size_t n, m;
    make_samples(samples);
    cr_assert(array_write_npz("one.npz", samples, SAMPLES, "{\"model\": \"rnn_spn\"}", &e), "%s", e.text);
    cr_assert(array_write_npz("two.npz", samples, SAMPLES, "{\"model\": \"rnn_spn\"}", &e), "%s", e.text);
    unsigned char *one = file_get("one.npz", &n), *two = file_get("two.npz", &m);
    cr_assert(n == m && !memcmp(one, two, n));
    cr_assert(memmem(one, n, "PK\6\6", 4) == NULL, "no zip64 where none is needed");
    free(one);
    free(two);
    cr_assert(array_read_npz(&l, "one.npz", NULL, NULL, LIMIT, &e), "%s", e.text);
    cr_assert(eq(int, l.count, SAMPLES));
    cr_assert(eq(str, l.comment, (char *)"{\"model\": \"rnn_spn\"}"));
    for (int i = 0; i < SAMPLES; i++)
        cr_assert(same(&l.items[i], &samples[i]), "%s", samples[i].name);
    array_list_free(&l);
}

Test(array_file, more_members_than_old_zips_hold_make_a_zip64)
{
    enum { MANY = 65536 };
    ArrayError e;
    ArrayList l;
    size_t n;
    Array *arrays = malloc(MANY * sizeof *arrays);
    float *values = malloc(MANY * sizeof *values);
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        values[i] = (float)i;
        arrays[i] = array_view(name, ARRAY_F4, &values[i], 0, NULL);
    }
    for (int count = MANY - 2; count <= MANY; count++) {
        cr_assert(array_write_npz("many.npz", arrays, count, "many", &e), "%s", e.text);
        unsigned char *bytes = file_get("many.npz", &n);
        cr_assert(eq(int, memmem(bytes + n - 200, 200, "PK\6\6", 4) != NULL, count >= 65535));
        free(bytes);
        cr_assert(array_read_npz(&l, "many.npz", NULL, NULL, (size_t)1 << 30, &e), "%s", e.text);
        cr_assert(l.count == count && *(float *)l.items[count - 1].data == (float)(count - 1));
        array_list_free(&l);
    }
    free(arrays);
    free(values);
}

Test(array_file, bounds_what_an_npz_unpacks_to)
{
    ArrayError e;
    ArrayList l;
    PUT("a.npz", npz_deflated);
    cr_assert(array_read_npz(&l, "a.npz", NULL, NULL, 152 + 136 + 320, &e), "%s", e.text);
    array_list_free(&l);
    cr_assert(not(array_read_npz(&l, "a.npz", NULL, NULL, 152 + 136 + 319, &e)));
    cr_assert(strstr(e.text, "f: 320 bytes") != NULL && e.exit_code == 1, "%s", e.text);
}

static bool is_float(const Array *a, const void *nothing)
{
    (void)nothing;
    return a->type == ARRAY_F4 || a->type == ARRAY_F8;
}

/* A member of the name `name` and the bytes given, stored; the directory's sizes may lie. */
typedef struct { unsigned char bytes[4096]; size_t size, at[8], sizes[8]; const char *names[8]; int method[8], count; uint32_t crc[8]; uint64_t claims[8]; } Zip;

static void zip_put(Zip *z, uint64_t value, int bytes)
{
    while (bytes--)
        z->bytes[z->size++] = (unsigned char)value, value >>= 8;
}

static void zip_head(Zip *z, int i)
{
    zip_put(z, 20, 2), zip_put(z, 0, 2), zip_put(z, (uint64_t)z->method[i], 2), zip_put(z, 0, 4), zip_put(z, z->crc[i], 4), zip_put(z, z->sizes[i], 4);
    zip_put(z, z->claims[i], 4), zip_put(z, strlen(z->names[i]), 2), zip_put(z, 0, 2);
}

static void zip_add(Zip *z, const char *name, int method, const void *data, size_t size, uint64_t claims)
{
    int i = z->count++;
    z->names[i] = name, z->sizes[i] = size, z->method[i] = method, z->at[i] = z->size, z->claims[i] = claims;
    z->crc[i] = (uint32_t)crc32(0, data, (uInt)size);      /* of what lies there: of a packed member it is wrong */
    zip_put(z, 0x04034b50, 4);
    zip_head(z, i);
    memcpy(z->bytes + z->size, name, strlen(name));
    memcpy(z->bytes + z->size + strlen(name), data, size);
    z->size += strlen(name) + size;
}

static void zip_write(Zip *z, const char *path)
{
    size_t directory = z->size;
    for (int i = 0; i < z->count; i++) {
        zip_put(z, 0x02014b50, 4), zip_put(z, 20, 2);
        zip_head(z, i);
        zip_put(z, 0, 2), zip_put(z, 0, 8), zip_put(z, z->at[i], 4);
        memcpy(z->bytes + z->size, z->names[i], strlen(z->names[i]));
        z->size += strlen(z->names[i]);
    }
    size_t size = z->size - directory;
    zip_put(z, 0x06054b50, 4), zip_put(z, 0, 4), zip_put(z, (uint64_t)z->count, 2), zip_put(z, (uint64_t)z->count, 2);
    zip_put(z, size, 4), zip_put(z, directory, 4), zip_put(z, 0, 2);
    file_put(path, z->bytes, z->size);
}

Test(array_file, what_is_no_array_is_listed_where_not_all_is_wanted)
{
    static Zip z;
    ArrayError e;
    ArrayList l;
    static const char object[] = "\x93NUMPY\x01\0\x46\0{'descr': '|O', 'fortran_order': False, 'shape': (), }               \n";
    static const char fields[] = "\x93NUMPY\x01\0\x46\0{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (), }     \n";
    char name[200];
    memset(name, 'n', sizeof name);
    strcpy(name + 150, ".npy");
    zip_add(&z, "README.txt", 0, "hello", 5, 5);
    zip_add(&z, "README.txt", 0, "again", 5, 5);
    zip_add(&z, "weights/", 0, "", 0, 0);
    zip_add(&z, "o.npy", 0, object, sizeof object - 1, sizeof object - 1);
    zip_add(&z, "s.npy", 0, fields, sizeof fields - 1, sizeof fields - 1);
    zip_add(&z, name, 0, "", 0, 0);
    zip_write(&z, "a.npz");
    cr_assert(array_read_npz(&l, "a.npz", is_float, NULL, LIMIT, &e), "%s", e.text);
    static const char *const what[] = { "no .npy", "no .npy", "a folder", "dtype |O", "a structured dtype", "a name of more than 127 bytes" };
    cr_assert(eq(int, l.count, 6));
    for (int i = 0; i < 6; i++)
        cr_assert(l.items[i].type == ARRAY_OTHER && !l.items[i].data && !strcmp(array_type_text(&l.items[i]), what[i]), "%d: %s", i, l.items[i].what);
    array_list_free(&l);
    cr_assert(not(array_read_npz(&l, "a.npz", NULL, NULL, LIMIT, &e)));
    cr_assert(strstr(e.text, "member README.txt is no .npy") != NULL, "%s", e.text);
}

Test(array_file, an_npz_may_be_big_endian_in_either_order)
{
    static Zip z;
    ArrayError e;
    ArrayList l;
    static const char turned[] = "\x93NUMPY\x01\0\x46\0{'descr': '>f8', 'fortran_order': True, 'shape': (2, 2,), }          \n"
                                 "\x3f\xf0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\x40\x08\0\0\0\0\0\0\x40\x10\0\0\0\0\0\0";
    static const char bytes[] = "\x93NUMPY\x01\0\x46\0{'descr': '>u1', 'fortran_order': False, 'shape': (2,), }            \n\1\2";
    zip_add(&z, "a.npy", 0, npy_big_endian, sizeof npy_big_endian - 1, sizeof npy_big_endian - 1);
    zip_add(&z, "d.npy", 0, turned, sizeof turned - 1, sizeof turned - 1);
    zip_add(&z, "u.npy", 0, bytes, sizeof bytes - 1, sizeof bytes - 1);
    zip_write(&z, "a.npz");
    cr_assert(array_read_npz(&l, "a.npz", NULL, NULL, LIMIT, &e), "%s", e.text);
    const Array *d = array_find(&l, "d"), *u = array_find(&l, "u");
    cr_assert(is_a(array_find(&l, "a")));
    cr_assert(array_number(d, 0) == 1 && array_number(d, 1) == 3 && array_number(d, 2) == 2 && array_number(d, 3) == 4);
    cr_assert(array_number(u, 0) == 1 && array_number(u, 1) == 2);
    array_list_free(&l);
}

/* What is said of each kind of member that weights cannot be read from. */
Test(array_file, a_type_that_is_none_of_weights_has_a_way_out)
{
    static const struct { ArrayType type; const char *what, *says; } all[] = {
        { ARRAY_F4, "", NULL }, { ARRAY_F8, "", NULL }, { ARRAY_F2, "", NULL }, { ARRAY_BF16, "", NULL },
        { ARRAY_I8, "", "has type i8, expected f4, f8, f2 or bf16; convert it with numpy's astype('<f4')" },
        { ARRAY_B1, "", "has type b1, expected f4, f8, f2 or bf16; convert it with numpy's astype('<f4')" },
        { ARRAY_OTHER, "dtype <f16", "has type <f16, expected f4, f8, f2 or bf16; convert it with numpy's astype('<f4')" },
        { ARRAY_OTHER, "dtype <c8", "has type <c8, expected f4, f8, f2 or bf16; convert it with numpy's a.real.astype('<f4')" },
        { ARRAY_OTHER, "dtype F8_E4M3", "has type F8_E4M3, expected f4, f8, f2 or bf16; convert it with tensor.float() of PyTorch" },
        { ARRAY_OTHER, "no .npy", "is there as no .npy, expected an array of f4, f8, f2 or bf16; save it with numpy.savez" },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        Array a = { .type = all[i].type };
        char text[ARRAY_REFUSAL];
        strcpy(a.what, all[i].what);
        const char *says = array_refusal(text, &a);
        cr_assert(all[i].says ? says && !strcmp(says, all[i].says) : !says, "%zu: %s", i, says ? says : "none");
    }
}

/* 2 MB in 2,100 bytes, which deflate could do: only its header is looked at. */
Test(array_file, a_small_npz_takes_no_more_memory_than_what_is_wanted_of_it)
{
    static Zip z;
    static unsigned char big[3000];
    ArrayError e;
    ArrayList l;
    static const char head[] = "\x93NUMPY\x01\0\x46\0{'descr': '|u1', 'fortran_order': False, 'shape': (2097072,), }      \n";
    unsigned char start[sizeof head - 1 + 64];
    memcpy(start, head, sizeof head - 1);
    z_stream s = { .next_in = start, .avail_in = sizeof head - 1, .next_out = big, .avail_out = sizeof big };
    deflateInit2(&s, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    deflate(&s, Z_SYNC_FLUSH);
    deflateEnd(&s);                                     /* its end does not come, which only who unpacks all of it would see */
    zip_add(&z, "big.npy", 8, big, 2100, 80 + 2097072);
    zip_write(&z, "a.npz");
    cr_assert(array_read_npz(&l, "a.npz", is_float, NULL, LIMIT, &e), "%s", e.text);
    cr_assert(l.count == 1 && !l.items[0].data && l.items[0].shape[0] == 2097072);
    array_list_free(&l);
    cr_assert(not(array_read_npz(&l, "a.npz", NULL, NULL, LIMIT, &e)));
    cr_assert(strstr(e.text, "more than expected") != NULL, "%s", e.text);
    cr_assert(not(array_read_npz(&l, "a.npz", NULL, NULL, (size_t)1 << 30, &e)));
    cr_assert(strstr(e.text, "damaged") != NULL, "%s", e.text);
}

Test(array_file, says_what_it_misses_in_an_npz)
{
    ArrayError e;
    ArrayList l;
    PUT("text.npz", npz_text);
    cr_assert(not(array_read_npz(&l, "text.npz", NULL, NULL, LIMIT, &e)));
    cr_assert(strstr(e.text, "text.npz: o: dtype '<U2'") != NULL && e.exit_code == 1, "%s", e.text);
    PUT("a.npy", npy_v1);
    cr_assert(not(array_read_npz(&l, "a.npy", NULL, NULL, LIMIT, &e)));
    cr_assert(strstr(e.text, "expected an .npz") != NULL, "%s", e.text);
    cr_assert(not(array_read_npz(&l, "none.npz", NULL, NULL, LIMIT, &e)));
    cr_assert(strstr(e.text, "No such file") != NULL && e.exit_code == 1, "%s", e.text);
}

/* Every truncation is refused; a changed byte is refused or changes nothing that counts (a date, a mode). */
static void damage_npz(const unsigned char *fixture, size_t size, int arrays)
{
    ArrayError e;
    ArrayList l;
    unsigned char *bytes = malloc(size);
    memcpy(bytes, fixture, size);
    for (size_t n = 0; n < size; n++) {
        file_put("cut.npz", bytes, n);
        cr_assert(not(array_read_npz(&l, "cut.npz", NULL, NULL, LIMIT, &e)), "cut to %zu bytes", n);
        cr_assert(eq(int, e.exit_code, 1));
    }
    for (size_t i = 0; i < size; i++)
        for (int change = 1; change < 256; change = change * 2 + 1) {
            bytes[i] ^= (unsigned char)change;
            file_put("changed.npz", bytes, size);
            if (array_read_npz(&l, "changed.npz", NULL, NULL, LIMIT, &e)) {
                cr_assert(eq(int, l.count, arrays));
                cr_assert(is_a(&l.items[0]), "byte %zu", i);
                array_list_free(&l);
            } else {
                cr_assert(eq(int, e.exit_code, 1), "%s", e.text);
            }
            bytes[i] ^= (unsigned char)change;
        }
    free(bytes);
}

Test(array_file, a_damaged_npz_never_gives_other_numbers)
{
    damage_npz(npz_stored, sizeof npz_stored - 1, 2);
    damage_npz(npz_deflated, sizeof npz_deflated - 1, 3);
    damage_npz(npz_piped, sizeof npz_piped - 1, 2);
}

/* ---- .safetensors ------------------------------------------------------------------------------------------ */

Test(array_file, reads_what_safetensors_saves)
{
    ArrayError e;
    ArrayList l;
    PUT("w.safetensors", safetensors_file);
    cr_assert(array_read_safetensors(&l, "w.safetensors", is_float, NULL, LIMIT, &e), "%s", e.text);
    cr_assert(l.count == 4 && is_a(array_find(&l, "a")) && is_b(array_find(&l, "b")));
    cr_assert(array_find(&l, "h")->type == ARRAY_F2 && !array_find(&l, "h")->data);
    cr_assert(array_find(&l, "i")->type == ARRAY_I8 && !array_find(&l, "i")->data);
    cr_assert(eq(int, l.metadata_count, 2));
    for (int i = 0; i < 2; i++)
        cr_assert(eq(str, l.metadata[i].value, (char *)(strcmp(l.metadata[i].key, "d") ? "rnn_spn" : "2")));
    array_list_free(&l);
    cr_assert(array_read_safetensors(&l, "w.safetensors", NULL, NULL, LIMIT, &e), "%s", e.text);
    cr_assert(array_find(&l, "h")->data && ((int64_t *)array_find(&l, "i")->data)[2] == 2);
    array_list_free(&l);
    cr_assert(array_read_safetensors(&l, "w.safetensors", is_float, NULL, 32, &e), "%s", e.text);
    array_list_free(&l);
    cr_assert(not(array_read_safetensors(&l, "w.safetensors", is_float, NULL, 31, &e)));
}

Test(array_file, halves_brains_and_bools_are_numbers)
{
    static const struct { uint16_t bits; double half; } cases[] = {
        { 0x0000, 0 }, { 0x8000, -0.0 }, { 0x3c00, 1 }, { 0xc000, -2 }, { 0x3f80, 1.875 }, { 0x0001, 0x1p-24 }, { 0x03ff, 1023 * 0x1p-24 },
        { 0x0400, 0x1p-14 }, { 0x7bff, 65504 }, { 0x7c00, INFINITY }, { 0xfc00, -INFINITY },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Array a = array_view("", ARRAY_F2, &cases[i].bits, 0, NULL), b = array_view("", ARRAY_BF16, &cases[i].bits, 0, NULL);
        cr_assert(array_number(&a, 0) == cases[i].half && !signbit(array_number(&a, 0)) == !signbit(cases[i].half), "%04x: %g", cases[i].bits, array_number(&a, 0));
        float wide;
        memcpy(&wide, &(uint32_t){ (uint32_t)cases[i].bits << 16 }, 4);
        cr_assert(array_number(&b, 0) == (double)wide, "%04x: %g", cases[i].bits, array_number(&b, 0));
    }
    const uint16_t nan = 0x7c01, one = 0x3f80;
    const uint8_t bools[3] = { 0, 1, 2 };
    Array n = array_view("", ARRAY_F2, &nan, 0, NULL), o = array_view("", ARRAY_BF16, &one, 0, NULL), t = array_view("", ARRAY_B1, bools, 1, SHAPE(3));
    cr_assert(isnan(array_number(&n, 0)) && array_number(&o, 0) == 1);
    cr_assert(array_number(&t, 0) == 0 && array_number(&t, 1) == 1 && array_number(&t, 2) == 1);
}

Test(array_file, round_trips_every_type_through_safetensors)
{
    ArrayError e;
    ArrayList l;
    Array samples[SAMPLES];
    ArrayText metadata[2] = { { (char *)"z", (char *)"last\n\"first\"" }, { (char *)"a", (char *)"" } };
    size_t size;
    make_samples(samples);
    cr_assert(array_write_safetensors("w.safetensors", samples, SAMPLES, metadata, 2, &e), "%s", e.text);
    unsigned char *bytes = file_get("w.safetensors", &size);
    cr_assert(eq(int, bytes[0] % 8, 0), "the data is aligned");
    free(bytes);
    cr_assert(array_read_safetensors(&l, "w.safetensors", NULL, NULL, LIMIT, &e), "%s", e.text);
    cr_assert(eq(int, l.count, SAMPLES));
    for (int i = 0; i < SAMPLES; i++)
        cr_assert(same(&l.items[i], &samples[i]), "%s", samples[i].name);
    cr_assert(l.metadata_count == 2 && !strcmp(l.metadata[0].key, "z") && !strcmp(l.metadata[0].value, "last\n\"first\""));
    array_list_free(&l);
}

static void refuse_safetensors(const char *header, size_t data, const char *hint)
{
    ArrayError e = { .text = "" };
    ArrayList l;
    char bytes[600] = "";
    uint64_t length = strlen(header);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    file_put("bad.safetensors", bytes, 8 + length + data);
    cr_assert(not(array_read_safetensors(&l, "bad.safetensors", NULL, NULL, LIMIT, &e)), "%s", header);
    cr_assert(strstr(e.text, hint) != NULL && e.exit_code == 1, "'%s' is not in '%s'", hint, e.text);
}

Test(array_file, refuses_safetensors_that_break_the_format)
{
    refuse_safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, "but there are 7");
    refuse_safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9, "fill 8 bytes");
    refuse_safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[1,9]}}", 9, "gap");
    refuse_safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "needs 12 bytes");
    refuse_safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "data_offsets 8 to 0");
    refuse_safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "not a size");
    refuse_safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8, "not a size");
    refuse_safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", 0, "needs");
    refuse_safetensors("{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9, "its arrays fill 8 bytes");          /* an unknown type is listed; its place must fit */
    refuse_safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "expected exactly");
    refuse_safetensors("{\"a\":5}", 0, "expected exactly");
    refuse_safetensors("{\"__metadata__\":{\"a\":1}}", 0, "not a text");
    refuse_safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                       "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "overlap");
    refuse_safetensors("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                       "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, "twice");
    refuse_safetensors("{\"a\":", 0, "damaged");
    refuse_safetensors("[]", 0, "something else");
}

Test(array_file, survives_every_damage_to_a_safetensors_file)
{
    ArrayError e;
    ArrayList l;
    size_t size = sizeof safetensors_file - 1;
    unsigned char bytes[sizeof safetensors_file];
    memcpy(bytes, safetensors_file, size);
    for (size_t n = 0; n < size; n++) {
        file_put("cut", bytes, n);
        cr_assert(not(array_read_safetensors(&l, "cut", NULL, NULL, LIMIT, &e)), "cut to %zu bytes", n);
        cr_assert(eq(int, e.exit_code, 1));
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        file_put("flipped", bytes, size);
        if (array_read_safetensors(&l, "flipped", NULL, NULL, LIMIT, &e))
            array_list_free(&l);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

/* ---- whole or not at all ------------------------------------------------------------------------------------- */

static bool write_as(int format, const Array *a, ArrayError *e)
{
    return format == 0 ? array_write_npy("out", a, e) : format == 1 ? array_write_npz("out", a, 1, "text", e)
                       : array_write_safetensors("out", a, 1, NULL, 0, e);
}

Test(array_file, a_full_disk_at_any_call_leaves_the_old_file_or_the_new_one)
{
    static const float other[6] = { 9, 8, 7, 6, 5, 4 };
    ArrayError e = { .exit_code = 0 };
    Array a = array_view("w", ARRAY_F4, counted, 2, SHAPE(2, 3)), b = array_view("w", ARRAY_F4, other, 2, SHAPE(2, 3));
    for (int format = 0; format < 3; format++) {
        size_t size;
        io_fail_at(0);
        cr_assert(write_as(format, &a, &e));
        int calls = test_calls;
        for (int n = 1; n <= calls; n++) {
            io_real();
            cr_assert(write_as(format, &a, &e));
            unsigned char *old = file_get("out", &size);
            io_fail_at(n);
            bool fine = write_as(format, &b, &e);
            cr_assert(fine == (n == calls), "format %d, call %d of %d", format, n, calls);
            cr_assert(fine || (e.exit_code == 74 && strstr(e.text, "out: ")), "%s", e.text);
            cr_assert(eq(int, folder_files(), 1));
            size_t now;
            unsigned char *bytes = file_get("out", &now);
            cr_assert(now == size && (memcmp(bytes, old, size) != 0) == (n > calls - CALLS_AFTER_RENAME), "call %d", n);
            free(bytes);
            free(old);
        }
        io_real();
    }
}

Test(array_file, a_new_file_has_the_mode_that_umask_asks_for)
{
    struct stat status;
    Array a = array_view("w", ARRAY_F4, counted, 0, NULL);
    umask(027);
    cr_assert(array_write_npy("a.npy", &a, NULL));
    cr_assert(stat("a.npy", &status) == 0);
    cr_assert(eq(int, (int)(status.st_mode & 0777), 0640));
}

Test(array_file, a_link_stays_and_its_target_is_replaced)
{
    struct stat status;
    Array a = array_view("w", ARRAY_F4, counted, 0, NULL);
    file_put("target", "old", 3);
    cr_assert(symlink("target", "link") == 0);
    cr_assert(array_write_npy("link", &a, NULL));
    cr_assert(lstat("link", &status) == 0 && S_ISLNK(status.st_mode));
    cr_assert(stat("target", &status) == 0 && status.st_size == 132);
}

Test(array_file, does_not_write_over_a_folder_a_device_or_nothing)
{
    ArrayError e;
    Array a = array_view("w", ARRAY_F4, counted, 0, NULL);
    struct stat status;
    cr_assert(not(array_write_npy(folder, &a, &e)));
    cr_assert(strstr(e.text, "a folder") != NULL && e.exit_code == 74, "%s", e.text);
    cr_assert(mkfifo("pipe", 0600) == 0);
    cr_assert(not(array_write_npy("pipe", &a, &e)));
    cr_assert(stat("pipe", &status) == 0 && S_ISFIFO(status.st_mode));
    cr_assert(not(array_map_npy(&a, "pipe", &e)));
    cr_assert(strstr(e.text, "a pipe") != NULL && e.exit_code == 1, "%s", e.text);
    a = array_view("w", ARRAY_F4, counted, 0, NULL);
    cr_assert(not(array_write_npy("no/such/folder.npy", &a, &e)));
    cr_assert(strstr(e.text, "make its folder first") != NULL && e.exit_code == 74, "%s", e.text);
}

Test(array_file, errors_hold_long_paths_and_no_control_characters)
{
    ArrayError e;
    char path[1000];
    memset(path, 'x', sizeof path);
    path[999] = '\0';
    cr_assert(not(array_fail(&e, 1, path, "a name\n\x1b[31m of %d", 5)));
    cr_assert(strstr(e.text, "...xxx") == e.text && strstr(e.text, ": a name??[31m of 5") != NULL, "%s", e.text);
    cr_assert(not(array_fail(NULL, 1, path, "nobody listens")));
}
