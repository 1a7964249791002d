/* export.c -- the command `export`: the parameters and running statistics of a run, or those that a training starts from, as a file; or the net with them. */
#include "inspect/inspect.h"
#include "inspect/onnx.h"
#include "run/message.h"
#include "run/run.h"
#include "run/weights.h"

#include <stdio.h>

int command_export(const Options *o)
{
    if (o->run && o->seed_given)
        fail(WRONG_USAGE, "export: --run gives trained parameters, --seed those of the start; leave one of them out");
    if (o->last && !o->run)
        fail(WRONG_USAGE, "export: --last chooses a checkpoint of --run DIR, which is missing");
    if (o->average && !o->run)
        fail(WRONG_USAGE, "export: --average gives the average of the weights of --run DIR, which is missing");
    if (o->buffers && o->parameters_only)
        fail(WRONG_USAGE, "export: --buffers writes running statistics, --parameters-only leaves them out; leave one of them out");
    const bool onnx = onnx_named(o->out);
    if (o->parameters_only && onnx)
        fail(WRONG_USAGE, "export: an ONNX file is the whole net; leave --parameters-only out");
    open_net(1);
    bool averages = false;
    if (o->run)      /* an ONNX file is for use, as a library is: it has what is evaluated */
        averages = run_weights(o->run, o->last, o->average ? CHECKPOINT_AVERAGE : onnx ? CHECKPOINT_EVALUATED : CHECKPOINT_TRAINED);
    else
        weights_init(net.weights(), o->seed_given ? o->seed : net.training->seed);
    if (averages && !onnx && !o->average)
        fprintf(stderr, "%s: note: %s keeps an average of the weights, which eval takes; these are the weights as updates left them, and --average writes the average\n",
                net.name, o->run);
    if (onnx)
        onnx_save(o->out, net.weights());
    else
        weights_save(o->out, net.weights(), !o->parameters_only);
    net.close();
    return FINE;
}
