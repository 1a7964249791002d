/* place.h -- places in the files that the model was made of: net.yaml is all of them, one behind the other. */
#ifndef SPN_MODEL_PLACE_H
#define SPN_MODEL_PLACE_H

#include "net.h"

/* The included file that a line of net.yaml is in, an index into net.parts; -1: the model itself. */
static inline int place_part(int line)
{
    int part = net.part_count - 1;
    while (part >= 0 && net.parts[part].line > line)
        part--;
    return part;
}

/* Path and line of a line of net.yaml, for messages: "%s:%d". */
static inline const char *place_file(int line) { return place_part(line) < 0 ? net.source : net.parts[place_part(line)].path; }
static inline int place_line(int line) { return place_part(line) < 0 ? line : line - net.parts[place_part(line)].line + 1; }

#endif
