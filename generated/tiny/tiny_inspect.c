/* SPDX-License-Identifier: 0BSD */
/* tiny_inspect.c -- made by spnc from models/tiny.yaml.  Edit that, not this.
 *
 * Forward and backward once more, call by call as in tiny.c, which includes this file: the calls are of its static
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
        load_image_bytes_forward(v.image_bytes[g].of, batch->inputs[0], g * L, batch->count);
        load_image_forward((real *)*scratch->image, batch->inputs[0], g * L, batch->count);
        SEE(-1, g, *scratch->image, "load_image", "forward", .yaml_line = 10, .tensor = "image", .written = 1,
            .count = 160000, .slot = 160000, .rank = 3, .shape = { 1, 100, 100 });
        load_digits_forward(v.digits[g], batch->targets[0], g * L, batch->count);
        SEE(-1, g, *scratch->image, "front_maxpool1", "forward", .yaml_line = 16, .tensor = "image", .count = 160000,
            .slot = 160000, .rank = 3, .shape = { 1, 100, 100 });
        front_maxpool1_forward(v.front_maxpool1[g], *scratch->image);
        SEE(-1, g, v.front_maxpool1[g], "front_maxpool1", "forward", .yaml_line = 16, .tensor = "front_maxpool1",
            .written = 1, .count = 10000, .slot = 10000, .rank = 3, .shape = { 1, 25, 25 });
        SEE(-1, g, v.front_maxpool1[g], "front_conv1", "forward", .yaml_line = 17, .tensor = "front_maxpool1",
            .count = 10000, .slot = 10000, .rank = 3, .shape = { 1, 25, 25 });
        front_conv1_forward(*scratch->front_conv1, v.front_maxpool1[g], weights->front_conv1_weight,
            weights->front_conv1_bias);
        SEE(-1, g, *scratch->front_conv1, "front_conv1", "forward", .yaml_line = 17, .tensor = "front_conv1",
            .written = 1, .count = 33856, .slot = 33856, .rank = 3, .shape = { 4, 23, 23 });
        SEE(-1, g, *scratch->front_conv1, "front_maxpool2", "forward", .yaml_line = 18, .tensor = "front_conv1",
            .count = 33856, .slot = 33856, .rank = 3, .shape = { 4, 23, 23 });
        front_maxpool2_forward(v.front_maxpool2[g], v.front_maxpool2_winner[g].of, *scratch->front_conv1);
        SEE(-1, g, v.front_maxpool2[g], "front_maxpool2", "forward", .yaml_line = 18, .tensor = "front_maxpool2",
            .written = 1, .count = 3136, .slot = 3136, .rank = 3, .shape = { 4, 7, 7 });
        zero_16_forward((real *)v.h[g - G]);
        SEE(-1, g, v.h[g - G], "h_start", "forward", .yaml_line = 27, .tensor = "h", .written = 1, .count = 256,
            .slot = 256, .rank = 1, .shape = { 16 });
    }
    SEE(-1, -1, v.front_maxpool2[0], "h_from_input", "forward", .yaml_line = 29, .tensor = "front_maxpool2",
        .count = 6272, .slot = 3136, .rank = 3, .shape = { 4, 7, 7 });
    h_from_input_forward(v.h_from_input, v.front_maxpool2, weights->h_weight_ih, weights->h_bias_ih);
    SEE(-1, -1, v.h_from_input[0], "h_from_input", "forward", .yaml_line = 29, .tensor = "h_from_input", .written = 1,
        .count = 1536, .slot = 768, .rank = 1, .shape = { 48 });
    for (int t = 0; t < 3; t++) {
        SEE(t, -1, v.h[t * G - G], "h_from_state", "forward", .yaml_line = 29, .tensor = "h", .count = 512, .slot = 256,
            .rank = 1, .shape = { 16 });
        h_from_state_forward(v.h_from_state, v.h + t * G - G, weights->h_weight_hh);
        SEE(t, -1, v.h_from_state[0], "h_from_state", "forward", .yaml_line = 29, .tensor = "h_from_state",
            .written = 1, .count = 1536, .slot = 768, .rank = 1, .shape = { 48 });
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, v.h_from_input[g], "h", "forward", .yaml_line = 29, .tensor = "h_from_input", .count = 768,
                .slot = 768, .rank = 1, .shape = { 48 });
            SEE(t, g, v.h_from_state[g], "h", "forward", .yaml_line = 29, .tensor = "h_from_state", .count = 768,
                .slot = 768, .rank = 1, .shape = { 48 });
            SEE(t, g, v.h[s - G], "h", "forward", .yaml_line = 29, .tensor = "h", .count = 256, .slot = 256, .rank = 1,
                .shape = { 16 });
            h_forward(v.h[s], v.h_gates[s], v.h_from_input[g], v.h_from_state[g], v.h[s - G]);
            SEE(t, g, v.h[s], "h", "forward", .yaml_line = 29, .tensor = "h", .written = 1, .count = 256, .slot = 256,
                .rank = 1, .shape = { 16 });
            SEE(t, g, v.h_gates[s], "h", "forward", .yaml_line = 29, .tensor = "h_gates", .written = 1, .count = 1024,
                .slot = 1024, .rank = 2, .shape = { 4, 16 });
        }
    }
    SEE(-1, -1, v.h[0], "A", "forward", .yaml_line = 30, .tensor = "h", .count = 1536, .slot = 256, .rank = 1,
        .shape = { 16 });
    A_forward(v.A, v.h, weights->A_weight, weights->A_bias);
    SEE(-1, -1, v.A[0], "A", "forward", .yaml_line = 30, .tensor = "A", .written = 1, .count = 576, .slot = 96,
        .rank = 1, .shape = { 6 });
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, v.A[s], "crop", "forward", .yaml_line = 31, .tensor = "A", .count = 96, .slot = 96, .rank = 1,
                .shape = { 6 });
            crop_forward(v.crop[s], v.crop_slopes[s], v.image_bytes[g].of, v.A[s]);
            SEE(t, g, v.crop[s], "crop", "forward", .yaml_line = 31, .tensor = "crop", .written = 1, .count = 6400,
                .slot = 6400, .rank = 3, .shape = { 1, 20, 20 });
            SEE(t, g, v.crop_slopes[s], "crop", "forward", .yaml_line = 31, .tensor = "crop_slopes", .written = 1,
                .count = 12800, .slot = 12800, .rank = 4, .shape = { 2, 1, 20, 20 });
            SEE(t, g, v.crop[s], "classify_conv1", "forward", .yaml_line = 20, .tensor = "crop", .count = 6400,
                .slot = 6400, .rank = 3, .shape = { 1, 20, 20 });
            classify_conv1_forward(v.classify_maxpool1[s], v.classify_maxpool1_winner[s].of, v.crop[s],
                weights->classify_conv1_weight, weights->classify_conv1_bias);
            SEE(t, g, v.classify_maxpool1[s], "classify_conv1", "forward", .yaml_line = 20,
                .tensor = "classify_maxpool1", .written = 1, .count = 10368, .slot = 10368, .rank = 3,
                .shape = { 8, 9, 9 });
        }
    SEE(-1, -1, v.classify_maxpool1[0], "classify_dense1", "forward", .yaml_line = 22, .tensor = "classify_maxpool1",
        .count = 62208, .slot = 10368, .rank = 3, .shape = { 8, 9, 9 });
    classify_dense1_forward(v.classify_dense1, v.classify_maxpool1, weights->classify_dense1_weight,
        weights->classify_dense1_bias);
    SEE(-1, -1, v.classify_dense1[0], "classify_dense1", "forward", .yaml_line = 22, .tensor = "classify_dense1",
        .written = 1, .count = 960, .slot = 160, .rank = 1, .shape = { 10 });
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, v.classify_dense1[s], "cross_entropy1", "forward", .yaml_line = 34, .tensor = "classify_dense1",
                .count = 160, .slot = 160, .rank = 1, .shape = { 10 });
            cross_entropy1_forward(v.loss1[s], (real *)v.classify_dense1[s], v.digits[g][t]);
            SEE(t, g, v.loss1[s], "cross_entropy1", "forward", .yaml_line = 34, .tensor = "loss1", .written = 1,
                .count = 16, .slot = 16);
        }
    real loss1_scale = (real)(1 / ((double)batch->count * 3));
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, v.classify_dense1[s], "cross_entropy1", "backward", .yaml_line = 34, .tensor = "classify_dense1",
                .count = 160, .slot = 160, .rank = 1, .shape = { 10 });
            cross_entropy1_backward((real *)v.d_classify_dense1[s], (real *)v.classify_dense1[s], v.digits[g][t],
                loss1_scale, present(batch, g));
            SEE(t, g, v.d_classify_dense1[s], "cross_entropy1", "backward", .yaml_line = 34,
                .tensor = "d_classify_dense1", .written = 1, .count = 160, .slot = 160, .rank = 1, .shape = { 10 });
            SEE(t, g, v.d_classify_dense1[s], "classify_dense1", "weights", .yaml_line = 22,
                .tensor = "d_classify_dense1", .count = 160, .slot = 160, .rank = 1, .shape = { 10 });
            classify_dense1_transpose(v.d_classify_dense1_rows[s], (real *)v.d_classify_dense1[s]);
        }
    SEE(-1, -1, v.d_classify_dense1[0], "classify_dense1", "backward", .yaml_line = 22, .tensor = "d_classify_dense1",
        .count = 960, .slot = 160, .rank = 1, .shape = { 10 });
    classify_dense1_backward(v.d_classify_maxpool1, v.d_classify_dense1, weights->classify_dense1_weight);
    SEE(-1, -1, v.d_classify_maxpool1[0], "classify_dense1", "backward", .yaml_line = 22,
        .tensor = "d_classify_maxpool1", .written = 1, .count = 62208, .slot = 10368, .rank = 3, .shape = { 8, 9, 9 });
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, v.d_classify_maxpool1[s], "classify_conv1", "weights", .yaml_line = 20,
                .tensor = "d_classify_maxpool1", .count = 10368, .slot = 10368, .rank = 3, .shape = { 8, 9, 9 });
            SEE(t, g, v.classify_maxpool1[s], "classify_conv1", "weights", .yaml_line = 20,
                .tensor = "classify_maxpool1", .count = 10368, .slot = 10368, .rank = 3, .shape = { 8, 9, 9 });
            SEE(t, g, v.crop[s], "classify_conv1", "weights", .yaml_line = 20, .tensor = "crop", .count = 6400,
                .slot = 6400, .rank = 3, .shape = { 1, 20, 20 });
            classify_conv1_weights(v.d_classify_conv1_weight_part[s].of, v.d_classify_conv1_bias_part[s].of,
                v.d_classify_maxpool1[s], v.classify_maxpool1_winner[s].of, v.classify_maxpool1[s], v.crop[s]);
            SEE(t, g, v.d_classify_conv1_weight_part[s].of, "classify_conv1", "weights", .yaml_line = 20,
                .tensor = "d_classify_conv1_weight_part", .written = 1, .count = 72, .rank = 4,
                .shape = { 8, 1, 3, 3 });
            SEE(t, g, v.d_classify_conv1_bias_part[s].of, "classify_conv1", "weights", .yaml_line = 20,
                .tensor = "d_classify_conv1_bias_part", .written = 1, .count = 8, .rank = 1, .shape = { 8 });
            SEE(t, g, v.d_classify_maxpool1[s], "classify_conv1", "backward", .yaml_line = 20,
                .tensor = "d_classify_maxpool1", .count = 10368, .slot = 10368, .rank = 3, .shape = { 8, 9, 9 });
            SEE(t, g, v.classify_maxpool1[s], "classify_conv1", "backward", .yaml_line = 20,
                .tensor = "classify_maxpool1", .count = 10368, .slot = 10368, .rank = 3, .shape = { 8, 9, 9 });
            classify_conv1_backward(*scratch->d_crop, v.d_classify_maxpool1[s], v.classify_maxpool1_winner[s].of,
                v.classify_maxpool1[s], weights->classify_conv1_weight);
            SEE(t, g, *scratch->d_crop, "classify_conv1", "backward", .yaml_line = 20, .tensor = "d_crop", .written = 1,
                .count = 6400, .slot = 6400, .rank = 3, .shape = { 1, 20, 20 });
            SEE(t, g, *scratch->d_crop, "crop", "backward", .yaml_line = 31, .tensor = "d_crop", .count = 6400,
                .slot = 6400, .rank = 3, .shape = { 1, 20, 20 });
            SEE(t, g, v.crop_slopes[s], "crop", "backward", .yaml_line = 31, .tensor = "crop_slopes", .count = 12800,
                .slot = 12800, .rank = 4, .shape = { 2, 1, 20, 20 });
            crop_backward(v.d_A[s], *scratch->d_crop, v.crop_slopes[s]);
            SEE(t, g, v.d_A[s], "crop", "backward", .yaml_line = 31, .tensor = "d_A", .written = 1, .count = 96,
                .slot = 96, .rank = 1, .shape = { 6 });
            SEE(t, g, v.d_A[s], "A", "weights", .yaml_line = 30, .tensor = "d_A", .count = 96, .slot = 96, .rank = 1,
                .shape = { 6 });
            A_transpose(v.d_A_rows[s], (real *)v.d_A[s]);
        }
    SEE(-1, -1, v.classify_maxpool1[0], "classify_dense1", "weights", .yaml_line = 22, .tensor = "classify_maxpool1",
        .count = 62208, .slot = 10368, .rank = 3, .shape = { 8, 9, 9 });
    classify_dense1_weights(gradient->classify_dense1_weight, gradient->classify_dense1_bias,
        v.d_classify_dense1_rows[0], v.classify_maxpool1);
    SEE(-1, -1, gradient->classify_dense1_weight, "classify_dense1", "weights", .yaml_line = 22,
        .tensor = "classify.dense1.weight", .written = 1, .count = 10368);
    SEE(-1, -1, gradient->classify_dense1_bias, "classify_dense1", "weights", .yaml_line = 22,
        .tensor = "classify.dense1.bias", .written = 1, .count = 16);
    SEE(-1, -1, v.d_A[0], "A", "backward", .yaml_line = 30, .tensor = "d_A", .count = 576, .slot = 96, .rank = 1,
        .shape = { 6 });
    A_backward(v.d_h, v.d_A, weights->A_weight);
    SEE(-1, -1, v.d_h[0], "A", "backward", .yaml_line = 30, .tensor = "d_h", .written = 1, .count = 1536, .slot = 256,
        .rank = 1, .shape = { 16 });
    fold((real *)gradient->classify_conv1_weight, (real *)v.d_classify_conv1_weight_part[0].of, 3 * G, 72, 0);
    fold(gradient->classify_conv1_bias, v.d_classify_conv1_bias_part[0].of, 3 * G, 8, 0);
    for (int g = 0; g < G; g++) {
        zero_16_forward((real *)v.d_h_2[g]);
        SEE(-1, g, v.d_h_2[g], "d_h_2_end", "forward", .yaml_line = 29, .tensor = "d_h_2", .written = 1, .count = 256,
            .slot = 256, .rank = 1, .shape = { 16 });
        zero_16_forward((real *)v.d_h_3[g]);
        SEE(-1, g, v.d_h_3[g], "d_h_3_end", "forward", .yaml_line = 29, .tensor = "d_h_3", .written = 1, .count = 256,
            .slot = 256, .rank = 1, .shape = { 16 });
    }
    for (int t = 2; t >= 0; t--) {
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, v.d_h[s], "sum_d_h_total", "forward", .yaml_line = 27, .tensor = "d_h", .count = 256, .slot = 256,
                .rank = 1, .shape = { 16 });
            SEE(t, g, v.d_h_2[g], "sum_d_h_total", "forward", .yaml_line = 27, .tensor = "d_h_2", .count = 256,
                .slot = 256, .rank = 1, .shape = { 16 });
            SEE(t, g, v.d_h_3[g], "sum_d_h_total", "forward", .yaml_line = 27, .tensor = "d_h_3", .count = 256,
                .slot = 256, .rank = 1, .shape = { 16 });
            sum_d_h_total_forward((real *)*scratch->d_h_total, (real *)v.d_h[s], (real *)v.d_h_2[g],
                (real *)v.d_h_3[g]);
            SEE(t, g, *scratch->d_h_total, "sum_d_h_total", "forward", .yaml_line = 27, .tensor = "d_h_total",
                .written = 1, .count = 256, .slot = 256, .rank = 1, .shape = { 16 });
            SEE(t, g, *scratch->d_h_total, "h", "backward", .yaml_line = 29, .tensor = "d_h_total", .count = 256,
                .slot = 256, .rank = 1, .shape = { 16 });
            SEE(t, g, v.h_gates[s], "h", "backward", .yaml_line = 29, .tensor = "h_gates", .count = 1024, .slot = 1024,
                .rank = 2, .shape = { 4, 16 });
            SEE(t, g, v.h[s - G], "h", "backward", .yaml_line = 29, .tensor = "h", .count = 256, .slot = 256, .rank = 1,
                .shape = { 16 });
            h_backward(v.d_h_from_input[s], v.d_h_from_state[g], v.d_h_2[g], *scratch->d_h_total, v.h_gates[s],
                v.h[s - G]);
            SEE(t, g, v.d_h_from_input[s], "h", "backward", .yaml_line = 29, .tensor = "d_h_from_input", .written = 1,
                .count = 768, .slot = 768, .rank = 1, .shape = { 48 });
            SEE(t, g, v.d_h_from_state[g], "h", "backward", .yaml_line = 29, .tensor = "d_h_from_state", .written = 1,
                .count = 768, .slot = 768, .rank = 1, .shape = { 48 });
            SEE(t, g, v.d_h_2[g], "h", "backward", .yaml_line = 29, .tensor = "d_h_2", .written = 1, .count = 256,
                .slot = 256, .rank = 1, .shape = { 16 });
            SEE(t, g, v.d_h_from_state[g], "h_from_state", "weights", .yaml_line = 29, .tensor = "d_h_from_state",
                .count = 768, .slot = 768, .rank = 1, .shape = { 48 });
            h_from_state_transpose(v.d_h_from_state_rows[s], (real *)v.d_h_from_state[g]);
        }
        SEE(t, -1, v.d_h_from_state[0], "h_from_state", "backward", .yaml_line = 29, .tensor = "d_h_from_state",
            .count = 1536, .slot = 768, .rank = 1, .shape = { 48 });
        h_from_state_backward(v.d_h_3, v.d_h_from_state, weights->h_weight_hh);
        SEE(t, -1, v.d_h_3[0], "h_from_state", "backward", .yaml_line = 29, .tensor = "d_h_3", .written = 1,
            .count = 512, .slot = 256, .rank = 1, .shape = { 16 });
    }
    for (int g = 0; g < G; g++) {
        SEE(-1, g, v.d_h_from_input[g], "sum_d_h_from_input_2", "forward", .yaml_line = 29, .tensor = "d_h_from_input",
            .count = 768, .slot = 768, .rank = 1, .shape = { 48 });
        sum_d_h_from_input_2_forward(v.d_h_from_input_2[g], v.d_h_from_input + g);
        SEE(-1, g, v.d_h_from_input_2[g], "sum_d_h_from_input_2", "forward", .yaml_line = 29,
            .tensor = "d_h_from_input_2", .written = 1, .count = 768, .slot = 768, .rank = 1, .shape = { 48 });
        SEE(-1, g, v.d_h_from_input_2[g], "h_from_input", "weights", .yaml_line = 29, .tensor = "d_h_from_input_2",
            .count = 768, .slot = 768, .rank = 1, .shape = { 48 });
        h_from_input_transpose(v.d_h_from_input_rows[g], (real *)v.d_h_from_input_2[g]);
    }
    SEE(-1, -1, v.d_h_from_input_2[0], "h_from_input", "backward", .yaml_line = 29, .tensor = "d_h_from_input_2",
        .count = 1536, .slot = 768, .rank = 1, .shape = { 48 });
    h_from_input_backward(v.d_front_maxpool2, v.d_h_from_input_2, weights->h_weight_ih);
    SEE(-1, -1, v.d_front_maxpool2[0], "h_from_input", "backward", .yaml_line = 29, .tensor = "d_front_maxpool2",
        .written = 1, .count = 6272, .slot = 3136, .rank = 3, .shape = { 4, 7, 7 });
    for (int g = 0; g < G; g++) {
        SEE(-1, g, v.d_front_maxpool2[g], "front_maxpool2", "backward", .yaml_line = 18, .tensor = "d_front_maxpool2",
            .count = 3136, .slot = 3136, .rank = 3, .shape = { 4, 7, 7 });
        SEE(-1, g, v.front_maxpool2[g], "front_maxpool2", "backward", .yaml_line = 18, .tensor = "front_maxpool2",
            .count = 3136, .slot = 3136, .rank = 3, .shape = { 4, 7, 7 });
        front_maxpool2_backward(*scratch->d_front_conv1_sum, v.d_front_maxpool2[g], v.front_maxpool2_winner[g].of,
            v.front_maxpool2[g]);
        SEE(-1, g, *scratch->d_front_conv1_sum, "front_maxpool2", "backward", .yaml_line = 18,
            .tensor = "d_front_conv1_sum", .written = 1, .count = 33856, .slot = 33856, .rank = 3,
            .shape = { 4, 23, 23 });
        SEE(-1, g, *scratch->d_front_conv1_sum, "front_conv1", "weights", .yaml_line = 17,
            .tensor = "d_front_conv1_sum", .count = 33856, .slot = 33856, .rank = 3, .shape = { 4, 23, 23 });
        SEE(-1, g, v.front_maxpool1[g], "front_conv1", "weights", .yaml_line = 17, .tensor = "front_maxpool1",
            .count = 10000, .slot = 10000, .rank = 3, .shape = { 1, 25, 25 });
        front_conv1_weights(v.d_front_conv1_weight_part[g].of, v.d_front_conv1_bias_part[g].of,
            *scratch->d_front_conv1_sum, v.front_maxpool1[g]);
        SEE(-1, g, v.d_front_conv1_weight_part[g].of, "front_conv1", "weights", .yaml_line = 17,
            .tensor = "d_front_conv1_weight_part", .written = 1, .count = 36, .rank = 4, .shape = { 4, 1, 3, 3 });
        SEE(-1, g, v.d_front_conv1_bias_part[g].of, "front_conv1", "weights", .yaml_line = 17,
            .tensor = "d_front_conv1_bias_part", .written = 1, .count = 4, .rank = 1, .shape = { 4 });
    }
    SEE(-1, -1, v.h[0], "A", "weights", .yaml_line = 30, .tensor = "h", .count = 1536, .slot = 256, .rank = 1,
        .shape = { 16 });
    A_weights(gradient->A_weight, gradient->A_bias, v.d_A_rows[0], v.h);
    SEE(-1, -1, gradient->A_weight, "A", "weights", .yaml_line = 30, .tensor = "A.weight", .written = 1, .count = 256);
    SEE(-1, -1, gradient->A_bias, "A", "weights", .yaml_line = 30, .tensor = "A.bias", .written = 1, .count = 16);
    SEE(-1, -1, v.h[-G], "h_from_state", "weights", .yaml_line = 29, .tensor = "h", .count = 1536, .slot = 256,
        .rank = 1, .shape = { 16 });
    h_from_state_weights(gradient->h_weight_hh, v.d_h_from_state_rows[0], v.h - G);
    SEE(-1, -1, gradient->h_weight_hh, "h_from_state", "weights", .yaml_line = 29, .tensor = "h.weight_hh",
        .written = 1, .count = 768);
    SEE(-1, -1, v.front_maxpool2[0], "h_from_input", "weights", .yaml_line = 29, .tensor = "front_maxpool2",
        .count = 6272, .slot = 3136, .rank = 3, .shape = { 4, 7, 7 });
    h_from_input_weights(gradient->h_weight_ih, gradient->h_bias_ih, v.d_h_from_input_rows[0], v.front_maxpool2);
    SEE(-1, -1, gradient->h_weight_ih, "h_from_input", "weights", .yaml_line = 29, .tensor = "h.weight_ih",
        .written = 1, .count = 9408);
    SEE(-1, -1, gradient->h_bias_ih, "h_from_input", "weights", .yaml_line = 29, .tensor = "h.bias_ih", .written = 1,
        .count = 48);
    fold((real *)gradient->front_conv1_weight, (real *)v.d_front_conv1_weight_part[0].of, G, 36, 0);
    fold(gradient->front_conv1_bias, v.d_front_conv1_bias_part[0].of, G, 4, 0);
    return 0;
}

/* The rows of a profile: calls in their order, and waits. */
static const NetRow rows[] = {
    { "load_image_bytes", "forward", .phase = 0, .yaml_line = 10, .bytes = 320128 },
    { "load_image", "load", .phase = 0, .yaml_line = 10, .bytes = 1280000 },
    { "load_digits", "load", .phase = 0, .yaml_line = 12, .bytes = 384 },
    { "front_maxpool1", "forward", .phase = 0, .yaml_line = 16, .bytes = 1360000 },
    { "front_conv1", "forward", .phase = 0, .yaml_line = 17, .macs = 609408, .products = 609408, .bytes = 351360 },
    { "front_maxpool2", "forward", .phase = 0, .yaml_line = 18, .bytes = 299136 },
    { "h_start", "forward", .phase = 0, .yaml_line = 27, .bytes = 2048 },
    { "", "wait", .phase = 0, .whole = 1 },
    { "h_from_input", "forward", .phase = 1, .yaml_line = 29, .whole = 1, .macs = 301056, .products = 301056,
        .bytes = 69056 },
    { "h_from_state", "forward", .phase = 2, .yaml_line = 29, .whole = 1, .macs = 73728, .products = 73728,
        .bytes = 33792 },
    { "", "wait", .phase = 2, .whole = 1 },
    { "h", "forward", .phase = 3, .yaml_line = 29, .bytes = 67584 },
    { "", "wait", .phase = 3, .whole = 1 },
    { "A", "forward", .phase = 4, .yaml_line = 30, .whole = 1, .macs = 9216, .products = 9216, .bytes = 9536 },
    { "", "wait", .phase = 4, .whole = 1 },
    { "crop", "forward", .phase = 5, .yaml_line = 31, .bytes = 1423488 },
    { "classify_conv1", "forward", .phase = 5, .yaml_line = 20, .macs = 2239488, .products = 2239488, .bytes = 420480 },
    { "", "wait", .phase = 5, .whole = 1 },
    { "classify_dense1", "forward", .phase = 6, .yaml_line = 22, .whole = 1, .macs = 622080, .products = 622080,
        .bytes = 294208 },
    { "", "wait", .phase = 6, .whole = 1 },
    { "cross_entropy1", "forward", .phase = 7, .yaml_line = 34, .bytes = 5376 },
    { "", "wait", .phase = 7, .whole = 1 },
    { "cross_entropy1", "backward", .phase = 8, .yaml_line = 34, .bytes = 8832 },
    { "classify_dense1", "weights", .phase = 8, .yaml_line = 22, .bytes = 9984 },
    { "", "wait", .phase = 8, .whole = 1 },
    { "classify_dense1", "backward", .phase = 9, .yaml_line = 22, .whole = 1, .macs = 622080, .products = 622080,
        .bytes = 294144 },
    { "", "wait", .phase = 9, .whole = 1 },
    { "classify_conv1", "weights", .phase = 10, .yaml_line = 20, .macs = 2239488, .products = 559872, .bytes = 669312 },
    { "classify_conv1", "backward", .phase = 10, .yaml_line = 20, .macs = 2239488, .products = 1492992,
        .bytes = 668928 },
    { "crop", "backward", .phase = 10, .yaml_line = 31, .bytes = 463104 },
    { "A", "weights", .phase = 10, .yaml_line = 30, .bytes = 8448 },
    { "classify_dense1", "products", .phase = 11, .yaml_line = 22, .whole = 1, .macs = 622080, .products = 622080,
        .bytes = 296512 },
    { "", "wait", .phase = 11, .whole = 1 },
    { "A", "backward", .phase = 12, .yaml_line = 30, .whole = 1, .macs = 9216, .products = 9216, .bytes = 9472 },
    { "fold_classify_conv1_weight", "fold", .phase = 13, .yaml_line = 20, .whole = 1, .bytes = 2240 },
    { "fold_classify_conv1_bias", "fold", .phase = 14, .yaml_line = 20, .whole = 1, .bytes = 448 },
    { "d_h_2_end", "forward", .phase = 15, .yaml_line = 29, .bytes = 2048 },
    { "d_h_3_end", "forward", .phase = 15, .yaml_line = 29, .bytes = 2048 },
    { "", "wait", .phase = 15, .whole = 1 },
    { "sum_d_h_total", "forward", .phase = 16, .yaml_line = 27, .bytes = 24576 },
    { "h", "backward", .phase = 16, .yaml_line = 29, .bytes = 79872 },
    { "h_from_state", "weights", .phase = 16, .yaml_line = 29, .bytes = 36864 },
    { "", "wait", .phase = 16, .whole = 1 },
    { "h_from_state", "backward", .phase = 17, .yaml_line = 29, .whole = 1, .macs = 73728, .products = 73728,
        .bytes = 33792 },
    { "", "wait", .phase = 17, .whole = 1 },
    { "sum_d_h_from_input_2", "forward", .phase = 18, .yaml_line = 29, .bytes = 24576 },
    { "h_from_input", "weights", .phase = 18, .yaml_line = 29, .bytes = 12288 },
    { "", "wait", .phase = 18, .whole = 1 },
    { "h_from_input", "backward", .phase = 19, .yaml_line = 29, .whole = 1, .macs = 301056, .products = 301056,
        .bytes = 68864 },
    { "", "wait", .phase = 19, .whole = 1 },
    { "front_maxpool2", "backward", .phase = 20, .yaml_line = 18, .bytes = 324224 },
    { "front_conv1", "weights", .phase = 20, .yaml_line = 17, .macs = 609408, .products = 609408, .bytes = 351360 },
    { "A", "products", .phase = 21, .yaml_line = 30, .whole = 1, .macs = 9216, .products = 9216, .bytes = 13376 },
    { "h_from_state", "products", .phase = 22, .yaml_line = 29, .whole = 1, .macs = 73728, .products = 73728,
        .bytes = 27648 },
    { "h_from_input", "products", .phase = 23, .yaml_line = 29, .whole = 1, .macs = 301056, .products = 301056,
        .bytes = 69056 },
    { "", "wait", .phase = 23, .whole = 1 },
    { "fold_front_conv1_weight", "fold", .phase = 24, .yaml_line = 17, .whole = 1, .bytes = 576 },
    { "fold_front_conv1_bias", "fold", .phase = 25, .yaml_line = 17, .whole = 1, .bytes = 192 },
    { "", "wait", .phase = 25, .whole = 1 },
    { "sgd", "update", .phase = 26, .whole = 1, .bytes = 504960 },
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
        load_image_bytes_forward(v.image_bytes[g].of, batch->inputs[0], g * L, batch->count);
        STOP(0);
        load_image_forward((real *)*scratch->image, batch->inputs[0], g * L, batch->count);
        STOP(1);
        load_digits_forward(v.digits[g], batch->targets[0], g * L, batch->count);
        STOP(2);
        front_maxpool1_forward(v.front_maxpool1[g], *scratch->image);
        STOP(3);
        front_conv1_forward(*scratch->front_conv1, v.front_maxpool1[g], weights->front_conv1_weight,
            weights->front_conv1_bias);
        STOP(4);
        front_maxpool2_forward(v.front_maxpool2[g], v.front_maxpool2_winner[g].of, *scratch->front_conv1);
        STOP(5);
        zero_16_forward((real *)v.h[g - G]);
        STOP(6);
    }
    #pragma omp barrier
    STOP(7);
    h_from_input_forward(v.h_from_input, v.front_maxpool2, weights->h_weight_ih, weights->h_bias_ih);
    STOP(8);
    for (int t = 0; t < 3; t++) {
        h_from_state_forward(v.h_from_state, v.h + t * G - G, weights->h_weight_hh);
        STOP(9);
        #pragma omp barrier
        STOP(10);
        #pragma omp for schedule(dynamic, 1) nowait
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            h_forward(v.h[s], v.h_gates[s], v.h_from_input[g], v.h_from_state[g], v.h[s - G]);
            STOP(11);
        }
        #pragma omp barrier
        STOP(12);
    }
    A_forward(v.A, v.h, weights->A_weight, weights->A_bias);
    STOP(13);
    #pragma omp barrier
    STOP(14);
    #pragma omp for collapse(2) schedule(dynamic, 1) nowait
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            crop_forward(v.crop[s], v.crop_slopes[s], v.image_bytes[g].of, v.A[s]);
            STOP(15);
            classify_conv1_forward(v.classify_maxpool1[s], v.classify_maxpool1_winner[s].of, v.crop[s],
                weights->classify_conv1_weight, weights->classify_conv1_bias);
            STOP(16);
        }
    #pragma omp barrier
    STOP(17);
    classify_dense1_forward(v.classify_dense1, v.classify_maxpool1, weights->classify_dense1_weight,
        weights->classify_dense1_bias);
    STOP(18);
    #pragma omp barrier
    STOP(19);
    #pragma omp for collapse(2) schedule(dynamic, 1) nowait
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            cross_entropy1_forward(v.loss1[s], (real *)v.classify_dense1[s], v.digits[g][t]);
            STOP(20);
        }
    #pragma omp barrier
    STOP(21);
    real loss1_scale = (real)(1 / ((double)batch->count * 3));
    #pragma omp for collapse(2) schedule(dynamic, 1) nowait
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            cross_entropy1_backward((real *)v.d_classify_dense1[s], (real *)v.classify_dense1[s], v.digits[g][t],
                loss1_scale, present(batch, g));
            STOP(22);
            classify_dense1_transpose(v.d_classify_dense1_rows[s], (real *)v.d_classify_dense1[s]);
            STOP(23);
        }
    #pragma omp barrier
    STOP(24);
    classify_dense1_backward(v.d_classify_maxpool1, v.d_classify_dense1, weights->classify_dense1_weight);
    STOP(25);
    #pragma omp barrier
    STOP(26);
    #pragma omp for collapse(2) schedule(dynamic, 1) nowait
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            classify_conv1_weights(v.d_classify_conv1_weight_part[s].of, v.d_classify_conv1_bias_part[s].of,
                v.d_classify_maxpool1[s], v.classify_maxpool1_winner[s].of, v.classify_maxpool1[s], v.crop[s]);
            STOP(27);
            classify_conv1_backward(*scratch->d_crop, v.d_classify_maxpool1[s], v.classify_maxpool1_winner[s].of,
                v.classify_maxpool1[s], weights->classify_conv1_weight);
            STOP(28);
            crop_backward(v.d_A[s], *scratch->d_crop, v.crop_slopes[s]);
            STOP(29);
            A_transpose(v.d_A_rows[s], (real *)v.d_A[s]);
            STOP(30);
        }
    classify_dense1_weights(gradient->classify_dense1_weight, gradient->classify_dense1_bias,
        v.d_classify_dense1_rows[0], v.classify_maxpool1);
    STOP(31);
    #pragma omp barrier
    STOP(32);
    A_backward(v.d_h, v.d_A, weights->A_weight);
    STOP(33);
    fold((real *)gradient->classify_conv1_weight, (real *)v.d_classify_conv1_weight_part[0].of, 3 * G, 72, 0);
    STOP(34);
    fold(gradient->classify_conv1_bias, v.d_classify_conv1_bias_part[0].of, 3 * G, 8, 0);
    STOP(35);
    #pragma omp for schedule(dynamic, 1) nowait
    for (int g = 0; g < G; g++) {
        zero_16_forward((real *)v.d_h_2[g]);
        STOP(36);
        zero_16_forward((real *)v.d_h_3[g]);
        STOP(37);
    }
    #pragma omp barrier
    STOP(38);
    for (int t = 2; t >= 0; t--) {
        #pragma omp for schedule(dynamic, 1) nowait
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            sum_d_h_total_forward((real *)*scratch->d_h_total, (real *)v.d_h[s], (real *)v.d_h_2[g],
                (real *)v.d_h_3[g]);
            STOP(39);
            h_backward(v.d_h_from_input[s], v.d_h_from_state[g], v.d_h_2[g], *scratch->d_h_total, v.h_gates[s],
                v.h[s - G]);
            STOP(40);
            h_from_state_transpose(v.d_h_from_state_rows[s], (real *)v.d_h_from_state[g]);
            STOP(41);
        }
        #pragma omp barrier
        STOP(42);
        h_from_state_backward(v.d_h_3, v.d_h_from_state, weights->h_weight_hh);
        STOP(43);
        #pragma omp barrier
        STOP(44);
    }
    #pragma omp for schedule(dynamic, 1) nowait
    for (int g = 0; g < G; g++) {
        sum_d_h_from_input_2_forward(v.d_h_from_input_2[g], v.d_h_from_input + g);
        STOP(45);
        h_from_input_transpose(v.d_h_from_input_rows[g], (real *)v.d_h_from_input_2[g]);
        STOP(46);
    }
    #pragma omp barrier
    STOP(47);
    h_from_input_backward(v.d_front_maxpool2, v.d_h_from_input_2, weights->h_weight_ih);
    STOP(48);
    #pragma omp barrier
    STOP(49);
    #pragma omp for schedule(dynamic, 1) nowait
    for (int g = 0; g < G; g++) {
        front_maxpool2_backward(*scratch->d_front_conv1_sum, v.d_front_maxpool2[g], v.front_maxpool2_winner[g].of,
            v.front_maxpool2[g]);
        STOP(50);
        front_conv1_weights(v.d_front_conv1_weight_part[g].of, v.d_front_conv1_bias_part[g].of,
            *scratch->d_front_conv1_sum, v.front_maxpool1[g]);
        STOP(51);
    }
    A_weights(gradient->A_weight, gradient->A_bias, v.d_A_rows[0], v.h);
    STOP(52);
    h_from_state_weights(gradient->h_weight_hh, v.d_h_from_state_rows[0], v.h - G);
    STOP(53);
    h_from_input_weights(gradient->h_weight_ih, gradient->h_bias_ih, v.d_h_from_input_rows[0], v.front_maxpool2);
    STOP(54);
    #pragma omp barrier
    STOP(55);
    fold((real *)gradient->front_conv1_weight, (real *)v.d_front_conv1_weight_part[0].of, G, 36, 0);
    STOP(56);
    fold(gradient->front_conv1_bias, v.d_front_conv1_bias_part[0].of, G, 4, 0);
    STOP(57);
    #pragma omp barrier
    STOP(58);
    double norm = update_pass(rate, update_count);
    STOP(59);
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
