/* Gemma 4 files whose hyper-parameters or tensors do not fit together: each is
 * refused by an error that names what is at fault, nothing is read past it.
 * Gemma 3 files whose number of layers says how scores are scaled. */
#include "facet.h"
#include "gguf/gguf.h"
#include "models/family.h"

#include <math.h>
#include <string.h>

typedef struct {
  const char *model;
  const char *key;      /* whose u32 becomes @value; or a tensor's name, which loses its last letter's case */
  guint32     value;
  const char *message;
} Damage;

static const Damage damages[] = {
  { "gemma4-tiny", "gemma4.block_count", 0, "gemma4.block_count is 0" },
  { "gemma4-tiny", "gemma4.block_count", 8, "sliding_window_pattern does not say of which kind layer 7 is" },
  { "gemma4-tiny", "gemma4.block_count", 6, "per_layer_token_embd.weight has shape [224, 640], not [192, 640]" },
  { "gemma4-tiny", "gemma4.embedding_length", 288, "token_embd.weight has shape [256, 640], not [288, 640]" },
  { "gemma4-tiny", "gemma4.attention.head_count", 5, "layer 0: 5 query heads do not divide among 2" },
  { "gemma4-tiny", "gemma4.attention.head_count", G_MAXUINT32, "gemma4.attention.head_count is 4294967295" },
  { "gemma4-tiny", "gemma4.attention.head_count_kv", 0, "gemma4.attention.head_count_kv is 0" },
  { "gemma4-tiny", "gemma4.attention.head_count_kv", 4, "blk.0.attn_k.weight has shape [256, 32], not [256, 64]" },
  { "gemma4-tiny", "gemma4.attention.key_length", 33, "gemma4.attention.key_length is 33, not even" },
  { "gemma4-tiny", "gemma4.attention.key_length", 64, "rope_freqs.weight has shape [16, 1], not [32, 1]" },
  { "gemma4-tiny", "gemma4.attention.value_length_swa", 32, "gemma4.attention.value_length_swa differs" },
  { "gemma4-tiny", "gemma4.rope.dimension_count", 8, "gemma4.rope.dimension_count differs" },
  { "gemma4-tiny", "gemma4.attention.sliding_window", 0, "gemma4.attention.sliding_window is 0" },
  { "gemma4-tiny", "gemma4.attention.shared_kv_layers", 7, "gemma4.attention.shared_kv_layers is 7, not 0 to 6" },
  { "gemma4-tiny", "gemma4.attention.shared_kv_layers", 4, "layer 3 shares keys and values, but no layer of its kind has any" },
  { "gemma4-tiny", "gemma4.attention.shared_kv_layers", 0, "blk.4.attn_k.weight is missing" },
  { "gemma4-tiny", "gemma4.embedding_length_per_layer_input", 64, "per_layer_token_embd.weight has shape [224, 640], not [448, 640]" },
  { "gemma4-tiny", "blk.3.attn_v.weight", 0, NULL },
  { "gemma4-tiny", "blk.2.attn_v.weight", 0, "blk.2.attn_v.weight is missing" },
  { "gemma4-tiny", "blk.6.attn_q.weight", 0, "blk.6.attn_q.weight is missing" },
  { "gemma4-tiny", "per_layer_model_proj.weight", 0, "per_layer_model_proj.weight is missing" },
  { "gemma4-tiny", "rope_freqs.weight", 0, "rope_freqs.weight is missing" },
  { "gemma4-moe-tiny", "gemma4.expert_count", 0, "blk.0.ffn_gate_inp.weight without key gemma4.expert_count" },
  { "gemma4-moe-tiny", "gemma4.expert_count", 13, "blk.0.ffn_gate_inp.weight has shape [96, 12], not [96, 13]" },
  { "gemma4-moe-tiny", "gemma4.expert_used_count", 13, "gemma4.expert_used_count is 13, not 1 to 12" },
  { "gemma4-moe-tiny", "gemma4.expert_feed_forward_length", 64, "blk.0.ffn_down_exps.weight has shape [32, 96, 12], not [64, 96, 12]" },
  { "gemma4-moe-tiny", "blk.1.ffn_up_exps.weight", 0, "blk.1.ffn_up_exps.weight is missing" },
};

/* The first byte after the length-prefixed text @name. */
static guint8 *
find_name (guint8 *data, gsize size, const char *name)
{
  gsize length = strlen (name);
  guint64 prefix = length;

  for (gsize i = 0; i + sizeof prefix + length < size; i++)
    if (memcmp (data + i, &prefix, sizeof prefix) == 0 && memcmp (data + i + sizeof prefix, name, length) == 0)
      return data + i + sizeof prefix + length;
  g_error ("no %s in the file", name);
}

static void
test_damage (gconstpointer user_data)
{
  const Damage *damage = user_data;
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models", damage->model, "text-q4_0.gguf", NULL);
  g_autofree char *data = NULL;
  g_autoptr (FacetGguf) gguf = NULL;
  g_autoptr (GError) error = NULL;
  FacetDecoder *decoder;
  guint8 *at;
  gsize size;

  g_assert_true (g_file_get_contents (path, &data, &size, &error));
  at = find_name ((guint8 *) data, size, damage->key);
  if (g_str_has_suffix (damage->key, ".weight"))
    at[-1] = 'T';
  else
    memcpy (at + sizeof (guint32), &damage->value, sizeof damage->value);
  gguf = facet_gguf_open_bytes (data, size, "damaged.gguf", &error);
  g_assert_no_error (error);
  decoder = facet_family_for (gguf, &error)->load (gguf, &error);
  if (damage->message == NULL) {
    g_assert_no_error (error);
    decoder->free (decoder);
    return;
  }
  g_assert_null (decoder);
  g_assert_error (error, FACET_ERROR, FACET_ERROR_MISSING);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, damage->message));
  g_assert_true (g_str_has_prefix (error->message, "damaged.gguf: "));
}

/* ---- a file made here ---- */

#define WIDTH 64
#define HEAD 16
#define N_HEAD 2

typedef struct {
  GByteArray *keys, *tensors;
  guint64     n_keys, n_tensors, data;
} Writer;

static void
put (GByteArray *to, guint64 value, guint n)
{
  value = GUINT64_TO_LE (value);
  g_byte_array_append (to, (const guint8 *) &value, n);
}

static void
put_text (GByteArray *to, const char *text)
{
  put (to, strlen (text), 8);
  g_byte_array_append (to, (const guint8 *) text, (guint) strlen (text));
}

static void
put_u32 (Writer *w, const char *key, guint32 value)
{
  put_text (w->keys, key);
  put (w->keys, 4, 4);
  put (w->keys, value, 4);
  w->n_keys++;
}

static void
put_tensor (Writer *w, int layer, const char *name, guint64 ne0, guint64 ne1)
{
  g_autofree char *full = layer < 0 ? g_strdup_printf ("%s.weight", name) : g_strdup_printf ("blk.%d.%s.weight", layer, name);

  put_text (w->tensors, full);
  put (w->tensors, ne1 > 0 ? 2 : 1, 4);
  put (w->tensors, ne0, 8);
  if (ne1 > 0)
    put (w->tensors, ne1, 8);
  put (w->tensors, FACET_F32, 4);
  put (w->tensors, w->data, 8);
  w->data += ne0 * MAX (ne1, 1) * sizeof (float);
  w->n_tensors++;
}

/* Gemma 3 with all weights 0. */
static GBytes *
make_gemma3 (int layers)
{
  static const char *const vectors[] = { "attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm" };
  Writer w = { g_byte_array_new (), g_byte_array_new (), 0, 0, 0 };
  GByteArray *file = g_byte_array_new ();
  guint start;

  put_text (w.keys, "general.architecture");
  put (w.keys, 8, 4);
  put_text (w.keys, "gemma3");
  w.n_keys++;
  put_u32 (&w, "gemma3.context_length", 128);
  put_u32 (&w, "gemma3.embedding_length", WIDTH);
  put_u32 (&w, "gemma3.block_count", (guint32) layers);
  put_u32 (&w, "gemma3.feed_forward_length", WIDTH);
  put_u32 (&w, "gemma3.attention.head_count", N_HEAD);
  put_u32 (&w, "gemma3.attention.head_count_kv", 1);
  put_u32 (&w, "gemma3.attention.key_length", HEAD);
  put_u32 (&w, "gemma3.attention.value_length", HEAD);
  put_u32 (&w, "gemma3.attention.sliding_window", 32);
  put_text (w.keys, "gemma3.attention.layer_norm_rms_epsilon");
  put (w.keys, 6, 4);
  put (w.keys, 0x358637bd, 4); /* 1e-6 */
  w.n_keys++;
  put_tensor (&w, -1, "token_embd", WIDTH, 32);
  put_tensor (&w, -1, "output_norm", WIDTH, 0);
  for (int i = 0; i < layers; i++) {
    for (guint k = 0; k < G_N_ELEMENTS (vectors); k++)
      put_tensor (&w, i, vectors[k], WIDTH, 0);
    put_tensor (&w, i, "attn_q_norm", HEAD, 0);
    put_tensor (&w, i, "attn_k_norm", HEAD, 0);
    put_tensor (&w, i, "attn_q", WIDTH, N_HEAD * HEAD);
    put_tensor (&w, i, "attn_k", WIDTH, HEAD);
    put_tensor (&w, i, "attn_v", WIDTH, HEAD);
    put_tensor (&w, i, "attn_output", N_HEAD * HEAD, WIDTH);
    put_tensor (&w, i, "ffn_gate", WIDTH, WIDTH);
    put_tensor (&w, i, "ffn_up", WIDTH, WIDTH);
    put_tensor (&w, i, "ffn_down", WIDTH, WIDTH);
  }
  g_byte_array_append (file, (const guint8 *) "GGUF\3\0\0", 8);
  put (file, w.n_tensors, 8);
  put (file, w.n_keys, 8);
  g_byte_array_append (file, w.keys->data, w.keys->len);
  g_byte_array_append (file, w.tensors->data, w.tensors->len);
  start = (file->len + 31) / 32 * 32 + (guint) w.data;
  g_byte_array_unref (w.keys);
  g_byte_array_unref (w.tensors);
  while (file->len < start)
    put (file, 0, MIN (8, start - file->len));
  return g_byte_array_free_to_bytes (file);
}

/* 27B, which only its 62 layers tell, divides by the root of the width among
 * the heads, all others by that of a head's width. */
static void
test_attention_scale (void)
{
  for (int layers = 61; layers <= 62; layers++) {
    g_autoptr (GBytes) bytes = make_gemma3 (layers);
    g_autoptr (GError) error = NULL;
    g_autoptr (FacetGguf) gguf = facet_gguf_open_bytes (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "made.gguf", &error);
    g_autoptr (FacetGraph) graph = NULL;
    FacetDecoder *decoder;
    int seen = 0;

    g_assert_no_error (error);
    decoder = facet_family_for (gguf, &error)->load (gguf, &error);
    g_assert_no_error (error);
    graph = decoder->build (decoder, FACET_BUILD_NORMAL);
    for (int i = 0; i < facet_graph_n_nodes (graph); i++) {
      const FacetNode *node = facet_graph_node (graph, i);

      if (node->op != FACET_OP_ATTENTION)
        continue;
      seen++;
      g_assert_cmpfloat_with_epsilon (node->u.attention.scale, 1 / sqrt (layers == 62 ? WIDTH / N_HEAD : HEAD), 1e-6);
    }
    g_assert_cmpint (seen, ==, layers);
    decoder->free (decoder);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (damages); i++) {
    g_autofree char *path = g_strdup_printf ("/family/gemma4/%u-%s", i, damages[i].key);

    g_test_add_data_func (path, &damages[i], test_damage);
  }
  g_test_add_func ("/family/gemma3/attention-scale", test_attention_scale);
  return g_test_run ();
}
