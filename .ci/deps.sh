#!/bin/sh
# deps.sh -- looks for what building (`build`) or building and testing (`all`) needs, and installs what is missing.
# Each need is a command that succeeds where it is met, so that it holds on any system; apt is asked only for what is missing.
# usage: .ci/deps.sh [build|all]      exit codes: 0 all there, 2 wrong usage, 74 something could not be installed
set -u
what=${1:-all}

# level, Debian package, how to see that it is there
needs='
build gcc              command -v cc
build libc6-dev        echo "#include <math.h>" | cc -E -
build cmake            command -v cmake
build pkg-config       command -v pkg-config
build libyaml-dev      pkg-config --exists yaml-0.1
build liblua5.4-dev    pkg-config --exists lua5.4
build zlib1g-dev       pkg-config --exists zlib
build libpng-dev       pkg-config --exists libpng
build libjpeg-dev      pkg-config --exists libjpeg
all   libopenblas-dev  pkg-config --exists openblas
all   libcriterion-dev pkg-config --exists criterion
all   openmpi-bin      command -v mpirun
all   libopenmpi-dev   command -v mpicc
all   python3          command -v python3
all   python3-numpy    sh tests/python.sh numpy yaml
all   python3-yaml     sh tests/python.sh numpy yaml
'

missing() {
    echo "$needs" | while read -r level package test; do
        [ -n "$package" ] || continue
        [ "$level" = build ] || [ "$what" = all ] || continue
        sh -c "$test" >/dev/null 2>&1 </dev/null || printf ' %s' "$package"
    done
}

case $what in
build | all) ;;
*) echo "usage: .ci/deps.sh [build|all]" >&2; exit 2 ;;
esac
packages=$(missing)
[ -n "$packages" ] || exit 0

if command -v apt-get >/dev/null; then
    root="env"
    if [ "$(id -u)" != 0 ]; then
        root="sudo env"
        command -v sudo >/dev/null || { echo "deps: as root: apt-get install$packages" >&2; exit 74; }
    fi
    root="$root DEBIAN_FRONTEND=noninteractive"
    echo "deps: installing$packages"
    # shellcheck disable=SC2086
    said=$( { $root apt-get -qq update && $root apt-get -qq -y --no-install-recommends install $packages; } 2>&1 </dev/null) ||
        echo "$said" | tail -20 >&2
    packages=$(missing)
    [ -z "$packages" ] || { echo "deps: still missing:$packages" >&2; exit 74; }
else
    cat >&2 <<END
deps: missing:$packages
deps: these are Debian's names.  Elsewhere install a C compiler with OpenMP, CMake, pkg-config and the headers of libyaml, Lua 5.4,
deps: zlib, libpng and libjpeg; for the tests also OpenBLAS, Criterion, Open MPI, and Python 3 with numpy and PyYAML.
deps:   Fedora: dnf install gcc cmake pkgconf libyaml-devel lua-devel zlib-devel libpng-devel libjpeg-turbo-devel openblas-devel criterion-devel openmpi-devel python3-numpy python3-pyyaml
deps:   Arch:   pacman -S gcc cmake pkgconf libyaml lua54 zlib libpng libjpeg-turbo openblas openmpi python-numpy python-yaml, and criterion from the AUR
END
    exit 74
fi
