#include "tokenizer/tokenizer.h"

#include <string.h>

#include "facet.h"
#include "tokenizer/spm-shim.h"
#include "tokenizer/vocabulary.h"

#define BLANK "\xe2\x96\x81" /* U+2581, a blank inside pieces */

/* User-defined pieces that frame media, in any family. */
static const char *const marker_pieces[] = {
  "<start_of_image>", "<end_of_image>", "<image_soft_token>", "<start_of_audio>", "<end_of_audio>", "<audio_soft_token>",
};
static const char *const end_pieces[] = { "<end_of_turn>", "<eos>", "<turn|>" };

typedef struct {
  gint32 ids[G_N_ELEMENTS (marker_pieces)];
  gsize  n;
} Markers;

struct FacetTokenizer {
  FacetVocabulary vocabulary;
  FacetSpm       *spm;
  Markers         markers;
  GArray         *cut[256];  /* of gint32: control pieces and markers by first byte, longest first */
  gint32          byte_ids[256];
  gint32          bos, eos;
  gint32          end[G_N_ELEMENTS (end_pieces) + 2];
  gsize           n_end;
  gboolean        add_bos;
};

static gsize
piece_length (const FacetTokenizer *tokenizer, gint32 id)
{
  return tokenizer->vocabulary.offset[id + 1] - tokenizer->vocabulary.offset[id] - 1;
}

static gboolean
is_marker (const FacetTokenizer *tokenizer, gint32 id)
{
  for (gsize i = 0; i < tokenizer->markers.n; i++)
    if (tokenizer->markers.ids[i] == id)
      return TRUE;
  return FALSE;
}

static int
longer_first (gconstpointer a, gconstpointer b, gpointer tokenizer)
{
  gsize x = piece_length (tokenizer, *(const gint32 *) a), y = piece_length (tokenizer, *(const gint32 *) b);

  return (y > x) - (y < x);
}

static void
find_markers (FacetTokenizer *tokenizer)
{
  Markers *markers = &tokenizer->markers;

  for (gsize i = 0; i < G_N_ELEMENTS (marker_pieces); i++) {
    gint32 id = facet_vocabulary_lookup (&tokenizer->vocabulary, marker_pieces[i]);

    if (id >= 0)
      markers->ids[markers->n++] = id;
  }
}

static void
index_pieces (FacetTokenizer *tokenizer)
{
  const FacetVocabulary *vocabulary = &tokenizer->vocabulary;

  for (int i = 0; i < 256; i++)
    tokenizer->byte_ids[i] = -1;
  for (guint32 i = 0; i < vocabulary->n; i++) {
    int byte = facet_vocabulary_byte (vocabulary, i);
    guchar first = vocabulary->text[vocabulary->offset[i]];
    gint32 id = i;

    if (byte >= 0)
      tokenizer->byte_ids[byte] = id;
    if (piece_length (tokenizer, id) == 0 || (vocabulary->type[i] != FACET_PIECE_CONTROL && !is_marker (tokenizer, id)))
      continue;
    if (tokenizer->cut[first] == NULL)
      tokenizer->cut[first] = g_array_new (FALSE, FALSE, sizeof (gint32));
    g_array_append_val (tokenizer->cut[first], id);
  }
  for (int i = 0; i < 256; i++)
    if (tokenizer->cut[i] != NULL)
      g_array_sort_with_data (tokenizer->cut[i], longer_first, tokenizer);
}

static void
add_end (FacetTokenizer *tokenizer, gint32 id)
{
  if (id >= 0 && id < (gint32) tokenizer->vocabulary.n)
    tokenizer->end[tokenizer->n_end++] = id;
}

/* A key that names a token; -1 if it is absent. An error if it names none. */
static gboolean
read_id (FacetTokenizer *tokenizer, FacetGguf *gguf, const char *key, gint32 *id, GError **error)
{
  guint32 value;

  *id = -1;
  if (!facet_gguf_get_u32 (gguf, key, &value))
    return TRUE;
  if (value >= tokenizer->vocabulary.n) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_CORRUPT, "%s: %s is %u, but there are only %u tokens", facet_gguf_path (gguf),
                 key, value, tokenizer->vocabulary.n);
    return FALSE;
  }
  *id = value;
  return TRUE;
}

static gboolean
read_special (FacetTokenizer *tokenizer, FacetGguf *gguf, gint32 *unknown, GError **error)
{
  gint32 eot;

  if (!read_id (tokenizer, gguf, "tokenizer.ggml.bos_token_id", &tokenizer->bos, error)
      || !read_id (tokenizer, gguf, "tokenizer.ggml.eos_token_id", &tokenizer->eos, error)
      || !read_id (tokenizer, gguf, "tokenizer.ggml.eot_token_id", &eot, error)
      || !read_id (tokenizer, gguf, "tokenizer.ggml.unknown_token_id", unknown, error))
    return FALSE;
  if (*unknown < 0)
    *unknown = facet_vocabulary_lookup (&tokenizer->vocabulary, "<unk>");
  if (tokenizer->bos < 0)
    tokenizer->bos = facet_vocabulary_lookup (&tokenizer->vocabulary, "<bos>");
  if (*unknown < 0 || tokenizer->bos < 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MISSING, "%s: the vocabulary names no %s token", facet_gguf_path (gguf),
                 *unknown < 0 ? "unknown" : "beginning-of-text");
    return FALSE;
  }
  add_end (tokenizer, tokenizer->eos);
  add_end (tokenizer, eot);
  for (gsize i = 0; i < G_N_ELEMENTS (end_pieces); i++)
    add_end (tokenizer, facet_vocabulary_lookup (&tokenizer->vocabulary, end_pieces[i]));
  tokenizer->add_bos = TRUE;
  facet_gguf_get_bool (gguf, "tokenizer.ggml.add_bos_token", &tokenizer->add_bos);
  return TRUE;
}

FacetTokenizer *
facet_tokenizer_new (FacetGguf *gguf, GError **error)
{
  g_autoptr (FacetTokenizer) tokenizer = g_new0 (FacetTokenizer, 1);
  const char *model = facet_gguf_get_string (gguf, "tokenizer.ggml.model");
  g_autoptr (GByteArray) proto = NULL;
  g_autofree char *message = NULL;
  gint32 unknown;

  if (g_strcmp0 (model, "llama") != 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "%s: tokenizer.ggml.model is \"%s\", only \"llama\" is known",
                 facet_gguf_path (gguf), model != NULL ? model : "");
    return NULL;
  }
  if (!facet_vocabulary_read (&tokenizer->vocabulary, gguf, error) || !read_special (tokenizer, gguf, &unknown, error))
    return NULL;
  find_markers (tokenizer);
  index_pieces (tokenizer);
  proto = facet_vocabulary_to_proto (&tokenizer->vocabulary, tokenizer->markers.ids, tokenizer->markers.n, unknown);
  tokenizer->spm = facet_spm_new (proto->data, proto->len, &message);
  if (tokenizer->spm == NULL) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_CORRUPT, "%s: the vocabulary cannot be used: %s", facet_gguf_path (gguf), message);
    return NULL;
  }
  return g_steal_pointer (&tokenizer);
}

void
facet_tokenizer_free (FacetTokenizer *tokenizer)
{
  facet_vocabulary_clear (&tokenizer->vocabulary);
  g_clear_pointer (&tokenizer->spm, facet_spm_free);
  for (int i = 0; i < 256; i++)
    g_clear_pointer (&tokenizer->cut[i], g_array_unref);
  g_free (tokenizer);
}

static void
encode_byte (FacetTokenizer *tokenizer, guchar byte, GArray *ids)
{
  gint32 id = tokenizer->byte_ids[byte];

  if (id >= 0)
    g_array_append_val (ids, id);
}

/* Text in which nothing is cut out; what is no UTF-8 goes byte by byte. */
static void
encode_run (FacetTokenizer *tokenizer, const char *text, gsize length, GArray *ids)
{
  const char *end = text + length;

  while (text < end) {
    const char *invalid;

    /* Stops at NUL too, which libsentencepiece would not get through. */
    g_utf8_validate_len (text, end - text, &invalid);
    if (invalid > text)
      facet_spm_encode (tokenizer->spm, text, invalid - text, ids);
    if (invalid == end)
      return;
    encode_byte (tokenizer, *invalid, ids);
    text = invalid + 1;
  }
}

/* The piece to be cut out at @text, -1: none. */
static gint32
match_cut (FacetTokenizer *tokenizer, const char *text, gsize length, FacetTokenizeMode mode)
{
  GArray *candidates = tokenizer->cut[(guchar) text[0]];

  for (guint i = 0; candidates != NULL && i < candidates->len; i++) {
    gint32 id = g_array_index (candidates, gint32, i);
    gsize wanted = piece_length (tokenizer, id);

    if (wanted <= length && memcmp (text, tokenizer->vocabulary.text + tokenizer->vocabulary.offset[id], wanted) == 0
        && (mode == FACET_TOKENIZE_SPECIAL || is_marker (tokenizer, id)))
      return id;
  }
  return -1;
}

void
facet_tokenizer_encode (FacetTokenizer *tokenizer, const char *text, gsize length, FacetTokenizeMode mode, GArray *ids)
{
  gsize start = 0;

  for (gsize at = 0; mode != FACET_TOKENIZE_TEXT && at < length;) {
    gint32 id = match_cut (tokenizer, text + at, length - at, mode);

    if (id < 0) {
      at++;
      continue;
    }
    encode_run (tokenizer, text + start, at - start, ids);
    g_array_append_val (ids, id);
    at += piece_length (tokenizer, id);
    start = at;
  }
  encode_run (tokenizer, text + start, length - start, ids);
}

void
facet_tokenizer_decode (FacetTokenizer *tokenizer, gint32 id, GString *bytes)
{
  int byte = facet_vocabulary_byte (&tokenizer->vocabulary, id);
  gsize length;
  const char *piece = facet_vocabulary_piece (&tokenizer->vocabulary, id, &length);

  if (byte >= 0) {
    g_string_append_c (bytes, byte);
    return;
  }
  if (piece == NULL || facet_tokenizer_is_control (tokenizer, id))
    return;
  for (gsize at = 0; at < length;) {
    if (length - at >= strlen (BLANK) && memcmp (piece + at, BLANK, strlen (BLANK)) == 0) {
      g_string_append_c (bytes, ' ');
      at += strlen (BLANK);
    } else {
      g_string_append_c (bytes, piece[at++]);
    }
  }
}

const char *
facet_tokenizer_piece (FacetTokenizer *tokenizer, gint32 id)
{
  gsize length;

  return facet_vocabulary_piece (&tokenizer->vocabulary, id, &length);
}

gint32
facet_tokenizer_lookup (FacetTokenizer *tokenizer, const char *piece)
{
  return facet_vocabulary_lookup (&tokenizer->vocabulary, piece);
}

gboolean
facet_tokenizer_is_control (FacetTokenizer *tokenizer, gint32 id)
{
  return id >= 0 && id < (gint32) tokenizer->vocabulary.n
         && (tokenizer->vocabulary.type[id] == FACET_PIECE_CONTROL || tokenizer->vocabulary.type[id] == FACET_PIECE_UNKNOWN);
}

int
facet_tokenizer_size (FacetTokenizer *tokenizer)
{
  return tokenizer->vocabulary.n;
}

gint32
facet_tokenizer_bos (FacetTokenizer *tokenizer)
{
  return tokenizer->bos;
}

gboolean
facet_tokenizer_add_bos (FacetTokenizer *tokenizer)
{
  return tokenizer->add_bos;
}

gboolean
facet_tokenizer_is_end (FacetTokenizer *tokenizer, gint32 id)
{
  for (gsize i = 0; i < tokenizer->n_end; i++)
    if (tokenizer->end[i] == id)
      return TRUE;
  return FALSE;
}
