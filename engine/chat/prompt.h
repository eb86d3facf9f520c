/* prompt.h - turns and how they become tokens
 *
 * A prompt is rendered by the family's own chat template, as a transcript
 * (base models) or as it is. Only the template writes control tokens; what
 * people and files say is tokenized so that it cannot become one.
 *
 * Thread-safety: plain values.
 */
#pragma once

#include "core/json.h"
#include "facet.h"
#include "tokenizer/tokenizer.h"

/* A picture or a sound: one of the two is set. */
typedef struct {
  FacetImage *image;
  FacetAudio *audio;
  int         crop;  /* of the picture: 0 the whole, else a part of it */
} FacetMedia;

FacetMedia facet_media_ref   (FacetMedia media);
void       facet_media_clear (FacetMedia *media);
/* Same content and size, same part. */
gboolean   facet_media_equal (FacetMedia a, FacetMedia b);

typedef enum {
  FACET_PART_MEDIA,
  FACET_PART_CALL,   /* of a tool */
  FACET_PART_RESULT, /* of a call */
} FacetPartKind;

typedef struct {
  gsize         offset; /* in the turn's text: it stands before this byte */
  FacetPartKind kind;
  FacetMedia    media;
  char         *name;   /* of the tool */
  FacetJson    *value;  /* arguments: an object; result: an object or a string */
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
  FacetTemplate   how;
  GPtrArray      *turns; /* of FacetTurn */
  GPtrArray      *tools; /* of FacetTool; NULL: none */
  FacetToolChoice choice;
  FacetCallForm   form;
  gboolean        thinking;
  FacetPanAndScan pan_and_scan;
  gboolean        bare;  /* made of token ids */
};

typedef struct {
  GArray            *ids;          /* gint32 */
  GArray            *media;        /* FacetMedia, of each FACET_ID_MEDIA in order */
  gboolean           bare;         /* media stand alone, nothing of the family's around them */
  const char *const *stop_strings; /* of the template, NULL-terminated, static; never NULL */
  gboolean           skip_blank;   /* the answer's leading blank belongs to the template */
  FacetCallForm      form;         /* how the answer writes calls of the prompt's tools */
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
