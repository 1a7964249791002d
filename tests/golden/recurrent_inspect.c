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
    for (int g = 0; g < G; g++) {
        load_image_forward((real *)v.image[g], batch->inputs[0], g * L, batch->count);
        SEE(-1, g, v.image[g], "load_image", "forward", .yaml_line = 5, .tensor = "image", .written = 1, .count = 256,
            .slot = 256, .rank = 3, .shape = { 1, 4, 4 });
        load_digits_forward(v.digits[g], batch->targets[0], g * L, batch->count);
        h_start_forward((real *)v.h[g - G], weights->h_init);
        SEE(-1, g, v.h[g - G], "h_start", "forward", .yaml_line = 13, .tensor = "h", .written = 1, .count = 48,
            .slot = 48, .rank = 1, .shape = { 3 });
    }
    SEE(-1, -1, v.image[0], "h_from_input", "forward", .yaml_line = 15, .tensor = "image", .count = 256, .slot = 256,
        .rank = 3, .shape = { 1, 4, 4 });
    h_from_input_forward(v.h_from_input, v.image, weights->h_weight_ih, weights->h_bias_ih);
    SEE(-1, -1, v.h_from_input[0], "h_from_input", "forward", .yaml_line = 15, .tensor = "h_from_input", .written = 1,
        .count = 144, .slot = 144, .rank = 1, .shape = { 9 });
    for (int t = 0; t < 2; t++) {
        SEE(t, -1, v.h[t * G - G], "h_from_state", "forward", .yaml_line = 15, .tensor = "h", .count = 48, .slot = 48,
            .rank = 1, .shape = { 3 });
        h_from_state_forward(v.h_from_state, v.h + t * G - G, weights->h_weight_hh);
        SEE(t, -1, v.h_from_state[0], "h_from_state", "forward", .yaml_line = 15, .tensor = "h_from_state",
            .written = 1, .count = 144, .slot = 144, .rank = 1, .shape = { 9 });
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, v.h_from_input[g], "h", "forward", .yaml_line = 15, .tensor = "h_from_input", .count = 144,
                .slot = 144, .rank = 1, .shape = { 9 });
            SEE(t, g, v.h_from_state[g], "h", "forward", .yaml_line = 15, .tensor = "h_from_state", .count = 144,
                .slot = 144, .rank = 1, .shape = { 9 });
            SEE(t, g, v.h[s - G], "h", "forward", .yaml_line = 15, .tensor = "h", .count = 48, .slot = 48, .rank = 1,
                .shape = { 3 });
            h_forward(v.h[s], v.h_gates[s], v.h_from_input[g], v.h_from_state[g], v.h[s - G]);
            SEE(t, g, v.h[s], "h", "forward", .yaml_line = 15, .tensor = "h", .written = 1, .count = 48, .slot = 48,
                .rank = 1, .shape = { 3 });
            SEE(t, g, v.h_gates[s], "h", "forward", .yaml_line = 15, .tensor = "h_gates", .written = 1, .count = 192,
                .slot = 192, .rank = 2, .shape = { 4, 3 });
        }
    }
    SEE(-1, -1, v.h[0], "A", "forward", .yaml_line = 16, .tensor = "h", .count = 96, .slot = 48, .rank = 1,
        .shape = { 3 });
    A_forward(v.A, v.h, weights->A_weight, weights->A_bias);
    SEE(-1, -1, v.A[0], "A", "forward", .yaml_line = 16, .tensor = "A", .written = 1, .count = 192, .slot = 96,
        .rank = 1, .shape = { 6 });
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, v.image[g], "crop", "forward", .yaml_line = 17, .tensor = "image", .count = 256, .slot = 256,
                .rank = 3, .shape = { 1, 4, 4 });
            SEE(t, g, v.A[s], "crop", "forward", .yaml_line = 17, .tensor = "A", .count = 96, .slot = 96, .rank = 1,
                .shape = { 6 });
            crop_forward(v.crop[s], v.crop_slopes[s], v.image[g], v.A[s]);
            SEE(t, g, v.crop[s], "crop", "forward", .yaml_line = 17, .tensor = "crop", .written = 1, .count = 64,
                .slot = 64, .rank = 3, .shape = { 1, 2, 2 });
            SEE(t, g, v.crop_slopes[s], "crop", "forward", .yaml_line = 17, .tensor = "crop_slopes", .written = 1,
                .count = 128, .slot = 128, .rank = 4, .shape = { 2, 1, 2, 2 });
            SEE(t, g, v.crop[s], "classify_dropout1", "forward", .yaml_line = 9, .tensor = "crop", .count = 64,
                .slot = 64, .rank = 3, .shape = { 1, 2, 2 });
            classify_dropout1_forward((real *)v.classify_dropout1[s], (real *)v.crop[s],
                dropout_at(batch, (DropoutUse){ .rate = classify_dropout1_rate, .ramp = 5, .place = 0, .step = t,
                .group = g }));
            SEE(t, g, v.classify_dropout1[s], "classify_dropout1", "forward", .yaml_line = 9,
                .tensor = "classify_dropout1", .written = 1, .count = 64, .slot = 64, .rank = 3, .shape = { 1, 2, 2 });
        }
    SEE(-1, -1, v.classify_dropout1[0], "classify_dense1", "forward", .yaml_line = 10, .tensor = "classify_dropout1",
        .count = 128, .slot = 64, .rank = 3, .shape = { 1, 2, 2 });
    classify_dense1_forward(v.classify_dense1, v.classify_dropout1, weights->classify_dense1_weight,
        weights->classify_dense1_bias);
    SEE(-1, -1, v.classify_dense1[0], "classify_dense1", "forward", .yaml_line = 10, .tensor = "classify_dense1",
        .written = 1, .count = 64, .slot = 32, .rank = 1, .shape = { 2 });
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, v.classify_dense1[s], "cross_entropy1", "forward", .yaml_line = 19, .tensor = "classify_dense1",
                .count = 32, .slot = 32, .rank = 1, .shape = { 2 });
            cross_entropy1_forward(v.loss1[s], (real *)v.classify_dense1[s], v.digits[g][t]);
            SEE(t, g, v.loss1[s], "cross_entropy1", "forward", .yaml_line = 19, .tensor = "loss1", .written = 1,
                .count = 16, .slot = 16);
        }
    real loss1_scale = (real)(1 / ((double)batch->count * 2));
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, v.classify_dense1[s], "cross_entropy1", "backward", .yaml_line = 19, .tensor = "classify_dense1",
                .count = 32, .slot = 32, .rank = 1, .shape = { 2 });
            cross_entropy1_backward((real *)v.d_classify_dense1[s], (real *)v.classify_dense1[s], v.digits[g][t],
                loss1_scale, present(batch, g));
            SEE(t, g, v.d_classify_dense1[s], "cross_entropy1", "backward", .yaml_line = 19,
                .tensor = "d_classify_dense1", .written = 1, .count = 32, .slot = 32, .rank = 1, .shape = { 2 });
            SEE(t, g, v.d_classify_dense1[s], "classify_dense1", "weights", .yaml_line = 10,
                .tensor = "d_classify_dense1", .count = 32, .slot = 32, .rank = 1, .shape = { 2 });
            classify_dense1_transpose(v.d_classify_dense1_rows[s], (real *)v.d_classify_dense1[s]);
        }
    SEE(-1, -1, v.d_classify_dense1[0], "classify_dense1", "backward", .yaml_line = 10, .tensor = "d_classify_dense1",
        .count = 64, .slot = 32, .rank = 1, .shape = { 2 });
    classify_dense1_backward(v.d_classify_dropout1, v.d_classify_dense1, weights->classify_dense1_weight);
    SEE(-1, -1, v.d_classify_dropout1[0], "classify_dense1", "backward", .yaml_line = 10,
        .tensor = "d_classify_dropout1", .written = 1, .count = 128, .slot = 64, .rank = 3, .shape = { 1, 2, 2 });
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, v.d_classify_dropout1[s], "classify_dropout1", "backward", .yaml_line = 9,
                .tensor = "d_classify_dropout1", .count = 64, .slot = 64, .rank = 3, .shape = { 1, 2, 2 });
            classify_dropout1_backward((real *)*scratch->d_crop, (real *)v.d_classify_dropout1[s],
                dropout_at(batch, (DropoutUse){ .rate = classify_dropout1_rate, .ramp = 5, .place = 0, .step = t,
                .group = g }));
            SEE(t, g, *scratch->d_crop, "classify_dropout1", "backward", .yaml_line = 9, .tensor = "d_crop",
                .written = 1, .count = 64, .slot = 64, .rank = 3, .shape = { 1, 2, 2 });
            SEE(t, g, *scratch->d_crop, "crop", "backward", .yaml_line = 17, .tensor = "d_crop", .count = 64,
                .slot = 64, .rank = 3, .shape = { 1, 2, 2 });
            SEE(t, g, v.crop_slopes[s], "crop", "backward", .yaml_line = 17, .tensor = "crop_slopes", .count = 128,
                .slot = 128, .rank = 4, .shape = { 2, 1, 2, 2 });
            crop_backward(v.d_A[s], *scratch->d_crop, v.crop_slopes[s]);
            SEE(t, g, v.d_A[s], "crop", "backward", .yaml_line = 17, .tensor = "d_A", .written = 1, .count = 96,
                .slot = 96, .rank = 1, .shape = { 6 });
            SEE(t, g, v.d_A[s], "A", "weights", .yaml_line = 16, .tensor = "d_A", .count = 96, .slot = 96, .rank = 1,
                .shape = { 6 });
            A_transpose(v.d_A_rows[s], (real *)v.d_A[s]);
        }
    SEE(-1, -1, v.classify_dropout1[0], "classify_dense1", "weights", .yaml_line = 10, .tensor = "classify_dropout1",
        .count = 128, .slot = 64, .rank = 3, .shape = { 1, 2, 2 });
    classify_dense1_weights(gradient->classify_dense1_weight, gradient->classify_dense1_bias,
        v.d_classify_dense1_rows[0], v.classify_dropout1);
    SEE(-1, -1, gradient->classify_dense1_weight, "classify_dense1", "weights", .yaml_line = 10,
        .tensor = "classify.dense1.weight", .written = 1, .count = 64);
    SEE(-1, -1, gradient->classify_dense1_bias, "classify_dense1", "weights", .yaml_line = 10,
        .tensor = "classify.dense1.bias", .written = 1, .count = 16);
    SEE(-1, -1, v.d_A[0], "A", "backward", .yaml_line = 16, .tensor = "d_A", .count = 192, .slot = 96, .rank = 1,
        .shape = { 6 });
    A_backward(v.d_h, v.d_A, weights->A_weight);
    SEE(-1, -1, v.d_h[0], "A", "backward", .yaml_line = 16, .tensor = "d_h", .written = 1, .count = 96, .slot = 48,
        .rank = 1, .shape = { 3 });
    for (int g = 0; g < G; g++) {
        zero_3_forward((real *)v.d_h_2[g]);
        SEE(-1, g, v.d_h_2[g], "d_h_2_end", "forward", .yaml_line = 15, .tensor = "d_h_2", .written = 1, .count = 48,
            .slot = 48, .rank = 1, .shape = { 3 });
        zero_3_forward((real *)v.d_h_3[g]);
        SEE(-1, g, v.d_h_3[g], "d_h_3_end", "forward", .yaml_line = 15, .tensor = "d_h_3", .written = 1, .count = 48,
            .slot = 48, .rank = 1, .shape = { 3 });
    }
    SEE(-1, -1, v.h[0], "A", "weights", .yaml_line = 16, .tensor = "h", .count = 96, .slot = 48, .rank = 1,
        .shape = { 3 });
    A_weights(gradient->A_weight, gradient->A_bias, v.d_A_rows[0], v.h);
    SEE(-1, -1, gradient->A_weight, "A", "weights", .yaml_line = 16, .tensor = "A.weight", .written = 1, .count = 48);
    SEE(-1, -1, gradient->A_bias, "A", "weights", .yaml_line = 16, .tensor = "A.bias", .written = 1, .count = 16);
    for (int t = 1; t >= 0; t--) {
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, v.d_h[s], "sum_d_h_total", "forward", .yaml_line = 13, .tensor = "d_h", .count = 48, .slot = 48,
                .rank = 1, .shape = { 3 });
            SEE(t, g, v.d_h_2[g], "sum_d_h_total", "forward", .yaml_line = 13, .tensor = "d_h_2", .count = 48,
                .slot = 48, .rank = 1, .shape = { 3 });
            SEE(t, g, v.d_h_3[g], "sum_d_h_total", "forward", .yaml_line = 13, .tensor = "d_h_3", .count = 48,
                .slot = 48, .rank = 1, .shape = { 3 });
            sum_d_h_total_forward((real *)*scratch->d_h_total, (real *)v.d_h[s], (real *)v.d_h_2[g],
                (real *)v.d_h_3[g]);
            SEE(t, g, *scratch->d_h_total, "sum_d_h_total", "forward", .yaml_line = 13, .tensor = "d_h_total",
                .written = 1, .count = 48, .slot = 48, .rank = 1, .shape = { 3 });
            SEE(t, g, *scratch->d_h_total, "h", "backward", .yaml_line = 15, .tensor = "d_h_total", .count = 48,
                .slot = 48, .rank = 1, .shape = { 3 });
            SEE(t, g, v.h_gates[s], "h", "backward", .yaml_line = 15, .tensor = "h_gates", .count = 192, .slot = 192,
                .rank = 2, .shape = { 4, 3 });
            SEE(t, g, v.h[s - G], "h", "backward", .yaml_line = 15, .tensor = "h", .count = 48, .slot = 48, .rank = 1,
                .shape = { 3 });
            h_backward(v.d_h_from_input[s], v.d_h_from_state[g], v.d_h_2[g], *scratch->d_h_total, v.h_gates[s],
                v.h[s - G]);
            SEE(t, g, v.d_h_from_input[s], "h", "backward", .yaml_line = 15, .tensor = "d_h_from_input", .written = 1,
                .count = 144, .slot = 144, .rank = 1, .shape = { 9 });
            SEE(t, g, v.d_h_from_state[g], "h", "backward", .yaml_line = 15, .tensor = "d_h_from_state", .written = 1,
                .count = 144, .slot = 144, .rank = 1, .shape = { 9 });
            SEE(t, g, v.d_h_2[g], "h", "backward", .yaml_line = 15, .tensor = "d_h_2", .written = 1, .count = 48,
                .slot = 48, .rank = 1, .shape = { 3 });
            SEE(t, g, v.d_h_from_state[g], "h_from_state", "weights", .yaml_line = 15, .tensor = "d_h_from_state",
                .count = 144, .slot = 144, .rank = 1, .shape = { 9 });
            h_from_state_transpose(v.d_h_from_state_rows[s], (real *)v.d_h_from_state[g]);
        }
        SEE(t, -1, v.d_h_from_state[0], "h_from_state", "backward", .yaml_line = 15, .tensor = "d_h_from_state",
            .count = 144, .slot = 144, .rank = 1, .shape = { 9 });
        h_from_state_backward(v.d_h_3, v.d_h_from_state, weights->h_weight_hh);
        SEE(t, -1, v.d_h_3[0], "h_from_state", "backward", .yaml_line = 15, .tensor = "d_h_3", .written = 1,
            .count = 48, .slot = 48, .rank = 1, .shape = { 3 });
    }
    for (int g = 0; g < G; g++) {
        SEE(-1, g, v.d_h_2[g], "sum_d_h_total_2", "forward", .yaml_line = 13, .tensor = "d_h_2", .count = 48,
            .slot = 48, .rank = 1, .shape = { 3 });
        SEE(-1, g, v.d_h_3[g], "sum_d_h_total_2", "forward", .yaml_line = 13, .tensor = "d_h_3", .count = 48,
            .slot = 48, .rank = 1, .shape = { 3 });
        sum_d_h_total_2_forward((real *)*scratch->d_h_total_2, (real *)v.d_h_2[g], (real *)v.d_h_3[g]);
        SEE(-1, g, *scratch->d_h_total_2, "sum_d_h_total_2", "forward", .yaml_line = 13, .tensor = "d_h_total_2",
            .written = 1, .count = 48, .slot = 48, .rank = 1, .shape = { 3 });
        SEE(-1, g, *scratch->d_h_total_2, "h_start", "weights", .yaml_line = 13, .tensor = "d_h_total_2", .count = 48,
            .slot = 48, .rank = 1, .shape = { 3 });
        h_start_weights(v.d_h_init_part[g].of, (real *)*scratch->d_h_total_2);
        SEE(-1, g, v.d_h_init_part[g].of, "h_start", "weights", .yaml_line = 13, .tensor = "d_h_init_part",
            .written = 1, .count = 3, .rank = 1, .shape = { 3 });
    }
    SEE(-1, -1, v.h[-G], "h_from_state", "weights", .yaml_line = 15, .tensor = "h", .count = 96, .slot = 48, .rank = 1,
        .shape = { 3 });
    h_from_state_weights(gradient->h_weight_hh, v.d_h_from_state_rows[0], v.h - G);
    SEE(-1, -1, gradient->h_weight_hh, "h_from_state", "weights", .yaml_line = 15, .tensor = "h.weight_hh",
        .written = 1, .count = 48);
    fold(gradient->h_init, v.d_h_init_part[0].of, G, 3, 0);
    for (int g = 0; g < G; g++) {
        SEE(-1, g, v.d_h_from_input[g], "sum_d_h_from_input_2", "forward", .yaml_line = 15, .tensor = "d_h_from_input",
            .count = 144, .slot = 144, .rank = 1, .shape = { 9 });
        sum_d_h_from_input_2_forward(*scratch->d_h_from_input_2, v.d_h_from_input + g);
        SEE(-1, g, *scratch->d_h_from_input_2, "sum_d_h_from_input_2", "forward", .yaml_line = 15,
            .tensor = "d_h_from_input_2", .written = 1, .count = 144, .slot = 144, .rank = 1, .shape = { 9 });
        SEE(-1, g, *scratch->d_h_from_input_2, "h_from_input", "weights", .yaml_line = 15, .tensor = "d_h_from_input_2",
            .count = 144, .slot = 144, .rank = 1, .shape = { 9 });
        h_from_input_transpose(v.d_h_from_input_rows[g], (real *)*scratch->d_h_from_input_2);
    }
    SEE(-1, -1, v.image[0], "h_from_input", "weights", .yaml_line = 15, .tensor = "image", .count = 256, .slot = 256,
        .rank = 3, .shape = { 1, 4, 4 });
    h_from_input_weights(gradient->h_weight_ih, gradient->h_bias_ih, v.d_h_from_input_rows[0], v.image);
    SEE(-1, -1, gradient->h_weight_ih, "h_from_input", "weights", .yaml_line = 15, .tensor = "h.weight_ih",
        .written = 1, .count = 256);
    SEE(-1, -1, gradient->h_bias_ih, "h_from_input", "weights", .yaml_line = 15, .tensor = "h.bias_ih", .written = 1,
        .count = 16);
    return 0;
}

/* The rows of a profile: calls in their order, and waits. */
static const NetRow rows[] = {
    { "load_image", "load", .phase = 0, .yaml_line = 5, .bytes = 1024 },
    { "load_digits", "load", .phase = 0, .yaml_line = 6, .bytes = 128 },
    { "h_start", "forward", .phase = 0, .yaml_line = 13, .bytes = 256 },
    { "", "wait", .phase = 0, .whole = 1 },
    { "h_from_input", "forward", .phase = 1, .yaml_line = 15, .whole = 1, .macs = 2304, .products = 2304,
        .bytes = 2688 },
    { "h_from_state", "forward", .phase = 2, .yaml_line = 15, .whole = 1, .macs = 864, .products = 864, .bytes = 1920 },
    { "", "wait", .phase = 2, .whole = 1 },
    { "h", "forward", .phase = 3, .yaml_line = 15, .bytes = 4224 },
    { "", "wait", .phase = 3, .whole = 1 },
    { "A", "forward", .phase = 4, .yaml_line = 16, .whole = 1, .macs = 576, .products = 576, .bytes = 1408 },
    { "", "wait", .phase = 4, .whole = 1 },
    { "crop", "forward", .phase = 5, .yaml_line = 17, .bytes = 4352 },
    { "classify_dropout1", "forward", .phase = 5, .yaml_line = 9, .bytes = 1024 },
    { "", "wait", .phase = 5, .whole = 1 },
    { "classify_dense1", "forward", .phase = 6, .yaml_line = 10, .whole = 1, .macs = 256, .products = 256,
        .bytes = 1088 },
    { "", "wait", .phase = 6, .whole = 1 },
    { "cross_entropy1", "forward", .phase = 7, .yaml_line = 19, .bytes = 640 },
    { "", "wait", .phase = 7, .whole = 1 },
    { "cross_entropy1", "backward", .phase = 8, .yaml_line = 19, .bytes = 768 },
    { "classify_dense1", "weights", .phase = 8, .yaml_line = 10, .bytes = 2304 },
    { "", "wait", .phase = 8, .whole = 1 },
    { "classify_dense1", "backward", .phase = 9, .yaml_line = 10, .whole = 1, .macs = 256, .products = 256,
        .bytes = 1024 },
    { "", "wait", .phase = 9, .whole = 1 },
    { "classify_dropout1", "backward", .phase = 10, .yaml_line = 9, .bytes = 1024 },
    { "crop", "backward", .phase = 10, .yaml_line = 17, .bytes = 2304 },
    { "A", "weights", .phase = 10, .yaml_line = 16, .bytes = 2816 },
    { "classify_dense1", "products", .phase = 11, .yaml_line = 10, .whole = 1, .macs = 256, .products = 256,
        .bytes = 2880 },
    { "", "wait", .phase = 11, .whole = 1 },
    { "A", "backward", .phase = 12, .yaml_line = 16, .whole = 1, .macs = 576, .products = 576, .bytes = 1344 },
    { "d_h_2_end", "forward", .phase = 13, .yaml_line = 15, .bytes = 192 },
    { "d_h_3_end", "forward", .phase = 13, .yaml_line = 15, .bytes = 192 },
    { "A", "products", .phase = 14, .yaml_line = 16, .whole = 1, .macs = 576, .products = 576, .bytes = 2688 },
    { "", "wait", .phase = 14, .whole = 1 },
    { "sum_d_h_total", "forward", .phase = 15, .yaml_line = 13, .bytes = 1536 },
    { "h", "backward", .phase = 15, .yaml_line = 15, .bytes = 4992 },
    { "h_from_state", "weights", .phase = 15, .yaml_line = 15, .bytes = 3200 },
    { "", "wait", .phase = 15, .whole = 1 },
    { "h_from_state", "backward", .phase = 16, .yaml_line = 15, .whole = 1, .macs = 864, .products = 864,
        .bytes = 1920 },
    { "", "wait", .phase = 16, .whole = 1 },
    { "sum_d_h_total_2", "forward", .phase = 17, .yaml_line = 13, .bytes = 576 },
    { "h_start", "weights", .phase = 17, .yaml_line = 13, .bytes = 256 },
    { "h_from_state", "products", .phase = 18, .yaml_line = 15, .whole = 1, .macs = 864, .products = 864,
        .bytes = 2624 },
    { "", "wait", .phase = 18, .whole = 1 },
    { "fold_h_init", "fold", .phase = 19, .yaml_line = 13, .whole = 1, .bytes = 128 },
    { "sum_d_h_from_input_2", "forward", .phase = 20, .yaml_line = 15, .bytes = 1728 },
    { "h_from_input", "weights", .phase = 20, .yaml_line = 15, .bytes = 1600 },
    { "", "wait", .phase = 20, .whole = 1 },
    { "h_from_input", "products", .phase = 21, .yaml_line = 15, .whole = 1, .macs = 2304, .products = 2304,
        .bytes = 3136 },
    { "", "wait", .phase = 21, .whole = 1 },
    { "rmsprop", "update", .phase = 22, .whole = 1, .bytes = 11520 },
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
                dropout_at(batch, (DropoutUse){ .rate = classify_dropout1_rate, .ramp = 5, .place = 0, .step = t,
                .group = g }));
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
                dropout_at(batch, (DropoutUse){ .rate = classify_dropout1_rate, .ramp = 5, .place = 0, .step = t,
                .group = g }));
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
    fold(gradient->h_init, v.d_h_init_part[0].of, G, 3, 0);
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
