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
 * it wrote), until that returns other than 0.  So the runtime finds where a number went wrong.  A step or group of -1:
 * all, or none. */
#define SEE(step, group, values, ...) \
    do { \
        static const Look tensor = { __VA_ARGS__ }; \
        if (show(see, to, &tensor, step, group, (const real *)(values))) \
            return 1; \
    } while (0)
static __attribute__((cold)) int net_replay(const Batch *batch, int (*see)(void *to, const Look *look), void *to)
{
    const Scratch *scratch = scratches;
    memset(gradient, 0, sizeof *gradient);
    for (int n = 0; n < N; n++) {
        load_image_forward((real *)v.image[n], batch->inputs[0][n < batch->count ? n : 0]);
        SEE(-1, n, v.image[n], "load_image", "forward", .yaml_line = 5, .tensor = "image", .written = 1, .count = 16,
            .slot = 16, .rank = 3, .shape = { 1, 4, 4 });
        load_digits_forward(v.digits[n].of, batch->targets[0][n < batch->count ? n : 0]);
        SEE(-1, n, v.image[n], "h_from_input", "forward", .yaml_line = 15, .tensor = "image", .count = 16, .slot = 16,
            .rank = 3, .shape = { 1, 4, 4 });
        h_from_input_forward(v.h_from_input[n], (real *)v.image[n], weights->h_weight_ih, weights->h_bias_ih);
        SEE(-1, n, v.h_from_input[n], "h_from_input", "forward", .yaml_line = 15, .tensor = "h_from_input",
            .written = 1, .count = 9, .slot = 9, .rank = 1, .shape = { 9 });
        h_start_forward(v.h[n - N], weights->h_init);
        SEE(-1, n, v.h[n - N], "h_start", "forward", .yaml_line = 13, .tensor = "h", .written = 1, .count = 3,
            .slot = 3, .rank = 1, .shape = { 3 });
    }
    for (int t = 0; t < 2; t++) {
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            SEE(t, n, v.h[s - N], "h_from_state", "forward", .yaml_line = 15, .tensor = "h", .count = 3, .slot = 3,
                .rank = 1, .shape = { 3 });
            h_from_state_forward(v.h_from_state[s], v.h[s - N], weights->h_weight_hh);
            SEE(t, n, v.h_from_state[s], "h_from_state", "forward", .yaml_line = 15, .tensor = "h_from_state",
                .written = 1, .count = 9, .slot = 9, .rank = 1, .shape = { 9 });
            SEE(t, n, v.h_from_input[n], "h", "forward", .yaml_line = 15, .tensor = "h_from_input", .count = 9,
                .slot = 9, .rank = 1, .shape = { 9 });
            SEE(t, n, v.h_from_state[s], "h", "forward", .yaml_line = 15, .tensor = "h_from_state", .count = 9,
                .slot = 9, .rank = 1, .shape = { 9 });
            SEE(t, n, v.h[s - N], "h", "forward", .yaml_line = 15, .tensor = "h", .count = 3, .slot = 3, .rank = 1,
                .shape = { 3 });
            h_forward(v.h[s], v.h_gates[s], v.h_from_input[n], v.h_from_state[s], v.h[s - N]);
            SEE(t, n, v.h[s], "h", "forward", .yaml_line = 15, .tensor = "h", .written = 1, .count = 3, .slot = 3,
                .rank = 1, .shape = { 3 });
            SEE(t, n, v.h_gates[s], "h", "forward", .yaml_line = 15, .tensor = "h_gates", .written = 1, .count = 9,
                .slot = 9, .rank = 2, .shape = { 3, 3 });
        }
    }
    for (int t = 0; t < 2; t++)
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            SEE(t, n, v.h[s], "A", "forward", .yaml_line = 16, .tensor = "h", .count = 3, .slot = 3, .rank = 1,
                .shape = { 3 });
            A_forward(v.A[s], v.h[s], weights->A_weight, weights->A_bias);
            SEE(t, n, v.A[s], "A", "forward", .yaml_line = 16, .tensor = "A", .written = 1, .count = 6, .slot = 6,
                .rank = 1, .shape = { 6 });
            SEE(t, n, v.image[n], "crop", "forward", .yaml_line = 17, .tensor = "image", .count = 16, .slot = 16,
                .rank = 3, .shape = { 1, 4, 4 });
            SEE(t, n, v.A[s], "crop", "forward", .yaml_line = 17, .tensor = "A", .count = 6, .slot = 6, .rank = 1,
                .shape = { 6 });
            crop_forward(v.crop[s], v.image[n], v.A[s]);
            SEE(t, n, v.crop[s], "crop", "forward", .yaml_line = 17, .tensor = "crop", .written = 1, .count = 4,
                .slot = 4, .rank = 3, .shape = { 1, 2, 2 });
            SEE(t, n, v.crop[s], "classify_dropout1", "forward", .yaml_line = 9, .tensor = "crop", .count = 4,
                .slot = 4, .rank = 3, .shape = { 1, 2, 2 });
            classify_dropout1_forward((real *)v.classify_dropout1[s], (real *)v.crop[s],
                dropout_at(batch, (DropoutUse){ .rate = classify_dropout1_rate, .ramp = 5, .place = 0, .step = t,
                .group = n / 16 }), n % 16);
            SEE(t, n, v.classify_dropout1[s], "classify_dropout1", "forward", .yaml_line = 9,
                .tensor = "classify_dropout1", .written = 1, .count = 4, .slot = 4, .rank = 3, .shape = { 1, 2, 2 });
            SEE(t, n, v.classify_dropout1[s], "classify_dense1", "forward", .yaml_line = 10,
                .tensor = "classify_dropout1", .count = 4, .slot = 4, .rank = 3, .shape = { 1, 2, 2 });
            classify_dense1_forward(v.classify_dense1[s], (real *)v.classify_dropout1[s],
                weights->classify_dense1_weight, weights->classify_dense1_bias);
            SEE(t, n, v.classify_dense1[s], "classify_dense1", "forward", .yaml_line = 10, .tensor = "classify_dense1",
                .written = 1, .count = 2, .slot = 2, .rank = 1, .shape = { 2 });
            SEE(t, n, v.classify_dense1[s], "cross_entropy1", "forward", .yaml_line = 19, .tensor = "classify_dense1",
                .count = 2, .slot = 2, .rank = 1, .shape = { 2 });
            cross_entropy1_forward(v.loss1[s], v.classify_dense1[s], v.digits[n].of + t);
            SEE(t, n, v.loss1[s], "cross_entropy1", "forward", .yaml_line = 19, .tensor = "loss1", .written = 1,
                .count = 1, .slot = 1);
        }
    real loss1_scale = (real)(1 / ((double)batch->count * 2));
    for (int t = 0; t < 2; t++)
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            SEE(t, n, v.classify_dense1[s], "cross_entropy1", "backward", .yaml_line = 19, .tensor = "classify_dense1",
                .count = 2, .slot = 2, .rank = 1, .shape = { 2 });
            cross_entropy1_backward(*scratch->d_classify_dense1, v.classify_dense1[s], v.digits[n].of + t, loss1_scale,
                n < batch->count);
            SEE(t, n, *scratch->d_classify_dense1, "cross_entropy1", "backward", .yaml_line = 19,
                .tensor = "d_classify_dense1", .written = 1, .count = 2, .slot = 2, .rank = 1, .shape = { 2 });
            SEE(t, n, *scratch->d_classify_dense1, "classify_dense1", "weights", .yaml_line = 10,
                .tensor = "d_classify_dense1", .count = 2, .slot = 2, .rank = 1, .shape = { 2 });
            SEE(t, n, v.classify_dropout1[s], "classify_dense1", "weights", .yaml_line = 10,
                .tensor = "classify_dropout1", .count = 4, .slot = 4, .rank = 3, .shape = { 1, 2, 2 });
            classify_dense1_weights(gradient->classify_dense1_weight, gradient->classify_dense1_bias,
                *scratch->d_classify_dense1, (real *)v.classify_dropout1[s]);
            SEE(-1, -1, gradient->classify_dense1_weight, "classify_dense1", "weights", .yaml_line = 10,
                .tensor = "classify.dense1.weight", .written = 1, .count = 16);
            SEE(-1, -1, gradient->classify_dense1_bias, "classify_dense1", "weights", .yaml_line = 10,
                .tensor = "classify.dense1.bias", .written = 1, .count = 16);
            SEE(t, n, *scratch->d_classify_dense1, "classify_dense1", "backward", .yaml_line = 10,
                .tensor = "d_classify_dense1", .count = 2, .slot = 2, .rank = 1, .shape = { 2 });
            classify_dense1_backward((real *)*scratch->d_classify_dropout1, *scratch->d_classify_dense1,
                weights->classify_dense1_weight);
            SEE(t, n, *scratch->d_classify_dropout1, "classify_dense1", "backward", .yaml_line = 10,
                .tensor = "d_classify_dropout1", .written = 1, .count = 4, .slot = 4, .rank = 3, .shape = { 1, 2, 2 });
            SEE(t, n, *scratch->d_classify_dropout1, "classify_dropout1", "backward", .yaml_line = 9,
                .tensor = "d_classify_dropout1", .count = 4, .slot = 4, .rank = 3, .shape = { 1, 2, 2 });
            classify_dropout1_backward((real *)*scratch->d_crop, (real *)*scratch->d_classify_dropout1,
                dropout_at(batch, (DropoutUse){ .rate = classify_dropout1_rate, .ramp = 5, .place = 0, .step = t,
                .group = n / 16 }), n % 16);
            SEE(t, n, *scratch->d_crop, "classify_dropout1", "backward", .yaml_line = 9, .tensor = "d_crop",
                .written = 1, .count = 4, .slot = 4, .rank = 3, .shape = { 1, 2, 2 });
            SEE(t, n, *scratch->d_crop, "crop", "backward", .yaml_line = 17, .tensor = "d_crop", .count = 4, .slot = 4,
                .rank = 3, .shape = { 1, 2, 2 });
            SEE(t, n, v.image[n], "crop", "backward", .yaml_line = 17, .tensor = "image", .count = 16, .slot = 16,
                .rank = 3, .shape = { 1, 4, 4 });
            SEE(t, n, v.A[s], "crop", "backward", .yaml_line = 17, .tensor = "A", .count = 6, .slot = 6, .rank = 1,
                .shape = { 6 });
            crop_backward(*scratch->d_A, *scratch->d_crop, v.image[n], v.A[s]);
            SEE(t, n, *scratch->d_A, "crop", "backward", .yaml_line = 17, .tensor = "d_A", .written = 1, .count = 6,
                .slot = 6, .rank = 1, .shape = { 6 });
            SEE(t, n, *scratch->d_A, "A", "weights", .yaml_line = 16, .tensor = "d_A", .count = 6, .slot = 6, .rank = 1,
                .shape = { 6 });
            SEE(t, n, v.h[s], "A", "weights", .yaml_line = 16, .tensor = "h", .count = 3, .slot = 3, .rank = 1,
                .shape = { 3 });
            A_weights(gradient->A_weight, gradient->A_bias, *scratch->d_A, v.h[s]);
            SEE(-1, -1, gradient->A_weight, "A", "weights", .yaml_line = 16, .tensor = "A.weight", .written = 1,
                .count = 32);
            SEE(-1, -1, gradient->A_bias, "A", "weights", .yaml_line = 16, .tensor = "A.bias", .written = 1,
                .count = 16);
            SEE(t, n, *scratch->d_A, "A", "backward", .yaml_line = 16, .tensor = "d_A", .count = 6, .slot = 6,
                .rank = 1, .shape = { 6 });
            A_backward(v.d_h[s], *scratch->d_A, weights->A_weight);
            SEE(t, n, v.d_h[s], "A", "backward", .yaml_line = 16, .tensor = "d_h", .written = 1, .count = 3, .slot = 3,
                .rank = 1, .shape = { 3 });
        }
    for (int n = 0; n < N; n++) {
        zero_3_forward(v.d_h_2[n]);
        SEE(-1, n, v.d_h_2[n], "d_h_2_end", "forward", .yaml_line = 15, .tensor = "d_h_2", .written = 1, .count = 3,
            .slot = 3, .rank = 1, .shape = { 3 });
        zero_3_forward(v.d_h_3[n]);
        SEE(-1, n, v.d_h_3[n], "d_h_3_end", "forward", .yaml_line = 15, .tensor = "d_h_3", .written = 1, .count = 3,
            .slot = 3, .rank = 1, .shape = { 3 });
    }
    for (int t = 1; t >= 0; t--) {
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            SEE(t, n, v.d_h[s], "sum_d_h_total", "forward", .yaml_line = 13, .tensor = "d_h", .count = 3, .slot = 3,
                .rank = 1, .shape = { 3 });
            SEE(t, n, v.d_h_2[n], "sum_d_h_total", "forward", .yaml_line = 13, .tensor = "d_h_2", .count = 3, .slot = 3,
                .rank = 1, .shape = { 3 });
            SEE(t, n, v.d_h_3[n], "sum_d_h_total", "forward", .yaml_line = 13, .tensor = "d_h_3", .count = 3, .slot = 3,
                .rank = 1, .shape = { 3 });
            sum_d_h_total_forward(*scratch->d_h_total, v.d_h[s], v.d_h_2[n], v.d_h_3[n]);
            SEE(t, n, *scratch->d_h_total, "sum_d_h_total", "forward", .yaml_line = 13, .tensor = "d_h_total",
                .written = 1, .count = 3, .slot = 3, .rank = 1, .shape = { 3 });
            SEE(t, n, *scratch->d_h_total, "h", "backward", .yaml_line = 15, .tensor = "d_h_total", .count = 3,
                .slot = 3, .rank = 1, .shape = { 3 });
            SEE(t, n, v.h_gates[s], "h", "backward", .yaml_line = 15, .tensor = "h_gates", .count = 9, .slot = 9,
                .rank = 2, .shape = { 3, 3 });
            SEE(t, n, v.h_from_state[s], "h", "backward", .yaml_line = 15, .tensor = "h_from_state", .count = 9,
                .slot = 9, .rank = 1, .shape = { 9 });
            SEE(t, n, v.h[s - N], "h", "backward", .yaml_line = 15, .tensor = "h", .count = 3, .slot = 3, .rank = 1,
                .shape = { 3 });
            h_backward(v.d_h_from_input[s], v.d_h_from_state[s], v.d_h_2[n], *scratch->d_h_total, v.h_gates[s],
                v.h_from_state[s], v.h[s - N]);
            SEE(t, n, v.d_h_from_input[s], "h", "backward", .yaml_line = 15, .tensor = "d_h_from_input", .written = 1,
                .count = 9, .slot = 9, .rank = 1, .shape = { 9 });
            SEE(t, n, v.d_h_from_state[s], "h", "backward", .yaml_line = 15, .tensor = "d_h_from_state", .written = 1,
                .count = 9, .slot = 9, .rank = 1, .shape = { 9 });
            SEE(t, n, v.d_h_2[n], "h", "backward", .yaml_line = 15, .tensor = "d_h_2", .written = 1, .count = 3,
                .slot = 3, .rank = 1, .shape = { 3 });
            SEE(t, n, v.d_h_from_state[s], "h_from_state", "backward", .yaml_line = 15, .tensor = "d_h_from_state",
                .count = 9, .slot = 9, .rank = 1, .shape = { 9 });
            h_from_state_backward(v.d_h_3[n], v.d_h_from_state[s], weights->h_weight_hh);
            SEE(t, n, v.d_h_3[n], "h_from_state", "backward", .yaml_line = 15, .tensor = "d_h_3", .written = 1,
                .count = 3, .slot = 3, .rank = 1, .shape = { 3 });
        }
    }
    for (int t = 0; t < 2; t++)
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            SEE(t, n, v.d_h_from_state[s], "h_from_state", "weights", .yaml_line = 15, .tensor = "d_h_from_state",
                .count = 9, .slot = 9, .rank = 1, .shape = { 9 });
            SEE(t, n, v.h[s - N], "h_from_state", "weights", .yaml_line = 15, .tensor = "h", .count = 3, .slot = 3,
                .rank = 1, .shape = { 3 });
            h_from_state_weights(gradient->h_weight_hh, v.d_h_from_state[s], v.h[s - N]);
            SEE(-1, -1, gradient->h_weight_hh, "h_from_state", "weights", .yaml_line = 15, .tensor = "h.weight_hh",
                .written = 1, .count = 32);
        }
    for (int n = 0; n < N; n++) {
        SEE(-1, n, v.d_h_2[n], "sum_d_h_total_2", "forward", .yaml_line = 13, .tensor = "d_h_2", .count = 3, .slot = 3,
            .rank = 1, .shape = { 3 });
        SEE(-1, n, v.d_h_3[n], "sum_d_h_total_2", "forward", .yaml_line = 13, .tensor = "d_h_3", .count = 3, .slot = 3,
            .rank = 1, .shape = { 3 });
        sum_d_h_total_2_forward(*scratch->d_h_total_2, v.d_h_2[n], v.d_h_3[n]);
        SEE(-1, n, *scratch->d_h_total_2, "sum_d_h_total_2", "forward", .yaml_line = 13, .tensor = "d_h_total_2",
            .written = 1, .count = 3, .slot = 3, .rank = 1, .shape = { 3 });
        SEE(-1, n, *scratch->d_h_total_2, "h_start", "weights", .yaml_line = 13, .tensor = "d_h_total_2", .count = 3,
            .slot = 3, .rank = 1, .shape = { 3 });
        h_start_weights(gradient->h_init, *scratch->d_h_total_2);
        SEE(-1, -1, gradient->h_init, "h_start", "weights", .yaml_line = 13, .tensor = "h.init", .written = 1,
            .count = 16);
    }
    for (int n = 0; n < N; n++) {
        SEE(-1, n, v.d_h_from_input[n], "sum_d_h_from_input_2", "forward", .yaml_line = 15, .tensor = "d_h_from_input",
            .count = 9, .slot = 9, .rank = 1, .shape = { 9 });
        sum_d_h_from_input_2_forward(*scratch->d_h_from_input_2, v.d_h_from_input + n);
        SEE(-1, n, *scratch->d_h_from_input_2, "sum_d_h_from_input_2", "forward", .yaml_line = 15,
            .tensor = "d_h_from_input_2", .written = 1, .count = 9, .slot = 9, .rank = 1, .shape = { 9 });
        SEE(-1, n, *scratch->d_h_from_input_2, "h_from_input", "weights", .yaml_line = 15, .tensor = "d_h_from_input_2",
            .count = 9, .slot = 9, .rank = 1, .shape = { 9 });
        SEE(-1, n, v.image[n], "h_from_input", "weights", .yaml_line = 15, .tensor = "image", .count = 16, .slot = 16,
            .rank = 3, .shape = { 1, 4, 4 });
        h_from_input_weights(gradient->h_weight_ih, gradient->h_bias_ih, *scratch->d_h_from_input_2,
            (real *)v.image[n]);
        SEE(-1, -1, gradient->h_weight_ih, "h_from_input", "weights", .yaml_line = 15, .tensor = "h.weight_ih",
            .written = 1, .count = 144);
        SEE(-1, -1, gradient->h_bias_ih, "h_from_input", "weights", .yaml_line = 15, .tensor = "h.bias_ih",
            .written = 1, .count = 16);
    }
    return 0;
}

/* The rows of a profile: calls in their order, and waits. */
static const NetRow rows[] = {
    { "load_image", "load", .phase = 0, .yaml_line = 5, .bytes = 2048 },
    { "load_digits", "load", .phase = 0, .yaml_line = 6, .bytes = 2048 },
    { "h_from_input", "forward", .phase = 0, .yaml_line = 15, .macs = 2304, .products = 2304, .bytes = 23680 },
    { "h_start", "forward", .phase = 0, .yaml_line = 13, .bytes = 2432 },
    { "h_from_state", "forward", .phase = 1, .yaml_line = 15, .macs = 864, .products = 864, .bytes = 11264 },
    { "h", "forward", .phase = 1, .yaml_line = 15, .bytes = 7680 },
    { "A", "forward", .phase = 2, .yaml_line = 16, .macs = 576, .products = 576, .bytes = 14592 },
    { "crop", "forward", .phase = 2, .yaml_line = 17, .bytes = 6656 },
    { "classify_dropout1", "forward", .phase = 2, .yaml_line = 9, .bytes = 2048 },
    { "classify_dense1", "forward", .phase = 2, .yaml_line = 10, .macs = 256, .products = 256, .bytes = 9728 },
    { "cross_entropy1", "forward", .phase = 2, .yaml_line = 19, .bytes = 4864 },
    { "cross_entropy1", "backward", .phase = 3, .yaml_line = 19, .bytes = 8704 },
    { "classify_dense1", "weights", .phase = 3, .yaml_line = 10, .macs = 256, .products = 256, .bytes = 5120 },
    { "classify_dense1", "backward", .phase = 3, .yaml_line = 10, .macs = 256, .products = 256, .bytes = 12288 },
    { "classify_dropout1", "backward", .phase = 3, .yaml_line = 9, .bytes = 8192 },
    { "crop", "backward", .phase = 3, .yaml_line = 17, .bytes = 13824 },
    { "A", "weights", .phase = 3, .yaml_line = 16, .macs = 576, .products = 576, .bytes = 4864 },
    { "A", "backward", .phase = 3, .yaml_line = 16, .macs = 576, .products = 576, .bytes = 13056 },
    { "d_h_2_end", "forward", .phase = 4, .yaml_line = 15, .bytes = 384 },
    { "d_h_3_end", "forward", .phase = 4, .yaml_line = 15, .bytes = 384 },
    { "sum_d_h_total", "forward", .phase = 5, .yaml_line = 13, .bytes = 6400 },
    { "h", "backward", .phase = 5, .yaml_line = 15, .bytes = 14848 },
    { "h_from_state", "backward", .phase = 5, .yaml_line = 15, .macs = 864, .products = 864, .bytes = 11264 },
    { "h_from_state", "weights", .phase = 6, .yaml_line = 15, .macs = 864, .products = 864, .bytes = 3072 },
    { "sum_d_h_total_2", "forward", .phase = 7, .yaml_line = 13, .bytes = 2816 },
    { "h_start", "weights", .phase = 7, .yaml_line = 13, .bytes = 2048 },
    { "sum_d_h_from_input_2", "forward", .phase = 8, .yaml_line = 15, .bytes = 4352 },
    { "h_from_input", "weights", .phase = 8, .yaml_line = 15, .macs = 2304, .products = 2304, .bytes = 4096 },
    { "rmsprop", "update", .phase = 9, .whole = 1, .bytes = 13824 },
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
                dropout_at(batch, (DropoutUse){ .rate = classify_dropout1_rate, .ramp = 5, .place = 0, .step = t,
                .group = n / 16 }), n % 16);
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
                dropout_at(batch, (DropoutUse){ .rate = classify_dropout1_rate, .ramp = 5, .place = 0, .step = t,
                .group = n / 16 }), n % 16);
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
