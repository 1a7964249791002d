#!/bin/sh
# python.sh MODULE... -- prints the first Python that has all of these modules; prints nothing and exits 1 if there is none.
modules=$(echo "$*" | tr ' ' ',')
for python in python3 /usr/bin/python3; do
    "$python" -c "import $modules" 2>/dev/null && echo "$python" && exit 0
done
exit 1
