/* keys.h -- pages of `spnc ops` for the keys of `train:`, `augment:` and the losses. */
#ifndef KEYS_H
#define KEYS_H

#include "read/language.h"

/* Every key under the title of its map, by `line`. */
void keys_list(FILE *out, void (*line)(FILE *out, const char *name, const char *text));
/* The next key of the list, from *place = *row = 0 on; false behind the last.  A key of two maps comes twice. */
bool keys_next(const char **name, int *place, int *row);
/* The page of a key that is in the list: each place where it may stand, its row of the table by `attribute`, an example. */
void keys_page(Arena *a, FILE *out, const char *name, void (*attribute)(FILE *out, const AttrSpec *row));

#endif
