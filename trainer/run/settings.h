/* settings.h -- the training settings that may be given when a run starts (--set train.rate=0.01), not only in the model.
 *
 * They are those of NetTraining: of all nets train.rate and so on, this net's numbers of the schedule, and its dropout rates by their
 * names in net.rates.  The rest of `train:` is compiled in.  A run keeps its settings in its checkpoints. */
#ifndef SPN_SETTINGS_H
#define SPN_SETTINGS_H

#include "net.h"
#include "run/field.h"

#include <stdbool.h>

/* "train.rate=0.01" into *t, and the setting's bit into *given.  Ends the program with exit code 2 on anything else. */
void settings_set(NetTraining *t, unsigned *given, const char *text);
/* Messages about what is given begin with this place from now on: "grid.yaml:3"; NULL: "--set". */
void settings_from(const char *place);
/* The options that are short for a setting; a --set with another value ends the program with exit code 2. */
void settings_set_epochs(NetTraining *t, unsigned *given, int epochs);
void settings_set_seed(NetTraining *t, unsigned *given, uint64_t seed);

/* The dropout rates of the next steps are those of *t. */
void settings_use(const NetTraining *t);

/* "rate" becomes "train.rate", other names stay; and back. */
void settings_full_name(char *name, size_t room, const char *word);
const char *settings_short_name(const char *name);

/* All settings as rows of NetTraining, in the objects "train" and (if the net has such rates) "dropout": into rows[0..SETTINGS_MOST);
 * returns how many.  They are part of a checkpoint and of run.json. */
enum { SETTINGS_MOST = 4 + NET_SCHEDULE + NET_RATES };
int settings_fields(Field *rows);
/* Written as members of the innermost object; and back, a setting that is not there being the model's (fields_read). */
void settings_write(JsonWriter *w, const NetTraining *t);
bool settings_read(NetTraining *t, const JsonValue *object, char *why, size_t room);

/* One by one: its name as for --set, its value as text, and whether two have the same. */
int settings_count(void);
const char *settings_name(int i);
char *settings_text(char *text, size_t room, const NetTraining *t, int i);
bool settings_removed(int i);                  /* a dropout rate that is 0 in the model: its layers are not there */
bool settings_same(const NetTraining *a, const NetTraining *b, int i);

/* Settings that do not fit together, or not the data: a schedule that begins behind the run's end, more batches of an update than an epoch has, an average
 * of more updates than the run makes.  Doubt number k (from 0) in text[0..room); false if there are no more.  steps: batches of an epoch; updates:
 * those of an epoch.  What the model says alone, and the compiler has warned of, is none. */
bool settings_doubt(char *text, size_t room, const NetTraining *t, int64_t steps, int64_t updates, int k);

/* For a resumed run: copies the `given` settings of *wanted that only decide when to stop (epochs, patience) to *recorded.
 * Any other `given` setting that differs would change the run's bits: the program ends with exit code 1. */
void settings_go_on(NetTraining *recorded, const NetTraining *wanted, unsigned given, const char *run);

/* The rate of an update, by the schedule: update counts those of the run before it, updates those of an epoch. */
double settings_rate(const NetTraining *t, int epoch, uint64_t update, uint64_t updates);

#endif
