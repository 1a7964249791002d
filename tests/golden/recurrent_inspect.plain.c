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
    memset(gradient, 0, sizeof *gradient);
    for (int n = 0; n < N; n++) {
        load_image_forward((real *)v.image[n], batch->inputs[0][n < batch->count ? n : 0]);
        SEE(-1, n, (real *)v.image[n], "load_image", "forward", 5, "image", 1, 16, 16, 3, { 1, 4, 4 });
        load_digits_forward(v.digits[n].of, batch->targets[0][n < batch->count ? n : 0]);
        SEE(-1, n, (real *)v.image[n], "h_from_input", "forward", 15, "image", 0, 16, 16, 3, { 1, 4, 4 });
        h_from_input_forward(v.h_from_input[n], (real *)v.image[n], weights->h_weight_ih, weights->h_bias_ih);
        SEE(-1, n, v.h_from_input[n], "h_from_input", "forward", 15, "h_from_input", 1, 9, 9, 1, { 9 });
        h_start_forward(v.h[n - N], weights->h_init);
        SEE(-1, n, v.h[n - N], "h_start", "forward", 13, "h", 1, 3, 3, 1, { 3 });
    }
    for (int t = 0; t < 2; t++) {
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            SEE(t, n, v.h[s - N], "h_from_state", "forward", 15, "h", 0, 3, 3, 1, { 3 });
            h_from_state_forward(v.h_from_state[s], v.h[s - N], weights->h_weight_hh);
            SEE(t, n, v.h_from_state[s], "h_from_state", "forward", 15, "h_from_state", 1, 9, 9, 1, { 9 });
            SEE(t, n, v.h_from_input[n], "h", "forward", 15, "h_from_input", 0, 9, 9, 1, { 9 });
            SEE(t, n, v.h_from_state[s], "h", "forward", 15, "h_from_state", 0, 9, 9, 1, { 9 });
            SEE(t, n, v.h[s - N], "h", "forward", 15, "h", 0, 3, 3, 1, { 3 });
            h_forward(v.h[s], v.h_gates[s], v.h_from_input[n], v.h_from_state[s], v.h[s - N]);
            SEE(t, n, v.h[s], "h", "forward", 15, "h", 1, 3, 3, 1, { 3 });
            SEE(t, n, (real *)v.h_gates[s], "h", "forward", 15, "h_gates", 1, 9, 9, 2, { 3, 3 });
        }
    }
    for (int t = 0; t < 2; t++)
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            SEE(t, n, v.h[s], "A", "forward", 16, "h", 0, 3, 3, 1, { 3 });
            A_forward(v.A[s], v.h[s], weights->A_weight, weights->A_bias);
            SEE(t, n, v.A[s], "A", "forward", 16, "A", 1, 6, 6, 1, { 6 });
            SEE(t, n, (real *)v.image[n], "crop", "forward", 17, "image", 0, 16, 16, 3, { 1, 4, 4 });
            SEE(t, n, v.A[s], "crop", "forward", 17, "A", 0, 6, 6, 1, { 6 });
            crop_forward(v.crop[s], v.image[n], v.A[s]);
            SEE(t, n, (real *)v.crop[s], "crop", "forward", 17, "crop", 1, 4, 4, 3, { 1, 2, 2 });
            SEE(t, n, (real *)v.crop[s], "classify_dropout1", "forward", 9, "crop", 0, 4, 4, 3, { 1, 2, 2 });
            classify_dropout1_forward((real *)v.classify_dropout1[s], (real *)v.crop[s],
                dropout_at(batch, classify_dropout1_rate, 5, 0, t, n / 16), n % 16);
            SEE(t, n, (real *)v.classify_dropout1[s], "classify_dropout1", "forward", 9, "classify_dropout1", 1, 4, 4,
                3, { 1, 2, 2 });
            SEE(t, n, (real *)v.classify_dropout1[s], "classify_dense1", "forward", 10, "classify_dropout1", 0, 4, 4, 3,
                { 1, 2, 2 });
            classify_dense1_forward(v.classify_dense1[s], (real *)v.classify_dropout1[s],
                weights->classify_dense1_weight, weights->classify_dense1_bias);
            SEE(t, n, v.classify_dense1[s], "classify_dense1", "forward", 10, "classify_dense1", 1, 2, 2, 1, { 2 });
            SEE(t, n, v.classify_dense1[s], "cross_entropy1", "forward", 19, "classify_dense1", 0, 2, 2, 1, { 2 });
            cross_entropy1_forward(v.loss1[s], v.classify_dense1[s], v.digits[n].of + t);
            SEE(t, n, v.loss1[s], "cross_entropy1", "forward", 19, "loss1", 1, 1, 1, 0, { 0 });
        }
    real loss1_scale = (real)(1 / ((double)batch->count * 2));
    for (int t = 0; t < 2; t++)
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            SEE(t, n, v.classify_dense1[s], "cross_entropy1", "backward", 19, "classify_dense1", 0, 2, 2, 1, { 2 });
            cross_entropy1_backward(*scratch->d_classify_dense1, v.classify_dense1[s], v.digits[n].of + t, loss1_scale,
                n < batch->count);
            SEE(t, n, *scratch->d_classify_dense1, "cross_entropy1", "backward", 19, "d_classify_dense1", 1, 2, 2, 1,
                { 2 });
            SEE(t, n, *scratch->d_classify_dense1, "classify_dense1", "weights", 10, "d_classify_dense1", 0, 2, 2, 1,
                { 2 });
            SEE(t, n, (real *)v.classify_dropout1[s], "classify_dense1", "weights", 10, "classify_dropout1", 0, 4, 4, 3,
                { 1, 2, 2 });
            classify_dense1_weights(gradient->classify_dense1_weight, gradient->classify_dense1_bias,
                *scratch->d_classify_dense1, (real *)v.classify_dropout1[s]);
            SEE(-1, -1, (real *)gradient->classify_dense1_weight, "classify_dense1", "weights", 10,
                "classify.dense1.weight", 1, 16, 0, 0, { 0 });
            SEE(-1, -1, (real *)gradient->classify_dense1_bias, "classify_dense1", "weights", 10,
                "classify.dense1.bias", 1, 16, 0, 0, { 0 });
            SEE(t, n, *scratch->d_classify_dense1, "classify_dense1", "backward", 10, "d_classify_dense1", 0, 2, 2, 1,
                { 2 });
            classify_dense1_backward((real *)*scratch->d_classify_dropout1, *scratch->d_classify_dense1,
                weights->classify_dense1_weight);
            SEE(t, n, (real *)*scratch->d_classify_dropout1, "classify_dense1", "backward", 10, "d_classify_dropout1",
                1, 4, 4, 3, { 1, 2, 2 });
            SEE(t, n, (real *)*scratch->d_classify_dropout1, "classify_dropout1", "backward", 9, "d_classify_dropout1",
                0, 4, 4, 3, { 1, 2, 2 });
            classify_dropout1_backward((real *)*scratch->d_crop, (real *)*scratch->d_classify_dropout1,
                dropout_at(batch, classify_dropout1_rate, 5, 0, t, n / 16), n % 16);
            SEE(t, n, (real *)*scratch->d_crop, "classify_dropout1", "backward", 9, "d_crop", 1, 4, 4, 3, { 1, 2, 2 });
            SEE(t, n, (real *)*scratch->d_crop, "crop", "backward", 17, "d_crop", 0, 4, 4, 3, { 1, 2, 2 });
            SEE(t, n, (real *)v.image[n], "crop", "backward", 17, "image", 0, 16, 16, 3, { 1, 4, 4 });
            SEE(t, n, v.A[s], "crop", "backward", 17, "A", 0, 6, 6, 1, { 6 });
            crop_backward(*scratch->d_A, *scratch->d_crop, v.image[n], v.A[s]);
            SEE(t, n, *scratch->d_A, "crop", "backward", 17, "d_A", 1, 6, 6, 1, { 6 });
            SEE(t, n, *scratch->d_A, "A", "weights", 16, "d_A", 0, 6, 6, 1, { 6 });
            SEE(t, n, v.h[s], "A", "weights", 16, "h", 0, 3, 3, 1, { 3 });
            A_weights(gradient->A_weight, gradient->A_bias, *scratch->d_A, v.h[s]);
            SEE(-1, -1, (real *)gradient->A_weight, "A", "weights", 16, "A.weight", 1, 32, 0, 0, { 0 });
            SEE(-1, -1, (real *)gradient->A_bias, "A", "weights", 16, "A.bias", 1, 16, 0, 0, { 0 });
            SEE(t, n, *scratch->d_A, "A", "backward", 16, "d_A", 0, 6, 6, 1, { 6 });
            A_backward(v.d_h[s], *scratch->d_A, weights->A_weight);
            SEE(t, n, v.d_h[s], "A", "backward", 16, "d_h", 1, 3, 3, 1, { 3 });
        }
    for (int n = 0; n < N; n++) {
        zero_3_forward(v.d_h_2[n]);
        SEE(-1, n, v.d_h_2[n], "d_h_2_end", "forward", 15, "d_h_2", 1, 3, 3, 1, { 3 });
        zero_3_forward(v.d_h_3[n]);
        SEE(-1, n, v.d_h_3[n], "d_h_3_end", "forward", 15, "d_h_3", 1, 3, 3, 1, { 3 });
    }
    for (int t = 1; t >= 0; t--) {
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            SEE(t, n, v.d_h[s], "sum_d_h_total", "forward", 13, "d_h", 0, 3, 3, 1, { 3 });
            SEE(t, n, v.d_h_2[n], "sum_d_h_total", "forward", 13, "d_h_2", 0, 3, 3, 1, { 3 });
            SEE(t, n, v.d_h_3[n], "sum_d_h_total", "forward", 13, "d_h_3", 0, 3, 3, 1, { 3 });
            sum_d_h_total_forward(*scratch->d_h_total, v.d_h[s], v.d_h_2[n], v.d_h_3[n]);
            SEE(t, n, *scratch->d_h_total, "sum_d_h_total", "forward", 13, "d_h_total", 1, 3, 3, 1, { 3 });
            SEE(t, n, *scratch->d_h_total, "h", "backward", 15, "d_h_total", 0, 3, 3, 1, { 3 });
            SEE(t, n, (real *)v.h_gates[s], "h", "backward", 15, "h_gates", 0, 9, 9, 2, { 3, 3 });
            SEE(t, n, v.h_from_state[s], "h", "backward", 15, "h_from_state", 0, 9, 9, 1, { 9 });
            SEE(t, n, v.h[s - N], "h", "backward", 15, "h", 0, 3, 3, 1, { 3 });
            h_backward(v.d_h_from_input[s], v.d_h_from_state[s], v.d_h_2[n], *scratch->d_h_total, v.h_gates[s],
                v.h_from_state[s], v.h[s - N]);
            SEE(t, n, v.d_h_from_input[s], "h", "backward", 15, "d_h_from_input", 1, 9, 9, 1, { 9 });
            SEE(t, n, v.d_h_from_state[s], "h", "backward", 15, "d_h_from_state", 1, 9, 9, 1, { 9 });
            SEE(t, n, v.d_h_2[n], "h", "backward", 15, "d_h_2", 1, 3, 3, 1, { 3 });
            SEE(t, n, v.d_h_from_state[s], "h_from_state", "backward", 15, "d_h_from_state", 0, 9, 9, 1, { 9 });
            h_from_state_backward(v.d_h_3[n], v.d_h_from_state[s], weights->h_weight_hh);
            SEE(t, n, v.d_h_3[n], "h_from_state", "backward", 15, "d_h_3", 1, 3, 3, 1, { 3 });
        }
    }
    for (int t = 0; t < 2; t++)
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            SEE(t, n, v.d_h_from_state[s], "h_from_state", "weights", 15, "d_h_from_state", 0, 9, 9, 1, { 9 });
            SEE(t, n, v.h[s - N], "h_from_state", "weights", 15, "h", 0, 3, 3, 1, { 3 });
            h_from_state_weights(gradient->h_weight_hh, v.d_h_from_state[s], v.h[s - N]);
            SEE(-1, -1, (real *)gradient->h_weight_hh, "h_from_state", "weights", 15, "h.weight_hh", 1, 32, 0, 0,
                { 0 });
        }
    for (int n = 0; n < N; n++) {
        SEE(-1, n, v.d_h_2[n], "sum_d_h_total_2", "forward", 13, "d_h_2", 0, 3, 3, 1, { 3 });
        SEE(-1, n, v.d_h_3[n], "sum_d_h_total_2", "forward", 13, "d_h_3", 0, 3, 3, 1, { 3 });
        sum_d_h_total_2_forward(*scratch->d_h_total_2, v.d_h_2[n], v.d_h_3[n]);
        SEE(-1, n, *scratch->d_h_total_2, "sum_d_h_total_2", "forward", 13, "d_h_total_2", 1, 3, 3, 1, { 3 });
        SEE(-1, n, *scratch->d_h_total_2, "h_start", "weights", 13, "d_h_total_2", 0, 3, 3, 1, { 3 });
        h_start_weights(gradient->h_init, *scratch->d_h_total_2);
        SEE(-1, -1, (real *)gradient->h_init, "h_start", "weights", 13, "h.init", 1, 16, 0, 0, { 0 });
    }
    for (int n = 0; n < N; n++) {
        SEE(-1, n, v.d_h_from_input[n], "sum_d_h_from_input_2", "forward", 15, "d_h_from_input", 0, 9, 9, 1, { 9 });
        sum_d_h_from_input_2_forward(*scratch->d_h_from_input_2, v.d_h_from_input + n);
        SEE(-1, n, *scratch->d_h_from_input_2, "sum_d_h_from_input_2", "forward", 15, "d_h_from_input_2", 1, 9, 9, 1,
            { 9 });
        SEE(-1, n, *scratch->d_h_from_input_2, "h_from_input", "weights", 15, "d_h_from_input_2", 0, 9, 9, 1, { 9 });
        SEE(-1, n, (real *)v.image[n], "h_from_input", "weights", 15, "image", 0, 16, 16, 3, { 1, 4, 4 });
        h_from_input_weights(gradient->h_weight_ih, gradient->h_bias_ih, *scratch->d_h_from_input_2,
            (real *)v.image[n]);
        SEE(-1, -1, (real *)gradient->h_weight_ih, "h_from_input", "weights", 15, "h.weight_ih", 1, 144, 0, 0, { 0 });
        SEE(-1, -1, (real *)gradient->h_bias_ih, "h_from_input", "weights", 15, "h.bias_ih", 1, 16, 0, 0, { 0 });
    }
    return 0;
}

/* The rows of a profile, calls in their order, and waits: name, pass, phase, line of the model, of the whole batch,
 * multiply-adds, products, bytes. */
static const NetRow rows[] = {
    { "load_image", "load", 0, 5, 0, 0, 0, 2048 },
    { "load_digits", "load", 0, 6, 0, 0, 0, 2048 },
    { "h_from_input", "forward", 0, 15, 0, 2304, 2304, 23680 },
    { "h_start", "forward", 0, 13, 0, 0, 0, 2432 },
    { "h_from_state", "forward", 1, 15, 0, 864, 864, 11264 },
    { "h", "forward", 1, 15, 0, 0, 0, 7680 },
    { "A", "forward", 2, 16, 0, 576, 576, 14592 },
    { "crop", "forward", 2, 17, 0, 0, 0, 6656 },
    { "classify_dropout1", "forward", 2, 9, 0, 0, 0, 2048 },
    { "classify_dense1", "forward", 2, 10, 0, 256, 256, 9728 },
    { "cross_entropy1", "forward", 2, 19, 0, 0, 0, 4864 },
    { "cross_entropy1", "backward", 3, 19, 0, 0, 0, 8704 },
    { "classify_dense1", "weights", 3, 10, 0, 256, 256, 5120 },
    { "classify_dense1", "backward", 3, 10, 0, 256, 256, 12288 },
    { "classify_dropout1", "backward", 3, 9, 0, 0, 0, 8192 },
    { "crop", "backward", 3, 17, 0, 0, 0, 13824 },
    { "A", "weights", 3, 16, 0, 576, 576, 4864 },
    { "A", "backward", 3, 16, 0, 576, 576, 13056 },
    { "d_h_2_end", "forward", 4, 15, 0, 0, 0, 384 },
    { "d_h_3_end", "forward", 4, 15, 0, 0, 0, 384 },
    { "sum_d_h_total", "forward", 5, 13, 0, 0, 0, 6400 },
    { "h", "backward", 5, 15, 0, 0, 0, 14848 },
    { "h_from_state", "backward", 5, 15, 0, 864, 864, 11264 },
    { "h_from_state", "weights", 6, 15, 0, 864, 864, 3072 },
    { "sum_d_h_total_2", "forward", 7, 13, 0, 0, 0, 2816 },
    { "h_start", "weights", 7, 13, 0, 0, 0, 2048 },
    { "sum_d_h_from_input_2", "forward", 8, 15, 0, 0, 0, 4352 },
    { "h_from_input", "weights", 8, 15, 0, 2304, 2304, 4096 },
    { "rmsprop", "update", 9, 0, 1, 0, 0, 13824 },
};

/* A step, with the thread's clock stopped after every call and every barrier; see clock.h.  Returns as update_pass
 * does. */
#define STOP(row) clock_stop(clock, row)
static __attribute__((cold)) double profiled_step(const Batch *batch, double rate, uint64_t update_count, Clock *clock)
{
    const Scratch *scratch = scratch_of_thread();
    memset(gradient, 0, sizeof *gradient);
    clock->last = clock_now();
    for (int n = 0; n < N; n++) {
        load_image_forward((real *)v.image[n], batch->inputs[0][n < batch->count ? n : 0]);
        STOP(0);
        load_digits_forward(v.digits[n].of, batch->targets[0][n < batch->count ? n : 0]);
        STOP(1);
        h_from_input_forward(v.h_from_input[n], (real *)v.image[n], weights->h_weight_ih, weights->h_bias_ih);
        STOP(2);
        h_start_forward(v.h[n - N], weights->h_init);
        STOP(3);
    }
    for (int t = 0; t < 2; t++) {
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            h_from_state_forward(v.h_from_state[s], v.h[s - N], weights->h_weight_hh);
            STOP(4);
            h_forward(v.h[s], v.h_gates[s], v.h_from_input[n], v.h_from_state[s], v.h[s - N]);
            STOP(5);
        }
    }
    for (int t = 0; t < 2; t++)
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            A_forward(v.A[s], v.h[s], weights->A_weight, weights->A_bias);
            STOP(6);
            crop_forward(v.crop[s], v.image[n], v.A[s]);
            STOP(7);
            classify_dropout1_forward((real *)v.classify_dropout1[s], (real *)v.crop[s],
                dropout_at(batch, classify_dropout1_rate, 5, 0, t, n / 16), n % 16);
            STOP(8);
            classify_dense1_forward(v.classify_dense1[s], (real *)v.classify_dropout1[s],
                weights->classify_dense1_weight, weights->classify_dense1_bias);
            STOP(9);
            cross_entropy1_forward(v.loss1[s], v.classify_dense1[s], v.digits[n].of + t);
            STOP(10);
        }
    real loss1_scale = (real)(1 / ((double)batch->count * 2));
    for (int t = 0; t < 2; t++)
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            cross_entropy1_backward(*scratch->d_classify_dense1, v.classify_dense1[s], v.digits[n].of + t, loss1_scale,
                n < batch->count);
            STOP(11);
            classify_dense1_weights(gradient->classify_dense1_weight, gradient->classify_dense1_bias,
                *scratch->d_classify_dense1, (real *)v.classify_dropout1[s]);
            STOP(12);
            classify_dense1_backward((real *)*scratch->d_classify_dropout1, *scratch->d_classify_dense1,
                weights->classify_dense1_weight);
            STOP(13);
            classify_dropout1_backward((real *)*scratch->d_crop, (real *)*scratch->d_classify_dropout1,
                dropout_at(batch, classify_dropout1_rate, 5, 0, t, n / 16), n % 16);
            STOP(14);
            crop_backward(*scratch->d_A, *scratch->d_crop, v.image[n], v.A[s]);
            STOP(15);
            A_weights(gradient->A_weight, gradient->A_bias, *scratch->d_A, v.h[s]);
            STOP(16);
            A_backward(v.d_h[s], *scratch->d_A, weights->A_weight);
            STOP(17);
        }
    for (int n = 0; n < N; n++) {
        zero_3_forward(v.d_h_2[n]);
        STOP(18);
        zero_3_forward(v.d_h_3[n]);
        STOP(19);
    }
    for (int t = 1; t >= 0; t--) {
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            sum_d_h_total_forward(*scratch->d_h_total, v.d_h[s], v.d_h_2[n], v.d_h_3[n]);
            STOP(20);
            h_backward(v.d_h_from_input[s], v.d_h_from_state[s], v.d_h_2[n], *scratch->d_h_total, v.h_gates[s],
                v.h_from_state[s], v.h[s - N]);
            STOP(21);
            h_from_state_backward(v.d_h_3[n], v.d_h_from_state[s], weights->h_weight_hh);
            STOP(22);
        }
    }
    for (int t = 0; t < 2; t++)
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            h_from_state_weights(gradient->h_weight_hh, v.d_h_from_state[s], v.h[s - N]);
            STOP(23);
        }
    for (int n = 0; n < N; n++) {
        sum_d_h_total_2_forward(*scratch->d_h_total_2, v.d_h_2[n], v.d_h_3[n]);
        STOP(24);
        h_start_weights(gradient->h_init, *scratch->d_h_total_2);
        STOP(25);
    }
    for (int n = 0; n < N; n++) {
        sum_d_h_from_input_2_forward(*scratch->d_h_from_input_2, v.d_h_from_input + n);
        STOP(26);
        h_from_input_weights(gradient->h_weight_ih, gradient->h_bias_ih, *scratch->d_h_from_input_2,
            (real *)v.image[n]);
        STOP(27);
    }
    double norm = update_pass(rate, update_count);
    STOP(28);
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
