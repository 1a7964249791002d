/* settings.h -- the training settings that may be given when a run starts (--set train.rate=0.01), not only in the model.
 *
 * They are those of NetTraining; the rest of `train:` is compiled in.  A run keeps its settings in its checkpoints. */
#ifndef SPN_SETTINGS_H
#define SPN_SETTINGS_H

#include "json.h"
#include "spn.h"

/* "train.rate=0.01" into *t, and the setting's bit into *given.  Ends the program with exit code 2 on anything else. */
void settings_set(NetTraining *t, unsigned *given, const char *text);
/* The options that are short for a setting; a --set that says otherwise ends the program with exit code 2. */
void settings_set_epochs(NetTraining *t, unsigned *given, int epochs);
void settings_set_seed(NetTraining *t, unsigned *given, uint64_t seed);

/* All settings as an object named "train"; and back: what the object lacks stays as it is in *t. */
void settings_write(JsonWriter *w, const NetTraining *t);
void settings_read(NetTraining *t, const JsonValue *object);

/* A run goes on: of what is `given` in *wanted, *recorded takes over what only says when to stop (epochs, patience);
 * anything else that differs would break the run's bits and ends the program with exit code 1. */
void settings_go_on(NetTraining *recorded, const NetTraining *wanted, unsigned given, const char *run);

/* The schedule. */
double settings_rate(const NetTraining *t, int epoch);

#endif
