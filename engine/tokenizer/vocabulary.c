#include "tokenizer/vocabulary.h"

#include <string.h>

#include "facet.h"

#define TOKENS "tokenizer.ggml.tokens"
#define SCORES "tokenizer.ggml.scores"
#define TYPES  "tokenizer.ggml.token_type"

#define MAX_PIECES (1u << 24)
#define MAX_PIECE  4096

static const char *const media_pieces[] = {
  "<start_of_image>", "<end_of_image>", "<image_soft_token>", "<start_of_audio>", "<end_of_audio>", "<audio_soft_token>",
};

typedef struct {
  FacetVocabulary *vocabulary;
  GString         *text;
  gsize            too_long; /* index + 1 of a piece no vocabulary would have */
} Reading;

static gboolean
add_piece (gsize index, const char *bytes, gsize length, gpointer user_data)
{
  Reading *reading = user_data;

  if (length > MAX_PIECE || reading->text->len > G_MAXUINT32 - 2 * MAX_PIECE) {
    reading->too_long = index + 1;
    return FALSE;
  }
  reading->vocabulary->offset[index] = reading->text->len;
  g_string_append_len (reading->text, bytes, length);
  g_string_append_c (reading->text, '\0');
  reading->vocabulary->offset[index + 1] = reading->text->len;
  return TRUE;
}

static gboolean
is_marker (const char *piece, gsize length)
{
  for (gsize i = 0; i < G_N_ELEMENTS (media_pieces); i++)
    if (strlen (media_pieces[i]) == length && memcmp (media_pieces[i], piece, length) == 0)
      return TRUE;
  return length >= 4 && piece[0] == '<' && piece[length - 1] == '>' && (piece[1] == '|' || piece[length - 2] == '|');
}

static gboolean
read_attributes (FacetVocabulary *vocabulary, FacetGguf *gguf, GError **error)
{
  for (guint32 i = 0; i < vocabulary->n; i++) {
    const char *piece;
    gsize length;
    gint64 type;

    if (!facet_gguf_array_f32 (gguf, SCORES, i, &vocabulary->score[i])
        || !facet_gguf_array_i64 (gguf, TYPES, i, &type) || type < FACET_PIECE_NORMAL || type > FACET_PIECE_BYTE) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_CORRUPT, "%s: token %u has no valid score and type", facet_gguf_path (gguf), i);
      return FALSE;
    }
    piece = facet_vocabulary_piece (vocabulary, i, &length);
    vocabulary->type[i] = type == FACET_PIECE_USER_DEFINED && is_marker (piece, length) ? FACET_PIECE_MARKER : type;
  }
  return TRUE;
}

/* FNV-1a, 32 bits. */
static guint32
hash_bytes (const char *bytes, gsize length)
{
  guint32 hash = 2166136261u;

  for (gsize i = 0; i < length; i++)
    hash = (hash ^ (guchar) bytes[i]) * 16777619u;
  return hash ^ hash >> 15;
}

/* The slot that holds the piece of these bytes, or the free one where it belongs. */
static guint32 *
slot_of (const FacetVocabulary *vocabulary, const char *bytes, gsize length)
{
  for (guint32 at = hash_bytes (bytes, length);; at++) {
    guint32 *slot = &vocabulary->slots[at & vocabulary->slot_mask];
    const char *piece;
    gsize piece_length;

    if (*slot == 0)
      return slot;
    piece = facet_vocabulary_piece (vocabulary, *slot - 1, &piece_length);
    if (piece_length == length && memcmp (piece, bytes, length) == 0)
      return slot;
  }
}

static void
index_pieces (FacetVocabulary *vocabulary)
{
  guint32 size = 2;

  while (size < 2 * vocabulary->n)
    size *= 2;
  vocabulary->slot_mask = size - 1;
  vocabulary->slots = g_new0 (guint32, size);
  for (guint32 i = 0; i < vocabulary->n; i++) {
    gsize length;
    const char *piece = facet_vocabulary_piece (vocabulary, i, &length);
    guint32 *slot = slot_of (vocabulary, piece, length);

    if (*slot == 0)
      *slot = i + 1;
  }
}

gboolean
facet_vocabulary_read (FacetVocabulary *vocabulary, FacetGguf *gguf, GError **error)
{
  gsize n = facet_gguf_array_length (gguf, TOKENS);
  gsize scores = facet_gguf_array_length (gguf, SCORES);
  gsize types = facet_gguf_array_length (gguf, TYPES);
  Reading reading = { .vocabulary = vocabulary };

  *vocabulary = (FacetVocabulary){ .n = 0 };
  if (n == 0 || n > MAX_PIECES || scores != n || types != n) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_CORRUPT,
                 "%s: the vocabulary has %" G_GSIZE_FORMAT " tokens, %" G_GSIZE_FORMAT " scores and %" G_GSIZE_FORMAT " types",
                 facet_gguf_path (gguf), n, scores, types);
    return FALSE;
  }
  vocabulary->n = n;
  vocabulary->offset = g_new0 (guint32, n + 1);
  vocabulary->type = g_new (guint8, n);
  vocabulary->score = g_new (float, n);
  reading.text = g_string_sized_new (n * 8);
  facet_gguf_array_strings (gguf, TOKENS, add_piece, &reading);
  vocabulary->text = g_string_free (reading.text, FALSE);
  if (reading.too_long > 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_CORRUPT, "%s: token %" G_GSIZE_FORMAT " is longer than %d bytes",
                 facet_gguf_path (gguf), reading.too_long - 1, MAX_PIECE);
    return FALSE;
  }
  if (!read_attributes (vocabulary, gguf, error))
    return FALSE;
  index_pieces (vocabulary);
  return TRUE;
}

void
facet_vocabulary_clear (FacetVocabulary *vocabulary)
{
  g_clear_pointer (&vocabulary->text, g_free);
  g_clear_pointer (&vocabulary->offset, g_free);
  g_clear_pointer (&vocabulary->type, g_free);
  g_clear_pointer (&vocabulary->score, g_free);
  g_clear_pointer (&vocabulary->slots, g_free);
}

const char *
facet_vocabulary_piece (const FacetVocabulary *vocabulary, gint32 id, gsize *length)
{
  if (id < 0 || (guint32) id >= vocabulary->n)
    return NULL;
  *length = vocabulary->offset[id + 1] - vocabulary->offset[id] - 1;
  return vocabulary->text + vocabulary->offset[id];
}

gint32
facet_vocabulary_find (const FacetVocabulary *vocabulary, const char *bytes, gsize length)
{
  return (gint32) *slot_of (vocabulary, bytes, length) - 1;
}

gint32
facet_vocabulary_lookup (const FacetVocabulary *vocabulary, const char *piece)
{
  return facet_vocabulary_find (vocabulary, piece, strlen (piece));
}

gboolean
facet_vocabulary_is_text (const FacetVocabulary *vocabulary, gint32 id)
{
  return vocabulary->type[id] == FACET_PIECE_NORMAL || vocabulary->type[id] == FACET_PIECE_USER_DEFINED;
}

int
facet_vocabulary_byte (const FacetVocabulary *vocabulary, gint32 id)
{
  gsize length;
  const char *piece = facet_vocabulary_piece (vocabulary, id, &length);

  if (piece == NULL || vocabulary->type[id] != FACET_PIECE_BYTE || length != strlen ("<0xXX>")
      || !g_ascii_isxdigit (piece[3]) || !g_ascii_isxdigit (piece[4]))
    return -1;
  return g_ascii_xdigit_value (piece[3]) << 4 | g_ascii_xdigit_value (piece[4]);
}

/* ---- the protocol buffer; wire types 0: varint, 2: bytes, 5: 32 bits ---- */

static void
put_varint (GByteArray *proto, guint64 value)
{
  do {
    guint8 byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);

    g_byte_array_append (proto, &byte, 1);
    value >>= 7;
  } while (value > 0);
}

static void
put_number (GByteArray *proto, int field, guint64 value)
{
  put_varint (proto, field << 3);
  put_varint (proto, value);
}

static void
put_bytes (GByteArray *proto, int field, gconstpointer bytes, gsize length)
{
  put_varint (proto, field << 3 | 2);
  put_varint (proto, length);
  g_byte_array_append (proto, bytes, length);
}

static void
put_float (GByteArray *proto, int field, float value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  bits = GUINT32_TO_LE (bits);
  put_varint (proto, field << 3 | 5);
  g_byte_array_append (proto, (const guint8 *) &bits, sizeof bits);
}

/* Files write the blanks of user-defined pieces as such; sentencepiece looks
 * for them in text whose blanks are U+2581 by then. */
static void
put_piece (GByteArray *proto, const char *piece, gsize length, FacetPieceType type)
{
  g_autoptr (GString) escaped = g_string_new_len (piece, length);

  if (type == FACET_PIECE_USER_DEFINED)
    g_string_replace (escaped, " ", "\xe2\x96\x81", 0);
  put_bytes (proto, 1, escaped->str, escaped->len);
}

GByteArray *
facet_vocabulary_to_proto (const FacetVocabulary *vocabulary, gint32 unknown)
{
  GByteArray *proto = g_byte_array_sized_new (vocabulary->n * 24);
  g_autoptr (GByteArray) part = g_byte_array_new ();
  gboolean bytes = FALSE;

  for (guint32 i = 0; i < vocabulary->n; i++) {
    FacetPieceType type = vocabulary->type[i];
    gsize length;
    const char *piece = facet_vocabulary_piece (vocabulary, i, &length);

    if (type == FACET_PIECE_MARKER)
      type = FACET_PIECE_CONTROL;
    if ((gint32) i == unknown)
      type = FACET_PIECE_UNKNOWN;
    g_byte_array_set_size (part, 0);
    put_piece (part, piece, length, type);
    put_float (part, 2, vocabulary->score[i]);
    put_number (part, 3, type);
    put_bytes (proto, 1, part->data, part->len);
    bytes = bytes || type == FACET_PIECE_BYTE;
  }

  g_byte_array_set_size (part, 0); /* TrainerSpec */
  put_number (part, 3, 2);         /* model_type: BPE */
  put_number (part, 35, bytes);    /* byte_fallback */
  put_number (part, 40, unknown);  /* unk_id */
  put_bytes (proto, 2, part->data, part->len);

  g_byte_array_set_size (part, 0); /* NormalizerSpec */
  put_bytes (part, 1, "identity", strlen ("identity"));
  put_number (part, 3, FALSE);     /* add_dummy_prefix */
  put_number (part, 4, FALSE);     /* remove_extra_whitespaces */
  put_number (part, 5, TRUE);      /* escape_whitespaces */
  put_bytes (proto, 3, part->data, part->len);
  return proto;
}
