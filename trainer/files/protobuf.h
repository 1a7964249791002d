/* protobuf.h -- writes messages of Protocol Buffers (its wire format): fields by number, whole numbers, floats, bytes, messages in messages.
 *
 * A message is bytes that grow; its memory comes from array_io.allocate, and a message for which there was none is `failed` and stays so. */
#ifndef SPN_FILES_PROTOBUF_H
#define SPN_FILES_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct { unsigned char *bytes; size_t length, room; bool failed; } Protobuf;

void protobuf_int(Protobuf *p, int field, int64_t value);
void protobuf_float(Protobuf *p, int field, float value);
void protobuf_bytes(Protobuf *p, int field, const void *bytes, size_t n);
void protobuf_text(Protobuf *p, int field, const char *text);
/* Appends the message m as a field, and frees it. */
void protobuf_message(Protobuf *p, int field, Protobuf *m);
void protobuf_free(Protobuf *p);

#endif
