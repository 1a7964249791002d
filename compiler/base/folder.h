/* folder.h -- files that spnc writes: whole or not at all, only if they change, and never over an edited file. */
#ifndef FOLDER_H
#define FOLDER_H

#include "spnc.h"
#include <sys/stat.h>

typedef struct { const char *name; const void *bytes; size_t size; } FolderFile;

/* Brings `folder` (made if need be) to hold the files; one whose content is the same keeps its time.  A file that is there, differs,
 * and is not as the folder's record says spnc left it, is reported to `d` with the first line that differs: then nothing is written
 * and false returned; or, with `force`, it is kept as NAME.edited.  Exits 74 when the disk refuses. */
bool folder_write(Arena *a, Diag *d, const char *folder, const FolderFile *files, int count, bool force);

/* One file of the user's naming, with the folders above it. */
void file_write(Arena *a, const char *path, const void *bytes, size_t size);

/* The same, when the disk may refuse: false with errno set, and nothing is there or what was there before.  The folder must be there, and what a
 * power cut leaves may be short. */
bool file_put(const char *path, const void *bytes, size_t size);
/* The folder with those above it; false with errno set. */
bool folder_make(const char *path, unsigned mode);

/* The path of `name` as that of a file beside `path` (NULL: of the working folder). */
const char *path_beside(Arena *a, const char *path, const char *name);

/* A regular file, open for reading, and its status.  NULL with errno set; EINVAL: it is a pipe, a device or a folder. */
FILE *file_regular(const char *path, struct stat *status);

/* FNV-1a, 64 bits. */
uint64_t bytes_sum(const void *bytes, size_t n);

/* Removes the file that is being written; for a signal handler. */
void folder_interrupted(void);

#endif
