/* listening.h - a recording of any length as text
 *
 * Shows progress, and goes on from the journal that an earlier run left.
 */
#pragma once

#include "transcribe/facet-transcriber.h"
#include "options.h"

/* @instruction stands after the sound of each piece; @fresh: what an earlier
 * run left is not used. Unless a temperature was given, the likeliest words
 * are taken. @kept (NULL: removed): the journal that is left, for
 * facet_journal_forget(). */
gboolean listening_transcribe (const Options      *options,
                               FacetModel         *model,
                               FacetSession       *session,
                               const char         *file,
                               const char         *instruction,
                               gboolean            fresh,
                               FacetTextFunc       on_text,
                               char              **kept,
                               FacetCancel        *cancel,
                               FacetTranscription *result,
                               GError            **error);

/* What the person should know of the text. */
void     listening_report     (const char *file, const FacetTranscription *result);
