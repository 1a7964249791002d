/* inspect.h -- the commands that look into a net. */
#ifndef SPN_INSPECT_H
#define SPN_INSPECT_H

#include "run/options.h"

int command_predict(const Options *o);
int command_check(const Options *o);
int command_grad(const Options *o);
int command_export(const Options *o);
int command_bench(const Options *o);
int command_profile(const Options *o);
int command_info(const Options *o);
int command_replay(const Options *o);
int command_dump(const Options *o);

#endif
