/* data-folder.h - a data directory for the run of one test program */
#pragma once

#include <glib.h>

/* Makes a folder the XDG data directory. Call first in main(). */
char *data_folder_begin (void);

/* Removes the folder with all in it and frees @path. Returns @status. */
int   data_folder_end   (char *path, int status);
