/* mode-prompt.h - the window's modes on the command line
 *
 * The words of a mode are the ones that the window uses, the person's own if
 * the settings have some.
 */
#pragma once

#include <glib.h>

/* What the model is given for @text (NULL: none) in the mode @id; @language
 * fills the template's place for one, NULL: the person's own. @spoken: the
 * words go with a recording. Returns: (transfer full). */
char *mode_prompt (const char *id, const char *language, const char *text, gboolean spoken);

/* What of that stands before and after the text. */
void  mode_words_around (const char *id, const char *language, char **before, char **after);
