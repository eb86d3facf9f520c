/* bpe.h - byte pair encoding with explicit merges
 *
 * The vocabulary of model `gemma4`: blanks read as U+2581, text is split only
 * where runs of line ends begin and end, and a run of line ends that is a
 * piece by itself is taken at once. Elsewhere every character starts as a
 * piece and, of all merges of adjacent pieces, the one listed first in
 * tokenizer.ggml.merges is applied, leftmost first, until none is left. What
 * is no piece then becomes byte tokens.
 *
 * Time O(n log n), memory about 40 bytes a character.
 *
 * Thread-safety: immutable after opening.
 */
#pragma once

#include <glib.h>
#include "gguf/gguf.h"
#include "tokenizer/vocabulary.h"

typedef struct FacetBpe FacetBpe;

/* @vocabulary outlives it. MISSING without merges, CORRUPT if one is not two
 * pieces with a blank between or makes no piece. Of merges listed twice the
 * first counts; those that end in a control piece or marker are left out, so
 * that no text becomes one. */
FacetBpe *facet_bpe_new    (FacetGguf *gguf, const FacetVocabulary *vocabulary, GError **error);
void      facet_bpe_free   (FacetBpe *bpe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetBpe, facet_bpe_free)

/* Appends gint32 ids. @text must be valid UTF-8; a literal U+2581 reads as a
 * blank. @byte_ids: the tokens of bytes that are in no piece. */
void      facet_bpe_encode (const FacetBpe *bpe, const char *text, gsize length, const gint32 byte_ids[256], GArray *ids);
