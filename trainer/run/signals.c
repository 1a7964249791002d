/* signals.c -- see signals.h. */
#define _DEFAULT_SOURCE
#include "run/signals.h"
#include "run/message.h"

#include <unistd.h>

volatile sig_atomic_t stop_signal;

/* The first signal stops after the step; a second ends the program at once (every file is written whole or not at all).
 * timeout(1) and shells send a signal to the process and then to its group: signals in quick succession count as one. */
static void on_signal(int number)
{
    static double first;
    double now = seconds_now();
    if (!stop_signal)
        stop_signal = number, first = now;
    else if (now - first > 0.1)
        _exit(BY_SIGNAL + number);
}

void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal }, was;
    sigfillset(&action.sa_mask);
    sigdelset(&action.sa_mask, SIGBUS);        /* torn.h */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    if (!sigaction(SIGHUP, NULL, &was) && was.sa_handler != SIG_IGN)       /* nohup: ignored, stays so */
        sigaction(SIGHUP, &action, NULL);
}

void leave_signals(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGUSR1, SIGHUP };
    struct sigaction was;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!sigaction(numbers[i], NULL, &was) && was.sa_handler == on_signal)
            signal(numbers[i], SIG_DFL);
}
