# embed.cmake -- turns files into one C file of byte arrays and a table of them (see embed.h).
#
#   cmake -DOUT=templates.c -DNAME=embedded_templates -DROOT=/project -DNAMING=FLAT -DFILES=templates/a.in,templates/b/c.in -P embed.cmake
#
# FILES are separated by ',' and relative to ROOT.  The table is sorted by name: with NAMING=FOLDERS that is the path in FILES,
# with NAMING=FLAT the last part of it, which no two files may share.  Those of FOLDERS go to the user, so they begin with a line that gives their licence.
cmake_minimum_required(VERSION 3.22)
foreach(need OUT NAME ROOT NAMING FILES)
    if(NOT DEFINED ${need})
        message(FATAL_ERROR "embed.cmake: -D${need}=... is missing")
    endif()
endforeach()
if(NOT NAMING MATCHES "^(FLAT|FOLDERS)$")
    message(FATAL_ERROR "embed.cmake: NAMING is FLAT or FOLDERS, not ${NAMING}")
endif()

# One entry a file, NAME|PATH, so that sorting goes by the name.
string(REPLACE "," ";" files "${FILES}")
set(entries "")
set(names "")
foreach(file IN LISTS files)
    set(name "${file}")
    if(NAMING STREQUAL "FLAT")
        get_filename_component(name "${file}" NAME)
    endif()
    if(name IN_LIST names)
        message(FATAL_ERROR "embed.cmake: two files are called ${name}")
    endif()
    list(APPEND names "${name}")
    list(APPEND entries "${name}|${file}")
endforeach()
list(SORT entries)

set(licence "")
if(NAMING STREQUAL "FOLDERS")
    string(HEX "/* SPDX-License-Identifier: 0BSD */\n" licence)
endif()

set(arrays "")
set(table "")
set(count 0)
foreach(entry IN LISTS entries)
    string(REPLACE "|" ";" entry "${entry}")
    list(GET entry 0 name)
    list(GET entry 1 file)
    file(READ "${ROOT}/${file}" hex HEX)
    string(PREPEND hex "${licence}")
    string(LENGTH "${hex}" size)
    math(EXPR size "${size} / 2")
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(APPEND arrays "static const unsigned char file${count}[] = {${bytes}0};    /* ${file} */\n")
    string(APPEND table "    { \"${name}\", \"${file}\", file${count}, ${size} },\n")
    math(EXPR count "${count} + 1")
endforeach()

# The last row only keeps an empty table legal C; the count leaves it out.
file(WRITE "${OUT}" "/* Made by embed.cmake.  Edit the files it names, not this. */
#include \"base/embed.h\"

${arrays}
const EmbeddedFile ${NAME}[] = {
${table}    { 0, 0, 0, 0 },
};
const int ${NAME}_count = ${count};
")
