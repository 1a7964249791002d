#!/bin/sh
# Writes every expectation of this folder anew.  Needs PyTorch; run it when a model or the language changes, and read the diff.
set -eu
cd "$(dirname "$0")"

expect() {   # NAME MODEL [--set k=v]...
    name=$1; shift
    echo "$name"
    python3 ../oracle.py expect "$@" -o "$name.json"
}

for model in conv ffn_spn rnn_spn mnist autoencoder two_glimpse; do
    expect $model ../../../models/$model.yaml
done
expect rnn_spn_code ../../../models/rnn_spn.yaml --set border=legacy --set dense=400 --set start=trained
expect options ../nets/options.yaml
expect recurrent ../nets/recurrent.yaml
expect shared ../nets/shared.yaml
expect formulas ../nets/formulas.yaml
expect convolutions ../nets/convolutions.yaml
expect depthwise ../nets/depthwise.yaml
expect tied ../nets/tied.yaml
expect siamese ../nets/siamese.yaml
expect glimpse ../nets/glimpse.yaml
expect functions ../nets/functions.yaml
expect rezero ../nets/rezero.yaml
expect drawn ../nets/drawn.yaml
expect pools ../nets/pools.yaml
expect twice ../nets/twice.yaml
expect transforms ../nets/transforms.yaml
for border in zero clamp legacy; do
    expect samplers_$border ../nets/samplers.yaml --set border=$border
done
expect stacked ../nets/stacked.yaml
expect slices ../nets/slices.yaml
expect states ../nets/states.yaml
expect reverse ../nets/reverse.yaml
expect gru_rows ../nets/gru_rows.yaml
expect masked_gru ../nets/masked_gru.yaml
expect seq2seq ../nets/seq2seq.yaml
expect fixed_point ../nets/fixed_point.yaml
expect rnn ../nets/rnn.yaml
for model in attention bidirectional characters class_weights conv_gru huber lstm multi_label norms resnet_bn squeeze two_heads parts; do
    expect $model ../nets/$model.yaml
done
for model in norms resnet_bn; do        # with the statistics of the batch
    expect ${model}_train ../nets/$model.yaml --mode train
done
expect losses ../nets/losses.yaml
expect shapes ../nets/shapes.yaml
expect vae ../nets/vae.yaml
expect resnet20 ../nets/resnet20.yaml
expect unet ../nets/unet.yaml
expect nested ../nets/nested.yaml
expect deep ../nets/deep.yaml
expect nested_losses ../nets/nested_losses.yaml
expect named_repeat ../nets/named_repeat.yaml
expect norm_steps_train ../nets/norm_steps.yaml --mode train
