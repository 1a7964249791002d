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
        load_image_bytes_forward(v.image_bytes[g].of, batch->inputs[0], g * L, batch->count);
        load_image_forward((real *)*scratch->image, batch->inputs[0], g * L, batch->count);
        SEE(-1, g, (real *)*scratch->image, "load_image", "forward", 10, "image", 1, 160000, 160000, 3,
            { 1, 100, 100 });
        load_digits_forward(v.digits[g], batch->targets[0], g * L, batch->count);
        SEE(-1, g, (real *)*scratch->image, "front_maxpool1", "forward", 16, "image", 0, 160000, 160000, 3,
            { 1, 100, 100 });
        front_maxpool1_forward(v.front_maxpool1[g], *scratch->image);
        SEE(-1, g, (real *)v.front_maxpool1[g], "front_maxpool1", "forward", 16, "front_maxpool1", 1, 10000, 10000, 3,
            { 1, 25, 25 });
        SEE(-1, g, (real *)v.front_maxpool1[g], "front_conv1", "forward", 17, "front_maxpool1", 0, 10000, 10000, 3,
            { 1, 25, 25 });
        front_conv1_forward(*scratch->front_conv1, v.front_maxpool1[g], weights->front_conv1_weight,
            weights->front_conv1_bias);
        SEE(-1, g, (real *)*scratch->front_conv1, "front_conv1", "forward", 17, "front_conv1", 1, 33856, 33856, 3,
            { 4, 23, 23 });
        SEE(-1, g, (real *)*scratch->front_conv1, "front_maxpool2", "forward", 18, "front_conv1", 0, 33856, 33856, 3,
            { 4, 23, 23 });
        front_maxpool2_forward(v.front_maxpool2[g], v.front_maxpool2_winner[g].of, *scratch->front_conv1);
        SEE(-1, g, (real *)v.front_maxpool2[g], "front_maxpool2", "forward", 18, "front_maxpool2", 1, 3136, 3136, 3,
            { 4, 7, 7 });
        zero_16_forward((real *)v.h[g - G]);
        SEE(-1, g, (real *)v.h[g - G], "h_start", "forward", 27, "h", 1, 256, 256, 1, { 16 });
    }
    SEE(-1, -1, (real *)v.front_maxpool2[0], "h_from_input", "forward", 29, "front_maxpool2", 0, 6272, 3136, 3,
        { 4, 7, 7 });
    h_from_input_forward(v.h_from_input, v.front_maxpool2, weights->h_weight_ih, weights->h_bias_ih);
    SEE(-1, -1, (real *)v.h_from_input[0], "h_from_input", "forward", 29, "h_from_input", 1, 1536, 768, 1, { 48 });
    for (int t = 0; t < 3; t++) {
        SEE(t, -1, (real *)v.h[t * G - G], "h_from_state", "forward", 29, "h", 0, 512, 256, 1, { 16 });
        h_from_state_forward(v.h_from_state, v.h + t * G - G, weights->h_weight_hh);
        SEE(t, -1, (real *)v.h_from_state[0], "h_from_state", "forward", 29, "h_from_state", 1, 1536, 768, 1, { 48 });
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, (real *)v.h_from_input[g], "h", "forward", 29, "h_from_input", 0, 768, 768, 1, { 48 });
            SEE(t, g, (real *)v.h_from_state[g], "h", "forward", 29, "h_from_state", 0, 768, 768, 1, { 48 });
            SEE(t, g, (real *)v.h[s - G], "h", "forward", 29, "h", 0, 256, 256, 1, { 16 });
            h_forward(v.h[s], v.h_gates[s], v.h_from_input[g], v.h_from_state[g], v.h[s - G]);
            SEE(t, g, (real *)v.h[s], "h", "forward", 29, "h", 1, 256, 256, 1, { 16 });
            SEE(t, g, (real *)v.h_gates[s], "h", "forward", 29, "h_gates", 1, 1024, 1024, 2, { 4, 16 });
        }
    }
    SEE(-1, -1, (real *)v.h[0], "A", "forward", 30, "h", 0, 1536, 256, 1, { 16 });
    A_forward(v.A, v.h, weights->A_weight, weights->A_bias);
    SEE(-1, -1, (real *)v.A[0], "A", "forward", 30, "A", 1, 576, 96, 1, { 6 });
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, (real *)v.A[s], "crop", "forward", 31, "A", 0, 96, 96, 1, { 6 });
            crop_forward(v.crop[s], v.crop_slopes[s], v.image_bytes[g].of, v.A[s]);
            SEE(t, g, (real *)v.crop[s], "crop", "forward", 31, "crop", 1, 6400, 6400, 3, { 1, 20, 20 });
            SEE(t, g, (real *)v.crop_slopes[s], "crop", "forward", 31, "crop_slopes", 1, 12800, 12800, 4,
                { 2, 1, 20, 20 });
            SEE(t, g, (real *)v.crop[s], "classify_conv1", "forward", 20, "crop", 0, 6400, 6400, 3, { 1, 20, 20 });
            classify_conv1_forward(v.classify_maxpool1[s], v.classify_maxpool1_winner[s].of, v.crop[s],
                weights->classify_conv1_weight, weights->classify_conv1_bias);
            SEE(t, g, (real *)v.classify_maxpool1[s], "classify_conv1", "forward", 20, "classify_maxpool1", 1, 10368,
                10368, 3, { 8, 9, 9 });
        }
    SEE(-1, -1, (real *)v.classify_maxpool1[0], "classify_dense1", "forward", 22, "classify_maxpool1", 0, 62208, 10368,
        3, { 8, 9, 9 });
    classify_dense1_forward(v.classify_dense1, v.classify_maxpool1, weights->classify_dense1_weight,
        weights->classify_dense1_bias);
    SEE(-1, -1, (real *)v.classify_dense1[0], "classify_dense1", "forward", 22, "classify_dense1", 1, 960, 160, 1,
        { 10 });
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, (real *)v.classify_dense1[s], "cross_entropy1", "forward", 34, "classify_dense1", 0, 160, 160, 1,
                { 10 });
            cross_entropy1_forward(v.loss1[s], (real *)v.classify_dense1[s], v.digits[g][t]);
            SEE(t, g, v.loss1[s], "cross_entropy1", "forward", 34, "loss1", 1, 16, 16, 0, { 0 });
        }
    real loss1_scale = (real)(1 / ((double)batch->count * 3));
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, (real *)v.classify_dense1[s], "cross_entropy1", "backward", 34, "classify_dense1", 0, 160, 160, 1,
                { 10 });
            cross_entropy1_backward((real *)v.d_classify_dense1[s], (real *)v.classify_dense1[s], v.digits[g][t],
                loss1_scale, present(batch, g));
            SEE(t, g, (real *)v.d_classify_dense1[s], "cross_entropy1", "backward", 34, "d_classify_dense1", 1, 160,
                160, 1, { 10 });
            SEE(t, g, (real *)v.d_classify_dense1[s], "classify_dense1", "weights", 22, "d_classify_dense1", 0, 160,
                160, 1, { 10 });
            classify_dense1_transpose(v.d_classify_dense1_rows[s], (real *)v.d_classify_dense1[s]);
        }
    SEE(-1, -1, (real *)v.d_classify_dense1[0], "classify_dense1", "backward", 22, "d_classify_dense1", 0, 960, 160, 1,
        { 10 });
    classify_dense1_backward(v.d_classify_maxpool1, v.d_classify_dense1, weights->classify_dense1_weight);
    SEE(-1, -1, (real *)v.d_classify_maxpool1[0], "classify_dense1", "backward", 22, "d_classify_maxpool1", 1, 62208,
        10368, 3, { 8, 9, 9 });
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, (real *)v.d_classify_maxpool1[s], "classify_conv1", "weights", 20, "d_classify_maxpool1", 0,
                10368, 10368, 3, { 8, 9, 9 });
            SEE(t, g, (real *)v.classify_maxpool1[s], "classify_conv1", "weights", 20, "classify_maxpool1", 0, 10368,
                10368, 3, { 8, 9, 9 });
            SEE(t, g, (real *)v.crop[s], "classify_conv1", "weights", 20, "crop", 0, 6400, 6400, 3, { 1, 20, 20 });
            classify_conv1_weights(v.d_classify_conv1_weight_part[s].of, v.d_classify_conv1_bias_part[s].of,
                v.d_classify_maxpool1[s], v.classify_maxpool1_winner[s].of, v.classify_maxpool1[s], v.crop[s]);
            SEE(t, g, (real *)v.d_classify_conv1_weight_part[s].of, "classify_conv1", "weights", 20,
                "d_classify_conv1_weight_part", 1, 72, 0, 4, { 8, 1, 3, 3 });
            SEE(t, g, v.d_classify_conv1_bias_part[s].of, "classify_conv1", "weights", 20, "d_classify_conv1_bias_part",
                1, 8, 0, 1, { 8 });
            SEE(t, g, (real *)v.d_classify_maxpool1[s], "classify_conv1", "backward", 20, "d_classify_maxpool1", 0,
                10368, 10368, 3, { 8, 9, 9 });
            SEE(t, g, (real *)v.classify_maxpool1[s], "classify_conv1", "backward", 20, "classify_maxpool1", 0, 10368,
                10368, 3, { 8, 9, 9 });
            classify_conv1_backward(*scratch->d_crop, v.d_classify_maxpool1[s], v.classify_maxpool1_winner[s].of,
                v.classify_maxpool1[s], weights->classify_conv1_weight);
            SEE(t, g, (real *)*scratch->d_crop, "classify_conv1", "backward", 20, "d_crop", 1, 6400, 6400, 3,
                { 1, 20, 20 });
            SEE(t, g, (real *)*scratch->d_crop, "crop", "backward", 31, "d_crop", 0, 6400, 6400, 3, { 1, 20, 20 });
            SEE(t, g, (real *)v.crop_slopes[s], "crop", "backward", 31, "crop_slopes", 0, 12800, 12800, 4,
                { 2, 1, 20, 20 });
            crop_backward(v.d_A[s], *scratch->d_crop, v.crop_slopes[s]);
            SEE(t, g, (real *)v.d_A[s], "crop", "backward", 31, "d_A", 1, 96, 96, 1, { 6 });
            SEE(t, g, (real *)v.d_A[s], "A", "weights", 30, "d_A", 0, 96, 96, 1, { 6 });
            A_transpose(v.d_A_rows[s], (real *)v.d_A[s]);
        }
    SEE(-1, -1, (real *)v.classify_maxpool1[0], "classify_dense1", "weights", 22, "classify_maxpool1", 0, 62208, 10368,
        3, { 8, 9, 9 });
    classify_dense1_weights(gradient->classify_dense1_weight, gradient->classify_dense1_bias,
        v.d_classify_dense1_rows[0], v.classify_maxpool1);
    SEE(-1, -1, (real *)gradient->classify_dense1_weight, "classify_dense1", "weights", 22, "classify.dense1.weight", 1,
        10368, 0, 0, { 0 });
    SEE(-1, -1, (real *)gradient->classify_dense1_bias, "classify_dense1", "weights", 22, "classify.dense1.bias", 1, 16,
        0, 0, { 0 });
    SEE(-1, -1, (real *)v.d_A[0], "A", "backward", 30, "d_A", 0, 576, 96, 1, { 6 });
    A_backward(v.d_h, v.d_A, weights->A_weight);
    SEE(-1, -1, (real *)v.d_h[0], "A", "backward", 30, "d_h", 1, 1536, 256, 1, { 16 });
    fold((real *)gradient->classify_conv1_weight, (real *)v.d_classify_conv1_weight_part[0].of, 6, 72, 0);
    fold(gradient->classify_conv1_bias, v.d_classify_conv1_bias_part[0].of, 6, 8, 0);
    for (int g = 0; g < G; g++) {
        zero_16_forward((real *)v.d_h_2[g]);
        SEE(-1, g, (real *)v.d_h_2[g], "d_h_2_end", "forward", 29, "d_h_2", 1, 256, 256, 1, { 16 });
        zero_16_forward((real *)v.d_h_3[g]);
        SEE(-1, g, (real *)v.d_h_3[g], "d_h_3_end", "forward", 29, "d_h_3", 1, 256, 256, 1, { 16 });
    }
    for (int t = 2; t >= 0; t--) {
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            SEE(t, g, (real *)v.d_h[s], "sum_d_h_total", "forward", 27, "d_h", 0, 256, 256, 1, { 16 });
            SEE(t, g, (real *)v.d_h_2[g], "sum_d_h_total", "forward", 27, "d_h_2", 0, 256, 256, 1, { 16 });
            SEE(t, g, (real *)v.d_h_3[g], "sum_d_h_total", "forward", 27, "d_h_3", 0, 256, 256, 1, { 16 });
            sum_d_h_total_forward((real *)*scratch->d_h_total, (real *)v.d_h[s], (real *)v.d_h_2[g],
                (real *)v.d_h_3[g]);
            SEE(t, g, (real *)*scratch->d_h_total, "sum_d_h_total", "forward", 27, "d_h_total", 1, 256, 256, 1, { 16 });
            SEE(t, g, (real *)*scratch->d_h_total, "h", "backward", 29, "d_h_total", 0, 256, 256, 1, { 16 });
            SEE(t, g, (real *)v.h_gates[s], "h", "backward", 29, "h_gates", 0, 1024, 1024, 2, { 4, 16 });
            SEE(t, g, (real *)v.h[s - G], "h", "backward", 29, "h", 0, 256, 256, 1, { 16 });
            h_backward(v.d_h_from_input[s], v.d_h_from_state[g], v.d_h_2[g], *scratch->d_h_total, v.h_gates[s],
                v.h[s - G]);
            SEE(t, g, (real *)v.d_h_from_input[s], "h", "backward", 29, "d_h_from_input", 1, 768, 768, 1, { 48 });
            SEE(t, g, (real *)v.d_h_from_state[g], "h", "backward", 29, "d_h_from_state", 1, 768, 768, 1, { 48 });
            SEE(t, g, (real *)v.d_h_2[g], "h", "backward", 29, "d_h_2", 1, 256, 256, 1, { 16 });
            SEE(t, g, (real *)v.d_h_from_state[g], "h_from_state", "weights", 29, "d_h_from_state", 0, 768, 768, 1,
                { 48 });
            h_from_state_transpose(v.d_h_from_state_rows[s], (real *)v.d_h_from_state[g]);
        }
        SEE(t, -1, (real *)v.d_h_from_state[0], "h_from_state", "backward", 29, "d_h_from_state", 0, 1536, 768, 1,
            { 48 });
        h_from_state_backward(v.d_h_3, v.d_h_from_state, weights->h_weight_hh);
        SEE(t, -1, (real *)v.d_h_3[0], "h_from_state", "backward", 29, "d_h_3", 1, 512, 256, 1, { 16 });
    }
    for (int g = 0; g < G; g++) {
        SEE(-1, g, (real *)v.d_h_from_input[g], "sum_d_h_from_input_2", "forward", 29, "d_h_from_input", 0, 768, 768, 1,
            { 48 });
        sum_d_h_from_input_2_forward(v.d_h_from_input_2[g], v.d_h_from_input + g);
        SEE(-1, g, (real *)v.d_h_from_input_2[g], "sum_d_h_from_input_2", "forward", 29, "d_h_from_input_2", 1, 768,
            768, 1, { 48 });
        SEE(-1, g, (real *)v.d_h_from_input_2[g], "h_from_input", "weights", 29, "d_h_from_input_2", 0, 768, 768, 1,
            { 48 });
        h_from_input_transpose(v.d_h_from_input_rows[g], (real *)v.d_h_from_input_2[g]);
    }
    SEE(-1, -1, (real *)v.d_h_from_input_2[0], "h_from_input", "backward", 29, "d_h_from_input_2", 0, 1536, 768, 1,
        { 48 });
    h_from_input_backward(v.d_front_maxpool2, v.d_h_from_input_2, weights->h_weight_ih);
    SEE(-1, -1, (real *)v.d_front_maxpool2[0], "h_from_input", "backward", 29, "d_front_maxpool2", 1, 6272, 3136, 3,
        { 4, 7, 7 });
    for (int g = 0; g < G; g++) {
        SEE(-1, g, (real *)v.d_front_maxpool2[g], "front_maxpool2", "backward", 18, "d_front_maxpool2", 0, 3136, 3136,
            3, { 4, 7, 7 });
        SEE(-1, g, (real *)v.front_maxpool2[g], "front_maxpool2", "backward", 18, "front_maxpool2", 0, 3136, 3136, 3,
            { 4, 7, 7 });
        front_maxpool2_backward(*scratch->d_front_conv1_sum, v.d_front_maxpool2[g], v.front_maxpool2_winner[g].of,
            v.front_maxpool2[g]);
        SEE(-1, g, (real *)*scratch->d_front_conv1_sum, "front_maxpool2", "backward", 18, "d_front_conv1_sum", 1, 33856,
            33856, 3, { 4, 23, 23 });
        SEE(-1, g, (real *)*scratch->d_front_conv1_sum, "front_conv1", "weights", 17, "d_front_conv1_sum", 0, 33856,
            33856, 3, { 4, 23, 23 });
        SEE(-1, g, (real *)v.front_maxpool1[g], "front_conv1", "weights", 17, "front_maxpool1", 0, 10000, 10000, 3,
            { 1, 25, 25 });
        front_conv1_weights(v.d_front_conv1_weight_part[g].of, v.d_front_conv1_bias_part[g].of,
            *scratch->d_front_conv1_sum, v.front_maxpool1[g]);
        SEE(-1, g, (real *)v.d_front_conv1_weight_part[g].of, "front_conv1", "weights", 17, "d_front_conv1_weight_part",
            1, 36, 0, 4, { 4, 1, 3, 3 });
        SEE(-1, g, v.d_front_conv1_bias_part[g].of, "front_conv1", "weights", 17, "d_front_conv1_bias_part", 1, 4, 0, 1,
            { 4 });
    }
    SEE(-1, -1, (real *)v.h[0], "A", "weights", 30, "h", 0, 1536, 256, 1, { 16 });
    A_weights(gradient->A_weight, gradient->A_bias, v.d_A_rows[0], v.h);
    SEE(-1, -1, (real *)gradient->A_weight, "A", "weights", 30, "A.weight", 1, 256, 0, 0, { 0 });
    SEE(-1, -1, (real *)gradient->A_bias, "A", "weights", 30, "A.bias", 1, 16, 0, 0, { 0 });
    SEE(-1, -1, (real *)v.h[-G], "h_from_state", "weights", 29, "h", 0, 1536, 256, 1, { 16 });
    h_from_state_weights(gradient->h_weight_hh, v.d_h_from_state_rows[0], v.h - G);
    SEE(-1, -1, (real *)gradient->h_weight_hh, "h_from_state", "weights", 29, "h.weight_hh", 1, 768, 0, 0, { 0 });
    SEE(-1, -1, (real *)v.front_maxpool2[0], "h_from_input", "weights", 29, "front_maxpool2", 0, 6272, 3136, 3,
        { 4, 7, 7 });
    h_from_input_weights(gradient->h_weight_ih, gradient->h_bias_ih, v.d_h_from_input_rows[0], v.front_maxpool2);
    SEE(-1, -1, (real *)gradient->h_weight_ih, "h_from_input", "weights", 29, "h.weight_ih", 1, 9408, 0, 0, { 0 });
    SEE(-1, -1, (real *)gradient->h_bias_ih, "h_from_input", "weights", 29, "h.bias_ih", 1, 48, 0, 0, { 0 });
    fold((real *)gradient->front_conv1_weight, (real *)v.d_front_conv1_weight_part[0].of, 2, 36, 0);
    fold(gradient->front_conv1_bias, v.d_front_conv1_bias_part[0].of, 2, 4, 0);
    return 0;
}

/* The rows of a profile, calls in their order, and waits: name, pass, phase, line of the model, of the whole batch,
 * multiply-adds, products, bytes. */
static const NetRow rows[] = {
    { "load_image_bytes", "forward", 0, 10, 0, 0, 0, 320128 },
    { "load_image", "load", 0, 10, 0, 0, 0, 1280000 },
    { "load_digits", "load", 0, 12, 0, 0, 0, 384 },
    { "front_maxpool1", "forward", 0, 16, 0, 0, 0, 1360000 },
    { "front_conv1", "forward", 0, 17, 0, 609408, 609408, 351360 },
    { "front_maxpool2", "forward", 0, 18, 0, 0, 0, 299136 },
    { "h_start", "forward", 0, 27, 0, 0, 0, 2048 },
    { "", "wait", 0, 0, 1, 0, 0, 0 },
    { "h_from_input", "forward", 1, 29, 1, 301056, 301056, 69056 },
    { "h_from_state", "forward", 2, 29, 1, 73728, 73728, 33792 },
    { "", "wait", 2, 0, 1, 0, 0, 0 },
    { "h", "forward", 3, 29, 0, 0, 0, 67584 },
    { "", "wait", 3, 0, 1, 0, 0, 0 },
    { "A", "forward", 4, 30, 1, 9216, 9216, 9536 },
    { "", "wait", 4, 0, 1, 0, 0, 0 },
    { "crop", "forward", 5, 31, 0, 0, 0, 1423488 },
    { "classify_conv1", "forward", 5, 20, 0, 2239488, 2239488, 420480 },
    { "", "wait", 5, 0, 1, 0, 0, 0 },
    { "classify_dense1", "forward", 6, 22, 1, 622080, 622080, 294208 },
    { "", "wait", 6, 0, 1, 0, 0, 0 },
    { "cross_entropy1", "forward", 7, 34, 0, 0, 0, 5376 },
    { "", "wait", 7, 0, 1, 0, 0, 0 },
    { "cross_entropy1", "backward", 8, 34, 0, 0, 0, 8832 },
    { "classify_dense1", "weights", 8, 22, 0, 0, 0, 9984 },
    { "", "wait", 8, 0, 1, 0, 0, 0 },
    { "classify_dense1", "backward", 9, 22, 1, 622080, 622080, 294144 },
    { "", "wait", 9, 0, 1, 0, 0, 0 },
    { "classify_conv1", "weights", 10, 20, 0, 2239488, 559872, 669312 },
    { "classify_conv1", "backward", 10, 20, 0, 2239488, 1492992, 668928 },
    { "crop", "backward", 10, 31, 0, 0, 0, 463104 },
    { "A", "weights", 10, 30, 0, 0, 0, 8448 },
    { "classify_dense1", "products", 11, 22, 1, 622080, 622080, 296512 },
    { "", "wait", 11, 0, 1, 0, 0, 0 },
    { "A", "backward", 12, 30, 1, 9216, 9216, 9472 },
    { "fold_classify_conv1_weight", "fold", 13, 20, 1, 0, 0, 2240 },
    { "fold_classify_conv1_bias", "fold", 14, 20, 1, 0, 0, 448 },
    { "d_h_2_end", "forward", 15, 29, 0, 0, 0, 2048 },
    { "d_h_3_end", "forward", 15, 29, 0, 0, 0, 2048 },
    { "", "wait", 15, 0, 1, 0, 0, 0 },
    { "sum_d_h_total", "forward", 16, 27, 0, 0, 0, 24576 },
    { "h", "backward", 16, 29, 0, 0, 0, 79872 },
    { "h_from_state", "weights", 16, 29, 0, 0, 0, 36864 },
    { "", "wait", 16, 0, 1, 0, 0, 0 },
    { "h_from_state", "backward", 17, 29, 1, 73728, 73728, 33792 },
    { "", "wait", 17, 0, 1, 0, 0, 0 },
    { "sum_d_h_from_input_2", "forward", 18, 29, 0, 0, 0, 24576 },
    { "h_from_input", "weights", 18, 29, 0, 0, 0, 12288 },
    { "", "wait", 18, 0, 1, 0, 0, 0 },
    { "h_from_input", "backward", 19, 29, 1, 301056, 301056, 68864 },
    { "", "wait", 19, 0, 1, 0, 0, 0 },
    { "front_maxpool2", "backward", 20, 18, 0, 0, 0, 324224 },
    { "front_conv1", "weights", 20, 17, 0, 609408, 609408, 351360 },
    { "A", "products", 21, 30, 1, 9216, 9216, 13376 },
    { "h_from_state", "products", 22, 29, 1, 73728, 73728, 27648 },
    { "h_from_input", "products", 23, 29, 1, 301056, 301056, 69056 },
    { "", "wait", 23, 0, 1, 0, 0, 0 },
    { "fold_front_conv1_weight", "fold", 24, 17, 1, 0, 0, 576 },
    { "fold_front_conv1_bias", "fold", 25, 17, 1, 0, 0, 192 },
    { "", "wait", 25, 0, 1, 0, 0, 0 },
    { "sgd", "update", 26, 0, 1, 0, 0, 504960 },
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
    fold((real *)gradient->classify_conv1_weight, (real *)v.d_classify_conv1_weight_part[0].of, 6, 72, 0);
    STOP(34);
    fold(gradient->classify_conv1_bias, v.d_classify_conv1_bias_part[0].of, 6, 8, 0);
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
    fold((real *)gradient->front_conv1_weight, (real *)v.d_front_conv1_weight_part[0].of, 2, 36, 0);
    STOP(56);
    fold(gradient->front_conv1_bias, v.d_front_conv1_bias_part[0].of, 2, 4, 0);
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
