/* run_file.h -- the files of a run's folder by their names, and those that are JSON. */
#ifndef SPN_RUN_FILE_H
#define SPN_RUN_FILE_H

#include "files/json.h"

#include <stdbool.h>
#include <stddef.h>

/* RUN/file in path[0..room); ends the program if that is too long. */
void run_path(char *path, size_t room, const char *run, const char *file);
bool run_has(const char *run, const char *file);
/* The JSON of RUN/file, an object; json_parse_free.  False if there is no such file, and, with a warning once, if it is something else: what it was read
 * for is passed over. */
bool run_json(Json *j, const char *run, const char *file);

#endif
