#!/usr/bin/env bash
# mpi_models.sh -- models of this repository, trained for two epochs by 1, 2, 3, 4 and 7 ranks of one and two threads each: the weights are those of one process without MPI.
# Not part of `make test`: it takes minutes.  usage: tests/mpi_models.sh [TARGET...]     default: the processor's; the first target has the reference
# MODELS: some of the names below (default: all).
. "$(dirname "$0")/begin.sh"
unset CFLAGS                                                            # trains for long
cd "$work" || exit 74
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_odls_base_sigkill_timeout=0
[ $# -gt 0 ] || set -- native
spn_data=$(dirname "$SPNC")/spn-data
"$spn_data" make --train 130 --valid 20 --test 1 --seed 1 -o digits >said 2>&1 && "$spn_data" make --single --train 130 --valid 20 --test 1 --seed 1 -o single >said 2>&1 || { cat said; exit 1; }
mkdir pictures
for split in train valid; do
    n=$([ $split = train ] && echo 130 || echo 20)
    head -c $((n * 3072)) <(yes 'made-up pixels, the same in each run of this test: 0123456789' | openssl enc -aes-128-ctr -nosalt -pass pass:1 2>/dev/null) | npy '|u1' "$n, 3, 32, 32" >pictures/${split}_image.npy
    printf "$(for i in $(seq "$n"); do printf '\\%03o\\000\\000\\000' $((i * 7 % 10)); done)" | npy '<i4' "$n," >pictures/${split}_label.npy
done
count=0
while read -r name data options <&3; do                                # mpirun reads what it is given, so the list is no standard input
    [[ " ${MODELS:-$name} " = *" $name "* ]] || continue
    # shellcheck disable=SC2086
    run "$SPNC" build "$root/models/$name.yaml" $options --target "$1" -o "$name.one" && run "$name.one/$name" train --data "$data" --run "$name.run" --epochs 2 --threads 2 || continue
    "$name.one/$name" export --last --run "$name.run" -o reference.npz
    for target in "$@"; do
        # shellcheck disable=SC2086
        run "$SPNC" build "$root/models/$name.yaml" $options --target "$target" --mpi -o "$name.$target" || continue
        for ranks in 1 2 3 4 7; do
            for threads in 1 2; do
                rm -rf again
                mpirun -n $ranks "$name.$target/$name" train --data "$data" --run again --epochs 2 --threads $threads >said 2>&1 || { fault "$name: $(tail -3 said)"; continue; }
                "$name.one/$name" export --last --run again -o again.npz
                cmp -s again.npz reference.npz && count=$((count + 1)) || fault "$name, $target, $ranks ranks of $threads threads: other weights"
            done
        done
    done
    echo "$name $options: $(sha256sum <reference.npz | cut -c1-16), $count runs alike so far"
done 3<<'END'
rnn_spn digits --set d=4
ffn_spn digits --set d=4
autoencoder single
resnet20 pictures
END
exit $failed
