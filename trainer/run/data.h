/* data.h -- the examples: DIR/SPLIT_NAME.npy for every input and target of the net, served as batches of pointers. */
#ifndef SPN_DATA_H
#define SPN_DATA_H

#include "files/array_file.h"
#include "net.h"

/* Inputs and real targets stay in the mapped files; labels are copied to int32.  data_close ends it all. */
typedef struct {
    char *dir;                                 /* "" for made-up examples */
    const char *split;
    int64_t examples;
    Array *files;                              /* [input_count + target_count]; data NULL if there is no such file */
    const void **base;                         /* first example of each input, then of each target */
    size_t *stride;                            /* bytes from one example to the next */
    const void **pointers;                     /* [input_count + target_count][net.batch]: the batch last made */
    const void *const **lists;                 /* the same, in Batch's type */
    uint32_t *which;                           /* [net.batch]: its examples' numbers */
    bool targets;                              /* all targets are there */
    char *const *names;                        /* [examples]: the file of each; NULL: dir/split_NAME.npy.  Not owned */
} Data;

/* Maps the files and checks type, shape, number of examples and every label against the net; ends the program with
 * exit code 1, naming file, expected and found.  With `targets` false a split may lack its target files: the targets
 * are then zeros, and d->targets is false. */
void data_open(Data *d, const char *dir, const char *split, bool targets);
/* Is there any file of the net's in the folder for this split? */
bool data_is_there(const char *dir, const char *split);
/* Examples drawn from `seed`: blobs of light for u8 images, small normal numbers else, any label. */
void data_made_up(Data *d, int64_t examples, uint64_t seed);
/* Examples of the net's one input, [examples] as its files hold them, allocated by malloc; they are the Data's from now
 * on.  There are no targets.  names: where each came from, kept by the caller. */
void data_over(Data *d, void *inputs, int64_t examples, char *const *names);
void data_close(Data *d);

/* Sets count, inputs and targets of `batch` to the examples order[first], ... (order NULL: first, first + 1, ...): a
 * whole batch, or what is left.  The pointers hold until the next call. */
void data_batch(Batch *batch, Data *d, const uint32_t *order, int64_t first);
/* "DIR/test_x.npy: example 3", or the name of the file that the example came from; f: input f, or target f - input_count. */
char *data_place(char *text, size_t room, const Data *d, int f, int64_t example);
/* Element i of one example by its indices: "[0][3][4]". */
char *data_element(char *text, size_t room, const NetData *s, size_t i);
/* Whole numbers of any width and sign; element i of such data, wherever they lie.  What is beyond int64 becomes its largest number. */
bool data_is_whole(ArrayType type);
int64_t data_whole(ArrayType type, const void *data, int64_t i);
/* The first loss that compares labels of target k with logits that are a value of the flow, by which errors are counted; NULL: none does. */
const NetLoss *data_reader(int k);
/* Is it a label that each loss of target k ignores?  Only then it need be no class. */
bool data_ignores(int k, int64_t label);
/* Label of example i (file order) at `position` of target k; -1 where errors do not count it. */
int32_t data_label(const Data *d, int k, int64_t i, int position);
/* What to do about bytes where an input takes f4, as the end of a message. */
const char *data_u1_hint(void);
/* Labels of target k that count, of all examples. */
int64_t data_labels(const Data *d, int k);
/* Likewise of all targets. */
int64_t data_all_labels(const Data *d);
/* Examples with a label that counts. */
int64_t data_labelled(const Data *d);
/* Ends the program with exit code 1 if a target has none that counts: "there is nothing to `what`". */
void data_need_labels(const Data *d, const char *what);
/* The order of an epoch: a permutation of 0 .. d->examples - 1 that follows from seed and epoch. */
void data_order(uint32_t *order, const Data *d, uint64_t seed, int epoch);
/* CRC-32 of all labels and of some rows of every input, so that other data of the same size are noticed. */
uint64_t data_mark(const Data *d);

#endif
