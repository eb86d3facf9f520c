/* texts.h - text files to talk about, such as transcripts */
#pragma once

#include <glib.h>

/* Their contents as they stand in a prompt, each under its name. Says what is
 * wrong and returns NULL if one cannot be read or holds no UTF-8. */
char *texts_load (char **paths);
