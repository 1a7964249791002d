/* signals.h -- signals that stop a training after the step that it is in. */
#ifndef SPN_SIGNALS_H
#define SPN_SIGNALS_H

#include <signal.h>

/* The number of the signal that has come; 0: none. */
extern volatile sig_atomic_t stop_signal;

/* From here on SIGINT, SIGTERM, SIGHUP and SIGUSR1 (batch systems announce the end of the time with it) are noted in stop_signal. */
void catch_signals(void);
/* All is saved: from here on a signal ends the program at once. */
void leave_signals(void);

#endif
