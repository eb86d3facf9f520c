/* facet-engine-transcribe.h - transcriptions and summaries within the engine thread */
#pragma once

#include "facet-engine-work.h"

G_BEGIN_DECLS

FacetAudio *facet_engine_load_sound (const FacetPart *part, FacetCancel *cancel, GError **error);

/* Writes down the sounds of the request's last turn, one below the other,
 * through on_text of the params; progress is in thousandths of a second of
 * sound. A transcription that was stopped before goes on from its journal. */
gboolean    facet_engine_transcribe (const FacetEngineWork *work, GError **error);

/* Summarises what the sounds of the request's last turn say or, without an
 * instruction, its text; see facet-summariser.h. */
gboolean    facet_engine_summarise  (const FacetEngineWork *work, GError **error);

G_END_DECLS
