#include "tokenizer/tokenizer.h"

#include <string.h>

#include "facet.h"
#include "tokenizer/bpe.h"
#include "tokenizer/spm-shim.h"
#include "tokenizer/vocabulary.h"

#define BLANK "\xe2\x96\x81" /* U+2581, a blank inside pieces */

/* A model that asks for a tool's response waits for it. */
static const char *const end_pieces[] = { "<end_of_turn>", "<eos>", "<turn|>", "<|tool_response>" };

/* Pieces that are cut out of text before anything else, by first byte,
 * longest first. */
typedef struct {
  GArray *ids[256]; /* of gint32, NULL: none */
} Cuts;

struct FacetTokenizer {
  FacetVocabulary vocabulary;
  FacetSpm       *spm;       /* of `llama` vocabularies */
  FacetBpe       *bpe;       /* of `gemma4` ones */
  Cuts            cuts[FACET_TOKENIZE_SPECIAL + 1];
  gint32          byte_ids[256];
  gint32          bos, eos;
  gint32          end[G_N_ELEMENTS (end_pieces) + 2];
  gsize           n_end;
  gboolean        add_bos;
  gsize           has_bytes; /* GOnce: of the three below */
  GString        *bytes;     /* of all tokens */
  guint32        *byte_offset; /* [n + 1] */
  guint8         *harmless;  /* [n] */
};

static gsize
piece_length (const FacetTokenizer *tokenizer, gint32 id)
{
  return tokenizer->vocabulary.offset[id + 1] - tokenizer->vocabulary.offset[id] - 1;
}

static int
longer_first (gconstpointer a, gconstpointer b, gpointer tokenizer)
{
  gsize x = piece_length (tokenizer, *(const gint32 *) a), y = piece_length (tokenizer, *(const gint32 *) b);

  return (y > x) - (y < x);
}

static void
add_cut (FacetTokenizer *tokenizer, FacetTokenizeMode mode, gint32 id)
{
  guchar first = tokenizer->vocabulary.text[tokenizer->vocabulary.offset[id]];
  GArray **ids = &tokenizer->cuts[mode].ids[first];

  if (*ids == NULL)
    *ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_array_append_val (*ids, id);
}

/* libsentencepiece finds user-defined pieces by itself. */
static void
index_cut (FacetTokenizer *tokenizer, gint32 id)
{
  FacetPieceType type = tokenizer->vocabulary.type[id];
  gboolean plain = type == FACET_PIECE_MARKER || (type == FACET_PIECE_USER_DEFINED && tokenizer->bpe != NULL);

  if (piece_length (tokenizer, id) == 0)
    return;
  if (plain && type != FACET_PIECE_MARKER && strstr (facet_tokenizer_piece (tokenizer, id), BLANK) == NULL)
    add_cut (tokenizer, FACET_TOKENIZE_TEXT, id);
  if (plain)
    add_cut (tokenizer, FACET_TOKENIZE_PLAIN, id);
  if (plain || type == FACET_PIECE_CONTROL)
    add_cut (tokenizer, FACET_TOKENIZE_SPECIAL, id);
}

static void
index_pieces (FacetTokenizer *tokenizer, gint32 unknown)
{
  for (int i = 0; i < 256; i++)
    tokenizer->byte_ids[i] = unknown;
  for (guint32 i = 0; i < tokenizer->vocabulary.n; i++) {
    int byte = facet_vocabulary_byte (&tokenizer->vocabulary, i);

    if (byte >= 0)
      tokenizer->byte_ids[byte] = i;
    index_cut (tokenizer, i);
  }
  for (gsize mode = 0; mode < G_N_ELEMENTS (tokenizer->cuts); mode++)
    for (int i = 0; i < 256; i++)
      if (tokenizer->cuts[mode].ids[i] != NULL)
        g_array_sort_with_data (tokenizer->cuts[mode].ids[i], longer_first, tokenizer);
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

static gboolean
open_spm (FacetTokenizer *tokenizer, FacetGguf *gguf, gint32 unknown, GError **error)
{
  g_autoptr (GByteArray) proto = facet_vocabulary_to_proto (&tokenizer->vocabulary, unknown);
  g_autofree char *message = NULL;

  tokenizer->spm = facet_spm_new (proto->data, proto->len, &message);
  if (tokenizer->spm == NULL)
    g_set_error (error, FACET_ERROR, FACET_ERROR_CORRUPT, "%s: the vocabulary cannot be used: %s", facet_gguf_path (gguf), message);
  return tokenizer->spm != NULL;
}

static gboolean
open_bpe (FacetTokenizer *tokenizer, FacetGguf *gguf, GError **error)
{
  tokenizer->bpe = facet_bpe_new (gguf, &tokenizer->vocabulary, error);
  return tokenizer->bpe != NULL;
}

FacetTokenizer *
facet_tokenizer_new (FacetGguf *gguf, GError **error)
{
  g_autoptr (FacetTokenizer) tokenizer = g_new0 (FacetTokenizer, 1);
  const char *model = facet_gguf_get_string (gguf, "tokenizer.ggml.model");
  gboolean merges = g_strcmp0 (model, "gemma4") == 0;
  gint32 unknown;

  if (!merges && g_strcmp0 (model, "llama") != 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "%s: tokenizer.ggml.model is \"%s\", only \"llama\" and \"gemma4\" are known",
                 facet_gguf_path (gguf), model != NULL ? model : "");
    return NULL;
  }
  if (!facet_vocabulary_read (&tokenizer->vocabulary, gguf, error) || !read_special (tokenizer, gguf, &unknown, error)
      || !(merges ? open_bpe (tokenizer, gguf, error) : open_spm (tokenizer, gguf, unknown, error)))
    return NULL;
  index_pieces (tokenizer, unknown);
  return g_steal_pointer (&tokenizer);
}

void
facet_tokenizer_free (FacetTokenizer *tokenizer)
{
  facet_vocabulary_clear (&tokenizer->vocabulary);
  g_clear_pointer (&tokenizer->spm, facet_spm_free);
  g_clear_pointer (&tokenizer->bpe, facet_bpe_free);
  if (tokenizer->bytes != NULL)
    g_string_free (tokenizer->bytes, TRUE);
  g_free (tokenizer->byte_offset);
  g_free (tokenizer->harmless);
  for (gsize mode = 0; mode < G_N_ELEMENTS (tokenizer->cuts); mode++)
    for (int i = 0; i < 256; i++)
      g_clear_pointer (&tokenizer->cuts[mode].ids[i], g_array_unref);
  g_free (tokenizer);
}

static void
encode_bytes (FacetTokenizer *tokenizer, const char *bytes, gsize length, GArray *ids)
{
  for (gsize i = 0; i < length; i++)
    g_array_append_val (ids, tokenizer->byte_ids[(guchar) bytes[i]]);
}

static void
encode_valid (FacetTokenizer *tokenizer, const char *text, gsize length, GArray *ids)
{
  if (tokenizer->bpe != NULL)
    facet_bpe_encode (tokenizer->bpe, text, length, tokenizer->byte_ids, ids);
  else
    facet_spm_encode (tokenizer->spm, text, length, ids);
}

/* Text in which nothing is cut out any more; what is no UTF-8 goes byte by
 * byte, as does NUL, which libsentencepiece would not get through. */
static void
encode_run (FacetTokenizer *tokenizer, const char *text, gsize length, GArray *ids)
{
  const char *end = text + length;

  while (text < end) {
    const char *invalid;

    g_utf8_validate_len (text, end - text, &invalid);
    if (invalid > text)
      encode_valid (tokenizer, text, invalid - text, ids);
    if (invalid == end)
      return;
    encode_bytes (tokenizer, invalid, 1, ids);
    text = invalid + 1;
  }
}

/* The piece to be cut out at @text, -1: none. */
static gint32
match_cut (FacetTokenizer *tokenizer, const char *text, gsize length, FacetTokenizeMode mode)
{
  GArray *candidates = tokenizer->cuts[mode].ids[(guchar) text[0]];

  for (guint i = 0; candidates != NULL && i < candidates->len; i++) {
    gint32 id = g_array_index (candidates, gint32, i);
    gsize wanted = piece_length (tokenizer, id);

    if (wanted <= length && memcmp (text, facet_tokenizer_piece (tokenizer, id), wanted) == 0)
      return id;
  }
  return -1;
}

void
facet_tokenizer_encode (FacetTokenizer *tokenizer, const char *text, gsize length, FacetTokenizeMode mode, GArray *ids)
{
  gsize start = 0;

  for (gsize at = 0; at < length;) {
    gint32 id = match_cut (tokenizer, text + at, length - at, mode);
    gboolean blank = mode == FACET_TOKENIZE_TEXT && id < 0 && length - at >= strlen (BLANK) && memcmp (text + at, BLANK, strlen (BLANK)) == 0;
    gsize taken = id >= 0 ? piece_length (tokenizer, id) : strlen (BLANK);

    if (id < 0 && !blank) {
      at++;
      continue;
    }
    encode_run (tokenizer, text + start, at - start, ids);
    if (blank)
      encode_bytes (tokenizer, text + at, taken, ids);
    else
      g_array_append_val (ids, id);
    at += taken;
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

static gboolean
is_harmless (const char *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if ((guchar) bytes[i] < 0x20 || bytes[i] == '"' || bytes[i] == '\\')
      return FALSE;
  return g_utf8_validate_len (bytes, length, NULL);
}

static void
make_bytes (FacetTokenizer *tokenizer)
{
  guint32 n = tokenizer->vocabulary.n;

  tokenizer->bytes = g_string_sized_new (8 * n);
  tokenizer->byte_offset = g_new0 (guint32, n + 1);
  tokenizer->harmless = g_new0 (guint8, n);
  for (guint32 id = 0; id < n; id++) {
    gsize start = tokenizer->bytes->len;

    if (!facet_tokenizer_is_special (tokenizer, id))
      facet_tokenizer_decode (tokenizer, id, tokenizer->bytes);
    tokenizer->byte_offset[id + 1] = tokenizer->bytes->len;
    tokenizer->harmless[id] = is_harmless (tokenizer->bytes->str + start, tokenizer->bytes->len - start);
  }
}

static gboolean
has_bytes (FacetTokenizer *tokenizer, gint32 id)
{
  if (g_once_init_enter (&tokenizer->has_bytes)) {
    make_bytes (tokenizer);
    g_once_init_leave (&tokenizer->has_bytes, 1);
  }
  return id >= 0 && id < (gint32) tokenizer->vocabulary.n;
}

const char *
facet_tokenizer_bytes (FacetTokenizer *tokenizer, gint32 id, gsize *length)
{
  if (!has_bytes (tokenizer, id)) {
    *length = 0;
    return "";
  }
  *length = tokenizer->byte_offset[id + 1] - tokenizer->byte_offset[id];
  return tokenizer->bytes->str + tokenizer->byte_offset[id];
}

gboolean
facet_tokenizer_is_harmless (FacetTokenizer *tokenizer, gint32 id)
{
  return has_bytes (tokenizer, id) && tokenizer->harmless[id];
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

gboolean
facet_tokenizer_is_special (FacetTokenizer *tokenizer, gint32 id)
{
  return facet_tokenizer_is_control (tokenizer, id)
         || (id >= 0 && id < (gint32) tokenizer->vocabulary.n && tokenizer->vocabulary.type[id] == FACET_PIECE_MARKER);
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
