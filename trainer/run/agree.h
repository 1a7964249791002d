/* agree.h -- several ranks (runtime/ranks.h): what they must have in common at the start, and what they find out together.  All ranks call these
 * functions; in one process they cost nothing. */
#ifndef SPN_AGREE_H
#define SPN_AGREE_H

#include "run/checkpoint.h"
#include "run/data.h"

#include <signal.h>

/* At the start of a command, when all is read and nothing is written yet: compares net, settings, examples and weights.  If a rank has failed or
 * differs, the first one says which and in what, and the job ends.  valid NULL: there is no such split; p NULL: the command does not train;
 * max_time: seconds after which it stops. */
void agree(const Data *data, const Data *valid, const Progress *p, double max_time);

/* Is it so in any rank? */
bool agree_any(bool here);
/* The number of a signal that any rank has got, also for *here of all; 0: none has.  If none has, *due: is it so in any rank? */
int agree_signal(volatile sig_atomic_t *here, bool *due);

/* A batch that cannot be used: its rank says so, and step() changes nothing in any rank.  For Batch.unread. */
int agree_unusable(void);
/* Behind a pass with a loss that is no number, or a batch that could not be used.  If a rank has an example with such a number among its own,
 * text[size] gets the name of the first such rank and that example.  Else it becomes "", and the first rank with such a value of the net says so on
 * stderr. */
void agree_nonsense(char *text, size_t size, const Data *data, const Batch *batch);

#endif
