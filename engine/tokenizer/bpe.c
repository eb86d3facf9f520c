#include "tokenizer/bpe.h"

#include <string.h>

#include "facet.h"

#define MERGES     "tokenizer.ggml.merges"
#define MAX_MERGES (1u << 24)
#define BLANK      "\xe2\x96\x81" /* U+2581 */
#define MAX_WORD   ((gsize) 1 << 30)
#define NONE       G_MAXUINT32

typedef struct {
  gint32  left, right; /* right -1: a free slot */
  guint32 rank;
  gint32  result;
} Merge;

struct FacetBpe {
  const FacetVocabulary *vocabulary;
  Merge                 *merges; /* hash table by left and right */
  gsize                  mask;
};

typedef struct {
  gint32  id;           /* -1: in no piece */
  guint32 bytes;        /* of the text; 0: merged into an earlier one */
  guint32 before, next; /* indices of neighbours, NONE at the ends */
} Symbol;

typedef struct {
  guint32 rank, at;     /* merge of symbols[at] and its next */
  gint32  left, right;  /* what they were when it was found */
} Candidate;

/* ---- the table of merges ---- */

static Merge *
merge_slot (const FacetBpe *bpe, gint32 left, gint32 right)
{
  guint64 key = (guint64) (guint32) left << 32 | (guint32) right;

  for (gsize at = (key * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> 32;; at++) {
    Merge *merge = &bpe->merges[at & bpe->mask];

    if (merge->right < 0 || (merge->left == left && merge->right == right))
      return merge;
  }
}

typedef struct {
  FacetBpe *bpe;
  GString  *joined;
  gsize     bad;  /* index + 1 of a merge that makes no sense */
} Reading;

static gboolean
add_merge (gsize index, const char *bytes, gsize length, gpointer user_data)
{
  Reading *reading = user_data;
  const FacetVocabulary *vocabulary = reading->bpe->vocabulary;
  const char *blank = length > 1 ? memchr (bytes + 1, ' ', length - 1) : NULL;
  gsize first = blank != NULL ? blank - bytes : length;
  gint32 left = blank != NULL ? facet_vocabulary_find (vocabulary, bytes, first) : -1;
  gint32 right = blank != NULL ? facet_vocabulary_find (vocabulary, blank + 1, length - first - 1) : -1;
  gint32 result = -1;

  if (left >= 0 && right >= 0) {
    g_string_truncate (reading->joined, 0);
    g_string_append_len (reading->joined, bytes, first);
    g_string_append_len (reading->joined, blank + 1, length - first - 1);
    result = facet_vocabulary_find (vocabulary, reading->joined->str, reading->joined->len);
  }
  if (result < 0) {
    reading->bad = index + 1;
    return FALSE;
  }
  if (facet_vocabulary_is_text (vocabulary, result)) {
    Merge *slot = merge_slot (reading->bpe, left, right);

    if (slot->right < 0)
      *slot = (Merge){ left, right, index, result };
  }
  return TRUE;
}

FacetBpe *
facet_bpe_new (FacetGguf *gguf, const FacetVocabulary *vocabulary, GError **error)
{
  gsize n = facet_gguf_array_length (gguf, MERGES), size = 2;
  g_autoptr (FacetBpe) bpe = g_new0 (FacetBpe, 1);
  g_autoptr (GString) joined = g_string_new (NULL);
  Reading reading = { bpe, joined, 0 };

  if (n == 0 || n > MAX_MERGES) {
    g_set_error (error, FACET_ERROR, n == 0 ? FACET_ERROR_MISSING : FACET_ERROR_CORRUPT, "%s: " MERGES " lists %" G_GSIZE_FORMAT " merges",
                 facet_gguf_path (gguf), n);
    return NULL;
  }
  while (size < 2 * n)
    size *= 2;
  bpe->vocabulary = vocabulary;
  bpe->mask = size - 1;
  bpe->merges = g_new (Merge, size);
  for (gsize i = 0; i < size; i++)
    bpe->merges[i].right = -1;
  if (!facet_gguf_array_strings (gguf, MERGES, add_merge, &reading) || reading.bad > 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_CORRUPT, "%s: " MERGES ": entry %" G_GSIZE_FORMAT " does not join two tokens into a third",
                 facet_gguf_path (gguf), reading.bad > 0 ? reading.bad - 1 : 0);
    return NULL;
  }
  return g_steal_pointer (&bpe);
}

void
facet_bpe_free (FacetBpe *bpe)
{
  g_free (bpe->merges);
  g_free (bpe);
}

/* ---- a heap of candidates, the best first ---- */

static gboolean
comes_before (const Candidate *a, const Candidate *b)
{
  return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void
heap_push (GArray *heap, Candidate candidate)
{
  guint at = heap->len;
  Candidate *items;

  g_array_append_val (heap, candidate);
  items = (Candidate *) heap->data;
  for (; at > 0 && comes_before (&candidate, &items[(at - 1) / 2]); at = (at - 1) / 2)
    items[at] = items[(at - 1) / 2];
  items[at] = candidate;
}

static Candidate
heap_pop (GArray *heap)
{
  Candidate *items = (Candidate *) heap->data;
  Candidate best = items[0], last = items[heap->len - 1];
  guint at = 0;

  g_array_set_size (heap, heap->len - 1);
  for (guint child = 1; child < heap->len; child = 2 * at + 1) {
    if (child + 1 < heap->len && comes_before (&items[child + 1], &items[child]))
      child++;
    if (!comes_before (&items[child], &last))
      break;
    items[at] = items[child];
    at = child;
  }
  if (heap->len > 0)
    items[at] = last;
  return best;
}

/* ---- one stretch of text ---- */

static gint32
text_piece (const FacetBpe *bpe, const char *bytes, gsize length)
{
  gint32 id = facet_vocabulary_find (bpe->vocabulary, bytes, length);

  return id >= 0 && facet_vocabulary_is_text (bpe->vocabulary, id) ? id : -1;
}

static void
find_merge (const FacetBpe *bpe, const Symbol *symbols, guint32 at, GArray *heap)
{
  guint32 next = at != NONE ? symbols[at].next : NONE;
  const Merge *merge;

  if (next == NONE || symbols[at].id < 0 || symbols[next].id < 0)
    return;
  merge = merge_slot (bpe, symbols[at].id, symbols[next].id);
  if (merge->right >= 0)
    heap_push (heap, (Candidate){ merge->rank, at, merge->left, merge->right });
}

static GArray *
split_characters (const FacetBpe *bpe, const char *text, gsize length)
{
  GArray *symbols = g_array_sized_new (FALSE, FALSE, sizeof (Symbol), length);

  for (gsize at = 0; at < length;) {
    guint32 bytes = g_utf8_next_char (text + at) - (text + at);
    gboolean blank = text[at] == ' ';
    Symbol symbol = { text_piece (bpe, blank ? BLANK : text + at, blank ? strlen (BLANK) : bytes), bytes, symbols->len - 1, symbols->len + 1 };

    g_array_append_val (symbols, symbol);
    at += bytes;
  }
  g_array_index (symbols, Symbol, symbols->len - 1).next = NONE;
  return symbols;
}

static void
apply_merges (const FacetBpe *bpe, Symbol *symbols, guint n)
{
  g_autoptr (GArray) heap = g_array_new (FALSE, FALSE, sizeof (Candidate));

  for (guint i = 0; i < n; i++)
    find_merge (bpe, symbols, i, heap);
  while (heap->len > 0) {
    Candidate best = heap_pop (heap);
    Symbol *left = &symbols[best.at];
    guint32 next = left->next;

    if (left->bytes == 0 || left->id != best.left || next == NONE || symbols[next].id != best.right)
      continue;
    left->id = merge_slot (bpe, best.left, best.right)->result;
    left->bytes += symbols[next].bytes;
    left->next = symbols[next].next;
    symbols[next].bytes = 0;
    if (left->next != NONE)
      symbols[left->next].before = best.at;
    find_merge (bpe, symbols, left->before, heap);
    find_merge (bpe, symbols, best.at, heap);
  }
}

static void
encode_word (const FacetBpe *bpe, const char *text, gsize length, const gint32 byte_ids[256], GArray *ids)
{
  g_autoptr (GArray) symbols = split_characters (bpe, text, length);

  apply_merges (bpe, (Symbol *) symbols->data, symbols->len);
  for (guint32 i = 0; i != NONE; i = g_array_index (symbols, Symbol, i).next) {
    const Symbol *symbol = &g_array_index (symbols, Symbol, i);

    if (symbol->id >= 0)
      g_array_append_val (ids, symbol->id);
    else
      for (guint32 byte = 0; byte < symbol->bytes; byte++)
        g_array_append_val (ids, byte_ids[(guchar) text[byte]]);
    text += symbol->bytes;
  }
}

/* Up to where @text goes on as it begins: with line ends or without. */
static gsize
word_length (const char *text, gsize length)
{
  gsize at = 0;

  while (at < length && at < MAX_WORD && (text[at] == '\n') == (text[0] == '\n'))
    at = g_utf8_next_char (text + at) - text;
  return at;
}

void
facet_bpe_encode (const FacetBpe *bpe, const char *text, gsize length, const gint32 byte_ids[256], GArray *ids)
{
  while (length > 0) {
    gsize word = word_length (text, length);
    gint32 id = text[0] == '\n' ? text_piece (bpe, text, word) : -1;

    if (id >= 0)
      g_array_append_val (ids, id);
    else
      encode_word (bpe, text, word, byte_ids, ids);
    text += word;
    length -= word;
  }
}
