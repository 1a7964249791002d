/* embed.h -- the files that embed.cmake builds into spnc: templates and descriptions of operators (by their names alone), and the sources of
 * runtime/ and trainer/ that a program may need (by their paths), sorted by name; `path` is the
 * place in the project.
 * The bytes are followed by a NUL that size does not count. */
#ifndef EMBED_H
#define EMBED_H

#include <stddef.h>

typedef struct { const char *name, *path; const unsigned char *bytes; size_t size; } EmbeddedFile;

extern const EmbeddedFile embedded_templates[];
extern const int embedded_templates_count;
extern const EmbeddedFile embedded_descriptions[];      /* NAME.op.lua */
extern const int embedded_descriptions_count;
extern const EmbeddedFile embedded_helpers[];           /* Lua whose functions every description has */
extern const int embedded_helpers_count;
extern const EmbeddedFile embedded_licence[];           /* LICENSE */
extern const int embedded_licence_count;
extern const EmbeddedFile embedded_program[];
extern const int embedded_program_count;

#endif
