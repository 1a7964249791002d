#!/usr/bin/env bash
# test_equal.sh -- operators that are equal share their functions: the skeleton of ResNet-20 has one set for each of its shapes.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 1
sed 's/\[3, 8, 8\]/[3, 32, 32]/; s/wide: 2 }/wide: 16 }/; s/batch: 20/batch: 32/' "$root/tests/oracle/nets/resnet20.yaml" >resnet20.yaml || exit 1
for target in avx512 avx2 generic; do
    run "$SPNC" emit resnet20.yaml -o "$target" --target "$target" || continue
    c=$target/resnet20.c
    lines=$(wc -l <"$c")
    [ "$lines" -lt 12000 ] || fault "$target: $lines lines"
    # each layer of the three stages is called, and its functions are those of its shape
    for shape in 16x32x32 32x16x16 64x8x8; do
        n=$(grep -c "^/[*] ---- conv_formula_$shape: conv " "$c")
        [ "$n" = 1 ] || fault "$target: $n times the functions of conv_formula_$shape"
    done
    calls=$(grep -cE '^ +conv_(relu|formula)_(16x32x32|32x16x16|64x8x8)_forward\(' "$c")
    [ "$calls" = 16 ] || fault "$target: $calls calls of the convolutions that share functions, not 16"
    # the convolutions with a residual sum differ in their epilogue: they have a forward function of their own, and the gradients' of those with a relu
    for pass in prepare backward terms products weights finish; do
        ! grep -q "conv_formula_16x32x32_$pass(" "$c" || fault "$target: conv_formula_16x32x32_$pass"
    done
    [ "$(grep -cE '^ +conv_relu_16x32x32_backward\(' "$c")" = 6 ] || fault "$target: not six gradients by conv_relu_16x32x32_backward"
    grep -q '^ \* *of first_b1_b (line 13), first_b2_b (line 13), first_block3_b (line 13)' "$c" || fault "$target: the comment does not say whose functions they are"
    wide=$(awk 'length > 120' "$c" | wc -l)
    [ "$wide" = 0 ] || fault "$target: $wide lines of more than 120 columns"
done
# what a run says of an operator is by its own name: rows of a profile, and the names in a replay
for name in first_b1_b first_b2_b first_block3_b; do
    grep -q "^ *{ \"$name\", \"forward\"" avx2/resnet20_inspect.c && grep -q "SEE(.*, \"$name\", \"forward\"" avx2/resnet20_inspect.c || fault "no row or no look of $name"
done
"$SPNC" explain resnet20.yaml first_b2_b >why 2>&1 || fault "explain first_b2_b fails"
grep -q ' conv_formula_16x32x32_forward$' why && grep -q 'computed by the same functions: first_b1_b, first_block3_b' why || fault "explain does not show the shared functions: $(cat why)"
# equal embeddings, whose gradient takes all slices at once; a number an example beside a vector of one
cat >pairs.yaml <<'END'
model: pairs
batch: 20
inputs: { a: { shape: [6], dtype: i32, classes: 9 }, b: { shape: [6], dtype: i32, classes: 9 }, x: { shape: [4] }, y: { shape: [4] } }
targets: { label: { classes: 3 } }
flow:
  - rows: { concat: [{ embedding: a, units: 4 }, { embedding: b, units: 4 }], axis: 1 }
  - numbers: { concat: [{ mean: x }, { mean: y }] }
  - again: { concat: [{ mean: y }, { mean: x }] }
  - one: { dense: x, units: 1 }
  - other: { dense: y, units: 1 }
  - scores: { dense: { concat: [{ flatten: rows }, numbers, again, one, other] }, units: 3 }
loss: { cross_entropy: [scores, label] }
END
for form in "" --plain; do
    # shellcheck disable=SC2086
    run "$SPNC" emit pairs.yaml $form -o "pairs$form" && run make -s -C "pairs$form" CFLAGS="-O0 -Werror" pairs.o
done
exit $failed
