/* media.h - pictures and sound within the text of the command line */
#pragma once

#include "facet.h"

/* Adds @text to the last turn of @prompt. The words “<image>” and “<audio>” in
 * it are replaced by @images and @sounds (sounds.h; both may be NULL) in
 * order; those without such a place come first, pictures before sounds. */
void media_add_text    (FacetPrompt *prompt, const char *text, GPtrArray *images, GPtrArray *sounds);

/* Says that @model cannot see or, with @audio, hear, and which file would help. */
void media_report_lack (FacetModel *model, gboolean audio);
