/* grid.h -- reads the file of a sweep: settings and the values that each of them takes, as YAML.
 *
 * Of YAML: maps of settings to a value or a list, in block or flow form, a map `train:` around settings of `train.`; comments, quotes, lists over
 * several lines.  What has no meaning here is refused with its line: anchors, tags, texts over several lines, lists in lists. */
#ifndef SPN_GRID_H
#define SPN_GRID_H

#include <stdbool.h>
#include <stddef.h>

/* One value: the setting's name with those of the maps around it, "train.rate"; `first`: the first of its list. */
typedef struct { const char *name, *value; int line; bool first; } GridValue;

/* Calls take(to, v) for each value, in order; the texts hold until it returns.  False, with the reason ("3: ...", the line first) in
 * why[0..room), if the text is no such file. */
bool grid_read(const char *text, size_t size, void (*take)(void *to, const GridValue *v), void *to, char *why, size_t room);

#endif
