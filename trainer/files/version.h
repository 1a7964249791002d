/* version.h -- the version of spnc: that of the compiler, of spn-data and of what a program or a library says it was made by.
 *
 * CMakeLists.txt reads it here; CITATION.cff repeats it, and tests/test_install.sh compares the two. */
#ifndef SPN_FILES_VERSION_H
#define SPN_FILES_VERSION_H

#define SPN_VERSION "0.1.0"

#endif
