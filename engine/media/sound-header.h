/* sound-header.h - does a sound file's header promise more than is there?
 *
 * libsndfile quietly shortens the length it reports to what the file holds.
 * For somebody who waits for a transcript that means words lost without
 * notice, so containers that state the size of their data are checked first:
 * RIFF/RIFX/RF64 WAVE (Microsoft, "Multimedia Programming Interface and Data
 * Specifications"; EBU Tech 3306), AIFF/AIFC and AU. Sizes that mean "unknown,
 * until the end of the file" (0, 0xffffffff, as streams write) are accepted.
 */
#pragma once

#include "media/sound-file.h"

gboolean facet_sound_header_check (const FacetSoundSource *source, GError **error);
