# embed.cmake -- turns the files of a folder into one C file of byte arrays and a table of them (see embed.h).
#
#   cmake -DOUT=templates.c -DNAME=embedded_templates -DDIR=templates -DGLOB=*.in -P embed.cmake
#
# GLOB may hold several patterns, separated by ';' or ','.  Names in the table are relative to DIR, sorted.
foreach(need OUT NAME DIR GLOB)
    if(NOT DEFINED ${need})
        message(FATAL_ERROR "embed.cmake: -D${need}=... is missing")
    endif()
endforeach()
get_filename_component(DIR "${DIR}" ABSOLUTE)
if(NOT IS_DIRECTORY "${DIR}")
    message(FATAL_ERROR "embed.cmake: no folder ${DIR}")
endif()

string(REPLACE "," ";" patterns "${GLOB}")
list(TRANSFORM patterns PREPEND "${DIR}/")
file(GLOB files LIST_DIRECTORIES false RELATIVE "${DIR}" ${patterns})
list(SORT files)
list(REMOVE_DUPLICATES files)

set(arrays "")
set(table "")
set(count 0)
foreach(file IN LISTS files)
    file(READ "${DIR}/${file}" hex HEX)
    string(LENGTH "${hex}" size)
    math(EXPR size "${size} / 2")
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(APPEND arrays "static const unsigned char file${count}[] = {${bytes}0};    /* ${file} */\n")
    string(APPEND table "    { \"${file}\", file${count}, ${size} },\n")
    math(EXPR count "${count} + 1")
endforeach()

# The last row only keeps an empty table legal C; the count leaves it out.
file(WRITE "${OUT}" "/* Made by embed.cmake.  Edit the files it names, not this. */
#include \"embed.h\"

${arrays}
const EmbeddedFile ${NAME}[] = {
${table}    { 0, 0, 0 },
};
const int ${NAME}_count = ${count};
")
