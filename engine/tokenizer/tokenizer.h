/* tokenizer.h - text to token ids and back
 *
 * `llama` vocabularies (Gemma 3, 3n) go through libsentencepiece: a model
 * proto is rebuilt from the GGUF's pieces, scores and types. `gemma4` ones
 * carry merges (bpe.h).
 *
 * User-defined pieces are cut out first, longest match; control pieces only
 * when asked for. Markers, which frame media, thoughts and tool calls, never
 * match in text from people, although files call them user-defined. Invalid
 * UTF-8 becomes byte tokens. No BOS is added.
 *
 * What TEXT makes of valid UTF-8 decodes to the same bytes. Pieces write
 * blanks as U+2581, which is why a literal U+2581 becomes its three byte
 * tokens there; PLAIN reads it as the reference implementations do, that is,
 * as a blank.
 *
 * Thread-safety: immutable after opening (the table behind
 * facet_tokenizer_bytes() is made once, under a lock).
 */
#pragma once

#include <glib.h>
#include "gguf/gguf.h"

typedef struct FacetTokenizer FacetTokenizer;

FacetTokenizer *facet_tokenizer_new  (FacetGguf *gguf, GError **error);
void            facet_tokenizer_free (FacetTokenizer *tokenizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetTokenizer, facet_tokenizer_free)

typedef enum {
  FACET_TOKENIZE_TEXT,     /* from people and files: no control token, no marker; exact round trip */
  FACET_TOKENIZE_PLAIN,    /* as the vocabulary reads it: markers match; never for prompts */
  FACET_TOKENIZE_SPECIAL,  /* written by us: control pieces match too */
} FacetTokenizeMode;

/* Appends gint32 ids. */
void        facet_tokenizer_encode (FacetTokenizer *tokenizer, const char *text, gsize length,
                                    FacetTokenizeMode mode, GArray *ids);
/* Appends the bytes @id stands for (U+2581 as a blank, <0xXX> as a byte,
 * control pieces as nothing). */
void        facet_tokenizer_decode (FacetTokenizer *tokenizer, gint32 id, GString *bytes);
/* What an answer gets from @id: the same bytes, but nothing of markers. From
 * a table that is made on first use. */
const char *facet_tokenizer_bytes  (FacetTokenizer *tokenizer, gint32 id, gsize *length);
/* Whether these bytes are whole UTF-8 without control characters, quotes and
 * backslashes. */
gboolean    facet_tokenizer_is_harmless (FacetTokenizer *tokenizer, gint32 id);
const char *facet_tokenizer_piece  (FacetTokenizer *tokenizer, gint32 id); /* NULL: no such id */
/* The id of a piece by its exact text, -1: none. */
gint32      facet_tokenizer_lookup (FacetTokenizer *tokenizer, const char *piece);
gboolean    facet_tokenizer_is_control (FacetTokenizer *tokenizer, gint32 id);
/* Control pieces and markers: what no text from people becomes. */
gboolean    facet_tokenizer_is_special (FacetTokenizer *tokenizer, gint32 id);

int         facet_tokenizer_size    (FacetTokenizer *tokenizer);
gint32      facet_tokenizer_bos     (FacetTokenizer *tokenizer);
gboolean    facet_tokenizer_add_bos (FacetTokenizer *tokenizer);
/* End of sequence and end of turn: every id after which an answer is over. */
gboolean    facet_tokenizer_is_end  (FacetTokenizer *tokenizer, gint32 id);
