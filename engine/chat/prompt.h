/* prompt.h - turns and how they become tokens
 *
 * A prompt is rendered by the family's own chat template, as a transcript
 * (base models) or as it is. Only the template writes control tokens; what
 * people and files say is tokenized so that it cannot become one.
 *
 * Thread-safety: plain values.
 */
#pragma once

#include "facet.h"
#include "tokenizer/tokenizer.h"

/* A picture or a sound: one of the two is set. */
typedef struct {
  FacetImage *image;
  FacetAudio *audio;
} FacetMedia;

FacetMedia facet_media_ref   (FacetMedia media);
void       facet_media_clear (FacetMedia *media);
/* Same content and size. */
gboolean   facet_media_equal (FacetMedia a, FacetMedia b);

typedef struct {
  gsize      offset; /* in the turn's text: it stands before this byte */
  FacetMedia media;
} FacetTurnPart;

typedef struct {
  FacetRole role;
  GString  *text;
  GArray   *ids;    /* gint32, of facet_prompt_add_tokens(); empty otherwise */
  GArray   *parts;  /* FacetTurnPart, by rising offset */
} FacetTurn;

/* Stands in rendered ids for a picture or a sound, which becomes many soft
 * tokens. */
#define FACET_ID_MEDIA (-1)

struct FacetPrompt {
  FacetTemplate how;
  GPtrArray    *turns; /* of FacetTurn */
};

typedef struct {
  GArray            *ids;          /* gint32 */
  GArray            *media;        /* FacetMedia, of each FACET_ID_MEDIA in order */
  gboolean           bare;         /* media stand alone, nothing of the family's around them */
  const char *const *stop_strings; /* of the template, NULL-terminated, static; never NULL */
  gboolean           skip_blank;   /* the answer's leading blank belongs to the template */
} FacetRendered;

void facet_rendered_clear (FacetRendered *rendered);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FacetRendered, facet_rendered_clear)

/* @has_chat_template decides what AUTO means. INVALID for prompts without
 * turns or with turns out of order, UNSUPPORTED if the family's template is
 * not known. */
gboolean facet_prompt_render (const FacetPrompt *prompt,
                              FacetTokenizer    *tokenizer,
                              FacetFamily        family,
                              gboolean           has_chat_template,
                              FacetRendered     *rendered,
                              GError           **error);
