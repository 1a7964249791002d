/* pack.h -- the input of `spn-data pack`: a list of pictures or of rows, with labels.
 *
 *   pack_list.c   folders of pictures, rows of arrays     pack_table.c   pictures named in a table
 *   labels.c      labels by their type                    list.c         the List itself
 *   unlisted.c    pictures that a table does not name */
#ifndef SPN_DATA_PACK_H
#define SPN_DATA_PACK_H

#include "data/command.h"

enum { DRAWN = -1 };                           /* the split of an item that chance decides */

typedef struct {
    char *path;                                /* of a picture; NULL: a row of `source` */
    int64_t row;
    int split;                                 /* 0 to 2, where folders or a table decide, or DRAWN */
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

/* What labels are taken as: see labels.c, or --help. */
typedef enum { BY_TYPE, AS_CLASSES, AS_INDICES, AS_REALS } LabelsAs;

/* ---- list.c ------------------------------------------------------------------------------------------------------------- */

/* Memory that does not return without (exit 74). */
void *need(void *old, size_t bytes);
/* Memory that stays until the program ends: names, which the List points at. */
char *list_room(size_t bytes);
char *list_text(const char *text);             /* a copy */
/* One more item, its split drawn. */
Item *list_add(List *list);
/* Names in natural order, each once; returns how many are left. */
int names_sort(char **names, int count);
/* The place of a name among sorted ones, or -1. */
int names_find(char **names, int count, const char *name);
/* 0 to 2 for a usual word for train, valid or test in any case, or -1. */
int split_of(const char *word);

/* Each of these returns an exit code, after a message if it is not 0. */

/* A file listed twice might be in the training and in the test split: links count too.  lines: of the table, an item each, or NULL. */
int list_refuse_twice(const List *list, const int *lines, const char *table);

/* ---- the lists ------------------------------------------------------------------------------------------------------------ */

/* FOLDER/CLASS/picture, or FOLDER/{train,valid,test}/CLASS/picture, or pictures alone (no labels). */
int list_folder(List *list, const char *folder);
/* A line for each picture: its file, looked for in `folder`, and its labels.  columns: what --columns says, or NULL. */
int list_table(List *list, const char *folder, const char *table, const char *columns, LabelsAs as);
/* One warning, if pictures lie in `folder`, or in the folders of those that are listed, that the list of this table does not have. */
void list_say_unlisted(const List *list, const char *folder, const char *table);
/* Rows of a .npy, with those of another as labels (NULL: none). */
int list_array(List *list, const char *path, const char *labels, LabelsAs as);

/* ---- labels.c ------------------------------------------------------------------------------------------------------------ */

/* words [count][per], as they stand in a table; lines [count]. */
int labels_from_words(List *list, char **words, const int *lines, int per, LabelsAs as, const char *table);
/* A .npy with a row for each item. */
int labels_from_array(List *list, const char *path, LabelsAs as);

#endif
