/* run.h -- a run folder: log.jsonl, the checkpoints `last`, `last.previous` and `best`, the run's description (run.json), and a
 * lock, held while a program trains in it. */
#ifndef SPN_RUN_H
#define SPN_RUN_H

#include "run/checkpoint.h"
#include "run/names.h"
#include "run/run_file.h"

/* Is there a checkpoint to go on from? */
bool run_has_last(const char *run);
/* Makes the folder and its parents if need be and takes its lock, kept until the program ends; ends the program with
 * exit code 1 if another program has it.  Half-written files of killed programs are removed.  From now on all paths in `run` (kept by the
 * caller) mean the folder that is locked, whatever becomes of its name (array_io_hold). */
void run_lock(const char *run);
/* Once the run is locked: from now on its folder has the errors and warnings of this program (message_keep). */
void run_keep_messages(void);
/* Does another process have the lock?  False if there is no such folder. */
bool run_is_locked(const char *run);
/* Waits until no other process has the lock; false if a signal came first. */
bool run_wait(const char *run);
/* The path by which the locked folder can be reached now: `run`, or, if it has moved, another one in path[0..room). */
const char *run_path_now(char *path, size_t room, const char *run);
/* Calls line(to, object) for each line of RUN/file that is a whole JSON object; others, and a file that is not there, are passed over. */
void run_lines(const char *run, const char *file, void (*line)(void *to, const JsonValue *object), void *to);

/* Writes RUN/run.json: the model, the machine's share in it (target, threads), the data, the names of their classes, the settings, the start. */
bool run_describe(const char *run, const char *data, const Names *names, int threads, const Progress *p, ArrayError *e);

/* The settings of a run, from its run.json; false if that is missing or not to be read, with a warning if a setting is out of its range. */
bool run_settings(NetTraining *training, const char *run);

/* A checkpoint to RUN/file, durably, whole or not at all.  "last": the one before is kept as last.previous. */
bool run_save(const char *run, const char *file, const Snapshot *s, ArrayError *e);

/* Weights, state and *p (log_rest is then owned) from `last`, or, with a warning, from `last.previous` if `last` is
 * damaged or missing.  Another model hash ends the program, with a message about the difference. */
void run_resume(Progress *p, const char *run);

/* For commands that do not train.  The weights of a run's best checkpoint (the last if there is none, or if `last`) or
 * of a file go to net.weights(), with the running statistics; exactly one of run and weights is to be given.  Shapes must fit, the hash need not.
 * measured: batches are measured, so a file may lack running statistics. */
void run_or_file_weights(const char *run, const char *weights, bool last, bool measured);
/* The same of a run alone; which of its weights: checkpoint.h.  Returns whether it has an average; ends the program if it has none, and that is wanted. */
bool run_weights(const char *run, bool last, CheckpointWeights which);

#endif
