/* export.c -- the command `export`: the parameters and running statistics of a run, or those that a training starts from, as a file; or the net with them. */
#include "inspect/inspect.h"
#include "inspect/onnx.h"
#include "run/message.h"
#include "run/run.h"
#include "run/weights.h"

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
    if (o->parameters_only && onnx_named(o->out))
        fail(WRONG_USAGE, "export: an ONNX file is the whole net; leave --parameters-only out");
    open_net(1);
    if (o->run)
        run_weights(o->run, o->last, o->average ? CHECKPOINT_AVERAGE : CHECKPOINT_TRAINED);
    else
        weights_init(net.weights(), o->seed_given ? o->seed : net.training->seed);
    if (onnx_named(o->out))
        onnx_save(o->out, net.weights());
    else
        weights_save(o->out, net.weights(), !o->parameters_only);
    net.close();
    return FINE;
}
