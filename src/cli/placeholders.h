/* placeholders.h - pictures and sound within the token ids of the command line */
#pragma once

#include "facet.h"

/* Adds @ids (gint32) to the turns of @prompt, which is RAW, with @images and
 * the clips of @sounds (sounds.h) in the places that facet_token_placeholder()
 * holds for them, in order. A place is one such id, or as many as there are
 * soft tokens; of a sound also more, up to facet_projector_sound_rows(), which
 * one alone stands for. Where neither is given, the ids stay as they are. Reports what does not fit itself and then returns FALSE. */
gboolean placeholders_add (FacetPrompt *prompt, FacetModel *model, const GArray *ids, GPtrArray *images, GPtrArray *sounds);
