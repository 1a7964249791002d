/* array_npz.c -- .npz: a zip whose members are .npy files.
 * Reading starts from the directory at the end of the file, as zip demands; what a member's own header repeats must
 * agree with it.  Zip64, data descriptors and any order of members are fine.  Writing stores the members in the order
 * given, with the earliest date a zip can hold, so that equal arrays make equal files; zip64 fields appear only
 * where a size, an offset or the number of members does not fit the old ones. */
#define _DEFAULT_SOURCE
#include "files/array_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MAX16 0xFFFFu
#define MAX32 0xFFFFFFFFu
enum { END = 22, END64 = 56, LOCATOR = 20, CENTRAL = 46, LOCAL = 30, STORED = 0, DEFLATED = 8, DATE_1980_01_01 = 0x21,
       CHUNK = 1 << 30 };                      /* zlib counts in 32 bits */

/* zlib's largest ratio is 1032:1; a member with a larger one is damaged and refused before any allocation. */
enum { DEFLATE_RATIO = 1032 };

static uint64_t get(const unsigned char *p, int bytes)
{
    uint64_t value = 0;
    while (bytes--)
        value = value << 8 | p[bytes];
    return value;
}

static uint32_t checksum(const unsigned char *data, size_t size)
{
    uLong crc = crc32(0, NULL, 0);
    for (size_t n; size; data += n, size -= n) {
        n = size < CHUNK ? size : CHUNK;
        crc = crc32(crc, data, (uInt)n);
    }
    return (uint32_t)crc;
}

/* ---- the directory ----------------------------------------------------------------------------------------------- */

typedef struct { uint64_t entries, size, offset; const unsigned char *comment; size_t comment_length; } Directory;

/* The end record lies within the last 65,557 bytes; it is the one whose comment reaches the end of the file. */
static bool find_directory(Directory *d, ArrayMap m, const char *path, ArrayError *e)
{
    const unsigned char *end = NULL;
    for (size_t back = END; back <= m.size && back <= END + MAX16 && !end; back++) {
        const unsigned char *p = m.data + m.size - back;
        if (!memcmp(p, "PK\5\6", 4) && get(p + 20, 2) == back - END)
            end = p;
    }
    if (!end)
        return array_fail(e, 1, path, "expected an .npz file, got no zip directory at its end; is the file cut short?");
    *d = (Directory){ get(end + 10, 2), get(end + 12, 4), get(end + 16, 4), end + END, get(end + 20, 2) };
    if (get(end + 4, 2) || get(end + 6, 2) || get(end + 8, 2) != d->entries)
        return array_fail(e, 1, path, "a zip in several parts; save it with np.savez");
    size_t before = (size_t)(end - m.data);
    if (before >= LOCATOR + END64 && !memcmp(end - LOCATOR, "PK\6\7", 4)) {
        uint64_t at = get(end - LOCATOR + 8, 8);
        if (at > before - LOCATOR - END64 || memcmp(m.data + at, "PK\6\6", 4))
            return array_fail(e, 1, path, "its zip64 end record is not where its locator says");
        const unsigned char *end64 = m.data + at;
        d->entries = get(end64 + 32, 8);
        d->size = get(end64 + 40, 8);
        d->offset = get(end64 + 48, 8);
        before = at;
        if (get(end64 + 24, 8) != d->entries)
            return array_fail(e, 1, path, "a zip in several parts; save it with np.savez");
    }
    if (d->offset > before || d->size != before - d->offset || d->entries > d->size / CENTRAL || d->entries > INT32_MAX)
        return array_fail(e, 1, path, "its zip directory (%" PRIu64 " members, %" PRIu64 " bytes at %" PRIu64 ") does not "
                          "end where its end record begins, at %zu", d->entries, d->size, d->offset, before);
    return true;
}

typedef struct {
    const unsigned char *name;
    size_t name_length;
    unsigned flags, method;
    uint32_t crc;
    uint64_t packed, size, offset;
    const unsigned char *data;                 /* packed bytes, inside the map */
} Member;

/* The 64-bit values of those 32-bit fields that are full, in this order. */
static bool read_zip64(Member *m, const unsigned char *extra, size_t length)
{
    uint64_t *fields[] = { &m->size, &m->packed, &m->offset };
    while (length >= 4) {
        size_t id = get(extra, 2), size = get(extra + 2, 2);
        if (size > length - 4)
            return false;
        if (id == 1) {
            const unsigned char *p = extra + 4;
            for (int i = 0; i < 3; i++)
                if (*fields[i] == MAX32) {
                    if (size < 8)
                        return false;
                    *fields[i] = get(p, 8);
                    p += 8;
                    size -= 8;
                }
            return true;
        }
        extra += 4 + size;
        length -= 4 + size;
    }
    return true;                               /* a size may be 2^32 - 1 without any zip64 */
}

/* Reads the directory entry at *at and moves past it; then finds the member's data behind its own header. */
static bool read_member(Member *m, const unsigned char **at, const unsigned char *end, ArrayMap map, uint64_t directory,
                        const char *path, ArrayError *e)
{
    const unsigned char *p = *at;
    size_t left = (size_t)(end - p);
    if (left < CENTRAL || memcmp(p, "PK\1\2", 4))
        return array_fail(e, 1, path, "its zip directory is damaged at byte %td", p - map.data);
    *m = (Member){ .name = p + CENTRAL, .name_length = get(p + 28, 2), .flags = (unsigned)get(p + 8, 2),
                   .method = (unsigned)get(p + 10, 2), .crc = (uint32_t)get(p + 16, 4), .packed = get(p + 20, 4),
                   .size = get(p + 24, 4), .offset = get(p + 42, 4) };
    size_t extra = get(p + 30, 2), comment = get(p + 32, 2);
    if (m->name_length + extra + comment > left - CENTRAL || !read_zip64(m, m->name + m->name_length, extra))
        return array_fail(e, 1, path, "its zip directory is damaged at byte %td", p - map.data);
    *at = p + CENTRAL + m->name_length + extra + comment;
    int shown = m->name_length < ARRAY_NAME ? (int)m->name_length : ARRAY_NAME;
    if (m->flags & 1)
        return array_fail(e, 1, path, "member %.*s is encrypted", shown, m->name);
    if (m->method != STORED && m->method != DEFLATED)
        return array_fail(e, 1, path, "member %.*s is packed by method %u, expected stored or deflated; save it with "
                          "np.savez or np.savez_compressed", shown, m->name, m->method);
    if (directory < LOCAL || m->offset > directory - LOCAL || memcmp(map.data + m->offset, "PK\3\4", 4))
        return array_fail(e, 1, path, "member %.*s does not begin at byte %" PRIu64, shown, m->name, m->offset);
    const unsigned char *local = map.data + m->offset;
    uint64_t start = m->offset + LOCAL + get(local + 26, 2) + get(local + 28, 2);
    if (start > directory || m->packed > directory - start)
        return array_fail(e, 1, path, "member %.*s claims %" PRIu64 " bytes, more than there are", shown, m->name, m->packed);
    bool described = m->flags & 8;             /* crc and sizes follow the data: the header has zeros */
    uint32_t crc = (uint32_t)get(local + 14, 4);
    if (get(local + 26, 2) != m->name_length || memcmp(local + LOCAL, m->name, m->name_length)
        || get(local + 6, 2) != m->flags || get(local + 8, 2) != m->method || (!described && crc != m->crc))
        return array_fail(e, 1, path, "member %.*s: its header and the directory disagree", shown, m->name);
    m->data = map.data + start;
    return true;
}

/* ---- members -------------------------------------------------------------------------------------------------- */

static bool inflate_all(unsigned char *out, size_t size, const unsigned char *in, size_t packed)
{
    z_stream z = { 0 };
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return false;
    z.next_in = (Bytef *)in;
    z.next_out = out;
    int state = Z_OK;
    do {
        size_t in_left = packed - (size_t)(z.next_in - in), out_left = size - (size_t)(z.next_out - out);
        z.avail_in = (uInt)(in_left < CHUNK ? in_left : CHUNK);
        z.avail_out = (uInt)(out_left < CHUNK ? out_left : CHUNK);
        state = inflate(&z, Z_NO_FLUSH);       /* Z_BUF_ERROR when neither side can move: ends the loop */
    } while (state == Z_OK);
    bool fine = state == Z_STREAM_END && z.next_in == in + packed && z.next_out == out + size;
    inflateEnd(&z);
    return fine;
}

/* Big endian becomes little. */
static void swap_bytes(unsigned char *data, const Array *a)
{
    const size_t size = array_type_size(a->type);
    for (size_t at = 0; at < a->bytes; at += size)
        for (size_t i = 0, j = size - 1; i < j; i++, j--) {
            const unsigned char low = data[at + i];
            data[at + i] = data[at + j];
            data[at + j] = low;
        }
}

/* to[C order] = from[Fortran order]: the index runs over `to`, and the offset in `from` runs along. */
static void to_c_order(unsigned char *to, const unsigned char *from, const Array *a)
{
    size_t size = array_type_size(a->type), stride[ARRAY_RANK];
    int64_t index[ARRAY_RANK] = { 0 };
    for (int i = 0; i < a->rank; i++)
        stride[i] = i ? stride[i - 1] * (size_t)a->shape[i - 1] : size;
    for (size_t done = 0; done < a->bytes; done += size) {
        memcpy(to + done, from, size);
        for (int i = a->rank - 1; i >= 0; i--) {
            from += stride[i];
            if (++index[i] < a->shape[i])
                break;
            from -= stride[i] * (size_t)a->shape[i];
            index[i] = 0;
        }
    }
}

/* The first bytes of member m, up to `room`; how many there are, or 0 if they are damaged. */
static size_t unpack_start(unsigned char *out, size_t room, const Member *m)
{
    size_t size = m->size < room ? m->size : room;
    if (m->method == STORED) {
        size = size < m->packed ? size : m->packed;
        memcpy(out, m->data, size);
        return size;
    }
    z_stream z = { .next_in = (Bytef *)m->data, .avail_in = (uInt)(m->packed < CHUNK ? m->packed : CHUNK), .next_out = out, .avail_out = (uInt)size };
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return 0;
    inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    return size - z.avail_out;
}

/* The name of m as that of an array.  False: it is none, and a->what says so. */
static bool take_name(Array *a, const Member *m)
{
    const bool npy = m->name_length > 4 && !memcmp(m->name + m->name_length - 4, ".npy", 4) && !memchr(m->name, 0, m->name_length);
    const size_t length = m->name_length - (npy ? 4 : 0), most = ARRAY_NAME - 1;
    const bool folder = m->name_length && m->name[m->name_length - 1] == '/';
    memcpy(a->name, m->name, length < most ? length : most);
    for (size_t i = 0; !npy && i < length && i < most; i++)
        if (!a->name[i])
            a->name[i] = '?';
    snprintf(a->what, sizeof a->what, "%s", !npy ? (folder ? "a folder" : "no .npy") : length > most ? "a name of more than 127 bytes" : "");
    return !*a->what;
}

/* Name, type and shape of m.  False: an error, or (a->type ARRAY_OTHER) no array of numbers. */
static bool read_head(Array *a, const Member *m, const char *path, ArrayError *e)
{
    unsigned char start[ARRAY_NPY_HEADER + 12];
    char where[ARRAY_NAME + 8];
    size_t offset;
    ArrayOrder order;
    a->type = ARRAY_OTHER;
    if (!take_name(a, m))
        return array_fail(e, 1, path, "member %.*s is %s; save arrays only, with np.savez", ARRAY_NAME, a->name, a->what);
    snprintf(where, sizeof where, "%s: ", a->name);
    bool possible = m->method == STORED ? m->packed == m->size : m->size / DEFLATE_RATIO <= m->packed;
    if (!possible) {
        a->type = ARRAY_U1;
        return array_fail(e, 1, path, "%s%" PRIu64 " bytes packed into %" PRIu64 " cannot be", where, m->size, m->packed);
    }
    const size_t size = unpack_start(start, sizeof start, m);
    a->type = ARRAY_U1;
    return array_npy_parse(a, &offset, &order, start, size, m->size, path, where, e);
}

/* Unpacks member m, whose head is read; *left: bytes that the caller's limit still allows. */
static bool read_array(Array *a, const Member *m, size_t *left, const char *path, ArrayError *e)
{
    char where[ARRAY_NAME + 8];
    size_t offset = 0;
    ArrayOrder order;
    snprintf(where, sizeof where, "%s: ", a->name);
    if (m->size > *left)
        return array_fail(e, 1, path, "%s%" PRIu64 " bytes, with the members before it more than expected (%zu are left)",
                          where, m->size, *left);
    *left -= m->size;
    unsigned char *bytes = a->owned = array_allocate(path, m->size, e);
    if (!bytes)
        return false;
    if (m->method == STORED)
        memcpy(bytes, m->data, m->size);
    else if (!inflate_all(bytes, m->size, m->data, m->packed))
        return array_fail(e, 1, path, "%sthe packed data is damaged", where);
    if (checksum(bytes, m->size) != m->crc)
        return array_fail(e, 1, path, "%sthe data is damaged (its CRC-32 does not match)", where);
    if (!array_npy_parse(a, &offset, &order, bytes, m->size, m->size, path, where, e))
        return false;
    if (order.swapped)
        swap_bytes(bytes + offset, a);
    if (order.fortran && a->rank > 1) {
        unsigned char *turned = array_allocate(path, a->bytes, e);
        if (!turned)
            return false;
        to_c_order(turned, bytes + offset, a);
        free(bytes);
        a->owned = a->data = turned;
        return true;
    }
    if (offset % 64) {                         /* an old or foreign header */
        memmove(bytes, bytes + offset, a->bytes);
        offset = 0;
    }
    a->data = bytes + offset;
    return true;
}

static bool read_list(ArrayList *l, const Directory *d, ArrayMap map, ArrayWanted *wanted, const void *context, size_t limit, const char *path, ArrayError *e)
{
    const unsigned char *at = map.data + d->offset, *end = at + d->size;
    for (uint64_t i = 0; i < d->entries; i++) {
        Member m = { 0 };
        Array *a = &l->items[l->count++];
        *a = (Array){ 0 };
        if (!read_member(&m, &at, end, map, d->offset, path, e))
            return false;
        if (!read_head(a, &m, path, e)) {
            if (!wanted || a->type != ARRAY_OTHER)
                return false;
            continue;
        }
        if ((!wanted || wanted(a, context)) && !read_array(a, &m, &limit, path, e))
            return false;
    }
    if (at != end)
        return array_fail(e, 1, path, "its zip directory is longer than its %" PRIu64 " members", d->entries);
    return array_names_differ(path, l->items, l->count, 1, e);
}

bool array_read_npz(ArrayList *l, const char *path, ArrayWanted *wanted, const void *context, size_t limit, ArrayError *e)
{
    ArrayMap map;
    Directory d = { 0 };
    *l = (ArrayList){ 0 };
    if (!array_map_open(&map, path, e))
        return false;
    bool fine = find_directory(&d, map, path, e);
    if (fine) {
        l->items = array_allocate(path, sizeof(Array) * d.entries, e);
        l->comment = array_allocate(path, d.comment_length + 1, e);
        fine = l->items && l->comment;
    }
    if (fine) {
        memcpy(l->comment, d.comment, d.comment_length);
        l->comment[d.comment_length] = '\0';
        fine = read_list(l, &d, map, wanted, context, limit, path, e);
    }
    array_map_close(&map);
    if (!fine)
        array_list_free(l);
    return fine;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* A record being put together, field by field. */
typedef struct { unsigned char bytes[CENTRAL + 64]; size_t length; } Record;

static void put(Record *r, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        r->bytes[r->length++] = (unsigned char)(value >> (8 * i));
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
    return value < most ? value : most;
}

/* What the directory repeats of a member. */
typedef struct { uint64_t size, offset; uint32_t crc; } Entry;

/* The part that a member's header and its directory entry share, from "version needed" to the length of the extra
 * field. */
static void put_common(Record *r, const Array *a, const Entry *entry, size_t extra)
{
    bool ascii = true;
    for (const char *c = a->name; *c; c++)
        ascii &= (unsigned char)*c < 128;
    put(r, extra ? 45 : 20, 2);
    put(r, ascii ? 0 : 0x800, 2);              /* the name is UTF-8 */
    put(r, STORED, 2);
    put(r, 0, 2);                              /* midnight */
    put(r, DATE_1980_01_01, 2);
    put(r, entry->crc, 4);
    put(r, at_most(entry->size, MAX32), 4);
    put(r, at_most(entry->size, MAX32), 4);
    put(r, strlen(a->name) + 4, 2);
    put(r, extra, 2);
}

static bool write_named(ArrayOut *out, const Record *r, size_t fixed, const char *name, ArrayError *e)
{
    return array_out_write(out, r->bytes, fixed, e) && array_out_write(out, name, strlen(name), e)
        && array_out_write(out, ".npy", 4, e) && array_out_write(out, r->bytes + fixed, r->length - fixed, e);
}

static bool write_member(ArrayOut *out, Entry *entry, const Array *a, ArrayError *e)
{
    unsigned char header[512];
    size_t length = array_npy_header(header, a);
    uint32_t data_crc = checksum(a->data, a->bytes);
    *entry = (Entry){ length + a->bytes, out->written,
                      (uint32_t)crc32_combine(checksum(header, length), data_crc, (z_off_t)a->bytes) };
    bool big = entry->size >= MAX32;
    Record r = { .length = 0 };
    put(&r, 0x04034B50, 4);
    put_common(&r, a, entry, big ? 20 : 0);
    if (big) {
        put(&r, 1, 2);
        put(&r, 16, 2);
        put(&r, entry->size, 8);
        put(&r, entry->size, 8);
    }
    return write_named(out, &r, LOCAL, a->name, e) && array_out_write(out, header, length, e)
        && array_out_write(out, a->data, a->bytes, e);
}

static bool write_entry(ArrayOut *out, const Entry *entry, const Array *a, ArrayError *e)
{
    bool big = entry->size >= MAX32, far = entry->offset >= MAX32;
    size_t extra = (big ? 16 : 0) + (far ? 8 : 0);
    Record r = { .length = 0 };
    put(&r, 0x02014B50, 4);
    put(&r, 3 << 8 | 45, 2);                   /* made on Unix: the file mode below counts */
    put_common(&r, a, entry, extra ? extra + 4 : 0);
    put(&r, 0, 6);                             /* no comment, first part, no internal attributes */
    put(&r, (uint64_t)0100644 << 16, 4);
    put(&r, at_most(entry->offset, MAX32), 4);
    if (extra) {
        put(&r, 1, 2);
        put(&r, extra, 2);
        if (big) {
            put(&r, entry->size, 8);
            put(&r, entry->size, 8);
        }
        if (far)
            put(&r, entry->offset, 8);
    }
    return write_named(out, &r, CENTRAL, a->name, e);
}

static bool write_end(ArrayOut *out, uint64_t entries, uint64_t offset, const char *comment, ArrayError *e)
{
    uint64_t size = out->written - offset, at = out->written;
    Record r = { .length = 0 };
    if (entries >= MAX16 || size >= MAX32 || offset >= MAX32) {
        put(&r, 0x06064B50, 4);
        put(&r, END64 - 12, 8);
        put(&r, 45, 2);
        put(&r, 45, 2);
        put(&r, 0, 8);
        put(&r, entries, 8);
        put(&r, entries, 8);
        put(&r, size, 8);
        put(&r, offset, 8);
        put(&r, 0x07064B50, 4);
        put(&r, 0, 4);
        put(&r, at, 8);
        put(&r, 1, 4);
    }
    put(&r, 0x06054B50, 4);
    put(&r, 0, 4);
    put(&r, at_most(entries, MAX16), 2);
    put(&r, at_most(entries, MAX16), 2);
    put(&r, at_most(size, MAX32), 4);
    put(&r, at_most(offset, MAX32), 4);
    put(&r, strlen(comment), 2);
    return array_out_write(out, r.bytes, r.length, e) && array_out_write(out, comment, strlen(comment), e);
}

bool array_write_npz(const char *path, const Array *arrays, int count, const char *comment, ArrayError *e)
{
    ArrayOut out;
    if (!comment)
        comment = "";
    if (strlen(comment) > MAX16)
        return array_fail(e, 70, path, "a bug: metadata of %zu bytes, a zip comment holds %u", strlen(comment), MAX16);
    if (!array_check_all(path, arrays, count, e))
        return false;
    Entry *entries = array_allocate(path, sizeof *entries * (size_t)count, e);
    bool fine = entries && array_out_open(&out, path, e);
    for (int i = 0; i < count && fine; i++)
        fine = write_member(&out, &entries[i], &arrays[i], e);
    if (fine) {
        uint64_t directory = out.written;
        for (int i = 0; i < count && fine; i++)
            fine = write_entry(&out, &entries[i], &arrays[i], e);
        fine = fine && write_end(&out, (uint64_t)count, directory, comment, e) && array_out_commit(&out, e);
    }
    free(entries);
    return fine;
}
