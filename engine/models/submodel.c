#include "facet.h"

#include <string.h>

#include "gguf/gguf-writer.h"
#include "models/family.h"
#include "models/shared-kv.h"

#define ARCHITECTURE "gemma3n"
#define PREFIX ARCHITECTURE "."
#define MIN_WIDTH 32 /* what the family's loader takes */

/* Rows or columns that stay. */
typedef struct {
  gint64 first, n;
} Run;

/* A tensor of the sub-model. */
typedef struct {
  const FacetTensor *source;
  char  *name;
  gint64 ne[FACET_MAX_DIMS];
  const GArray *rows, *columns;  /* of Run; NULL: all */
} Piece;

typedef struct {
  FacetGguf *gguf;
  int  n_layers, n_own;   /* of the file; those with keys and values of their own */
  int *place;             /* [n_layers] in the sub-model; -1: left out */
  int  n_kept, n_kept_own;
  gint32 *widths;         /* [n_kept] */
  GPtrArray *heads;       /* [n_kept] of GArray of Run: the first columns of each feed-forward */
  GArray *per_layer;      /* of Run: the kept layers' parts of the per-layer embeddings */
  GArray *pieces;         /* of Piece */
} Cut;

static void
piece_clear (gpointer data)
{
  g_free (((Piece *) data)->name);
}

static void
cut_clear (Cut *cut)
{
  g_clear_pointer (&cut->gguf, facet_gguf_close);
  g_free (cut->place);
  g_free (cut->widths);
  g_clear_pointer (&cut->heads, g_ptr_array_unref);
  g_clear_pointer (&cut->per_layer, g_array_unref);
  g_clear_pointer (&cut->pieces, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Cut, cut_clear)

static gboolean G_GNUC_PRINTF (3, 4)
refuse (const Cut *cut, GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "%s: %s", facet_gguf_path (cut->gguf), message);
  return FALSE;
}

/* ---- which layers ---- */

/* What the family can load has all tensors in their shapes. */
static gboolean
open_model (Cut *cut, const char *path, GError **error)
{
  const FacetFamilyClass *family;
  FacetDecoder *decoder;

  cut->gguf = facet_gguf_open (path, error);
  family = cut->gguf != NULL ? facet_family_for (cut->gguf, error) : NULL;
  if (family == NULL)
    return FALSE;
  if (family->family != FACET_FAMILY_GEMMA3N)
    return refuse (cut, error, "general.architecture: %s, but only models of gemma3n hold others", family->architecture);
  decoder = family->load (cut->gguf, error);
  if (decoder == NULL)
    return FALSE;
  cut->n_layers = decoder->n_layers;
  cut->n_own = decoder->n_kv_layers;
  decoder->free (decoder);
  return TRUE;
}

static gboolean
choose_layers (Cut *cut, const FacetSubmodel *what, GError **error)
{
  cut->place = g_new0 (int, cut->n_layers);
  for (int i = 0; i < what->n_left_out; i++) {
    if (what->left_out[i] < 0 || what->left_out[i] >= cut->n_layers)
      return refuse (cut, error, "layer %d cannot be left out of %d, which are counted from 0", what->left_out[i], cut->n_layers);
    cut->place[what->left_out[i]] = -1;
  }
  for (int i = 0; i < cut->n_layers; i++) {
    int source;

    if (cut->place[i] < 0)
      continue;
    source = facet_shared_kv_source (cut->gguf, ARCHITECTURE, cut->n_own, i);
    if (cut->place[source] < 0)
      return refuse (cut, error, "layer %d reads keys and values of layer %d, which cannot be left out", i, source);
    cut->place[i] = cut->n_kept++;
    cut->n_kept_own += i < cut->n_own;
  }
  return cut->n_kept > 0 || refuse (cut, error, "no layer would be left of %d", cut->n_layers);
}

static const FacetTensor *
layer_tensor (const Cut *cut, int layer, const char *which)
{
  g_autofree char *name = g_strdup_printf ("blk.%d.%s.weight", layer, which);

  return facet_gguf_tensor (cut->gguf, name);
}

static void
add_run (GArray *runs, gint64 first, gint64 n)
{
  Run *last = runs->len > 0 ? &g_array_index (runs, Run, runs->len - 1) : NULL;

  if (last != NULL && last->first + last->n == first)
    last->n += n;
  else
    g_array_append_val (runs, ((Run) { first, n }));
}

static gboolean
choose_widths (Cut *cut, const FacetSubmodel *what, GError **error)
{
  if (what->n_feed_forward > 1 && what->n_feed_forward != cut->n_kept)
    return refuse (cut, error, "%d feed-forward widths for %d layers", what->n_feed_forward, cut->n_kept);
  cut->widths = g_new (gint32, cut->n_kept);
  cut->heads = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  for (int i = 0; i < cut->n_layers; i++) {
    const FacetTensor *down = layer_tensor (cut, i, "ffn_down");
    int at = cut->place[i], width = (int) down->ne[0];
    GArray *head;

    if (at < 0)
      continue;
    if (what->n_feed_forward > 0)
      width = what->feed_forward[what->n_feed_forward > 1 ? at : 0];
    if (width < MIN_WIDTH || width > down->ne[0])
      return refuse (cut, error, "layer %d: a feed-forward width of %d is not within %d .. %" G_GINT64_FORMAT, i, width, MIN_WIDTH, down->ne[0]);
    cut->widths[at] = width;
    head = g_array_new (FALSE, FALSE, sizeof (Run));
    add_run (head, 0, width);
    g_ptr_array_add (cut->heads, head);
  }
  return TRUE;
}

/* ---- tensors ---- */

static gint64
count (const GArray *runs, gint64 all)
{
  gint64 n = 0;

  for (guint i = 0; runs != NULL && i < runs->len; i++)
    n += g_array_index (runs, Run, i).n;
  return runs != NULL ? n : all;
}

static gboolean
are_blocks (const Cut *cut, const FacetTensor *source, const GArray *columns, GError **error)
{
  gint64 block = facet_dtype_info (source->dtype)->block;

  for (guint i = 0; columns != NULL && i < columns->len; i++) {
    const Run *run = &g_array_index (columns, Run, i);

    if (run->first % block != 0 || run->n % block != 0)
      return refuse (cut, error, "tensor %s: columns %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " are no whole blocks of %s, %" G_GINT64_FORMAT " each",
                     source->name, run->first, run->first + run->n - 1, facet_dtype_name (source->dtype), block);
  }
  return TRUE;
}

/* Takes @name over. */
static gboolean
add_piece (Cut *cut, const FacetTensor *source, char *name, const GArray *rows, const GArray *columns, GError **error)
{
  Piece piece = { .source = source, .name = name, .rows = rows, .columns = columns };

  memcpy (piece.ne, source->ne, sizeof piece.ne);
  piece.ne[0] = count (columns, source->ne[0]);
  piece.ne[1] = count (rows, source->ne[1]);
  g_array_append_val (cut->pieces, piece);
  return are_blocks (cut, source, columns, error);
}

/* The layer of "blk.N.REST", and what follows it. */
static gboolean
read_layer (const Cut *cut, const FacetTensor *tensor, int *layer, const char **rest, GError **error)
{
  const char *digits = tensor->name + strlen ("blk.");
  char *end = NULL;
  guint64 number = g_ascii_strtoull (digits, &end, 10);

  if (!g_ascii_isdigit (*digits) || (*digits == '0' && end != digits + 1) || *end != '.' || number >= (guint64) cut->n_layers)
    return refuse (cut, error, "tensor %s: of none of the %d layers", tensor->name, cut->n_layers);
  *layer = (int) number;
  *rest = end + 1;
  return TRUE;
}

static gboolean
add_layer_tensor (Cut *cut, const FacetTensor *tensor, GError **error)
{
  const GArray *head, *rows = NULL, *columns = NULL;
  const char *rest = NULL;
  int layer = 0;

  if (!read_layer (cut, tensor, &layer, &rest, error))
    return FALSE;
  if (cut->place[layer] < 0)
    return TRUE;
  head = g_ptr_array_index (cut->heads, cut->place[layer]);
  if (g_str_equal (rest, "ffn_gate.weight") || g_str_equal (rest, "ffn_up.weight"))
    rows = head;
  else if (g_str_equal (rest, "ffn_down.weight"))
    columns = head;
  return add_piece (cut, tensor, g_strdup_printf ("blk.%d.%s", cut->place[layer], rest), rows, columns, error);
}

static gboolean
add_tensors (Cut *cut, GError **error)
{
  guint32 width = 0;

  facet_gguf_get_u32 (cut->gguf, PREFIX "embedding_length_per_layer_input", &width);
  cut->per_layer = g_array_new (FALSE, FALSE, sizeof (Run));
  for (int i = 0; i < cut->n_layers; i++)
    if (cut->place[i] >= 0)
      add_run (cut->per_layer, (gint64) i * width, width);
  cut->pieces = g_array_new (FALSE, FALSE, sizeof (Piece));
  g_array_set_clear_func (cut->pieces, piece_clear);
  for (gsize i = 0; i < facet_gguf_n_tensors (cut->gguf); i++) {
    const FacetTensor *tensor = facet_gguf_tensor_at (cut->gguf, i);
    gboolean of_table = g_str_equal (tensor->name, "per_layer_token_embd.weight");
    gboolean of_projection = g_str_equal (tensor->name, "per_layer_model_proj.weight");

    if (g_str_has_prefix (tensor->name, "blk.") ? !add_layer_tensor (cut, tensor, error)
                                                : !add_piece (cut, tensor, g_strdup (tensor->name), of_projection ? cut->per_layer : NULL,
                                                              of_table ? cut->per_layer : NULL, error))
      return FALSE;
  }
  return TRUE;
}

static gsize
piece_bytes (const Piece *piece)
{
  return facet_dtype_row_bytes (piece->source->dtype, (gsize) piece->ne[0]) * (gsize) (piece->ne[1] * piece->ne[2] * piece->ne[3]);
}

static gboolean
write_columns (GgufWriter *w, const Piece *piece, const guint8 *row, GError **error)
{
  for (guint i = 0; i < piece->columns->len; i++) {
    const Run *run = &g_array_index (piece->columns, Run, i);
    FacetDtype type = piece->source->dtype;

    if (!gguf_write_bytes (w, row + facet_dtype_row_bytes (type, (gsize) run->first), facet_dtype_row_bytes (type, (gsize) run->n), error))
      return FALSE;
  }
  return TRUE;
}

/* Of matrices either rows or columns are chosen. */
static gboolean
write_piece (GgufWriter *w, const Piece *piece, GError **error)
{
  const FacetTensor *source = piece->source;
  gsize stride = facet_dtype_row_bytes (source->dtype, (gsize) source->ne[0]);
  const guint8 *data = source->data;

  if (piece->rows == NULL && piece->columns == NULL)
    return gguf_write_bytes (w, data, source->bytes, error);
  for (guint i = 0; piece->rows != NULL && i < piece->rows->len; i++) {
    const Run *run = &g_array_index (piece->rows, Run, i);

    if (!gguf_write_bytes (w, data + (gsize) run->first * stride, (gsize) run->n * stride, error))
      return FALSE;
  }
  for (gint64 row = 0; piece->columns != NULL && row < source->ne[1]; row++)
    if (!write_columns (w, piece, data + (gsize) row * stride, error))
      return FALSE;
  return TRUE;
}

/* ---- keys ---- */

/* No longer true of the sub-model: its size, and that it lies in several files. */
static gboolean
is_dropped (const GgufKv *kv)
{
  return g_str_equal (kv->key, "general.size_label") || g_str_has_prefix (kv->key, "split.");
}

/* The elements of the kept layers. Returns: (transfer full). */
static guint8 *
keep_elements (const Cut *cut, const GgufKv *kv)
{
  gsize each = gguf_type_bytes (kv->element);
  guint8 *kept = g_malloc (cut->n_kept * each);

  for (int i = 0; i < cut->n_layers; i++)
    if (cut->place[i] >= 0)
      memcpy (kept + cut->place[i] * each, kv->value + i * each, each);
  return kept;
}

/* The file's key with the sub-model's value; arrays of numbers with one for
 * each layer lose those of the layers left out. */
static gboolean
write_key (const Cut *cut, GgufWriter *w, const GgufKv *kv, GError **error)
{
  guint32 layers = (guint32) cut->n_kept, shared = (guint32) (cut->n_kept - cut->n_kept_own);
  g_autofree char *name = NULL;
  g_autofree guint8 *elements = NULL;
  GgufKv changed = *kv;

  if (g_str_equal (kv->key, PREFIX "block_count") || g_str_equal (kv->key, PREFIX "attention.shared_kv_layers")) {
    changed.type = GGUF_U32;
    changed.value = (const guint8 *) (g_str_has_suffix (kv->key, "block_count") ? &layers : &shared);
  } else if (g_str_equal (kv->key, PREFIX "feed_forward_length")) {
    changed.type = GGUF_ARRAY;
    changed.element = GGUF_I32;
    changed.n = layers;
    changed.value = (const guint8 *) cut->widths;
  } else if (g_str_has_prefix (kv->key, PREFIX) && kv->type == GGUF_ARRAY && kv->element != GGUF_STRING
             && kv->n == (guint64) cut->n_layers) {
    changed.n = layers;
    changed.value = elements = keep_elements (cut, kv);
  } else if (g_str_equal (kv->key, "general.name") && kv->type == GGUF_STRING) {
    name = g_strdup_printf ("%s (sub-model of %u layers)", kv->string, layers);
    changed.n = strlen (name);
    changed.value = (const guint8 *) name;
  }
  return gguf_write_key (w, &changed, error);
}

static gboolean
write_keys (const Cut *cut, GgufWriter *w, GError **error)
{
  for (guint i = 0; i < cut->gguf->kvs->len; i++) {
    const GgufKv *kv = &g_array_index (cut->gguf->kvs, GgufKv, i);

    if (!is_dropped (kv) && !write_key (cut, w, kv, error))
      return FALSE;
  }
  return TRUE;
}

static guint
count_keys (const Cut *cut)
{
  guint n = 0;

  for (guint i = 0; i < cut->gguf->kvs->len; i++)
    n += !is_dropped (&g_array_index (cut->gguf->kvs, GgufKv, i));
  return n;
}

/* ---- the file ---- */

static gboolean
write_header (const Cut *cut, GgufWriter *w, guint64 *data_bytes, GError **error)
{
  guint64 offset = 0;

  if (!gguf_write_start (w, cut->pieces->len, count_keys (cut), error) || !write_keys (cut, w, error))
    return FALSE;
  for (guint i = 0; i < cut->pieces->len; i++) {
    const Piece *piece = &g_array_index (cut->pieces, Piece, i);
    gsize bytes = piece_bytes (piece);

    if (!gguf_write_tensor (w, piece->name, piece->source->dtype, piece->ne, offset, error))
      return FALSE;
    offset += bytes + (w->alignment - bytes % w->alignment) % w->alignment;
  }
  *data_bytes = offset;
  return gguf_write_padding (w, error);
}

static gboolean
write_file (const Cut *cut, GgufWriter *w, GError **error)
{
  guint64 data_bytes = 0;

  if (!write_header (cut, w, &data_bytes, error))
    return FALSE;
  w->total = w->position + data_bytes;
  for (guint i = 0; i < cut->pieces->len; i++)
    if (!write_piece (w, &g_array_index (cut->pieces, Piece, i), error) || !gguf_write_padding (w, error))
      return FALSE;
  return TRUE;
}

gboolean
facet_submodel_write (const char *path, const FacetSubmodel *what, FacetWriteFunc write, gpointer write_data, GError **error)
{
  g_auto (Cut) cut = { NULL };
  GgufWriter writer = { .write = write, .write_data = write_data, .cancel = what->cancel, .progress = what->progress,
                        .user_data = what->user_data };

  if (!open_model (&cut, path, error) || !choose_layers (&cut, what, error) || !choose_widths (&cut, what, error)
      || !add_tensors (&cut, error))
    return FALSE;
  writer.alignment = cut.gguf->alignment;
  return facet_gguf_confirm (cut.gguf, write_file (&cut, &writer, error), error);
}
