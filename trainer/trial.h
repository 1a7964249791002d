/* trial.h -- two short trainings that write nothing: on one batch alone, and over a range of rates. */
#ifndef SPN_TRIAL_H
#define SPN_TRIAL_H

#include "run/data.h"
#include "trainer.h"

#include <signal.h>

/* Both start from the seed's weights.  If *stop is a signal n, not 0, they end early and return 128 + n. */

/* One batch, no dropout, until the loss is near zero (0) or does not fall any more (1). */
int trial_overfit(const Options *o, const NetTraining *training, Data *data, const volatile sig_atomic_t *stop);
/* A step at each of a row of rates that grow by the same factor, until the loss explodes; a table and a suggestion, or 1
 * if no rate lets the loss fall. */
int trial_rates(const Options *o, const NetTraining *training, Data *data, const volatile sig_atomic_t *stop);

#endif
