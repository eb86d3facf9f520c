/* vocabulary.h - the pieces of a GGUF's tokenizer
 *
 * Read from tokenizer.ggml.tokens, .scores and .token_type. Piece types are
 * those of GGUF and of sentencepiece, which agree, and one of our own: files
 * call the pieces that frame media, thoughts and tool calls user-defined,
 * although they act like control pieces.
 *
 * Thread-safety: immutable after reading.
 */
#pragma once

#include <glib.h>
#include "gguf/gguf.h"

typedef enum {
  FACET_PIECE_NORMAL = 1,
  FACET_PIECE_UNKNOWN = 2,
  FACET_PIECE_CONTROL = 3,
  FACET_PIECE_USER_DEFINED = 4,
  FACET_PIECE_UNUSED = 5,
  FACET_PIECE_BYTE = 6,
  FACET_PIECE_MARKER = 7, /* ours: user-defined, and <start_of_image> or the like, <|name> or <name|> */
} FacetPieceType;

typedef struct {
  guint32  n;
  char    *text;    /* all pieces, each NUL-terminated */
  guint32 *offset;  /* [n + 1] into text; piece i has offset[i + 1] - offset[i] - 1 bytes */
  guint8  *type;    /* [n] FacetPieceType */
  float   *score;   /* [n] */
  guint32 *slots;   /* [slot_mask + 1] hash table of ids + 1 by text; 0: free */
  guint32  slot_mask;
} FacetVocabulary;

/* CORRUPT if the arrays are absent or contradict each other. */
gboolean facet_vocabulary_read  (FacetVocabulary *vocabulary, FacetGguf *gguf, GError **error);
void     facet_vocabulary_clear (FacetVocabulary *vocabulary);

const char *facet_vocabulary_piece  (const FacetVocabulary *vocabulary, gint32 id, gsize *length); /* NULL: no such id */
/* The first piece with exactly these bytes, -1: none. */
gint32      facet_vocabulary_find   (const FacetVocabulary *vocabulary, const char *bytes, gsize length);
gint32      facet_vocabulary_lookup (const FacetVocabulary *vocabulary, const char *piece);
/* Whether text from people may become this piece: normal and user-defined ones. */
gboolean    facet_vocabulary_is_text (const FacetVocabulary *vocabulary, gint32 id);
/* The byte that "<0xXX>" stands for, -1 if @id is no byte piece. */
int         facet_vocabulary_byte   (const FacetVocabulary *vocabulary, gint32 id);

/* A serialised sentencepiece.ModelProto (sentencepiece_model.proto) that cuts
 * text as the vocabulary's own model did: BPE, no dummy prefix, no
 * normalising, byte fallback. Markers become control pieces, which no text
 * can match. Returns: (transfer full). */
GByteArray *facet_vocabulary_to_proto (const FacetVocabulary *vocabulary, gint32 unknown);
