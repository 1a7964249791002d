/* log.h -- a text file that grows line by line, on a disk that may be full for a while. */
#ifndef SPN_LOG_H
#define SPN_LOG_H

#include "files/array_io.h"

typedef struct {
    int fd;
    char path[4096];
    int64_t written;                           /* bytes of whole or begun lines in the file */
    char *rest;                                /* owned; what could not be written yet, "" if nothing */
    size_t room;
} Log;

/* Opens `path` and cuts it to `bytes`; `rest` (NULL: "") is to follow.  Ends the program if it cannot be opened. */
void log_open(Log *log, const char *path, int64_t bytes, const char *rest);
/* A log that nobody keeps: what is written to it is gone. */
void log_open_nowhere(Log *log);
/* Adds a text to what is to be written. */
void log_add(Log *log, const char *text);
/* Writes the pending bytes and syncs; bytes that could not be written stay pending for the next call. */
bool log_flush(Log *log, ArrayError *e);
void log_close(Log *log);

#endif
