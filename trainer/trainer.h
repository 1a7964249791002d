/* trainer.h -- the commands that train; main.c has the table of all commands, which are in the folders
 *
 *   .          train.c the command, epochs.c an epoch, saving.c what is kept of it, trial.c first trials, display.c the bar and lines, sweep.c many trainings
 *   run/       a run: its folder, settings, weights, checkpoints, log and examples; eval, which every other command builds on
 *   inspect/   single examples, tensors, gradients and times of a net
 *   report/    the results of one or several runs, as a page and as pictures
 *   files/     arrays, JSON and pictures as files; independent of nets
 *   data/      spn-data, the program that makes the examples */
#ifndef SPN_TRAINER_H
#define SPN_TRAINER_H

#include "run/options.h"

int command_train(const Options *o);
int command_sweep(const Options *o);

#endif
