/* Gemma 4 files whose hyper-parameters or tensors do not fit together: each is
 * refused by an error that names what is at fault, nothing is read past it. */
#include "facet.h"
#include "gguf/gguf.h"
#include "models/family.h"

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (damages); i++) {
    g_autofree char *path = g_strdup_printf ("/family/gemma4/%u-%s", i, damages[i].key);

    g_test_add_data_func (path, &damages[i], test_damage);
  }
  return g_test_run ();
}
