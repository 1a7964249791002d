/* embed.h -- the files that embed.cmake builds into spnc: templates and runtime sources, sorted by name.
 * The bytes are followed by a NUL that size does not count. */
#ifndef EMBED_H
#define EMBED_H

#include <stddef.h>

typedef struct { const char *name; const unsigned char *bytes; size_t size; } EmbeddedFile;

extern const EmbeddedFile embedded_templates[];
extern const int embedded_templates_count;
extern const EmbeddedFile embedded_runtime[];
extern const int embedded_runtime_count;

#endif
