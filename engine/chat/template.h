/* template.h - what the templates of the families share
 *
 * A template writes text, which goes to the tokenizer in stretches as long as
 * possible and in the reading for people's text, and control pieces, which
 * only it can write.
 */
#pragma once

#include "chat/prompt.h"

typedef struct {
  FacetTokenizer *tokenizer;
  FacetRendered  *rendered;
  GString        *text;    /* not tokenized yet */
  FacetPanAndScan pan_and_scan;
  const char     *missing; /* a control piece that the vocabulary lacks */
} FacetWriter;

void facet_writer_init    (FacetWriter *writer, FacetTokenizer *tokenizer, FacetRendered *rendered);
/* UNSUPPORTED if the vocabulary lacked a piece. */
gboolean facet_writer_end (FacetWriter *writer, GError **error);

void facet_writer_text    (FacetWriter *writer, const char *text);
void facet_writer_bytes   (FacetWriter *writer, const char *text, gsize length);
/* Without the blanks and line ends around it. */
void facet_writer_trimmed (FacetWriter *writer, const char *text, gsize length);
/* @piece: a string constant. */
void facet_writer_control (FacetWriter *writer, const char *piece);
void facet_writer_media   (FacetWriter *writer, FacetMedia media);
/* The same between what @family puts around it. */
void facet_writer_framed  (FacetWriter *writer, FacetFamily family, FacetMedia media);

/* ---- turns ---- */

const FacetTurn     *facet_prompt_turn (const FacetPrompt *prompt, guint index);
/* Part @index of a turn and the text before it; the last index is one past
 * the parts, where the part is NULL. */
const FacetTurnPart *facet_turn_piece  (const FacetTurn *turn, guint index, const char **text, gsize *length);
/* Whether the turn ends in a part of @kind, with no text after it. */
gboolean             facet_turn_ends_in (const FacetTurn *turn, FacetPartKind kind);

/* ---- the templates ---- */

void facet_gemma3_render      (const FacetPrompt *prompt, FacetWriter *writer);
void facet_gemma3_frame       (FacetWriter *writer, FacetMedia media); /* with what stands around media */
void facet_policy_render      (const FacetPrompt *prompt, FacetWriter *writer);
void facet_gemma4_render      (const FacetPrompt *prompt, FacetWriter *writer);
void facet_gemma4_frame       (FacetWriter *writer, FacetMedia media);
void facet_transcript_render  (const FacetPrompt *prompt, FacetFamily family, FacetWriter *writer);

/* What families without tokens for it are told before the first question, the
 * system's words (@system, or NULL) and the tools, and how calls and results of
 * them are written: one JSON object or one line each. */
void facet_tools_write_preface (FacetWriter *writer, const FacetPrompt *prompt, const FacetTurn *system);
void facet_tools_write_call    (GString *out, FacetCallForm form, const FacetTurnPart *part);
void facet_tools_write_result  (GString *out, const FacetTurnPart *part);
