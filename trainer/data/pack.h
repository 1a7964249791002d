/* pack.h -- the input of `spn-data pack`: a list of pictures or of rows, with labels. */
#ifndef SPN_DATA_PACK_H
#define SPN_DATA_PACK_H

#include "data/command.h"

enum { DRAWN = -1 };                           /* the split of an item that chance decides */

typedef struct {
    char *path;                                /* of a picture; NULL: a row of `source` */
    int64_t row;
    int split;                                 /* 0 to 2, where folders decide, or DRAWN */
} Item;

/* Filled by the functions below; all of it lives until the program ends. */
typedef struct {
    Item *items;
    int64_t count, room;
    Array source;                              /* data NULL: pictures */
    void *labels;                              /* [count] rows of label_bytes: i4, or f4 where they are real numbers; NULL: none */
    ArrayType label_type;
    int label_rank;
    int64_t label_shape[ARRAY_RANK];           /* of one example; rank 0 is one label */
    size_t label_bytes;
    char **classes;                            /* their names, or NULL: labels are numbers as they stand */
    int class_count;                           /* names, or the largest number and one more */
} List;

/* Memory that does not return without (exit 74). */
void *need(void *old, size_t bytes);

/* Each returns an exit code, after a message if it is not 0. */

/* FOLDER/CLASS/picture, or FOLDER/{train,valid,test}/CLASS/picture, or pictures alone (no labels). */
int list_folder(List *list, const char *folder);
/* Lines of `file,label[,label...]`, commas, semicolons or tabs between; files are looked for in `folder`.  A first line whose
 * first cell is file, filename, image, path or name is a header.  Labels that are not all whole numbers are names. */
int list_table(List *list, const char *folder, const char *table);
/* Rows of a .npy, with those of another as labels (NULL: none). */
int list_array(List *list, const char *path, const char *labels);

#endif
