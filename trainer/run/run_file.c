/* run_file.c -- the files of a run's folder by their names, and those that are JSON. */
#define _DEFAULT_SOURCE
#include "run/run_file.h"
#include "files/array_io.h"
#include "run/message.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

void run_path(char *path, size_t room, const char *run, const char *file)
{
    if ((size_t)snprintf(path, room, "%s/%s", run, file) >= room)
        fail(WRONG_INPUT, "%s: the path is too long", run);
}

bool run_has(const char *run, const char *file)
{
    char path[PATH_ROOM];
    const char *name = path;
    run_path(path, sizeof path, run, file);
    int at = array_io_at(&name);
    return !faccessat(at, name, F_OK, 0);
}

bool run_json(Json *j, const char *run, const char *file)
{
    static char told[PATH_ROOM];
    char path[PATH_ROOM], why[200] = "it is no object";
    ArrayMap map;
    ArrayError e;
    *j = (Json){ 0 };
    run_path(path, sizeof path, run, file);
    if (!run_has(run, file))
        return false;
    const bool open = array_map_open(&map, path, &e);
    bool fine = open && json_parse(j, (const char *)map.data, map.size, 1 << 20, why, sizeof why);
    if (open)
        array_map_close(&map);
    if (fine && j->root->kind == JSON_OBJECT)
        return true;
    if (fine)
        json_parse_free(j);
    *j = (Json){ 0 };
    if (strcmp(told, path)) {
        snprintf(told, sizeof told, "%s", path);
        open ? warn("%s: found no whole JSON (%s); what it says is passed over", path, why) : warn("%s  What it says is passed over", e.text);
    }
    return false;
}
