/* program.c -- which of spnc's own sources the generated program needs.
 *
 * In: the texts of NAME.c and NAME_inspect.c.  Out: the embedded files (base/embed.h) that it is built with, sorted by name.
 * Every .c file of trainer/ is part of every program.  Other files are in it if those files, NAME.c or NAME_inspect.c include them, directly or
 * not; with a header comes the .c file of its name. */
#include "emit/program.h"
#include "base/embed.h"
#include <string.h>

static int find(const char *folder, const char *name, size_t length)
{
    size_t before = strlen(folder);
    for (int i = 0; i < embedded_program_count; i++) {
        const char *file = embedded_program[i].name;
        if (!strncmp(file, folder, before) && strlen(file + before) == length && !strncmp(file + before, name, length))
            return i;
    }
    return -1;
}

static void need(bool *needed, int i);

/* Marks the files that the lines `#include "..."` of `text` name. */
static void includes(bool *needed, const char *text)
{
    static const char word[] = "#include \"";
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, word, sizeof word - 1))
            continue;
        const char *name = line + sizeof word - 1;
        size_t length = strcspn(name, "\"");
        int i = find("runtime/", name, length);
        if (i < 0)
            i = find("trainer/", name, length);
        if (i < 0)
            i = find("", name, length);
        if (i >= 0)
            need(needed, i);
    }
}

static void need(bool *needed, int i)
{
    if (needed[i])
        return;
    needed[i] = true;
    const char *file = embedded_program[i].name;
    size_t n = strlen(file);
    includes(needed, (const char *)embedded_program[i].bytes);
    if (file[n - 1] != 'h')
        return;
    for (int k = 0; k < embedded_program_count; k++) {
        const char *other = embedded_program[k].name;
        if (strlen(other) == n && !strncmp(other, file, n - 1) && other[n - 1] == 'c')
            need(needed, k);
    }
}

static List marked(const Model *m, const bool *needed)
{
    List files = { 0 };
    for (int i = 0; i < embedded_program_count; i++)
        if (needed[i])
            list_push(m->arena, &files, (void *)(uintptr_t)&embedded_program[i]);
    return files;
}

List program_files(const Model *m)
{
    bool *needed = NEW_ARRAY(m->arena, bool, embedded_program_count);
    for (int i = 0; i < embedded_program_count; i++) {
        const char *file = embedded_program[i].name;
        if (!strncmp(file, "trainer/", 8) && file[strlen(file) - 1] == 'c')
            need(needed, i);
    }
    if (m->options.mpi)
        need(needed, find("runtime/", "ranks_mpi.c", strlen("ranks_mpi.c")));
    includes(needed, m->c.text);
    includes(needed, m->inspect.text);
    return marked(m, needed);
}

List library_headers(Model *const *bodies, int count)
{
    bool *needed = NEW_ARRAY(bodies[0]->arena, bool, embedded_program_count);
    for (int i = 0; i < count; i++)
        includes(needed, bodies[i]->c.text);
    return marked(bodies[0], needed);
}
