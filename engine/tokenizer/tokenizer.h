/* tokenizer.h - text to token ids and back
 *
 * `llama` vocabularies (Gemma 3, 3n) go through libsentencepiece: a model
 * proto is rebuilt from the GGUF's pieces, scores and types.
 *
 * User-defined pieces are cut out first, longest match; control pieces only
 * when asked for. Marker pieces that frame media (<start_of_image> and the
 * like) never match in text from people, although the vocabulary calls them
 * user-defined. A literal U+2581 reads as a blank. Invalid UTF-8 becomes byte
 * tokens. No BOS is added.
 *
 * Thread-safety: immutable after opening.
 */
#pragma once

#include <glib.h>
#include "gguf/gguf.h"

typedef struct FacetTokenizer FacetTokenizer;

FacetTokenizer *facet_tokenizer_new  (FacetGguf *gguf, GError **error);
void            facet_tokenizer_free (FacetTokenizer *tokenizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetTokenizer, facet_tokenizer_free)

typedef enum {
  FACET_TOKENIZE_TEXT,     /* from people and files: no control token, no media marker */
  FACET_TOKENIZE_PLAIN,    /* as the vocabulary reads it: media markers match; never for prompts */
  FACET_TOKENIZE_SPECIAL,  /* written by us: control pieces match too */
} FacetTokenizeMode;

/* Appends gint32 ids. */
void        facet_tokenizer_encode (FacetTokenizer *tokenizer, const char *text, gsize length,
                                    FacetTokenizeMode mode, GArray *ids);
/* Appends the bytes @id stands for (U+2581 as a blank, <0xXX> as a byte,
 * control pieces as nothing). */
void        facet_tokenizer_decode (FacetTokenizer *tokenizer, gint32 id, GString *bytes);
const char *facet_tokenizer_piece  (FacetTokenizer *tokenizer, gint32 id); /* NULL: no such id */
/* The id of a piece by its exact text, -1: none. */
gint32      facet_tokenizer_lookup (FacetTokenizer *tokenizer, const char *piece);
gboolean    facet_tokenizer_is_control (FacetTokenizer *tokenizer, gint32 id);

int         facet_tokenizer_size    (FacetTokenizer *tokenizer);
gint32      facet_tokenizer_bos     (FacetTokenizer *tokenizer);
gboolean    facet_tokenizer_add_bos (FacetTokenizer *tokenizer);
/* End of sequence and end of turn: every id after which an answer is over. */
gboolean    facet_tokenizer_is_end  (FacetTokenizer *tokenizer, gint32 id);
