#include "tokenizer/vocabulary.h"

#include <string.h>

#include "facet.h"

#define TOKENS "tokenizer.ggml.tokens"
#define SCORES "tokenizer.ggml.scores"
#define TYPES  "tokenizer.ggml.token_type"

#define MAX_PIECES (1u << 24)
#define MAX_PIECE  4096

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
read_attributes (FacetVocabulary *vocabulary, FacetGguf *gguf, GError **error)
{
  for (guint32 i = 0; i < vocabulary->n; i++) {
    gint64 type;

    if (!facet_gguf_array_f32 (gguf, SCORES, i, &vocabulary->score[i])
        || !facet_gguf_array_i64 (gguf, TYPES, i, &type) || type < FACET_PIECE_NORMAL || type > FACET_PIECE_BYTE) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_CORRUPT, "%s: token %u has no valid score and type", facet_gguf_path (gguf), i);
      return FALSE;
    }
    vocabulary->type[i] = type;
  }
  return TRUE;
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
  return read_attributes (vocabulary, gguf, error);
}

void
facet_vocabulary_clear (FacetVocabulary *vocabulary)
{
  g_clear_pointer (&vocabulary->text, g_free);
  g_clear_pointer (&vocabulary->offset, g_free);
  g_clear_pointer (&vocabulary->type, g_free);
  g_clear_pointer (&vocabulary->score, g_free);
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
facet_vocabulary_lookup (const FacetVocabulary *vocabulary, const char *piece)
{
  gsize wanted = strlen (piece);

  for (guint32 i = 0; i < vocabulary->n; i++) {
    gsize length;
    const char *bytes = facet_vocabulary_piece (vocabulary, i, &length);

    if (length == wanted && memcmp (bytes, piece, length) == 0)
      return i;
  }
  return -1;
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
facet_vocabulary_to_proto (const FacetVocabulary *vocabulary, const gint32 *hidden, gsize n_hidden, gint32 unknown)
{
  g_autofree guint8 *type = g_memdup2 (vocabulary->type, vocabulary->n);
  GByteArray *proto = g_byte_array_sized_new (vocabulary->n * 24);
  g_autoptr (GByteArray) part = g_byte_array_new ();
  gboolean bytes = FALSE;

  for (gsize i = 0; i < n_hidden; i++)
    type[hidden[i]] = FACET_PIECE_CONTROL;
  type[unknown] = FACET_PIECE_UNKNOWN;
  for (guint32 i = 0; i < vocabulary->n; i++) {
    gsize length;
    const char *piece = facet_vocabulary_piece (vocabulary, i, &length);

    g_byte_array_set_size (part, 0);
    put_piece (part, piece, length, vocabulary->type[i]);
    put_float (part, 2, vocabulary->score[i]);
    put_number (part, 3, type[i]);
    put_bytes (proto, 1, part->data, part->len);
    bytes = bytes || type[i] == FACET_PIECE_BYTE;
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
