/* SPDX-License-Identifier: 0BSD */
/* recurrent_inspect.c -- made by spnc from tests/golden/recurrent.yaml.  Edit that, not this.
 *
 * Forward and backward once more, call by call as in recurrent.c, which includes this file: the calls are of its static
 * functions.  net_replay shows each call's tensors to the runtime, net_profile stops a clock after each call. */
#include "clock.h"

/* Passes on to `see` what stays of a tensor, and what this call brings. */
static int show(int (*see)(void *to, const Look *look), void *to, const Look *tensor, int step, int group,
    const real *values)
{
    Look look = *tensor;
    look.step = step, look.group = group, look.values = values;
    return see(to, &look);
}

/* Forward and backward on one thread: each operator's tensors are shown to `see` before (what it reads) and after (what
 * it wrote), until that returns other than 0.  So the runtime finds where a number went wrong. */
#define SEE(step, group, values, ...) \
    do { \
        static const Look tensor = { __VA_ARGS__, 0, 0, 0 }; \
        if (show(see, to, &tensor, step, group, values)) \
            return 1; \
    } while (0)
static __attribute__((cold)) int net_replay(const Batch *batch, int (*see)(void *to, const Look *look), void *to)
{
    const Scratch *scratch = scratches;
    for (int g = 0; g < G; g++) {
        load_image_forward((real *)v.image[g], batch->inputs[0], g * L, batch->count);
        SEE(-1, g, (real *)v.image[g], "load_image", "forward", 5, "image", 1, 256, 256, 3, { 1, 4, 4 });
        load_digits_forward(v.digits[g], batch->targets[0], g * L, batch->count);
        h_start_forward((real *)v.h[g - G], weights->h_init);
        SEE(-1, g, (real *)v.h[g - G], "h_start", "forward", 13, "h", 1, 48, 48, 1, { 3 });
    }
    SEE(-1, -1, (real *)v.image[0], "h_from_input", "forward", 15, "image", 0, 256, 256, 3, { 1, 4, 4 });
    h_from_input_forward(v.h_from_input, v.image, weights->h_weight_ih, weights->h_bias_ih);
    SEE(-1, -1, (real *)v.h_from_input[0], "h_from_input", "forward", 15, "h_from_input", 1, 144, 144, 1, { 9 });
    for (int t = 0; t < 2; t++) {
        SEE(t, -1, (real *)v.h[t * G - G], "h_from_state", "forward", 15, "h", 0, 48, 48, 1, { 3 });
        h_from_state_forward(v.h_from_state, v.h + t * G - G, weights->h_weight_hh);
        SEE(t, -1, (real *)v.h_from_state[0], "h_from_state", "forward", 15, "h_from_state", 1, 144, 144, 1, { 9 });
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, (real *)v.h_from_input[g], "h", "forward", 15, "h_from_input", 0, 144, 144, 1, { 9 });
            SEE(t, g, (real *)v.h_from_state[g], "h", "forward", 15, "h_from_state", 0, 144, 144, 1, { 9 });
            SEE(t, g, (real *)v.h[s - G], "h", "forward", 15, "h", 0, 48, 48, 1, { 3 });
            h_forward(v.h[s], v.h_gates[s], v.h_from_input[g], v.h_from_state[g], v.h[s - G]);
            SEE(t, g, (real *)v.h[s], "h", "forward", 15, "h", 1, 48, 48, 1, { 3 });
            SEE(t, g, (real *)v.h_gates[s], "h", "forward", 15, "h_gates", 1, 192, 192, 2, { 4, 3 });
        }
    }
    SEE(-1, -1, (real *)v.h[0], "A", "forward", 16, "h", 0, 96, 48, 1, { 3 });
    A_forward(v.A, v.h, weights->A_weight, weights->A_bias);
    SEE(-1, -1, (real *)v.A[0], "A", "forward", 16, "A", 1, 192, 96, 1, { 6 });
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, (real *)v.image[g], "crop", "forward", 17, "image", 0, 256, 256, 3, { 1, 4, 4 });
            SEE(t, g, (real *)v.A[s], "crop", "forward", 17, "A", 0, 96, 96, 1, { 6 });
            crop_forward(v.crop[s], v.crop_slopes[s], v.image[g], v.A[s]);
            SEE(t, g, (real *)v.crop[s], "crop", "forward", 17, "crop", 1, 64, 64, 3, { 1, 2, 2 });
            SEE(t, g, (real *)v.crop_slopes[s], "crop", "forward", 17, "crop_slopes", 1, 128, 128, 4, { 2, 1, 2, 2 });
            SEE(t, g, (real *)v.crop[s], "classify_dropout1", "forward", 9, "crop", 0, 64, 64, 3, { 1, 2, 2 });
            classify_dropout1_forward((real *)v.classify_dropout1[s], (real *)v.crop[s],
                dropout_at(batch, classify_dropout1_rate, 5, 0, t, g));
            SEE(t, g, (real *)v.classify_dropout1[s], "classify_dropout1", "forward", 9, "classify_dropout1", 1, 64, 64,
                3, { 1, 2, 2 });
        }
    SEE(-1, -1, (real *)v.classify_dropout1[0], "classify_dense1", "forward", 10, "classify_dropout1", 0, 128, 64, 3,
        { 1, 2, 2 });
    classify_dense1_forward(v.classify_dense1, v.classify_dropout1, weights->classify_dense1_weight,
        weights->classify_dense1_bias);
    SEE(-1, -1, (real *)v.classify_dense1[0], "classify_dense1", "forward", 10, "classify_dense1", 1, 64, 32, 1, { 2 });
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, (real *)v.classify_dense1[s], "cross_entropy1", "forward", 19, "classify_dense1", 0, 32, 32, 1,
                { 2 });
            cross_entropy1_forward(v.loss1[s], (real *)v.classify_dense1[s], v.digits[g][t]);
            SEE(t, g, v.loss1[s], "cross_entropy1", "forward", 19, "loss1", 1, 16, 16, 0, { 0 });
        }
    real loss1_scale = (real)(1 / ((double)batch->count * 2));
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, (real *)v.classify_dense1[s], "cross_entropy1", "backward", 19, "classify_dense1", 0, 32, 32, 1,
                { 2 });
            cross_entropy1_backward((real *)v.d_classify_dense1[s], (real *)v.classify_dense1[s], v.digits[g][t],
                loss1_scale, present(batch, g));
            SEE(t, g, (real *)v.d_classify_dense1[s], "cross_entropy1", "backward", 19, "d_classify_dense1", 1, 32, 32,
                1, { 2 });
            SEE(t, g, (real *)v.d_classify_dense1[s], "classify_dense1", "weights", 10, "d_classify_dense1", 0, 32, 32,
                1, { 2 });
            classify_dense1_transpose(v.d_classify_dense1_rows[s], (real *)v.d_classify_dense1[s]);
        }
    SEE(-1, -1, (real *)v.d_classify_dense1[0], "classify_dense1", "backward", 10, "d_classify_dense1", 0, 64, 32, 1,
        { 2 });
    classify_dense1_backward(v.d_classify_dropout1, v.d_classify_dense1, weights->classify_dense1_weight);
    SEE(-1, -1, (real *)v.d_classify_dropout1[0], "classify_dense1", "backward", 10, "d_classify_dropout1", 1, 128, 64,
        3, { 1, 2, 2 });
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, (real *)v.d_classify_dropout1[s], "classify_dropout1", "backward", 9, "d_classify_dropout1", 0,
                64, 64, 3, { 1, 2, 2 });
            classify_dropout1_backward((real *)*scratch->d_crop, (real *)v.d_classify_dropout1[s],
                dropout_at(batch, classify_dropout1_rate, 5, 0, t, g));
            SEE(t, g, (real *)*scratch->d_crop, "classify_dropout1", "backward", 9, "d_crop", 1, 64, 64, 3,
                { 1, 2, 2 });
            SEE(t, g, (real *)*scratch->d_crop, "crop", "backward", 17, "d_crop", 0, 64, 64, 3, { 1, 2, 2 });
            SEE(t, g, (real *)v.crop_slopes[s], "crop", "backward", 17, "crop_slopes", 0, 128, 128, 4, { 2, 1, 2, 2 });
            crop_backward(v.d_A[s], *scratch->d_crop, v.crop_slopes[s]);
            SEE(t, g, (real *)v.d_A[s], "crop", "backward", 17, "d_A", 1, 96, 96, 1, { 6 });
            SEE(t, g, (real *)v.d_A[s], "A", "weights", 16, "d_A", 0, 96, 96, 1, { 6 });
            A_transpose(v.d_A_rows[s], (real *)v.d_A[s]);
        }
    SEE(-1, -1, (real *)v.classify_dropout1[0], "classify_dense1", "weights", 10, "classify_dropout1", 0, 128, 64, 3,
        { 1, 2, 2 });
    classify_dense1_weights(gradient->classify_dense1_weight, gradient->classify_dense1_bias,
        v.d_classify_dense1_rows[0], v.classify_dropout1);
    SEE(-1, -1, (real *)gradient->classify_dense1_weight, "classify_dense1", "weights", 10, "classify.dense1.weight", 1,
        64, 0, 0, { 0 });
    SEE(-1, -1, (real *)gradient->classify_dense1_bias, "classify_dense1", "weights", 10, "classify.dense1.bias", 1, 16,
        0, 0, { 0 });
    SEE(-1, -1, (real *)v.d_A[0], "A", "backward", 16, "d_A", 0, 192, 96, 1, { 6 });
    A_backward(v.d_h, v.d_A, weights->A_weight);
    SEE(-1, -1, (real *)v.d_h[0], "A", "backward", 16, "d_h", 1, 96, 48, 1, { 3 });
    for (int g = 0; g < G; g++) {
        zero_3_forward((real *)v.d_h_2[g]);
        SEE(-1, g, (real *)v.d_h_2[g], "d_h_2_end", "forward", 15, "d_h_2", 1, 48, 48, 1, { 3 });
        zero_3_forward((real *)v.d_h_3[g]);
        SEE(-1, g, (real *)v.d_h_3[g], "d_h_3_end", "forward", 15, "d_h_3", 1, 48, 48, 1, { 3 });
    }
    SEE(-1, -1, (real *)v.h[0], "A", "weights", 16, "h", 0, 96, 48, 1, { 3 });
    A_weights(gradient->A_weight, gradient->A_bias, v.d_A_rows[0], v.h);
    SEE(-1, -1, (real *)gradient->A_weight, "A", "weights", 16, "A.weight", 1, 48, 0, 0, { 0 });
    SEE(-1, -1, (real *)gradient->A_bias, "A", "weights", 16, "A.bias", 1, 16, 0, 0, { 0 });
    for (int t = 1; t >= 0; t--) {
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, (real *)v.d_h[s], "sum_d_h_total", "forward", 13, "d_h", 0, 48, 48, 1, { 3 });
            SEE(t, g, (real *)v.d_h_2[g], "sum_d_h_total", "forward", 13, "d_h_2", 0, 48, 48, 1, { 3 });
            SEE(t, g, (real *)v.d_h_3[g], "sum_d_h_total", "forward", 13, "d_h_3", 0, 48, 48, 1, { 3 });
            sum_d_h_total_forward((real *)*scratch->d_h_total, (real *)v.d_h[s], (real *)v.d_h_2[g],
                (real *)v.d_h_3[g]);
            SEE(t, g, (real *)*scratch->d_h_total, "sum_d_h_total", "forward", 13, "d_h_total", 1, 48, 48, 1, { 3 });
            SEE(t, g, (real *)*scratch->d_h_total, "h", "backward", 15, "d_h_total", 0, 48, 48, 1, { 3 });
            SEE(t, g, (real *)v.h_gates[s], "h", "backward", 15, "h_gates", 0, 192, 192, 2, { 4, 3 });
            SEE(t, g, (real *)v.h[s - G], "h", "backward", 15, "h", 0, 48, 48, 1, { 3 });
            h_backward(v.d_h_from_input[s], v.d_h_from_state[g], v.d_h_2[g], *scratch->d_h_total, v.h_gates[s],
                v.h[s - G]);
            SEE(t, g, (real *)v.d_h_from_input[s], "h", "backward", 15, "d_h_from_input", 1, 144, 144, 1, { 9 });
            SEE(t, g, (real *)v.d_h_from_state[g], "h", "backward", 15, "d_h_from_state", 1, 144, 144, 1, { 9 });
            SEE(t, g, (real *)v.d_h_2[g], "h", "backward", 15, "d_h_2", 1, 48, 48, 1, { 3 });
            SEE(t, g, (real *)v.d_h_from_state[g], "h_from_state", "weights", 15, "d_h_from_state", 0, 144, 144, 1,
                { 9 });
            h_from_state_transpose(v.d_h_from_state_rows[s], (real *)v.d_h_from_state[g]);
        }
        SEE(t, -1, (real *)v.d_h_from_state[0], "h_from_state", "backward", 15, "d_h_from_state", 0, 144, 144, 1,
            { 9 });
        h_from_state_backward(v.d_h_3, v.d_h_from_state, weights->h_weight_hh);
        SEE(t, -1, (real *)v.d_h_3[0], "h_from_state", "backward", 15, "d_h_3", 1, 48, 48, 1, { 3 });
    }
    for (int g = 0; g < G; g++) {
        SEE(-1, g, (real *)v.d_h_2[g], "sum_d_h_total_2", "forward", 13, "d_h_2", 0, 48, 48, 1, { 3 });
        SEE(-1, g, (real *)v.d_h_3[g], "sum_d_h_total_2", "forward", 13, "d_h_3", 0, 48, 48, 1, { 3 });
        sum_d_h_total_2_forward((real *)*scratch->d_h_total_2, (real *)v.d_h_2[g], (real *)v.d_h_3[g]);
        SEE(-1, g, (real *)*scratch->d_h_total_2, "sum_d_h_total_2", "forward", 13, "d_h_total_2", 1, 48, 48, 1, { 3 });
        SEE(-1, g, (real *)*scratch->d_h_total_2, "h_start", "weights", 13, "d_h_total_2", 0, 48, 48, 1, { 3 });
        h_start_weights(v.d_h_init_part[g].of, (real *)*scratch->d_h_total_2);
        SEE(-1, g, v.d_h_init_part[g].of, "h_start", "weights", 13, "d_h_init_part", 1, 3, 0, 1, { 3 });
    }
    SEE(-1, -1, (real *)v.h[-G], "h_from_state", "weights", 15, "h", 0, 96, 48, 1, { 3 });
    h_from_state_weights(gradient->h_weight_hh, v.d_h_from_state_rows[0], v.h - G);
    SEE(-1, -1, (real *)gradient->h_weight_hh, "h_from_state", "weights", 15, "h.weight_hh", 1, 48, 0, 0, { 0 });
    fold(gradient->h_init, v.d_h_init_part[0].of, 1, 3, 0);
    for (int g = 0; g < G; g++) {
        SEE(-1, g, (real *)v.d_h_from_input[g], "sum_d_h_from_input_2", "forward", 15, "d_h_from_input", 0, 144, 144, 1,
            { 9 });
        sum_d_h_from_input_2_forward(*scratch->d_h_from_input_2, v.d_h_from_input + g);
        SEE(-1, g, (real *)*scratch->d_h_from_input_2, "sum_d_h_from_input_2", "forward", 15, "d_h_from_input_2", 1,
            144, 144, 1, { 9 });
        SEE(-1, g, (real *)*scratch->d_h_from_input_2, "h_from_input", "weights", 15, "d_h_from_input_2", 0, 144, 144,
            1, { 9 });
        h_from_input_transpose(v.d_h_from_input_rows[g], (real *)*scratch->d_h_from_input_2);
    }
    SEE(-1, -1, (real *)v.image[0], "h_from_input", "weights", 15, "image", 0, 256, 256, 3, { 1, 4, 4 });
    h_from_input_weights(gradient->h_weight_ih, gradient->h_bias_ih, v.d_h_from_input_rows[0], v.image);
    SEE(-1, -1, (real *)gradient->h_weight_ih, "h_from_input", "weights", 15, "h.weight_ih", 1, 256, 0, 0, { 0 });
    SEE(-1, -1, (real *)gradient->h_bias_ih, "h_from_input", "weights", 15, "h.bias_ih", 1, 16, 0, 0, { 0 });
    return 0;
}

/* The rows of a profile, calls in their order, and waits: name, pass, phase, line of the model, of the whole batch,
 * multiply-adds, products, bytes. */
static const NetRow rows[] = {
    { "load_image", "load", 0, 5, 0, 0, 0, 1024 },
    { "load_digits", "load", 0, 6, 0, 0, 0, 128 },
    { "h_start", "forward", 0, 13, 0, 0, 0, 256 },
    { "", "wait", 0, 0, 1, 0, 0, 0 },
    { "h_from_input", "forward", 1, 15, 1, 2304, 2304, 2688 },
    { "h_from_state", "forward", 2, 15, 1, 864, 864, 1920 },
    { "", "wait", 2, 0, 1, 0, 0, 0 },
    { "h", "forward", 3, 15, 0, 0, 0, 4224 },
    { "", "wait", 3, 0, 1, 0, 0, 0 },
    { "A", "forward", 4, 16, 1, 576, 576, 1408 },
    { "", "wait", 4, 0, 1, 0, 0, 0 },
    { "crop", "forward", 5, 17, 0, 0, 0, 4352 },
    { "classify_dropout1", "forward", 5, 9, 0, 0, 0, 1024 },
    { "", "wait", 5, 0, 1, 0, 0, 0 },
    { "classify_dense1", "forward", 6, 10, 1, 256, 256, 1088 },
    { "", "wait", 6, 0, 1, 0, 0, 0 },
    { "cross_entropy1", "forward", 7, 19, 0, 0, 0, 640 },
    { "", "wait", 7, 0, 1, 0, 0, 0 },
    { "cross_entropy1", "backward", 8, 19, 0, 0, 0, 768 },
    { "classify_dense1", "weights", 8, 10, 0, 0, 0, 2304 },
    { "", "wait", 8, 0, 1, 0, 0, 0 },
    { "classify_dense1", "backward", 9, 10, 1, 256, 256, 1024 },
    { "", "wait", 9, 0, 1, 0, 0, 0 },
    { "classify_dropout1", "backward", 10, 9, 0, 0, 0, 1024 },
    { "crop", "backward", 10, 17, 0, 0, 0, 2304 },
    { "A", "weights", 10, 16, 0, 0, 0, 2816 },
    { "classify_dense1", "products", 11, 10, 1, 256, 256, 2880 },
    { "", "wait", 11, 0, 1, 0, 0, 0 },
    { "A", "backward", 12, 16, 1, 576, 576, 1344 },
    { "d_h_2_end", "forward", 13, 15, 0, 0, 0, 192 },
    { "d_h_3_end", "forward", 13, 15, 0, 0, 0, 192 },
    { "A", "products", 14, 16, 1, 576, 576, 2688 },
    { "", "wait", 14, 0, 1, 0, 0, 0 },
    { "sum_d_h_total", "forward", 15, 13, 0, 0, 0, 1536 },
    { "h", "backward", 15, 15, 0, 0, 0, 4992 },
    { "h_from_state", "weights", 15, 15, 0, 0, 0, 3200 },
    { "", "wait", 15, 0, 1, 0, 0, 0 },
    { "h_from_state", "backward", 16, 15, 1, 864, 864, 1920 },
    { "", "wait", 16, 0, 1, 0, 0, 0 },
    { "sum_d_h_total_2", "forward", 17, 13, 0, 0, 0, 576 },
    { "h_start", "weights", 17, 13, 0, 0, 0, 256 },
    { "h_from_state", "products", 18, 15, 1, 864, 864, 2624 },
    { "", "wait", 18, 0, 1, 0, 0, 0 },
    { "fold_h_init", "fold", 19, 13, 1, 0, 0, 128 },
    { "sum_d_h_from_input_2", "forward", 20, 15, 0, 0, 0, 1728 },
    { "h_from_input", "weights", 20, 15, 0, 0, 0, 1600 },
    { "", "wait", 20, 0, 1, 0, 0, 0 },
    { "h_from_input", "products", 21, 15, 1, 2304, 2304, 3136 },
    { "", "wait", 21, 0, 1, 0, 0, 0 },
    { "rmsprop", "update", 22, 0, 1, 0, 0, 11520 },
};

/* A step, with the thread's clock stopped after every call and every barrier; see clock.h.  Returns as update_pass
 * does. */
#define STOP(row) clock_stop(clock, row)
static __attribute__((cold)) double profiled_step(const Batch *batch, double rate, uint64_t update_count, Clock *clock)
{
    const Scratch *scratch = scratch_of_thread();
    clock->last = clock_now();
    #pragma omp for schedule(dynamic, 1) nowait
    for (int g = 0; g < G; g++) {
        load_image_forward((real *)v.image[g], batch->inputs[0], g * L, batch->count);
        STOP(0);
        load_digits_forward(v.digits[g], batch->targets[0], g * L, batch->count);
        STOP(1);
        h_start_forward((real *)v.h[g - G], weights->h_init);
        STOP(2);
    }
    #pragma omp barrier
    STOP(3);
    h_from_input_forward(v.h_from_input, v.image, weights->h_weight_ih, weights->h_bias_ih);
    STOP(4);
    for (int t = 0; t < 2; t++) {
        h_from_state_forward(v.h_from_state, v.h + t * G - G, weights->h_weight_hh);
        STOP(5);
        #pragma omp barrier
        STOP(6);
        #pragma omp for schedule(dynamic, 1) nowait
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            h_forward(v.h[s], v.h_gates[s], v.h_from_input[g], v.h_from_state[g], v.h[s - G]);
            STOP(7);
        }
        #pragma omp barrier
        STOP(8);
    }
    A_forward(v.A, v.h, weights->A_weight, weights->A_bias);
    STOP(9);
    #pragma omp barrier
    STOP(10);
    #pragma omp for collapse(2) schedule(dynamic, 1) nowait
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            crop_forward(v.crop[s], v.crop_slopes[s], v.image[g], v.A[s]);
            STOP(11);
            classify_dropout1_forward((real *)v.classify_dropout1[s], (real *)v.crop[s],
                dropout_at(batch, classify_dropout1_rate, 5, 0, t, g));
            STOP(12);
        }
    #pragma omp barrier
    STOP(13);
    classify_dense1_forward(v.classify_dense1, v.classify_dropout1, weights->classify_dense1_weight,
        weights->classify_dense1_bias);
    STOP(14);
    #pragma omp barrier
    STOP(15);
    #pragma omp for collapse(2) schedule(dynamic, 1) nowait
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            cross_entropy1_forward(v.loss1[s], (real *)v.classify_dense1[s], v.digits[g][t]);
            STOP(16);
        }
    #pragma omp barrier
    STOP(17);
    real loss1_scale = (real)(1 / ((double)batch->count * 2));
    #pragma omp for collapse(2) schedule(dynamic, 1) nowait
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            cross_entropy1_backward((real *)v.d_classify_dense1[s], (real *)v.classify_dense1[s], v.digits[g][t],
                loss1_scale, present(batch, g));
            STOP(18);
            classify_dense1_transpose(v.d_classify_dense1_rows[s], (real *)v.d_classify_dense1[s]);
            STOP(19);
        }
    #pragma omp barrier
    STOP(20);
    classify_dense1_backward(v.d_classify_dropout1, v.d_classify_dense1, weights->classify_dense1_weight);
    STOP(21);
    #pragma omp barrier
    STOP(22);
    #pragma omp for collapse(2) schedule(dynamic, 1) nowait
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            classify_dropout1_backward((real *)*scratch->d_crop, (real *)v.d_classify_dropout1[s],
                dropout_at(batch, classify_dropout1_rate, 5, 0, t, g));
            STOP(23);
            crop_backward(v.d_A[s], *scratch->d_crop, v.crop_slopes[s]);
            STOP(24);
            A_transpose(v.d_A_rows[s], (real *)v.d_A[s]);
            STOP(25);
        }
    classify_dense1_weights(gradient->classify_dense1_weight, gradient->classify_dense1_bias,
        v.d_classify_dense1_rows[0], v.classify_dropout1);
    STOP(26);
    #pragma omp barrier
    STOP(27);
    A_backward(v.d_h, v.d_A, weights->A_weight);
    STOP(28);
    #pragma omp for schedule(dynamic, 1) nowait
    for (int g = 0; g < G; g++) {
        zero_3_forward((real *)v.d_h_2[g]);
        STOP(29);
        zero_3_forward((real *)v.d_h_3[g]);
        STOP(30);
    }
    A_weights(gradient->A_weight, gradient->A_bias, v.d_A_rows[0], v.h);
    STOP(31);
    #pragma omp barrier
    STOP(32);
    for (int t = 1; t >= 0; t--) {
        #pragma omp for schedule(dynamic, 1) nowait
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            sum_d_h_total_forward((real *)*scratch->d_h_total, (real *)v.d_h[s], (real *)v.d_h_2[g],
                (real *)v.d_h_3[g]);
            STOP(33);
            h_backward(v.d_h_from_input[s], v.d_h_from_state[g], v.d_h_2[g], *scratch->d_h_total, v.h_gates[s],
                v.h[s - G]);
            STOP(34);
            h_from_state_transpose(v.d_h_from_state_rows[s], (real *)v.d_h_from_state[g]);
            STOP(35);
        }
        #pragma omp barrier
        STOP(36);
        h_from_state_backward(v.d_h_3, v.d_h_from_state, weights->h_weight_hh);
        STOP(37);
        #pragma omp barrier
        STOP(38);
    }
    #pragma omp for schedule(dynamic, 1) nowait
    for (int g = 0; g < G; g++) {
        sum_d_h_total_2_forward((real *)*scratch->d_h_total_2, (real *)v.d_h_2[g], (real *)v.d_h_3[g]);
        STOP(39);
        h_start_weights(v.d_h_init_part[g].of, (real *)*scratch->d_h_total_2);
        STOP(40);
    }
    h_from_state_weights(gradient->h_weight_hh, v.d_h_from_state_rows[0], v.h - G);
    STOP(41);
    #pragma omp barrier
    STOP(42);
    fold(gradient->h_init, v.d_h_init_part[0].of, 1, 3, 0);
    STOP(43);
    #pragma omp for schedule(dynamic, 1) nowait
    for (int g = 0; g < G; g++) {
        sum_d_h_from_input_2_forward(*scratch->d_h_from_input_2, v.d_h_from_input + g);
        STOP(44);
        h_from_input_transpose(v.d_h_from_input_rows[g], (real *)*scratch->d_h_from_input_2);
        STOP(45);
    }
    #pragma omp barrier
    STOP(46);
    h_from_input_weights(gradient->h_weight_ih, gradient->h_bias_ih, v.d_h_from_input_rows[0], v.image);
    STOP(47);
    #pragma omp barrier
    STOP(48);
    double norm = update_pass(rate, update_count);
    STOP(49);
    return norm;
}

static double net_profile(const Batch *batch, double rate, uint64_t update_count, double *norm, Clock *clocks)
{
    #pragma omp parallel num_threads(threads)
    {
        double n = profiled_step(batch, rate, update_count, &clocks[omp_get_thread_num()]);
        #pragma omp single
        *norm = n;
    }
    return loss(batch, NULL);
}
