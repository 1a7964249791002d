# environment.sh -- the same environment for the tests' programs, however they are started: . "$(dirname "$0")/environment.sh"
#
# Settings of a user that change what a program does or prints are left out: the language of messages, options of OpenMP and make.
# SPN_MNIST (real digits), SPNC, CC, TMPDIR and the seeds that a test names are the caller's.
# Threads that wait do not spin, because other tests may run beside this one.
for name in $(env | sed -n 's/^\(\(OMP\|GOMP\|KMP\|LC\)_[A-Za-z_]*\)=.*/\1/p'); do
    unset "$name"
done
unset BASH_ENV CDPATH ENV LANGUAGE MAKEFLAGS MAKELEVEL MFLAGS POSIXLY_CORRECT
export LC_ALL=C OMP_WAIT_POLICY=passive PYTHONDONTWRITEBYTECODE=1
