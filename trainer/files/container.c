/* container.c -- named arrays, facts and the model they belong to, in one file with checksums.
 *
 *   0    "SPNCKPT1"
 *   8    u64 bytes of the file       16  u64 bytes of head (a multiple of 64)     24  u32 blocks, u32 CRC-32 of head
 *   32   model hash, 16 hex digits   48  u32 bytes of signature, u32 of facts     56  zero
 *   64   one record of 256 bytes a block: name[128], u32 type, u32 rank, i64 shape[8], u64 offset, u64 bytes, u32 CRC-32
 *   ...  signature, facts, zeros up to `head`; then the blocks, each followed by zeros up to a multiple of 64
 *
 * Each byte is under one CRC: the head's is taken with its own four bytes as zero, a block's includes its zeros.
 * The layout is canonical: a reader computes every offset itself and refuses a file with another. */
#define _DEFAULT_SOURCE
#include "files/container.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { START = 64, CHUNK = 1 << 30 };
static const char magic[8] = { 'S', 'P', 'N', 'C', 'K', 'P', 'T', '1' };

typedef struct {
    char magic[8];
    uint64_t file_bytes, head_bytes;
    uint32_t blocks, crc;
    char hash[CONTAINER_HASH];
    uint32_t signature_bytes, facts_bytes;
    uint64_t zero;
} Start;

typedef struct {
    char name[ARRAY_NAME];
    uint32_t type, rank;
    int64_t shape[ARRAY_RANK];
    uint64_t offset, bytes;
    uint32_t crc, zero[9];
} Record;

_Static_assert(sizeof(Start) == START && sizeof(Record) == 256, "the layout above has no padding");

static size_t round_up(size_t n)
{
    return (n + 63) / 64 * 64;
}

static uint32_t checksum(uint32_t start, const void *data, size_t size)
{
    uLong crc = start;
    const unsigned char *p = data;
    for (size_t n; size; p += n, size -= n) {  /* zlib counts in 32 bits */
        n = size < CHUNK ? size : CHUNK;
        crc = crc32(crc, p, (uInt)n);
    }
    return (uint32_t)crc;
}

/* The CRC-32 of a head, with its CRC field taken as zero. */
static uint32_t head_checksum(const void *head, size_t size)
{
    Start start;
    memcpy(&start, head, START);
    start.crc = 0;
    return checksum(checksum(0, &start, START), (const char *)head + START, size - START);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Fills the head; block offsets follow from the order of the blocks. */
static void make_head(unsigned char *head, size_t head_bytes, const char *hash, const char *signature, const char *facts,
                      const Array *blocks, int count)
{
    static const unsigned char zeros[64];
    Start start = { .head_bytes = head_bytes, .blocks = (uint32_t)count,
                    .signature_bytes = (uint32_t)strlen(signature), .facts_bytes = (uint32_t)strlen(facts) };
    memcpy(start.magic, magic, sizeof magic);
    memcpy(start.hash, hash, CONTAINER_HASH);
    memset(head, 0, head_bytes);
    uint64_t offset = head_bytes;
    for (int i = 0; i < count; i++) {
        const Array *b = &blocks[i];
        Record r = { .type = (uint32_t)b->type, .rank = (uint32_t)b->rank, .offset = offset, .bytes = b->bytes };
        strcpy(r.name, b->name);
        memcpy(r.shape, b->shape, sizeof *b->shape * (size_t)b->rank);
        r.crc = checksum(checksum(0, b->data, b->bytes), zeros, round_up(b->bytes) - b->bytes);
        memcpy(head + START + (size_t)i * sizeof r, &r, sizeof r);
        offset += round_up(b->bytes);
    }
    unsigned char *texts = head + START + (size_t)count * sizeof(Record);
    memcpy(texts, signature, start.signature_bytes);
    memcpy(texts + start.signature_bytes, facts, start.facts_bytes);
    start.file_bytes = offset;
    memcpy(head, &start, START);
    start.crc = head_checksum(head, head_bytes);
    memcpy(head, &start, START);
}

static bool is_hash(const char *hash)
{
    for (int i = 0; i < CONTAINER_HASH; i++)
        if (!hash[i] || !strchr("0123456789abcdef", hash[i]))
            return false;
    return true;
}

bool container_write(const char *path, const char *hash, const char *signature, const char *facts,
                     const Array *blocks, int count, ArrayError *e)
{
    size_t texts = strlen(signature) + strlen(facts);
    if (!is_hash(hash) || hash[CONTAINER_HASH] || count > CONTAINER_BLOCKS
        || strlen(signature) > CONTAINER_TEXT || strlen(facts) > CONTAINER_TEXT)
        return array_fail(e, 70, path, "a bug: a checkpoint with hash '%s', %d blocks, %zu bytes of text", hash, count, texts);
    if (!array_check_all(path, blocks, count, e))
        return false;
    size_t head_bytes = round_up(START + (size_t)count * sizeof(Record) + texts);
    ArrayOut out = { .fd = -1 };
    unsigned char *head = array_allocate(path, head_bytes, e);
    if (!head)
        return false;
    make_head(head, head_bytes, hash, signature, facts, blocks, count);
    bool fine = array_out_open(&out, path, e) && array_out_write(&out, head, head_bytes, e);
    for (int i = 0; i < count && fine; i++)
        fine = array_out_write(&out, blocks[i].data, blocks[i].bytes, e)
            && array_out_zeros(&out, round_up(blocks[i].bytes) - blocks[i].bytes, e);
    fine = fine && array_out_commit(&out, e);
    array_out_abandon(&out);
    free(head);
    return fine;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static bool check_head(Start *start, ArrayMap map, size_t limit, const char *path, ArrayError *e)
{
    if (map.size < START || memcmp(map.data, magic, sizeof magic))
        return array_fail(e, 1, path, "expected a checkpoint (it starts with SPNCKPT1), got %s",
                          map.size < START ? "fewer than 64 bytes" : "something else");
    memcpy(start, map.data, START);
    if (map.size > limit)
        return array_fail(e, 1, path, "a checkpoint of %zu bytes, expected %zu at most", map.size, limit);
    if (start->file_bytes != map.size)
        return array_fail(e, 1, path, "%" PRIu64 " bytes were written, the file has %zu; is it cut short?",
                          start->file_bytes, map.size);
    if (start->blocks > CONTAINER_BLOCKS || start->signature_bytes > CONTAINER_TEXT || start->facts_bytes > CONTAINER_TEXT
        || start->head_bytes > map.size
        || start->head_bytes != round_up(START + start->blocks * sizeof(Record) + start->signature_bytes + start->facts_bytes)
        || head_checksum(map.data, start->head_bytes) != start->crc || !is_hash((const char *)map.data + 32))
        return array_fail(e, 1, path, "the checkpoint's head is damaged; go on from another one");
    return true;
}

/* Copies a text out of the head; a NUL inside would hide what follows it. */
static char *copy_text(const unsigned char *text, size_t size, const char *path, ArrayError *e)
{
    char *copy = array_allocate(path, size + 1, e);
    if (!copy)
        return NULL;
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (strlen(copy) == size)
        return copy;
    array_fail(e, 1, path, "a text of the checkpoint holds a NUL");
    free(copy);
    return NULL;
}

static bool read_block(Array *a, uint64_t *offset, const Record *r, ArrayMap map, const char *path, ArrayError *e)
{
    if (!memchr(r->name, 0, ARRAY_NAME) || !r->name[0] || r->type >= ARRAY_OTHER || r->rank > ARRAY_RANK)
        return array_fail(e, 1, path, "a block of a kind that this program does not know: %.60s", r->name);
    memcpy(a->name, r->name, ARRAY_NAME);
    a->type = (ArrayType)r->type;
    a->rank = (int)r->rank;
    memcpy(a->shape, r->shape, sizeof a->shape);
    if (!array_measure(a, array_type_size(a->type)) || a->bytes != r->bytes || r->offset != *offset
        || a->bytes > map.size - *offset || round_up(a->bytes) > map.size - *offset)
        return array_fail(e, 1, path, "block %s does not lie where it should", a->name);
    size_t padded = round_up(a->bytes);
    if (!(a->data = a->owned = array_allocate(path, padded, e)))
        return false;
    memcpy(a->data, map.data + *offset, padded);
    *offset += padded;
    if (checksum(0, a->data, padded) != r->crc)
        return array_fail(e, 1, path, "block %s is damaged (its CRC-32 does not match); go on from another checkpoint", a->name);
    return true;
}

bool container_read(Container *c, const char *path, size_t limit, ArrayError *e)
{
    ArrayMap map;
    Start start = { .blocks = 0 };
    *c = (Container){ .count = 0 };
    if (!array_map_open(&map, path, e))
        return false;
    bool fine = check_head(&start, map, limit, path, e);
    if (fine) {
        const unsigned char *records = map.data + START, *texts = records + start.blocks * sizeof(Record);
        uint64_t offset = start.head_bytes;
        memcpy(c->hash, start.hash, CONTAINER_HASH);
        fine = (c->signature = copy_text(texts, start.signature_bytes, path, e))
            && (c->facts = copy_text(texts + start.signature_bytes, start.facts_bytes, path, e))
            && (c->blocks = array_allocate(path, sizeof(Array) * start.blocks, e));
        for (uint32_t i = 0; i < start.blocks && fine; i++) {
            Record r;
            memcpy(&r, records + i * sizeof r, sizeof r);
            c->blocks[c->count++] = (Array){ 0 };
            fine = read_block(&c->blocks[i], &offset, &r, map, path, e);
        }
        if (fine && offset != map.size)
            fine = array_fail(e, 1, path, "the checkpoint's blocks end at byte %" PRIu64 ", the file at %zu", offset, map.size);
        fine = fine && array_names_differ(path, c->blocks, c->count, 1, e);
    }
    array_map_close(&map);
    if (!fine)
        container_free(c);
    return fine;
}

void container_free(Container *c)
{
    for (int i = 0; i < c->count; i++)
        array_free(&c->blocks[i]);
    free(c->blocks);
    free(c->signature);
    free(c->facts);
    *c = (Container){ .count = 0 };
}
